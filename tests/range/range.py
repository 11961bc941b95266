#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""range.py HOLDFAST SYNTH CLIENT ECHO [--scenario NAME]... [--seconds N] [--short] [--tap] [--json FILE]: attacks a
small platform with and without a shield, while users come and go.

     users                            attack
     198.51.100.0/24                  203.0.113.0/24, any source
     2001:db8:100::/64                2001:db8:bad::/64, any source
     client, wrk, a resolver          tcpreplay
         | u0                             | a0
         |                                |
         | r-users               r-attack |
     +---+--------------------------------+---+
     | router                 default: blackhole; nothing leads out of here
     +-------------------+--------------------+
                         | r-up   192.0.2.1, 2001:db8:1::1        sent: counted here, by where it came from
                         |
                         | up0    192.0.2.10, 2001:db8:1::10
     +-------------------+--------------------+
     | platform      the hook: XDP, or nftables' ingress
     |               arrived: counted behind it
     |               budget: 1,000 packets a second for itself, whoever's they are
     |               nginx :80, dnsmasq :53   kept: counted here
     +-------------------+--------------------+
                         | box0   192.0.2.129, 2001:db8:2::1      2 Mbit/s from here on (tbf)
                         |
                         | b0     192.0.2.128/25, 2001:db8:2::2
     +-------------------+--------------------+
     | box           a container: what the platform forwards to     kept: counted here too
     |               echo :7
     +----------------------------------------+

A flood between two processes of one machine harms nobody: there is no line to fill, and the processor that would have
to give in is the one that sends. So the platform is small on purpose, in four ways, and each is a thing that real hosts
run short of, though at larger figures: packets a second that it can take (the budget), octets a second on the way to
the box (tbf), the queue of half-open connections (128, no SYN cookies), one worker of nginx. All four stand behind the
hook, where a shield on the host can help; a line that is full before it reaches the host, none on the host can empty.
The figures say whether the right packets are dropped and the others are not, and that the drop comes before the host
pays for them. They do not say how many packets a second the shield can take: see bench/.

Each scenario is played up to four times: no attack; an attack and no shield; with nftables told by hand what to drop;
with Holdfast told the same. unaided.py is about what Holdfast does when nobody tells it. What a user is: somebody who
comes once, opens a connection, and has failed when there is no answer after a second. Times are over all attempts, and
a failed one counts as that second.
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import attack
import measure
import shield
from services import ECHO_PORT, ELSEWHERE_NAME, HERE_NAME, Services
from topology import BOX4, BOX6, CARPET4, PLATFORM4, PLATFORM6, RangeError, Topology, step_aside

TOOLS = ["bpftool", "clang", "dnsmasq", "ethtool", "ip", "nft", "nginx", "nsenter", "setpriv", "ss", "tc", "tcpdump",
         "tcpreplay", "tcprewrite", "unshare", "wrk"]
LEAD_SECONDS = 0.3  # the attack is under way before the first user comes
TAIL_SECONDS = 1.2  # and goes on until the last has given up


@dataclasses.dataclass(frozen=True)
class Ask:
    """What users want: see client.c."""
    kind: str
    to: str
    port: int
    rate: int
    name: str = ""


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    to: str           # where every packet of the attack goes
    asks: tuple
    matches: tuple    # each for holdfast block --match; or a prefix, for holdfast block
    nft: tuple        # the same for nftables
    synth: str = ""   # what synth is asked for, or
    real: str = ""    # a capture under HOLDFAST_DATA/attacks, of which `only` (a filter of tcpdump) is taken
    only: str = ""
    rate: int = 20000
    limit: int = 5000  # packets taken of the capture; it is played again and again
    sources: str = ""   # how tcprewrite maps sources, where not as they are
    ports: str = ""     # and ports
    wrk: str = ""       # where regulars are
    tagged: bool = False  # in a VLAN
    source_pps: int = 0   # instead of `matches`: what one source may send to the platform's services
    through: float = 0.01  # how much of the attack may pass
    long: bool = False    # too much like another for --short


WEB4, WEB6 = Ask("http", PLATFORM4, 80, 60), Ask("http", PLATFORM6, 80, 60)
DNS4, DNS6 = Ask("dns", PLATFORM4, 53, 40, HERE_NAME), Ask("dns", PLATFORM6, 53, 40, HERE_NAME)
ELSEWHERE = Ask("dns", PLATFORM4, 53, 40, ELSEWHERE_NAME)
BOX, BOX_SIX = Ask("tcp", BOX4, ECHO_PORT, 60), Ask("tcp", BOX6, ECHO_PORT, 60)
BOX_UDP = Ask("udp", BOX4, ECHO_PORT, 60)

SCENARIOS = [
    Scenario("syn_flood", PLATFORM4, (WEB4,), ("tcp and tcp flags S and window 512 and options none",),
             ("tcp flags == syn tcp window 512 tcp doff 5",), synth="syn_flood_spoofed", ports="443:80", wrk=PLATFORM4),
    Scenario("syn_flood_ipv6", PLATFORM6, (WEB6, DNS6),
             ("ip6 and tcp and tcp flags S and window 512 and options none",),
             ("ip6 nexthdr tcp tcp flags == syn tcp window 512 tcp doff 5",), synth="syn_flood_spoofed --ipv6",
             ports="443:80", wrk=PLATFORM6),
    Scenario("ack_flood", PLATFORM4, (WEB4, DNS4), ("tcp and tcp flags A and window 512 and length 40",),
             ("tcp flags == ack tcp window 512 ip length 40",), synth="ack_flood", ports="443:80", wrk=PLATFORM4),
    Scenario("udp_flood", PLATFORM4, (WEB4, DNS4, ELSEWHERE), ("udp and length 540 and not df",),
             ("ip protocol udp ip length 540 ip frag-off & 0x4000 == 0",), synth="udp_flood", long=True),
    Scenario("udp_flood_vlan", PLATFORM4, (WEB4, DNS4, ELSEWHERE), ("udp and length 540 and not df",),
             ("ip protocol udp ip length 540 ip frag-off & 0x4000 == 0",), synth="udp_flood", tagged=True),
    Scenario("icmp_flood", PLATFORM4, (WEB4, DNS4), ("icmp and icmp type 8 and length 148",),
             ("icmp type echo-request ip length 148",), synth="icmp_flood", long=True),
    Scenario("dns_reflection", PLATFORM4, (WEB4, DNS4, ELSEWHERE), ("udp and length > 700",),
             ("ip protocol udp ip length > 700",), synth="dns_reflection"),
    Scenario("ntp_reflection", BOX4, (BOX, BOX_UDP), ("udp and src port 123 and length 468",),
             ("udp sport 123 ip length 468",), synth="ntp_reflection"),
    Scenario("ntp_reflection_ipv6", BOX6, (BOX_SIX,), ("ip6 and udp and src port 123",),
             ("ip6 nexthdr udp udp sport 123",), synth="ntp_reflection --ipv6", long=True),
    Scenario("carpet_udp", CARPET4, (BOX, BOX_UDP), ("udp and length 92",), ("ip protocol udp ip length 92",),
             synth="carpet_udp"),
    Scenario("dns_query_flood", PLATFORM4, (DNS4, ELSEWHERE), ("198.18.64.0/18",), ("ip saddr 198.18.64.0/18",),
             synth="dns_query_flood", sources="0.0.0.0/0:198.18.64.0/18"),
    # Few sources that send much, and nothing else sets them apart: 8 of them at 50 a second are 400 of 20,000.
    Scenario("few_sources", PLATFORM4, (DNS4, ELSEWHERE), (),
             ("udp dport 53 update @sources { ip saddr limit rate over 50/second burst 5 packets }",),
             synth="dns_query_flood", sources="0.0.0.0/0:198.18.64.0/29", source_pps=50, through=0.05),
    Scenario("real_syn_flood", PLATFORM4, (WEB4,), ("tcp and tcp flags S and window 0 and length 40",),
             ("tcp flags == syn tcp window 0 ip length 40",),
             real="StopDDoS+packet-captures/pkt.TCP.synflood.spoofed.pcap", only="dst host 10.10.10.10 and tcp[13] = 2",
             ports="25565:80", long=True),
    # Answers of an attack whose questions had three ids; ours come from port 53 too.
    Scenario("real_dns_reflection", PLATFORM4, (WEB4, ELSEWHERE),
             tuple(f"udp and src port 53 and payload[0:2] = {ident}" for ident in ("67c5", "91ef", "9462")),
             tuple(f"udp sport 53 @th,64,16 0x{ident}" for ident in ("67c5", "91ef", "9462")),
             real="marcosValle+netlyzer/ddos.pcap", only="udp and dst host 227.213.154.241"),
    Scenario("real_blacknurse", PLATFORM4, (WEB4, DNS4), ("icmp and icmp type 3 and icmp code 3",),
             ("icmp type destination-unreachable icmp code 3",), real="doup123+attacker/icmp_blacknurse.pcap",
             only="icmp and dst host 172.16.1.2"),
]


class Range:
    def __init__(self, topology, scratch, arguments, daemon):
        self.topology, self.scratch, self.arguments = topology, scratch, arguments
        measure.install(topology)
        self.services = Services(topology, scratch, arguments.echo)
        self.nothing = shield.Nothing()
        self.shields = [self.nothing]
        if not arguments.short:
            self.shields.append(shield.Nftables(topology))
        if daemon:
            self.shields.append(shield.Holdfast(daemon))
        self.peace = {}  # results without an attack, by what users want

    def phase(self, scenario, capture, guard):
        """Users, an attack unless there is no capture, and what became of both."""
        seconds = self.arguments.seconds
        before = measure.counters(self.topology)
        regulars = None
        if scenario.wrk:
            regulars = measure.Regulars(self.topology, self.scratch, scenario.wrk)
            time.sleep(LEAD_SECONDS)
        flood = None
        if capture:
            flood = attack.replay(self.topology, capture, scenario.rate, LEAD_SECONDS + seconds + TAIL_SECONDS)
            time.sleep(LEAD_SECONDS)
        result = measure.Crowd(self.topology, self.arguments.client, scenario.asks, seconds).results(seconds)
        result["wrk_rps"] = regulars.leave() if regulars else None
        if flood:
            self.topology.end(flood)
            time.sleep(0.1)  # what is on its way
        counted = measure.since(before, measure.counters(self.topology))
        result |= counted
        result["attack_through"] = ratio(counted["attack_arrived"], counted["attack_sent"])
        result["normal_lost"] = 1 - ratio(counted["normal_kept"], counted["normal_sent"])
        result["dropped"] = guard.dropped()
        return result

    def play(self, scenario):
        """Results by phase, or None where the capture is not at hand."""
        capture = attack.prepare(scenario, self.arguments.synth, self.scratch)
        if not capture:
            return None
        if scenario.tagged:
            self.topology.tag(self.scratch)
        try:
            return self.play_phases(scenario, capture)
        finally:
            if scenario.tagged:
                self.topology.untag()

    def play_phases(self, scenario, capture):
        wanted = (scenario.asks, scenario.wrk, scenario.tagged)
        if wanted not in self.peace or not self.arguments.short:
            self.peace[wanted] = self.phase(scenario, None, self.nothing)
        results = {"before": self.peace[wanted]}
        for guard in self.shields:
            guard.begin(scenario)
            try:
                results[guard.name] = self.phase(scenario, capture, guard)
            finally:
                guard.end()
            self.services.again()
        return results


def ratio(part, whole):
    return part / whole if whole else 0.0


def faults(scenario, results):
    """What is wrong with a scenario's results: margins are wide, for the machine is small and shared."""
    found = []
    before, without = results["before"], results["without"]
    if before["success"] < 0.98:
        found.append(f"in peace only {before['success']:.1%} of users are served")
    if without["attack_sent"] < 1000:
        found.append(f"the attack is {without['attack_sent']} packets")
    if without["attack_through"] < 0.9:
        found.append(f"without a shield only {without['attack_through']:.1%} of the attack arrives")
    if without["success"] > 0.9:
        found.append(f"without a shield the attack does no harm: {without['success']:.1%} of users are served")
    for name in ("nftables", "holdfast"):
        if name not in results:
            continue
        result = results[name]
        if result["success"] < 0.95:
            found.append(f"{name}: only {result['success']:.1%} of users are served")
        if result["attack_through"] > scenario.through:
            found.append(f"{name}: {result['attack_through']:.2%} of the attack passes")
        if result["normal_lost"] > 0.02:
            found.append(f"{name}: {result['normal_lost']:.2%} of normal packets are lost; over the budget were "
                         f"{result['over_budget']}, no room on the link had {result['link_lost']}")
        missing = result["attack_sent"] - result["attack_arrived"]
        if abs(result["dropped"] - missing) > 0.02 * missing + result["link_lost"] + 10:
            found.append(f"{name} says it dropped {result['dropped']}, but {missing} are missing")
    return found


HEAD = f"{'':20} {'':9} {'users':>7} {'p50':>8} {'p99':>8} {'wrk':>7} {'attack':>9} {'through':>8} {'normal':>8}\n" \
       f"{'scenario':20} {'shield':9} {'served':>7} {'ms':>8} {'ms':>8} {'rps':>7} {'packets':>9} {'%':>8} " \
       f"{'lost %':>8}"


def row(name, phase, result):
    late = ">" if result["answered"] < 0.99 * result["asked"] else ""
    wrk = "" if result["wrk_rps"] is None else f"{result['wrk_rps']:.0f}"
    attacked = result["attack_sent"] > 0
    through = f"{100 * result['attack_through']:.2f}" if attacked else ""
    p99 = late + format(result["p99_ms"], ".1f")
    return (f"{name:20} {phase:9} {result['success']:7.1%} {result['p50_ms']:8.1f} {p99:>8} {wrk:>7} "
            f"{result['attack_sent'] if attacked else '':>9} {through:>8} {100 * result['normal_lost']:8.2f}")


def unable():
    """Why there can be no range here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"missing: {' '.join(missing)}; scripts/deps range"
    return None


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("holdfast", "synth", "client", "echo"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--scenario", action="append", choices=[scenario.name for scenario in SCENARIOS], default=[])
    parser.add_argument("--seconds", type=float, default=5.0, help="for how long users come, in each phase")
    parser.add_argument("--short", action="store_true", help="a second, no peer, peace once for the same users, "
                        "and only scenarios that are unlike others")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.short:
        arguments.seconds = 1.0
    if not 0.5 <= arguments.seconds <= 30:
        parser.error("--seconds is 0.5 to 30")
    return arguments


def can_run(arguments):
    """Whether the executable has a daemon in it."""
    return subprocess.run([arguments.holdfast, "help", "run"], check=False, capture_output=True).returncode == 0


def tell_skip(arguments, number, scenario, why):
    print(f"ok {number} - {scenario.name} # SKIP {why}" if arguments.tap else f"skipped: {scenario.name}: {why}")


def main():
    arguments = parse()
    chosen = [scenario for scenario in SCENARIOS if scenario.name in arguments.scenario or
              (not arguments.scenario and not (arguments.short and scenario.long))]
    comment = "# " if arguments.tap else ""
    failed, told = 0, {}
    why = unable()
    if not why:
        step_aside()
    if arguments.tap:
        print(f"1..{len(chosen)}", flush=True)
    if why:
        for number, scenario in enumerate(chosen, 1):
            tell_skip(arguments, number, scenario, why)
        return 0
    print(comment + HEAD.replace("\n", f"\n{comment}"), flush=True)
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-range-")))
        scratch.chmod(0o755)
        topology = stack.enter_context(Topology())
        daemon = None
        if can_run(arguments):
            daemon = stack.enter_context(shield.Daemon(topology, scratch, arguments.holdfast))
        field = Range(topology, scratch, arguments, daemon)
        for number, scenario in enumerate(chosen, 1):
            results = field.play(scenario)
            if results is None:
                tell_skip(arguments, number, scenario, f"no {scenario.real}; HOLDFAST_DATA says where captures are")
                continue
            told[scenario.name] = results
            for phase, result in results.items():
                print(comment + row(scenario.name, phase, result), flush=True)
            wrong = faults(scenario, results)
            failed += bool(wrong)
            for fault in wrong:
                print(f"{comment}{scenario.name}: {fault}", flush=True)
            if arguments.tap:
                print(f"{'not ' if wrong else ''}ok {number} - {scenario.name}", flush=True)
        if daemon:
            print(f"{comment}holdfast was attached: {field.shields[-1].hook}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RangeError as error:
        print(f"Bail out! {error}", flush=True)
        sys.exit(1)
