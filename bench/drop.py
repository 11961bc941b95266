#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drop.py DROP: what a packet costs the kernel until it is dropped, by whom; bench/run drop calls this.

DROP (bench/drop.c) has the kernel make frames, each with a source drawn at random, and redirect them into a pair of
veth interfaces; at the other end stands, in turns, each of those compared: a program that drops all and does nothing
else ("bare"), xdp-filter, nftables, iptables, nothing, Holdfast. Everything happens in softirq on one processor. What
counts is the processor's time: that of the thread that sends and that of ksoftirqd, and where the kernel keeps time in
interrupts apart (CONFIG_IRQ_TIME_ACCOUNTING), that too. It holds everything, the making and redirecting of the frame as
well, so that ratios to bare are lower than those of programs alone. For these there is the last column: what the kernel
measures around an XDP program's run (BPF_ENABLE_STATS), less the same of bare.

Every contender has a pair and a network namespace of its own, all of them in a network and a mount namespace of this
process: whatever way it ends, pairs, rules, programs and pins end with it, and nothing outside is touched. What each
has dropped is counted by itself, and must be what was sent. Holdfast is told to drop what it would pass, for what the
rest of the network's code makes of a packet is no part of what passing costs (struct shield_options, drop_clean).

What a list costs is mostly memory that is in no cache: at the end stands what one read in so much of it takes here and
now, the place of each depending on the one before.

BENCH_RUNS (5) rounds, each of BENCH_FRAMES (2,000,000) frames a contender, in turns; medians. Needs root.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
FRAMES = int(os.environ.get("BENCH_FRAMES", "2000000"))
PROCESSOR = max(os.sched_getaffinity(0))
RECEIVER = "02:00:00:00:00:01"  # as drop.c's frames have it
TARGET = "198.18.0.1"
UNLISTED = 1 << 30  # the first source that is in no list
CROWD = 1000000
XDP_FILTER_MAX = 10000
PIN = "/sys/fs/bpf/xdp-filter/filter_ipv4"


class Unable(Exception):
    """This contender cannot be had here."""


def say(command, **more):
    """What a command prints; Unable with what it says where it fails."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout
    except FileNotFoundError as gone:
        raise Unable(f"no {gone.filename}") from gone
    except subprocess.CalledProcessError as failed:
        words = (failed.stderr or failed.stdout).strip().splitlines()
        raise Unable(words[0][:120] if words else f"{command[0]} fails") from failed


class Pair:
    """g<n> here, and at its other end r<n>, in a namespace of that name."""

    def __init__(self, number, drop, kind):
        self.drop, self.kind, self.sender, self.name = drop, kind, f"g{number}", f"r{number}"
        self.rule_ns, self.list_ns = [], 0  # what installing them took
        say(["ip", "link", "add", self.sender, "type", "veth", "peer", "name", self.name])
        say(["ip", "netns", "add", self.name])
        say(["ip", "link", "set", self.name, "netns", self.name])
        say(["ip", "link", "set", self.sender, "up"])
        self.inside("ip", "link", "set", self.name, "address", RECEIVER, "up")

    def inside(self, *command, **more):
        """Not `ip netns exec`: that would hide the file system with the pins."""
        return say(["nsenter", f"--net=/run/netns/{self.name}", *command], **more)

    def dropped_by_xdp(self):
        said = self.inside("ethtool", "-S", self.name)
        return sum(int(n) for n in re.findall(r"rx_queue_\d+_xdp_drops: (\d+)", said))

    def program(self):
        """The number of the XDP program at the receiving end; 0 where there is none."""
        link = json.loads(self.inside("ip", "-j", "link", "show", self.name))[0]
        return link.get("xdp", {}).get("prog", {}).get("id", 0)

    def take_frames(self):
        """Frames without an XDP program at the other end want its NAPI, which GRO brings."""
        self.inside("ethtool", "-K", self.name, "gro", "on")

    def sources(self, first, count):
        return say([self.drop, "sources", self.kind, str(first), str(count)]).split()


def of_bare(pair):
    pair.inside(pair.drop, "attach", pair.name, "bare")
    return pair.dropped_by_xdp


def load_xdp_filter(pair, commands):
    """Pins are by name, so each has a file system of pins of its own; what is attached outlives it."""
    if not shutil.which("xdp-filter"):
        raise Unable("no xdp-filter (package xdp-tools)")
    script = f"set -e; mount -t bpf bpf /sys/fs/bpf; xdp-filter load -m native {pair.name}; {commands}"
    pair.inside("unshare", "--mount", "sh", "-c", script)
    return pair.dropped_by_xdp


def of_xdp_filter_rule(pair):
    return load_xdp_filter(pair, f"xdp-filter ip -m dst {TARGET}")


def of_xdp_filter_list(pair):
    """xdp-filter itself enters one address a call; the first tells what the others' entries look like: 1, as source."""
    sources = pair.sources(1, XDP_FILTER_MAX)
    with tempfile.NamedTemporaryFile("w", suffix=".batch") as batch:
        for source in sources[1:]:
            key = " ".join(f"{int(octet):02x}" for octet in source.split("."))
            batch.write(f"map update pinned {PIN} key hex {key} value hex 01 00 00 00 00 00 00 00\n")
        batch.flush()
        return load_xdp_filter(pair, f"xdp-filter ip -m src {sources[0]}; bpftool batch file {batch.name} >/dev/null")


def of_nftables(pair, rule, elements=()):
    pair.take_frames()
    listed = f"set listed {{\ntype ipv4_addr\nelements = {{ {', '.join(elements)} }}\n}}\n" if elements else ""
    hook = f"type filter hook ingress device {pair.name} priority 0; policy accept\n"
    chain = f"chain arrivals {{\n{hook}{rule} counter drop\n}}\n"
    pair.inside("nft", "-f", "-", input=f"table netdev bench {{\n{listed}{chain}}}\n")
    counted = ["nft", "list", "chain", "netdev", "bench", "arrivals"]
    return lambda: int(re.search(r"counter packets (\d+)", pair.inside(*counted))[1])


def of_nftables_rule(pair):
    return of_nftables(pair, f"ip daddr {TARGET}")


def of_nftables_list(pair):
    return of_nftables(pair, "ip saddr @listed", pair.sources(1, XDP_FILTER_MAX))


def of_iptables(pair):
    pair.take_frames()
    pair.inside("iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-d", TARGET, "-j", "DROP")
    counted = ["iptables", "-w", "-t", "raw", "-nvxL", "PREROUTING"]
    return lambda: int(re.search(r"(\d+)\s+\d+\s+DROP", pair.inside(*counted))[1])


def of_nobody(pair):
    pair.take_frames()
    return lambda: int(re.search(r"InReceives.*\nIp: \d+ \d+ (\d+)", pair.inside("cat", "/proc/net/snmp"))[1])


def of_shield(listed=0, pps=0, matches=()):
    """With a service at the frames' destination and so many sources blocked."""

    def set_up_shield(pair):
        words = [pair.name, f"/sys/fs/bpf/{pair.name}", pair.kind, str(listed), str(pps), *matches]
        took = [int(ns) for ns in pair.inside(pair.drop, "shield", *words).split()]
        if listed >= CROWD:
            pair.list_ns = took[0]
        pair.rule_ns = took[1:]
        return pair.dropped_by_xdp

    return set_up_shield


RULE, RULE_SYN = "dst port 443", "dst port 80"  # what all frames meet
LIVE_RULE = f"live: {RULE}"
OTHERS = [f"dst port {port}" for port in range(1000, 1063)]
LISTED, OUTSIDE, TEN_THOUSAND = (1, CROWD), (UNLISTED, CROWD), (1, XDP_FILTER_MAX)

PASSES = of_shield()
LISTS = of_shield(1000, 0, OTHERS)
LIMITS = of_shield(1000, 10000000, OTHERS)
BLOCKS_THOUSAND, BLOCKS_TEN_THOUSAND, BLOCKS_CROWD = of_shield(1000), of_shield(10000), of_shield(CROWD)

# Kind of frames; of each contender its name, what it is, how it is set up, and the frames' sources: the first, and how
# many. The first contender is what the others are measured against.
SECTIONS = [
    ("ip4-udp", [
        ("bare", "XDP_DROP and nothing else", of_bare, LISTED),
        ("xdp-filter, 1 rule", "by destination", of_xdp_filter_rule, LISTED),
        ("xdp-filter, 10,000", "by source, its limit", of_xdp_filter_list, TEN_THOUSAND),
        ("nftables, 1 rule", "ingress (netdev), by destination", of_nftables_rule, LISTED),
        ("nftables, 10,000", "ingress (netdev), a set of sources", of_nftables_list, TEN_THOUSAND),
        ("iptables, 1 rule", "raw, by destination", of_iptables, LISTED),
        ("nobody", "no filter: routing finds no way", of_nobody, LISTED),
        ("holdfast passes", "one service", PASSES, OUTSIDE),
        ("  with lists", "1,000 blocked, 63 rules, none holds", LISTS, OUTSIDE),
        ("  with a limit", "the same, and a limit per source", LIMITS, OUTSIDE),
        ("holdfast, 1 rule", "holds for all", of_shield(matches=[RULE]), LISTED),
        ("  as the engine's", "the same: it arms, spares, probes", of_shield(matches=[LIVE_RULE]), LISTED),
        ("holdfast, 64 rules", "the last one holds for all", of_shield(matches=[*OTHERS, RULE]), LISTED),
        ("holdfast, 1,000", "blocked, all come from them", BLOCKS_THOUSAND, (1, 1000)),
        ("holdfast, 10,000", "blocked, all come from them", BLOCKS_TEN_THOUSAND, TEN_THOUSAND),
        ("holdfast, 1,000,000", "blocked, all come from them", BLOCKS_CROWD, LISTED),
        ("  passes", "the same list, none comes from it", BLOCKS_CROWD, OUTSIDE),
    ]),
    ("ip4-syn", [
        ("bare", "XDP_DROP and nothing else", of_bare, LISTED),
        ("holdfast passes", "one service", PASSES, OUTSIDE),
        ("holdfast, 1 rule", "holds for all", of_shield(matches=[RULE_SYN]), LISTED),
    ]),
    ("ip6-udp", [
        ("bare", "XDP_DROP and nothing else", of_bare, LISTED),
        ("holdfast passes", "one service", PASSES, OUTSIDE),
        ("holdfast, 1 rule", "holds for all", of_shield(matches=[RULE]), LISTED),
        ("holdfast, 1,000", "blocked, all come from them", BLOCKS_THOUSAND, (1, 1000)),
        ("holdfast, 1,000,000", "blocked, all come from them", BLOCKS_CROWD, LISTED),
        ("  passes", "the same list, none comes from it", BLOCKS_CROWD, OUTSIDE),
    ]),
]
# The same again with ever more sources: a rule that holds, and the longest way to pass.
CROWDS = [1000, 10000, 100000, 1000000, 10000000]
SECTIONS.append(("ip4-udp", [SECTIONS[0][1][0]] + [
    (f"{name}, {crowd:,}", what, how, (first, crowd))
    for name, what, how, first in [("1 rule", "holds for all", SECTIONS[0][1][10][2], 1),
                                   ("with lists", "1,000 blocked, 63 rules, none holds", LISTS, UNLISTED),
                                   ("with a limit", "the same, and a limit per source", LIMITS, UNLISTED)]
    for crowd in CROWDS]))
WIDTH = max(len(contender[0]) for _, contenders in SECTIONS for contender in contenders)


def interrupts_apart():
    """Whether the kernel takes time in interrupts from a thread's."""
    said = ""
    with contextlib.suppress(FileNotFoundError, subprocess.CalledProcessError):
        said = subprocess.run(["zcat", "-f", "/proc/config.gz", f"/boot/config-{os.uname().release}"], check=False,
                              capture_output=True, text=True).stdout
    return "CONFIG_IRQ_TIME_ACCOUNTING=y" in said


def softirq_ns():
    with open("/proc/stat", encoding="ascii") as stat:
        fields = next(line for line in stat if line.startswith(f"cpu{PROCESSOR} ")).split()
    return int(fields[7]) * 10**9 // os.sysconf("SC_CLK_TCK")


def send(pair, sources, frames, program=0):
    """ns a frame, and the program's own, where one is named."""
    command = ["taskset", "-c", str(PROCESSOR), pair.drop, "send", pair.sender, pair.kind, str(frames),
               str(sources[0]), str(sources[1]), *([str(program)] if program else [])]
    softirq = softirq_ns() if APART else 0
    packets, thread, ksoftirqd, _, runs, own = (int(n) for n in say(command).split())
    softirq = softirq_ns() - softirq if APART else 0
    return (thread + ksoftirqd + softirq) / packets, own / max(1, runs)


def set_up(drop):
    """What can be measured: per section its contenders, each with its pair. Contenders set up alike share one."""
    pairs, sections = {}, []
    for kind, contenders in SECTIONS:
        ready = []
        for name, what, how, sources in contenders:
            try:
                if (kind, how) not in pairs:
                    pair = Pair(len(pairs), drop, kind)
                    pairs[kind, how] = pair, how(pair)
                pair, witness = pairs[kind, how]
                before = witness()
                send(pair, sources, FRAMES // 10)
                died = witness() - before
                if died < FRAMES // 10:
                    raise Unable(f"only {died:,} of {FRAMES // 10:,} frames were dropped")
                ready.append((name, what, pair, sources))
            except Unable as why:
                print(f"{kind}, {name}: not measured: {why}", flush=True)
        sections.append((kind, ready))
    return sections, [pair for pair, _ in pairs.values()]


def measure(ready):
    """Per contender its runs, in turns and each turn beginning with another: costs of frames, costs of programs."""
    costs = [[] for _ in ready]
    own = [[] for _ in ready]
    for turn in range(RUNS):
        for n in (*range(turn % len(ready), len(ready)), *range(turn % len(ready))):
            _, _, pair, sources = ready[n]
            costs[n].append(send(pair, sources, FRAMES)[0])
            program = pair.program()
            if program:
                own[n].append(send(pair, sources, FRAMES, program)[1])
    return costs, own


def show(kind, ready):
    costs, own = measure(ready)
    print(f"\n{kind}: {FRAMES:,} frames, median of {RUNS} runs in turns on processor {PROCESSOR}")
    print(f"{'':{WIDTH}} {'ns/packet':>9} {'(spread)':>13} {'x bare':>6} {'program, ns':>11}")
    for n, (name, what, _, _) in enumerate(ready):
        ratio = statistics.median(cost / bare for cost, bare in zip(costs[n], costs[0]))
        spread = f"({min(costs[n]):.0f}-{max(costs[n]):.0f})"
        program = f"{statistics.median(own[n]) - statistics.median(own[0]):.1f}" if own[n] else "-"
        print(f"{name:{WIDTH}} {statistics.median(costs[n]):9.1f} {spread:>13} {ratio:6.2f} {program:>11}  {what}",
              flush=True)


def show_far(drop):
    """In turns, as all else."""
    sizes = [1 << shift for shift in range(18, 25)]
    reads = {size: [] for size in sizes}
    for _ in range(RUNS):
        for size in sizes:
            reads[size].append(int(say(["taskset", "-c", str(PROCESSOR), drop, "far", str(size)])))
    print("\none read at random, ns: " + ", ".join(
        f"{size / 2**20:g} MiB {statistics.median(reads[size])}" for size in sizes), flush=True)


def run(drop):
    sections, pairs = set_up(drop)
    rules = [ns for pair in pairs for ns in pair.rule_ns]
    lists = [pair.list_ns for pair in pairs if pair.list_ns]
    if any(not ready or ready[0][0] != "bare" for _, ready in sections):
        return 1
    for kind, ready in sections:
        show(kind, ready)
    show_far(drop)
    if rules and lists:
        print(f"\na rule is in force after {statistics.median(rules) / 1e6:.2f} ms (median of {len(rules)}), "
              f"a list of {CROWD:,} after {max(lists) / 1e9:.2f} s")
    return 0


def namespaces():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "net")]


def enclose(script, words):
    """Runs a script again in namespaces of its own, and tells it which ones it must not be in."""
    if os.geteuid() != 0:
        print("drop: needs root, for programs in the kernel", file=sys.stderr)
        return 1
    command = ["unshare", "--mount", "--net", "--fork", "--kill-child", sys.executable, script, *words, *namespaces()]
    return subprocess.run(command, check=False).returncode


def enclosed(measure_all):
    """There: what pairs and pins need, then what is to be measured."""
    pathlib.Path("/run/netns").mkdir(exist_ok=True)
    say(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"])
    say(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"])
    try:
        return measure_all()
    except Unable as why:
        print(f"drop: {why}", file=sys.stderr)
        return 1


def main():
    if len(sys.argv) == 2:
        return enclose(__file__, sys.argv[1:])
    if len(sys.argv) != 4 or set(sys.argv[2:]) & set(namespaces()):
        print(__doc__, file=sys.stderr)
        return 2
    return enclosed(lambda: run(sys.argv[1]))


APART = interrupts_apart()

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
