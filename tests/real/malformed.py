#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""malformed.py HOLDFAST: broken and hostile files are met with a report or one line of complaint, and soon.

Every file of HOLDFAST_DATA/malformed (default ../shared/data), be it a capture or not: exit 0, a report and not a word;
or exit 1 and one line on standard error that names the file. At most PROCESSOR_SECONDS each, of the processor and not
of the wall's clock, for the machine may be busy. Each that begins like a capture also comes through a pipe, in uneven
pieces, where it must get the same report; every CUT_EVERYth of those comes with its end cut off, CUTS times, and packed
with gzip and then damaged, as often. Speaks TAP; skipped, and said to be, without the folder. What matters most is that
the sanitizers' executable is put to it.
"""
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

DATA = pathlib.Path(os.environ.get("HOLDFAST_DATA", "../shared/data"))
JOBS = int(os.environ.get("HOLDFAST_JOBS", "2"))
PROCESSOR_SECONDS = 1.0
HANGS_SECONDS = 60
CUT_EVERY, CUTS = 10, 10
SEED = 20250310
PIECES = (1, 7, 64, 1000, 4096, 65536)
SHOWN = 20
CAPTURE_MAGICS = {bytes.fromhex(magic) for magic in
                  ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "a1b2cd34", "34cdb2a1", "0a0d0d0a")}


class Run:
    """One run of analyze: over `path`, or over `octets` through a pipe."""

    def __init__(self, holdfast, path, octets=None):
        self.where = "standard input" if octets is not None else str(path)
        command = [holdfast, "analyze", "--json", "-" if octets is not None else path]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaint:
            source = subprocess.PIPE if octets is not None else subprocess.DEVNULL
            process = subprocess.Popen(command, stdin=source, stdout=out, stderr=complaint)
            overdue = threading.Timer(HANGS_SECONDS, process.kill)
            overdue.start()
            if octets is not None:
                self.feed(process.stdin, octets)
            _, status, usage = os.wait4(process.pid, 0)
            overdue.cancel()
            self.status = process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = usage.ru_utime + usage.ru_stime
            out.seek(0)
            complaint.seek(0)
            self.said, self.complaint = out.read(), complaint.read().decode(errors="replace")

    @staticmethod
    def feed(pipe, octets):
        dice, at = random.Random(SEED), 0
        try:
            while at < len(octets):
                piece = dice.choice(PIECES)
                os.write(pipe.fileno(), octets[at : at + piece])
                at += piece
        except BrokenPipeError:
            pass  # it had seen enough
        finally:
            pipe.close()

    def report(self):
        """But for what the input is called."""
        report = json.loads(self.said)
        for name in ("files", "error"):
            report["input"].pop(name, None)
        return report

    def fault(self):
        """What is wrong, or ""."""
        lines = self.complaint.splitlines()
        if self.status not in (0, 1):
            return f"exit {self.status}: {self.complaint[-300:].strip()}"
        if self.status == 0 and lines:
            return f"exit 0, and yet: {lines[0]}"
        if self.status == 1 and (len(lines) != 1 or not lines[0].startswith(f"holdfast: {self.where}: ")):
            return f"exit 1 with {len(lines)} lines on standard error: {self.complaint[:200].strip()}"
        if self.said or self.status == 0:
            try:
                if json.loads(self.said)["schema"] != "holdfast.analysis/1":
                    return "a report of another schema"
            except (ValueError, KeyError) as error:
                return f"exit {self.status}, no report: {error}"
        if self.seconds > PROCESSOR_SECONDS:
            return f"{self.seconds:.2f} s of the processor"
        return ""


class Case:
    """A way to put files to it: (path, what is wrong) of each."""

    def __init__(self, name):
        self.name, self.count, self.whole, self.slowest, self.wrong = name, 0, 0, 0.0, []

    def add(self, path, run, fault):
        self.count += 1
        self.whole += run.status == 0
        self.slowest = max(self.slowest, run.seconds)
        if fault:
            self.wrong.append(f"{path.relative_to(DATA)}: {fault}")

    def close(self, number):
        for said in self.wrong[:SHOWN]:
            print("# " + said.replace("\n", " "))
        good = self.count and not self.wrong
        right = self.count - len(self.wrong)
        print(f"{'ok' if good else 'not ok'} {number} - {self.name}: {right} of {self.count} met as they should be "
              f"({self.whole} read to their end), slowest {self.slowest:.2f} s", flush=True)
        return good


def through_pipe(holdfast, path, of_file):
    """The run, and what is wrong with it."""
    run = Run(holdfast, path, path.read_bytes())
    fault = run.fault()
    if not fault and run.status != of_file.status:
        fault = f"exit {run.status}, from the file {of_file.status}"
    if not fault and bool(run.said) != bool(of_file.said):
        fault = "a report only one way"
    if not fault and run.said and run.report() != of_file.report():
        fault = "another report than from the file"
    return run, fault


def damage(octets, dice):
    """Packed, then one octet changed, and cut off as often as not."""
    packed = bytearray(gzip.compress(octets, 6, mtime=0))
    packed[dice.randrange(len(packed))] ^= 1 << dice.randrange(8)
    return bytes(packed[: dice.randrange(len(packed))] if dice.randrange(2) else packed)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast = os.path.abspath(sys.argv[1])
    cases = [Case("files"), Case("through a pipe"), Case("cut off"), Case("packed, damaged")]
    print(f"1..{len(cases)}", flush=True)
    if not (DATA / "malformed").is_dir():
        for number, case in enumerate(cases, 1):
            print(f"ok {number} - {case.name} # SKIP no {DATA}/malformed (HOLDFAST_DATA)")
        return 0
    paths = sorted(path for path in (DATA / "malformed").rglob("*") if path.is_file())
    captures = [path for path in paths if path.open("rb").read(4) in CAPTURE_MAGICS]
    dice = random.Random(SEED)
    cut = [(path, path.read_bytes()[: dice.randrange(path.stat().st_size)])
           for path in captures[::CUT_EVERY] for _ in range(CUTS)]
    damaged = [(path, damage(path.read_bytes(), dice)) for path in captures[::CUT_EVERY] for _ in range(CUTS)]
    of_file = {}
    with ThreadPoolExecutor(JOBS) as pool:
        for path, run in zip(paths, pool.map(lambda path: Run(holdfast, path), paths)):
            of_file[path] = run
            cases[0].add(path, run, run.fault())
        piped = pool.map(lambda path: through_pipe(holdfast, path, of_file[path]), captures)
        for path, (run, fault) in zip(captures, piped):
            cases[1].add(path, run, fault)
        for case, broken in ((cases[2], cut), (cases[3], damaged)):
            runs = pool.map(lambda one: Run(holdfast, *one), broken)
            for (path, octets), run in zip(broken, runs):
                fault = run.fault()
                case.add(path, run, fault and f"{len(octets)} octets: {fault}")
    return 0 if all([case.close(number) for number, case in enumerate(cases, 1)]) else 1


if __name__ == "__main__":
    sys.exit(main())
