#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""siege.py SIEGE [relays|forged…]: what the engine's role takes while it is attacked again and again.

SIEGE (tests/tools/siege.c) plays a hundred and thirty attacks one after the other to it, so that one generation takes
over from another in their midst, with three databases of places that are made up and of the size of those that
`holdfast geo update` brings. Held to bounds are the memory at its peak, LIMIT_MIB, and the work of one turn, in pieces
and not in time: searches for rules of a tick, findings of an ended generation, incidents that are told. And nothing may
be lost by that: each incident is told in the end, and found. Speaks TAP.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

LIMIT_MIB = 256
SEARCHES = 2  # LIVE_SEARCHES_A_TICK
TARGETS = 130
# What the databases of 2026-06 have, nearly: ranges of IPv4 and IPv6 of which something is said, and networks.
RANGES_IPV4, RANGES_IPV6, NETWORKS = 412000, 103000, 80000
COUNTRIES = ("DE", "FR", "US", "BR", "IN", "JP", "ZA", "AU")


def database(path, ranges_ipv4, ranges_ipv6, says):
    """Every second range of its family is something, and the next is not known."""
    step = (224 << 24) // ranges_ipv4
    with open(path, "w", encoding="ascii") as out:
        for i in range(ranges_ipv4):
            first = (1 << 24) + i * (step - 1)
            last = first + step // 2
            out.write(".".join(str(first >> shift & 255) for shift in (24, 16, 8, 0)) + ","
                      + ".".join(str(last >> shift & 255) for shift in (24, 16, 8, 0)) + f",{says(i)}\n")
        for i in range(ranges_ipv6):
            begin = f"2001:{i >> 8:x}:{i << 8 & 0xffff:x}"
            end = f"2001:{i >> 8:x}:{i << 8 & 0xffff | 0x7f:x}"
            out.write(f"{begin}::,{end}:ffff:ffff:ffff:ffff:ffff,{says(i)}\n")


def databases(folder):
    dice = random.Random(20261127)
    database(folder / "asn.csv", RANGES_IPV4, RANGES_IPV6,
             lambda i: f"{1 + i * 7919 % NETWORKS},Network number {i * 7919 % NETWORKS} of many")
    for name in ("one.csv", "other.csv"):
        database(folder / name, RANGES_IPV4 // 2, RANGES_IPV6, lambda i: dice.choice(COUNTRIES))


def fault(ran):
    """What is wrong, or ""."""
    if ran["generations"] < 1 or ran["final"] < 100:
        return f"{ran['final']} incidents of {ran['generations']} ended generations were told"
    if ran["told"] < ran["targets"] + ran["final"]:
        return f"of {ran['targets']} attacks {ran['told'] - ran['final']} were told as they stood"
    if ran["searches_most"] > SEARCHES or ran["findings_most"] > 1 or ran["told_most"] > 1:
        return (f"{ran['searches_most']} searches, {ran['findings_most']} findings, {ran['told_most']} tellings "
                "of one turn")
    return "" if ran["peak_mib"] < LIMIT_MIB else "that is too much"


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    print(f"1..{len(sys.argv) - 2}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-siege-") as folder:
        databases(pathlib.Path(folder))
        for number, sources in enumerate(sys.argv[2:], 1):
            run = subprocess.run([sys.argv[1], folder, str(TARGETS), sources], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, check=False)
            ran = json.loads(run.stdout) if run.returncode == 0 else None
            wrong = fault(ran) if ran else f"exit {run.returncode}"
            failed += wrong != ""
            said = (f"{ran['peak_mib']:.1f} MiB of at most {LIMIT_MIB}, {ran['seconds']:.1f} s of the processor, "
                    f"the longest turn {ran['turn_ms']:.0f} ms" if ran else "nothing was measured")
            print(f"{'not ok' if wrong else 'ok'} {number} - {TARGETS} attacks, {sources}: {said}"
                  f"{'; ' + wrong if wrong else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
