#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compiled.py DROP FREE CODE CALL: rules as machine code, beside the table; bench/run compiled calls this.

Frames are made, sent and timed as bench/drop.py says. At the other end stands in turns the shield as it is ("table"),
the same with machine code that finds the rule (bench/compiled.bpf.c, bench/machine.h), and the same that is told which
rule it is and looks for none ("told"): nothing that finds rules can be better than that.

Rules are of four families. Those "apart" differ in ports, those "alike" in TTL alone, those for "targets" in
destinations, those by "payload" in two of its octets. Each has ranges and a negated network. All frames meet the first,
the last, or none. Which rule a frame has met is read before anything is timed, and must be the one that is meant.

What was to be decided, and was written here before there was a figure: machine code is worth having if it takes at
least a tenth off what a packet costs in all where it meets one rule as the engine makes it; or at least a fifth where
there are sixteen or more, without adding more than a fiftieth where there is one. It is held against the table as good
as that can cheaply be made.

BENCH_RUNS (5) rounds of BENCH_FRAMES (2,000,000) frames each, in turns; medians, and in brackets the least and the
most. BENCH_ONLY (all): rows whose names have it. Needs root.
"""
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drop  # pylint: disable=wrong-import-position

ONLY = os.environ.get("BENCH_ONLY", "")
NONE = 64  # SHIELD_RULES_MAX
PORTS = {"ip4-udp": 443, "ip6-udp": 443, "ip4-syn": 80}
BOGUS = {"ip4-udp": "10.0.0.0/8", "ip6-udp": "2001:db8:bad::/48", "ip4-syn": "10.0.0.0/8"}
MORE = "and length 40-1400 and not src net"


def apart(kind, number):
    """A rule for frames with number 0, for others with any other."""
    port = PORTS[kind] if number == 0 else 1000 + number
    return f"dst port {port} {MORE} {BOGUS[kind]}"


def alike(kind, number):
    ttl = "60-64" if number == 0 else f"70-{80 + number}"
    return f"dst port {PORTS[kind]} and ttl {ttl} {MORE} {BOGUS[kind]}"


def targets(kind, number):
    if kind == "ip6-udp":
        target = "2001:db8:ffff::1" if number == 0 else f"2001:db8:fffe::{number + 1:x}"
    else:
        target = "198.18.0.1" if number == 0 else f"198.18.1.{number}"
    return f"any: dst net {target} and dst port {PORTS[kind]} {MORE} {BOGUS[kind]}"


def payload(kind, number):
    return f"dst port {PORTS[kind]} and payload[0:4] = 0000{number:04x} {MORE} {BOGUS[kind]}"


def several(family, kind, count, which):
    """Of so many rules the one that frames meet is the first, the last, or none: its place and the rules."""
    others = [family(kind, number) for number in range(1, count + (which == "none"))]
    hit = [family(kind, 0)]
    if which == "first":
        return 0, hit + others
    return (count - 1, others + hit) if which == "last" else (NONE, others)


def rows():
    """Kind of frames, name, place of the rule that they meet, rules."""
    for kind, port in PORTS.items():
        yield kind, "1 rule, the engine's", 0, [f"live: dst port {port}"]
        yield kind, "1 rule", 0, [f"dst port {port}"]
    yield "ip4-udp", "no rule", NONE, []
    for kind in ("ip4-udp", "ip6-udp"):
        for family in (apart, alike, targets, payload):
            for count in (16, 64):
                for which in ("first", "last", "none"):
                    if kind == "ip4-udp" or which != "first":
                        yield (kind, f"{count} {family.__name__}, {which}", *several(family, kind, count, which))


class Contender:
    """A pair with its shield, for as long as the row is measured."""

    numbers = iter(range(1 << 20))

    def __init__(self, tool, kind, place, how, rules):
        self.pair = drop.Pair(next(self.numbers), tool, kind)
        self.pins = f"/sys/fs/bpf/{self.pair.name}"
        words = [self.pair.name, self.pins, kind, str(place), how, *rules]
        said = self.pair.inside(tool, "compiled", *words).split("\n")
        met, self.made, self.loaded, self.insns = [int(word) for word in said[1].split()]
        if met != place:
            raise drop.Unable(f"frames meet rule {met}, not {place}")

    def close(self):
        drop.say(["ip", "netns", "del", self.pair.name])
        shutil.rmtree(self.pins, ignore_errors=True)


def gains(base, other):
    """What the others took less, round by round, in hundredths."""
    gain = [100 * (1 - b / a) for a, b in zip(base, other)]
    return f"{statistics.median(gain):+6.1f} % ({min(gain):+.1f} to {max(gain):+.1f})"


def show_row(tool, hows, row):
    kind, name, place, rules = row
    contenders = []
    try:
        for how in hows:
            contenders.append(Contender(tool, kind, place, how, rules))
        costs, own = drop.measure([(name, "", contender.pair, drop.LISTED) for contender in contenders])
    except drop.Unable as why:
        print(f"{kind} {name}: not measured: {why}", flush=True)
        return
    finally:
        for contender in contenders:
            contender.close()
    table, code, told = costs
    programs = [statistics.median(of) for of in own]
    print(f"{kind} {name:22} {statistics.median(table):6.1f} ({min(table):.0f}-{max(table):.0f})"
          f" {statistics.median(code):6.1f} ({min(code):.0f}-{max(code):.0f}) {gains(table, code):28}"
          f" {statistics.median(told):6.1f} {gains(table, told):28}"
          f" {programs[0]:6.1f} {programs[1]:6.1f} {programs[2]:6.1f}"
          f"  {contenders[1].insns:5} {contenders[1].made / 1e3:6.0f} {contenders[1].loaded / 1e3:6.0f}", flush=True)


def run(tool, free, code, call):
    print(drop.say(["taskset", "-c", str(drop.PROCESSOR), call]), end="", flush=True)
    print(f"\n{drop.FRAMES:,} frames, {drop.RUNS} rounds: ns a packet of the table; of machine code, and what it takes "
          "off; of what is told,\nthe same; programs alone, ns; instructions, us to make them, us until they are in "
          "force",
          flush=True)
    for row in rows():
        if ONLY in f"{row[0]} {row[1]}":
            show_row(tool, ["table", code, free], row)
    return 0


def main():
    words = sys.argv[1:]
    if len(words) == 4:
        return drop.enclose(__file__, words)
    if len(words) != 6 or set(words[4:]) & set(drop.namespaces()):
        print(__doc__, file=sys.stderr)
        return 2
    return drop.enclosed(lambda: run(*words[:4]))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, subprocess.CalledProcessError):
        sys.exit(main())
    sys.exit(130)
