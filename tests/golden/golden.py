#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden.py HOLDFAST SYNTH NAME ARGUMENT...: what is said of a made-up capture is what was said before.

SYNTH ARGUMENT... makes the capture ("{out}" among the arguments is where to), `holdfast analyze --json` reads it, and
the answer is compared with tests/golden/NAME.json, which a person has read and found right. HOLDFAST_GOLDEN=write
writes that file instead: read its diff before you commit it.
"""
import difflib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SECONDS = 120


def main():
    holdfast, synth, name, *arguments = sys.argv[1:]
    holdfast, synth = os.path.abspath(holdfast), os.path.abspath(synth)
    golden = pathlib.Path(__file__).resolve().parent / f"{name}.json"
    capture = f"{name}.pcap"  # relative, for the answer repeats it
    with tempfile.TemporaryDirectory() as scratch:
        made = [capture if argument == "{out}" else argument for argument in arguments]
        subprocess.run([synth, *made], cwd=scratch, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
        answer = subprocess.run(
            [holdfast, "analyze", "--json", "--geo", "none", capture], cwd=scratch, check=False, timeout=SECONDS,
            stdout=subprocess.PIPE,
        )
    if answer.returncode != 0:
        print(f"holdfast analyze exits {answer.returncode}")
        return 1
    said = json.dumps(json.loads(answer.stdout), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("HOLDFAST_GOLDEN") == "write":
        golden.write_text(said, encoding="utf-8")
        print(f"wrote {golden}")
        return 0
    if not golden.exists():
        print(f"no {golden}; HOLDFAST_GOLDEN=write makes it")
        return 1
    wanted = golden.read_text(encoding="utf-8")
    diff = difflib.unified_diff(wanted.splitlines(), said.splitlines(), str(golden), "now", lineterm="")
    for line in diff:
        print(line)
    return 0 if said == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
