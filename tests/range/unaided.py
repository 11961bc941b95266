#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""unaided.py HOLDFAST SYNTH CLIENT ECHO METER [--scenario NAME]... [--short] [--pps N] [--tap] [--json FILE]: Holdfast
defends the range's platform (range.py has the drawing, and says what it can show and what not), and nobody tells it
anything.

Once it watches users in peace, which has to stay one, and is stopped; what it has learned then is given to each
scenario's own, that has seen no attack yet. A scenario is users who come all the time, some seconds of peace, and an
attack; up to three times:

    without     no shield. FastNetMon looks on, where it is installed: when it gives notice
    live        holdfast run, mode enforce
    nftables    told by hand beforehand what range.py tells it, where there is such a line

Before that a scenario without an attack: everybody comes, and then a crowd many times as large, whom the platform can
serve. Nothing may be dropped then, nor called an attack.

Two meters (meter.c) count every 10 ms what the router sends and what comes out behind the hook; course.py says what is
made of that. "All" is every user from the attack's first packet on, "after" those who came once the attack no longer
passed. A user who has no answer after a second has failed: whose SYN is lost asks again only then. Printed
of all waves of a scenario is the worst.
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import attack
import measure
import range as field
import shield
from course import SLOT_MS, FastNetMon, Meters
from range import BOX, BOX_SIX, BOX_UDP, DNS4, DNS6, ELSEWHERE, WEB4, WEB6
from services import Services
from topology import BOX4, BOX6, CARPET4, PLATFORM4, PLATFORM6, RangeError, Topology, call, step_aside

LEARN_SECONDS = 20
PEACE_SECONDS, PEACE_SHORT_SECONDS = 2.0, 0.8  # of a scenario, before the attack
LATE_SECONDS = 8.0  # that an attack may begin late on a busy machine
KNOWING_SECONDS = 60.0  # where who came in peace matters
AFTER_SECONDS = 0.5   # and behind it
SHORT_WAVE_SECONDS, SHORT_UNSHIELDED_SECONDS = 2.0, 0.8
WATCH_S = 0.02
BIN_MS = 100  # of what the client tells

# In peace everything is asked for, so that all of it is known; slow enough for the platform's budget.
PEACE = tuple(dataclasses.replace(ask, rate=rate) for ask, rate in (
    (WEB4, 50), (WEB6, 20), (DNS4, 40), (DNS6, 20), (ELSEWHERE, 30), (BOX, 40), (BOX_SIX, 20), (BOX_UDP, 40)))


@dataclasses.dataclass(frozen=True)
class Wave:
    seconds: float
    rest: float = 0.0  # before the next
    which: int = 0     # of the scenario's attacks


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    to: str
    asks: tuple
    synths: tuple         # what synth is asked for
    waves: tuple = (Wave(4.0),)
    nft: tuple = ()
    ports: str = ""
    tagged: bool = False
    served: float = 0.0   # of users who come from the attack's first packet on, at least
    signature: bool = True  # whether a rule exists that drops it; where none does only users are looked at
    pulses: bool = False    # the same again and again: from the second wave on it is to be met at once
    long: bool = False      # too much like another for --short
    like_users: bool = False  # instead of `synths`: what users ask of DNS, asked again from everywhere
    fallback: str = ""      # of the platform's service; then peace is long enough to know who comes
    strangers: tuple = ()   # what is asked by those who come for the first time while it goes on


WEB = (WEB4, DNS4, ELSEWHERE)
WEB_SIX = (WEB6, DNS6)
BEHIND = (BOX, BOX_UDP)
NFT = {scenario.name: scenario.nft for scenario in field.SCENARIOS}
PULSES = tuple(Wave(0.6, 1.4) for _ in range(5))

SCENARIOS = [
    Scenario("syn_flood", PLATFORM4, WEB, ("syn_flood_spoofed",), nft=NFT["syn_flood"], ports="443:80", served=0.99),
    Scenario("syn_flood_ipv6", PLATFORM6, WEB_SIX, ("syn_flood_spoofed --ipv6",), nft=NFT["syn_flood_ipv6"],
             ports="443:80", served=0.99),
    # Nothing tells these SYNs from users': cookies have to do.
    Scenario("syn_like_normal", PLATFORM4, WEB, ("syn_flood_like_normal",), ports="443:80", served=0.99,
             signature=False, long=True),
    Scenario("syn_botnet", PLATFORM4, WEB, ("syn_flood_botnet",), ports="443:80", served=0.99, long=True),
    Scenario("ack_flood", PLATFORM4, WEB, ("ack_flood",), nft=NFT["ack_flood"], ports="443:80"),
    Scenario("ack_botnet", PLATFORM4, WEB, ("ack_flood_botnet",), ports="443:80", long=True),
    Scenario("rst_flood", PLATFORM4, WEB, ("rst_flood",), ports="443:80", long=True),
    Scenario("xmas_flood", PLATFORM4, WEB, ("xmas_flood",), ports="443:80", long=True),
    Scenario("syn_ack_reflection", PLATFORM4, WEB, ("syn_ack_reflection",), long=True),
    Scenario("udp_flood", PLATFORM4, WEB, ("udp_flood",), nft=NFT["udp_flood"]),
    Scenario("udp_flood_vlan", PLATFORM4, WEB, ("udp_flood",), nft=NFT["udp_flood_vlan"], tagged=True, long=True),
    Scenario("udp_fixed_port", PLATFORM4, WEB, ("udp_flood_fixed_port",), long=True),
    Scenario("fragments", PLATFORM4, WEB, ("udp_fragment",)),
    Scenario("icmp_flood", PLATFORM4, WEB, ("icmp_flood",), nft=NFT["icmp_flood"], long=True),
    Scenario("gre_flood", PLATFORM4, WEB, ("gre_flood",), long=True),
    Scenario("dns_reflection", PLATFORM4, WEB, ("dns_reflection",), nft=NFT["dns_reflection"], long=True),
    Scenario("memcached", PLATFORM4, WEB, ("memcached_reflection",), long=True),
    Scenario("ntp_reflection", BOX4, BEHIND, ("ntp_reflection",), nft=NFT["ntp_reflection"]),
    Scenario("ntp_ipv6", BOX6, (BOX_SIX,), ("ntp_reflection --ipv6",), nft=NFT["ntp_reflection_ipv6"], long=True),
    Scenario("carpet_udp", CARPET4, BEHIND, ("carpet_udp",), nft=NFT["carpet_udp"]),
    Scenario("dns_query_flood", PLATFORM4, WEB, ("dns_query_flood",)),
    Scenario("multi_vector", PLATFORM4, WEB, ("multi_vector",), ports="443:80", waves=(Wave(5.0),), long=True),
    Scenario("morphing", PLATFORM4, WEB, ("ntp_reflection", "cldap_reflection", "udp_flood"),
             waves=(Wave(3.0), Wave(3.0, 0, 1), Wave(3.0, 0, 2)), long=True),
    # Nothing tells these questions from users': who was here in peace is preferred.
    Scenario("dns_like_users", PLATFORM4, (WEB4, DNS4), (), waves=(Wave(8.0),), served=0.85, signature=False, long=True,
             like_users=True, fallback="prefer_known", strangers=(DNS4,)),
    Scenario("pulses", PLATFORM4, WEB, ("cldap_reflection",), waves=PULSES, pulses=True),
]


@dataclasses.dataclass(frozen=True)
class Benign:
    """No attack: nothing is to be dropped, and nothing to be said."""
    name: str
    asks: tuple
    seconds: float
    crowd: tuple = ()     # who comes besides, after a while of that
    crowd_seconds: float = 0.0


CROWD_BUDGET = 20000  # a platform that can serve whom it has called
CROWD = tuple(dataclasses.replace(ask, rate=rate) for ask, rate in ((WEB4, 800), (WEB6, 300), (DNS4, 300)))

BENIGN = [
    Benign("flash_crowd", PEACE, 10, CROWD, 7),
]


class Watch(threading.Thread):
    """Asks the daemon fifty times a second how it stands, so as to know when it first said what."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.ended = path, threading.Event()
        self.told = None      # wall time of its first word on an attack
        self.attacks = {}     # as last seen, by id
        self.latest = None    # the latest status
        self.why = ""

    def run(self):
        try:
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(5)
                asked.connect(str(self.path))
                file = asked.makefile("rwb")
                while not self.ended.wait(WATCH_S):
                    file.write(b'{"command":"status"}\n')
                    file.flush()
                    answer = json.loads(file.readline())
                    if answer["ok"]:
                        self.see(answer["result"])
        except (OSError, ValueError) as error:
            self.why = str(error)

    def see(self, status):
        self.latest = status
        for found in status.get("attacks", ()):
            if self.told is None:
                self.told = time.time()
            self.attacks[found["id"]] = found

    def stop(self):
        self.ended.set()
        self.join(10)


class Live:
    """Holdfast, that nobody tells anything, from what it learned in peace."""

    name = "live"

    def __init__(self, daemon):
        self.daemon, self.learned, self.hook, self.watch = daemon, None, None, None
        daemon.text = daemon.text.replace("mode: observe", "mode: enforce")
        daemon.config.write_text(daemon.text, encoding="utf-8")

    def learn(self, crowd, seconds):
        """Peace, once; what crowd() measured of it, and whether it was left in peace."""
        self.daemon.start()
        result = crowd(PEACE, seconds)
        result |= {"dropped": self.dropped(), "attacks": self.daemon.status()["attacks"]}
        self.daemon.stop()
        self.learned = self.daemon.scratch / "learned"
        call("cp", "-a", self.daemon.state, self.learned)
        self.daemon.tell("off")
        return result

    def begin(self, scenario):
        text = self.daemon.text
        if getattr(scenario, "fallback", ""):
            text = text.replace("per_source_pps: 0", f"per_source_pps: 0, fallback: {scenario.fallback}")
        self.daemon.config.write_text(text, encoding="utf-8")
        shutil.rmtree(self.daemon.state, ignore_errors=True)
        call("cp", "-a", self.learned, self.daemon.state)
        status = self.daemon.start()
        self.hook = status["interfaces"][0]["hook"]
        self.watch = Watch(self.daemon.scratch / "run/control.sock")
        self.watch.start()

    def dropped(self):
        return sum(count["packets"] for service in self.daemon.status()["services"]
                   for reason, count in service["enforced"].items() if reason.startswith("drop_"))

    def cookies(self):
        """SYNs that were answered in the platform's stead."""
        return sum(service["enforced"].get("tx_cookie", {"packets": 0})["packets"]
                   for service in self.daemon.status()["services"])

    def end(self):
        self.watch.stop()
        self.daemon.stop()
        self.daemon.tell("off")


class Range:
    def __init__(self, topology, scratch, arguments, daemon):
        self.topology, self.scratch, self.arguments = topology, scratch, arguments
        measure.install(topology)
        # As Linux comes: without cookies of its own a host is lost within the first hundredth of a second of SYNs.
        topology.set("platform", "ipv4/tcp_syncookies", "1")
        self.services = Services(topology, scratch, arguments.echo)
        self.live = Live(daemon)
        self.phases = [(shield.Nothing(), not arguments.short and FastNetMon.is_there()), (self.live, False)]
        self.by_hand = None if arguments.short else shield.Nftables(topology)

    def learn(self):
        return self.live.learn(self.peace, LEARN_SECONDS)

    def peace(self, asks, seconds):
        """Users, and nothing else."""
        before = measure.counters(self.topology)
        result = measure.Crowd(self.topology, self.arguments.client, asks, seconds).results(seconds)
        counted = measure.since(before, measure.counters(self.topology))
        return result | counted | {"normal_missing": counted["normal_sent"] - counted["normal_arrived"]}

    def captures(self, scenario):
        """What is replayed, in the scenario's order."""
        if scenario.like_users:
            return [attack.of_users(scenario.name, self.asked(), self.scratch)]
        return [attack.prepare(
            field.Scenario(f"{scenario.name}-{number}", scenario.to, (), (), (), synth=synth, ports=scenario.ports),
            self.arguments.synth, self.scratch) for number, synth in enumerate(scenario.synths)]

    def asked(self):
        """What users ask of DNS in peace, as a capture."""
        out = self.scratch / "asked.pcap"
        if not out.exists():
            dump = self.topology.begin("users", "tcpdump", "--immediate-mode", "-U", "-n", "-i", "u0", "-w", out,
                                       "udp dst port 53", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       tree=False)
            time.sleep(0.5)
            measure.Crowd(self.topology, self.arguments.client, [dataclasses.replace(DNS4, rate=200)], 2.0).results(2.0)
            self.topology.end(dump, signal.SIGTERM)
        return out

    def play(self, scenario):
        captures = self.captures(scenario)
        if scenario.tagged:
            self.topology.tag(self.scratch)
        try:
            results = {}
            for guard, watched in self.phases + ([(self.by_hand, False)] if self.by_hand and scenario.nft else []):
                guard.begin(scenario)
                try:
                    results[guard.name] = self.phase(scenario, captures, guard, watched)
                    if guard is not self.live and results[guard.name]["all"] is None:
                        # On a busy machine the attack can begin so late that the last user has left.
                        results[guard.name] = self.phase(scenario, captures, guard, watched)
                finally:
                    guard.end()
                self.services.again()
            return results
        finally:
            if scenario.tagged:
                self.topology.untag()

    def play_benign(self, scenario):
        """With Holdfast alone."""
        self.live.begin(scenario)
        measure.set_budget(self.topology, CROWD_BUDGET)
        try:
            before, dropped = measure.counters(self.topology), self.live.dropped()
            crowds = [measure.Crowd(self.topology, self.arguments.client, scenario.asks, scenario.seconds)]
            if scenario.crowd:
                time.sleep(scenario.seconds - scenario.crowd_seconds)
                crowds.append(measure.Crowd(self.topology, self.arguments.client, scenario.crowd,
                                            scenario.crowd_seconds))
            results = [crowd.results(scenario.seconds) for crowd in crowds]
            counted = measure.since(before, measure.counters(self.topology))
            return counted | {
                "asked": sum(result["asked"] for result in results),
                "answered": sum(result["answered"] for result in results),
                "normal_missing": counted["normal_sent"] - counted["normal_arrived"],
                "dropped": self.live.dropped() - dropped, "attacks": list(self.live.watch.attacks.values())}
        finally:
            measure.set_budget(self.topology, measure.BUDGET_PPS)
            self.live.end()

    def waves(self, scenario, guard):
        """Where it has to be short, that an attack does harm is shown in less than a second."""
        if not self.arguments.short:
            return scenario.waves
        if guard is not self.live:
            return (Wave(SHORT_UNSHIELDED_SECONDS),)
        return tuple(dataclasses.replace(wave, seconds=min(wave.seconds, SHORT_WAVE_SECONDS))
                     for wave in scenario.waves)

    def phase(self, scenario, captures, guard, watched):
        peace = PEACE_SHORT_SECONDS if self.arguments.short else PEACE_SECONDS
        if scenario.fallback and guard is self.live:
            peace = KNOWING_SECONDS
        waves = self.waves(scenario, guard)
        seconds = peace + sum(wave.seconds + wave.rest for wave in waves) + AFTER_SECONDS
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(FastNetMon(self.topology, self.scratch, self.arguments.pps)) if watched else None
            before = measure.counters(self.topology)
            meters = Meters(self.topology, self.arguments.meter)
            crowd = measure.Crowd(self.topology, self.arguments.client, scenario.asks, seconds)
            time.sleep(peace)
            guests = measure.Crowd(self.topology, self.arguments.client, scenario.strangers,
                                   sum(wave.seconds for wave in waves) + LATE_SECONDS, guests=True)
            for wave in waves:
                flood = attack.replay(self.topology, captures[wave.which], self.arguments.pps, wave.seconds)
                flood.wait(wave.seconds + 5)
                self.topology.end(flood)
                time.sleep(wave.rest)
            result = crowd.results(seconds)
            strangers = guests.results(seconds)["each"] if scenario.strangers else {}
            course = meters.stop()
            counted = measure.since(before, measure.counters(self.topology))
            result |= counted
            result |= {"dropped": guard.dropped(), "meters_lost": course.lost,
                       "cookies": guard.cookies() if guard is self.live else 0}
            result |= summary(course, result["each"], bool(scenario.nft) and guard.name == "nftables", counted,
                              result["cookies"])
            if strangers and result["waves"]:
                began, ended = (int((result["waves"][at]["began"] + more) * 1000) // BIN_MS for at, more in
                                ((0, 0), (-1, result["waves"][-1]["seconds"])))
                result["strangers"] = share(strangers, began, ended)
            if peer:
                result["fastnetmon_ms"] = since_first(peer.notified(), result["waves"])
            if guard is self.live:
                watch = guard.watch
                result["told_ms"] = since_first([watch.told] if watch.told else [], result["waves"])
                result["attacks"] = list(watch.attacks.values())
            return result


def lost(counted):
    return max(0.0, 1 - counted["normal_kept"] / counted["normal_sent"]) if counted["normal_sent"] else 0.0


def since_first(times, waves):
    """Milliseconds from the attack's first packet to the first of these times; None: never."""
    return round(1000 * (min(times) - waves[0]["began"])) if times and waves else None


def share(each, first, end):
    """Of users who came in these slots of 100 ms, who was answered; None: nobody came."""
    begun = sum(one[0] for at, one in each.items() if first <= at < end)
    return sum(one[1] for at, one in each.items() if first <= at < end) / begun if begun else None


def summary(course, each, is_blind, counted, cookies):
    """The meters stand before netfilter's hooks: of nftables they know nothing, but counters do."""
    waves = course.told()
    out = {"waves": waves, "reaction_ms": None, "residual": None, "all": None, "after": None, "lost_before": 0.0,
           "lost_after": 0.0, "through": counted["attack_arrived"] / max(1, counted["attack_sent"])}
    if not waves:
        return out
    began, ended = waves[0]["began"], waves[-1]["began"] + waves[-1]["seconds"]
    out["all"] = share(each, int(began * 1000) // BIN_MS, int(ended * 1000) // BIN_MS)
    first, end = int(began * 1000) // SLOT_MS - course.first, int(ended * 1000) // SLOT_MS - course.first
    out["lost_before"] = course.normal_lost(0, first, 0)
    if is_blind:
        out["residual"] = out["through"]
        return out
    if any(wave["reaction_ms"] is None for wave in waves):
        return out
    out["reaction_ms"] = max(wave["reaction_ms"] for wave in waves)
    out["residual"] = max(wave["residual"] for wave in waves)
    settled = began + waves[0]["reaction_ms"] / 1000 + BIN_MS / 1000
    out["after"] = share(each, int(settled * 1000) // BIN_MS + 1, int(ended * 1000) // BIN_MS)
    out["lost_after"] = course.normal_lost(first + waves[0]["reaction_ms"] // SLOT_MS + SLOT_MS, end,
                                          cookies)
    return out


def faults(scenario, results):
    """What is wrong: margins are wide, for the machine is small and shared; the targets stand in doc/performance.md."""
    found = []
    without, live = results["without"], results["live"]
    if without["attack_sent"] < 500:
        found.append(f"the attack is {without['attack_sent']} packets")
    if without["all"] is None or without["all"] > 0.95:
        found.append(f"without a shield the attack does no harm: {percent(without['all'])} of users are served")
    if live["lost_before"] > 0.005:
        found.append(f"in peace {live['lost_before']:.2%} of normal packets are lost")
    if scenario.signature:
        if live["reaction_ms"] is None:
            found.append("it never stops the attack")
        else:
            if live["reaction_ms"] > 1500:
                found.append(f"it takes {live['reaction_ms']} ms")
            if live["residual"] > 0.05:
                found.append(f"{live['residual']:.2%} goes on passing")
            if live["after"] is not None and live["after"] < 0.98:
                found.append(f"afterwards only {live['after']:.1%} of users are served")
    if live["all"] is not None and live["all"] < scenario.served:
        found.append(f"only {live['all']:.1%} of users are served")
    return found


def benign_faults(result):
    found = []
    if result["dropped"]:
        found.append(f"{result['dropped']} packets are dropped though nobody attacks")
    if result["normal_missing"] > result["link_lost"]:
        found.append(f"{result['normal_missing']} packets of users are missing")
    if result["answered"] < 0.995 * result["asked"]:
        found.append(f"of {result['asked']} users {result['answered']} are served")
    if result["attacks"]:
        found.append("it sees an attack where there is none")
    return found


def percent(value, digits=1):
    return "" if value is None else f"{100 * value:.{digits}f}"


def milliseconds(value, never="never"):
    return never if value is None else f"{value}"


HEAD = f"{'':18} {'':9} {'attack':>8} {'passes':>7} {'< 5 %':>7} {'then':>6} {'users %':>7} {'users %':>7} " \
       f"{'p50':>6} {'p99':>7} {'normal':>7} {'told':>6}\n" \
       f"{'scenario':18} {'shield':9} {'packets':>8} {'%':>7} {'ms':>7} {'%':>6} {'all':>7} {'after':>7} {'ms':>6} " \
       f"{'ms':>7} {'lost %':>7} {'ms':>6}"


def row(name, phase, result):
    attacked = phase == "live"
    late = ">" if result["answered"] < 0.99 * result["asked"] else ""
    told = result.get("told_ms") if attacked else None
    return (f"{name:18} {phase:9} {result['attack_sent']:>8} {percent(result['through'], 2):>7} "
            f"{milliseconds(result['reaction_ms'], '' if not attacked else 'never'):>7} "
            f"{percent(result['residual'], 2):>6} {percent(result['all']):>7} {percent(result['after']):>7} "
            f"{result['p50_ms']:>6.1f} {late + format(result['p99_ms'], '.1f'):>7} "
            f"{percent(result['lost_after'] if attacked else lost(result), 2):>7} "
            f"{milliseconds(told, '') if attacked else '':>6}")


def details(result):
    """What Holdfast found, a line each."""
    for found in result["attacks"]:
        yield f"  {found['target']}: {found['vector']}" + (f"; {found['advice']}" if found.get("advice") else "")
        if found.get("fallback", "not_needed") != "not_needed":
            yield f"  fall-back: {found['fallback']}"
        for rule in found["rules"]:
            yield (f"    {rule['id'] or '-'} {rule['state']} {rule['action']}  {rule['match']}"
                   f"{'  (' + rule['why'] + ')' if rule.get('why') else ''}")
    if result.get("strangers") is not None:
        yield f"  of those who came for the first time amid it, {percent(result['strangers'])} % were served"
    if len(result.get("waves", ())) > 1:
        yield "  waves, ms: " + ", ".join(milliseconds(wave["reaction_ms"]) for wave in result["waves"])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("holdfast", "synth", "client", "echo", "meter"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--scenario", action="append", default=[],
                        choices=[scenario.name for scenario in BENIGN + SCENARIOS])
    parser.add_argument("--pps", type=int, default=20000, help="packets a second of the attack")
    parser.add_argument("--short", action="store_true", help="no peers, shorter, and only scenarios that "
                        "are unlike others")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parse()
    chosen = [scenario for scenario in SCENARIOS if scenario.name in arguments.scenario or
              (not arguments.scenario and not (arguments.short and scenario.long))]
    calm = [scenario for scenario in BENIGN if scenario.name in arguments.scenario or not arguments.scenario]
    comment = "# " if arguments.tap else ""
    why = field.unable()
    if not why and not field.can_run(arguments):
        why = f"no daemon in {arguments.holdfast}"
    if not why:
        step_aside()
    if arguments.tap:
        print(f"1..{1 + len(calm) + len(chosen)}", flush=True)
    if why:
        for number, name in enumerate(["peace", *(scenario.name for scenario in calm + chosen)], 1):
            print(f"ok {number} - {name} # SKIP {why}" if arguments.tap else f"skipped: {name}: {why}")
        return 0
    failed, told = 0, {}

    def tell(number, name, wrong):
        for fault in wrong:
            print(f"{comment}{name}: {fault}", flush=True)
        if arguments.tap:
            print(f"{'not ' if wrong else ''}ok {number} - {name}", flush=True)
        return bool(wrong)

    def tell_benign(number, name, result):
        print(f"{comment}{name}: {result['answered']} of {result['asked']} users served, {result['dropped']} of "
              f"{result['normal_sent']} packets dropped", flush=True)
        for line in details(result):
            print(comment + line, flush=True)
        return tell(number, name, benign_faults(result))

    if not arguments.short and not FastNetMon.is_there():
        print(f"{comment}skipped: fastnetmon is not installed; scripts/deps peers", flush=True)
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-live-")))
        scratch.chmod(0o755)
        topology = stack.enter_context(Topology())
        daemon = stack.enter_context(shield.Daemon(topology, scratch, arguments.holdfast))
        ground = Range(topology, scratch, arguments, daemon)
        peace = ground.learn()
        failed += tell_benign(1, "peace", peace)
        for number, scenario in enumerate(calm, 2):
            told[scenario.name] = ground.play_benign(scenario)
            failed += tell_benign(number, scenario.name, told[scenario.name])
        print(comment + HEAD.replace("\n", f"\n{comment}"), flush=True)
        for number, scenario in enumerate(chosen, 2 + len(calm)):
            results = told[scenario.name] = ground.play(scenario)
            for phase, result in results.items():
                print(comment + row(scenario.name, phase, result), flush=True)
            if "fastnetmon_ms" in results["without"]:
                notice = milliseconds(results["without"]["fastnetmon_ms"])
                print(f"{comment}  fastnetmon gave notice after {notice} ms", flush=True)
            for line in details(results["live"]):
                print(comment + line, flush=True)
            failed += tell(number, scenario.name, faults(scenario, results))
        print(f"{comment}holdfast was attached: {ground.live.hook}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RangeError as error:
        print(f"Bail out! {error}", flush=True)
        sys.exit(1)
