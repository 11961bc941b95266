#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""memory.py HOLDFAST CROWD [SOURCES]: how many sources there are makes no difference to memory.

CROWD (tests/tools/crowd.c) makes up SOURCES packets (default 2,000,000), no two from one source, and pipes them into
`holdfast analyze -`; what is resident at its peak stays under LIMIT_MIB, whatever is hit: one address, networks, any
address at all, ever other ports. What is reported must still be right: a bound that gives up what it is for is none.
Speaks TAP. `make check` runs it as it is, `make soak` with fifty million.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

LIMIT_MIB = 256
SOURCES = 2000000
ERROR = 0.1  # of an estimate of sources: its HyperLogLog's, and sources that came before the alarm and were not kept

# shape, what is named as a target (none: nobody in particular is hit)
SHAPES = [
    ("one", {"198.51.100.1/32", "2001:db8:1::1/128"}),
    ("carpet", {"198.51.96.0/20", "2001:db8:1::/52"}),
    ("internet", set()),
    ("ports", {"198.51.100.1/32", "2001:db8:1::1/128"}),
]


class Run:
    """One analysis: its report, peak of memory and time."""

    def __init__(self, holdfast, crowd, shape, sources):
        began = time.monotonic()
        with tempfile.TemporaryFile() as out:
            maker = subprocess.Popen([crowd, shape, str(sources)], stdout=subprocess.PIPE)
            reader = subprocess.Popen([holdfast, "analyze", "--json", "-"], stdin=maker.stdout, stdout=out)
            maker.stdout.close()
            _, status, usage = os.wait4(reader.pid, 0)
            self.status = reader.returncode = os.waitstatus_to_exitcode(status)
            self.made = maker.wait() == 0
            out.seek(0)
            self.report = json.load(out) if self.status == 0 else {}
        self.seconds = time.monotonic() - began
        self.processor = usage.ru_utime + usage.ru_stime
        self.mib = usage.ru_maxrss / 1024

    def fault(self, sources, targets):
        """What is wrong, or ""."""
        if self.status or not self.made:
            return f"exit {self.status}"
        if self.report["input"]["packets"] != sources:
            return f"{self.report['input']['packets']} packets were read"
        incidents = self.report["incidents"]
        if {incident["target"]["scope"] for incident in incidents} != targets:
            return f"targets {', '.join(incident['target']['scope'] for incident in incidents) or 'none'}"
        for incident in incidents:
            if abs(incident["sources"]["estimate"] - sources / 2) > ERROR * sources / 2:
                return f"{incident['sources']['estimate']} sources of {incident['target']['scope']}"
            if {vector["name"] for vector in incident["vectors"]} != {"syn_flood", "udp_flood"}:
                return f"vectors {incident['vectors']}"
        return "" if self.mib < LIMIT_MIB else "that is too much"


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, crowd = map(os.path.abspath, sys.argv[1:3])
    sources = int(sys.argv[3]) if len(sys.argv) > 3 else SOURCES
    failed = 0
    print(f"1..{len(SHAPES)}", flush=True)
    for number, (shape, targets) in enumerate(SHAPES, 1):
        run = Run(holdfast, crowd, shape, sources)
        fault = run.fault(sources, targets)
        failed += fault != ""
        print(f"{'not ok' if fault else 'ok'} {number} - {shape}: {sources:,} sources in {run.mib:.1f} MiB of at most "
              f"{LIMIT_MIB}, {run.processor:.1f} s of the processor{'; ' + fault if fault else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
