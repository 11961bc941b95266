#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""merged.py HOLDFAST SYNTH SCENARIO [OPTION...]: a capture in pieces, in any order, packed or not, is the capture.

What `holdfast analyze --json` says of the pieces is what it says of the whole, but for the names of the files. Speaks
TAP.
"""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import capture
from scenario import Tap, run

PIECES = 5


def analysis(holdfast, folder, *names, given=None):
    """What is said of the captures, without their names, and the exit status."""
    done = subprocess.run(
        [holdfast, "analyze", "--json", *names], check=False, capture_output=True, cwd=folder, stdin=given, timeout=120
    )
    said = json.loads(done.stdout) if done.stdout else None
    return said and said["input"].pop("files"), said, done.returncode, done.stderr.decode(errors="replace")


def in_pieces(whole, folder, cuts, of=lambda index, piece: piece):
    """Writes record i to the piece that `of` says; cuts[p] is the first record of piece p."""
    octets, head = whole.octets, whole.octets[: whole.records[0][0]]
    pieces, piece = [bytearray(head) for _ in cuts], 0
    for index, (start, _, end) in enumerate(whole.records):
        while piece + 1 < len(cuts) and index >= cuts[piece + 1]:
            piece += 1
        pieces[of(index, piece)] += octets[start:end]
    names = [f"piece{i}.pcap" for i in range(len(cuts))]
    for name, data in zip(names, pieces):
        (folder / name).write_bytes(data)
    return names


def main():
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, synth, scenario, *options = sys.argv[1:]
    holdfast, tap = os.path.abspath(holdfast), Tap()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "whole.pcap"
        made, why = run(synth, scenario, "-o", path, *options)
        if not tap.check(made is not None and made.returncode == 0, f"synth: {why}"):
            return tap.close()
        whole = capture.Capture(path)
        _, wanted, status, said = analysis(holdfast, folder, "whole.pcap")
        tap.check(status == 0 and not said, f"the whole: exit {status}")
        tap.check(len(wanted["incidents"]) > 0, "in which there is something to be found")

        cuts = [i * len(whole.records) // PIECES for i in range(PIECES)]
        names = in_pieces(whole, folder, cuts)
        files, found, status, said = analysis(holdfast, folder, *reversed(names))
        tap.check(status == 0 and not said, f"rotated, in the wrong order: exit {status}")
        tap.check(files == names[::-1], "files as they were named")
        tap.check(found == wanted, "the same is found")

        (folder / "piece1.pcap").rename(folder / "stream")
        (folder / "packed").write_bytes(gzip.compress((folder / "piece3.pcap").read_bytes(), 1))
        with open(folder / "stream", "rb") as given:
            files, found, status, said = analysis(
                holdfast, folder, "piece4.pcap", "packed", "-", "piece0.pcap", "piece2.pcap", given=given
            )
        tap.check(status == 0 and not said and files[2] == "-", f"one packed, one standard input: exit {status}")
        tap.check(found == wanted, "the same is found")

        # A pipe with a name, at which somebody waits to write; and files behind each other, as `cat` puts them.
        os.mkfifo(folder / "pipe")
        with subprocess.Popen(["cp", "packed", "pipe"], cwd=folder) as writer:
            _, found, status, said = analysis(
                holdfast, folder, "stream", "pipe", "piece4.pcap", "piece0.pcap", "piece2.pcap"
            )
            wrote = writer.wait()
        tap.check(status == 0 and wrote == 0 and found == wanted, f"one through a named pipe: the same, exit {status}")
        parts = [folder / name for name in ("piece0.pcap", "stream", "piece2.pcap", "piece3.pcap", "piece4.pcap")]
        (folder / "behind").write_bytes(b"".join(part.read_bytes() for part in parts))
        (folder / "packed_behind").write_bytes(b"".join(gzip.compress(part.read_bytes(), 1) for part in parts))
        for name in ("behind", "packed_behind"):
            _, found, status, said = analysis(holdfast, folder, name)
            tap.check(status == 0 and found == wanted, f"all {name}: the same is found, exit {status}")
        (folder / "rules.json").write_text(json.dumps(wanted | {"input": wanted["input"] | {"files": ["-"]}}))
        for name in ("whole.pcap", "packed_behind"):
            subprocess.run([holdfast, "try", "--rules", "rules.json", name, "-w", name + ".passed"], cwd=folder,
                           check=True, capture_output=True)
        passed = (folder / "whole.pcap.passed").read_bytes()
        alike = passed == (folder / "packed_behind.passed").read_bytes()
        tap.check(alike and len(passed) < len(whole.octets), "and one capture is left of them, as of the whole")

        # Interleaved, as two taps of one link write: no two packets of one time stamp in different files.
        times = [whole.octets[start : start + 8] for start, _, _ in whole.records]
        side = [0]
        for index in range(1, len(times)):
            side.append(side[-1] if times[index] == times[index - 1] else index & 1)
        names = in_pieces(whole, folder, [0, len(whole.records)], lambda index, _: side[index])
        _, found, status, said = analysis(holdfast, folder, *names)
        tap.check(status == 0 and found == wanted, f"interleaved: the same is found, exit {status}")
        (folder / "cut").write_bytes((folder / names[1]).read_bytes()[:-5])
        _, found, status, said = analysis(holdfast, folder, names[0], "cut", "nowhere")
        left = found["input"]["packets"]
        tap.check(status == 1 and left == len(whole.records) - 1, "one of them cut: what is there counts")
        named = "cut: offset " in said and "nowhere: cannot open: " in said
        tap.check(named and said.count("\n") == 2, "each is named")
        tap.check(found["input"]["error"].startswith("nowhere: "), "the first in the report")
        tap.check(analysis(holdfast, folder, "-", "-")[2] == 2, "standard input twice is wrong usage")
        tap.check(analysis(holdfast, folder, "whole.pcap", "./whole.pcap")[2] == 2, "and a file twice")
        tap.check(analysis(holdfast, folder, *["nowhere"] * 513)[2] == 2, "and 513 captures")
    return tap.close()


if __name__ == "__main__":
    sys.exit(main())
