#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drop.py DROP: what a packet costs the kernel until it is dropped, by whom; bench/run drop calls this.

DROP (bench/drop.c) has the kernel make frames, each with a source drawn at random, and redirect them into a pair of veth
interfaces; at the other end stands, in turns, each of those compared: a program that drops all and does nothing else
("bare"), xdp-filter, nftables, iptables, nothing. Everything happens in softirq on one processor. What counts is the
processor's time: that of the thread that sends and that of ksoftirqd, and where the kernel keeps time in interrupts apart
(CONFIG_IRQ_TIME_ACCOUNTING), that too. It holds everything, the making and redirecting of the frame as well, so that
ratios to bare are lower, not higher, than those of programs alone. The second table has those: what the kernel measures
around a program's run (BPF_ENABLE_STATS), less the same of bare.

Every contender has a pair and a network namespace of its own, all of them in a network and a mount namespace of this
process: whatever way it ends, pairs, rules, programs and pins end with it, and nothing outside is touched. What each has
dropped is counted by itself, and must be what was sent.

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

    def __init__(self, number, drop):
        self.drop, self.sender, self.name = drop, f"g{number}", f"r{number}"
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
        return say([self.drop, "sources", "ip4-udp", str(first), str(count)]).split()


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


# name, what it is, how it is set up; and the frames: first source, how many
CONTENDERS = [
    ("bare", "XDP_DROP and nothing else", of_bare, (1, CROWD)),
    ("xdp-filter, 1 rule", "by destination", of_xdp_filter_rule, (1, CROWD)),
    ("xdp-filter, 10,000", "by source, its limit", of_xdp_filter_list, (1, XDP_FILTER_MAX)),
    ("nftables, 1 rule", "ingress (netdev), by destination", of_nftables_rule, (1, CROWD)),
    ("nftables, 10,000", "ingress (netdev), a set of sources", of_nftables_list, (1, XDP_FILTER_MAX)),
    ("iptables, 1 rule", "raw, by destination", of_iptables, (1, CROWD)),
    ("nobody", "no filter: routing finds no way", of_nobody, (1, CROWD)),
]
WIDTH = max(len(contender[0]) for contender in CONTENDERS)


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


def send(pair, traffic, frames, program=0):
    """ns a frame, and the program's own, where one is named."""
    first, sources = traffic
    command = ["taskset", "-c", str(PROCESSOR), pair.drop, "send", pair.sender, "ip4-udp", str(frames), str(first),
               str(sources), *([str(program)] if program else [])]
    softirq = softirq_ns() if APART else 0
    packets, thread, ksoftirqd, _, runs, own = (int(n) for n in say(command).split())
    softirq = softirq_ns() - softirq if APART else 0
    return (thread + ksoftirqd + softirq) / packets, own / max(1, runs)


def set_up(drop):
    ready = []
    for number, (name, what, how, traffic) in enumerate(CONTENDERS):
        try:
            pair = Pair(number, drop)
            witness = how(pair)
            before = witness()
            send(pair, traffic, FRAMES // 10)
            died = witness() - before
            if died < FRAMES // 10:
                raise Unable(f"only {died:,} of {FRAMES // 10:,} frames were dropped")
            ready.append((name, what, pair, traffic))
        except Unable as why:
            print(f"{name}: not measured: {why}")
    return ready


def run(drop):
    ready = set_up(drop)
    if not ready or ready[0][0] != "bare":
        return 1
    costs = {name: [] for name, *_ in ready}
    own = {name: [] for name, *_ in ready}
    for turn in range(RUNS):
        for name, _, pair, traffic in ready[turn % len(ready) :] + ready[: turn % len(ready)]:
            costs[name].append(send(pair, traffic, FRAMES)[0])
            if pair.program():
                own[name].append(send(pair, traffic, FRAMES, pair.program())[1])
    print(f"{FRAMES:,} frames of 60 octets, median of {RUNS} runs in turns on processor {PROCESSOR}")
    print(f"{'':{WIDTH}} {'ns/packet':>9} {'(spread)':>13} {'x bare':>6} {'program, ns':>11}")
    for name, what, *_ in ready:
        ratio = statistics.median(cost / bare for cost, bare in zip(costs[name], costs["bare"]))
        spread = f"({min(costs[name]):.0f}-{max(costs[name]):.0f})"
        program = f"{statistics.median(own[name]) - statistics.median(own['bare']):.1f}" if own[name] else "-"
        print(f"{name:{WIDTH}} {statistics.median(costs[name]):9.1f} {spread:>13} {ratio:6.2f} {program:>11}  {what}")
    return 0


def namespaces():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "net")]


def enclose(drop):
    """Runs this file again in namespaces of its own, and tells it which ones it must not be in."""
    if os.geteuid() != 0:
        print("drop: needs root, for programs in the kernel", file=sys.stderr)
        return 1
    command = ["unshare", "--mount", "--net", "--fork", "--kill-child", sys.executable, __file__, drop, *namespaces()]
    return subprocess.run(command, check=False).returncode


def main():
    if len(sys.argv) == 2:
        return enclose(sys.argv[1])
    if len(sys.argv) != 4 or set(sys.argv[2:]) & set(namespaces()):
        print(__doc__, file=sys.stderr)
        return 2
    pathlib.Path("/run/netns").mkdir(exist_ok=True)
    say(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"])
    say(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"])
    try:
        return run(sys.argv[1])
    except Unable as why:
        print(f"drop: {why}", file=sys.stderr)
        return 1


APART = interrupts_apart()

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
