#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""soak.py HOLDFAST SYNTH CLIENT ECHO METER [--seconds N] [--seed N]: Holdfast on the range's platform for an hour,
peace and waves of ever other attacks in turns, now and then a crowd. One daemon, one life.

    memory    resident, of each process, every few seconds; a line through what was measured after the first third must
              not rise by more than a tenth, or GROWTH_MIB, by the end
    peace     from SETTLE_S after a wave on nothing is dropped, and no packet of users is missing
    rules     REST_S after the last wave none acts any more, and there is none that no attack owns

Says what was wrong when it happens, a line a minute, and one in the end; exits 1 if something was.
"""
import argparse
import contextlib
import os
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time

import attack
import measure
import range as field
import shield
import unaided
from services import Services
from topology import RangeError, Topology, step_aside

LEARN_S, PEACE_S, CROWD_S, SETTLE_S, REST_S = 20, 10, 5, 3, 75
WAVE_S = (2, 8)
PPS = (5000, 30000)
CROWD_EVERY = 6  # rounds
SAMPLE_S = 5
GROWTH_MIB, GROWTH_PART = 4.0, 0.1
TELL_S = 60
SAMPLES_MIN = 12  # fewer say nothing of a slope


class Memory(threading.Thread):
    """Resident MiB of each of the daemon's processes: (seconds, MiB), by role."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_of, self.ended, self.began, self.seen = daemon, threading.Event(), time.monotonic(), {}

    def run(self):
        while not self.ended.wait(SAMPLE_S):
            for role, pid in self.daemon_of.pids().items():
                with contextlib.suppress(OSError, StopIteration):
                    lines = pathlib.Path("/proc", str(pid), "status").read_text(encoding="utf-8").splitlines()
                    resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
                    self.seen.setdefault(role, []).append((time.monotonic() - self.began, resident))

    def stop(self):
        self.ended.set()
        self.join(10)

    def verdicts(self):
        """(role, MiB at most, growth of the line in MiB or None, whether that is too much)"""
        for role, samples in sorted(self.seen.items()):
            most, late = max(mib for _, mib in samples), samples[len(samples) // 3:]
            if len(late) < SAMPLES_MIN:
                yield role, most, None, False
                continue
            slope, _ = statistics.linear_regression(*zip(*late))
            growth = slope * (late[-1][0] - late[0][0])
            allowed = max(GROWTH_MIB, GROWTH_PART * statistics.median(mib for _, mib in late))
            yield role, most, growth, growth > allowed


class Soak:
    def __init__(self, topology, scratch, arguments, daemon):
        self.topology, self.scratch, self.arguments, self.daemon = topology, scratch, arguments, daemon
        self.dice = random.Random(arguments.seed)
        self.began = self.told = time.monotonic()
        self.wrong, self.rounds, self.waves, self.peace_packets, self.users = [], 0, 0, 0, [0, 0]
        self.captures = {}

    def fault(self, text):
        self.wrong.append(text)
        print(f"FAILED after {time.monotonic() - self.began:.0f} s: {text}", flush=True)

    def dropped(self):
        return sum(count["packets"] for service in self.daemon.status()["services"]
                   for reason, count in service["enforced"].items() if reason.startswith("drop_"))

    def calm(self, asks, seconds):
        """Users and nobody else; they are all there and gone when counters are read."""
        before, dropped = measure.counters(self.topology), self.dropped()
        result = measure.Crowd(self.topology, self.arguments.client, asks, seconds).results(seconds)
        time.sleep(0.1)
        counted = measure.since(before, measure.counters(self.topology))
        self.peace_packets += counted["normal_sent"]
        self.users = [self.users[0] + result["answered"], self.users[1] + result["asked"]]
        lost = counted["normal_sent"] - counted["normal_arrived"]
        gone = self.dropped() - dropped
        if gone:
            self.fault(f"{gone} packets dropped in peace")
        elif lost > counted["link_lost"]:
            self.fault(f"{lost} packets of users are missing in peace")

    def wave(self):
        scenario = self.dice.choice([one for one in unaided.SCENARIOS if one.synths and not one.tagged])
        synth = self.dice.choice(scenario.synths)
        capture = self.captures.get(synth, None) or attack.prepare(
            field.Scenario(f"soak-{len(self.captures)}", scenario.to, (), (), (), synth=synth, ports=scenario.ports),
            self.arguments.synth, self.scratch)
        self.captures[synth] = capture
        seconds = self.dice.uniform(*WAVE_S)
        crowd = measure.Crowd(self.topology, self.arguments.client, scenario.asks, seconds)
        flood = attack.replay(self.topology, capture, self.dice.randrange(*PPS), seconds)
        flood.wait(seconds + 5)
        self.topology.end(flood)
        crowd.results(seconds)
        self.waves += 1

    def round(self):
        self.calm(unaided.PEACE, PEACE_S)
        if self.rounds % CROWD_EVERY == CROWD_EVERY - 1:
            measure.set_budget(self.topology, unaided.CROWD_BUDGET)
            self.calm(unaided.CROWD, CROWD_S)
            measure.set_budget(self.topology, measure.BUDGET_PPS)
        for _ in range(self.dice.randint(1, 3)):
            self.wave()
            time.sleep(self.dice.uniform(0.5, 2.0))
        time.sleep(SETTLE_S)
        self.rounds += 1
        if time.monotonic() - self.told > TELL_S:
            self.told = time.monotonic()
            print(f"{self.told - self.began:.0f} s: {self.waves} waves, {len(self.wrong)} faults", flush=True)

    def rest(self):
        """The end: what is left of rules."""
        self.calm(unaided.PEACE, REST_S)
        status = self.daemon.status()
        owned = {rule["id"] for found in status["attacks"] for rule in found["rules"] if rule["id"]}
        acting = [rule["match"] for found in status["attacks"] for rule in found["rules"]
                  if rule["state"] == "enforced"]
        orphans = [rule["match"] for rule in status["rules"] if rule["id"] not in owned]
        if acting:
            self.fault(f"{REST_S} s after the last wave these act: {'; '.join(acting)}")
        if orphans:
            self.fault(f"no attack owns these rules: {'; '.join(orphans)}")
        restarts = status["roles"]["restarts"]
        if restarts:
            self.fault(f"{restarts} restarts")
        return len(status["rules"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("holdfast", "synth", "client", "echo", "meter"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    why = field.unable() or (None if field.can_run(arguments) else f"no daemon in {arguments.holdfast}")
    if why:
        print(f"soak: waves: skipped: {why}")
        return 0
    step_aside()
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-soak-")))
        scratch.chmod(0o755)
        topology = stack.enter_context(Topology())
        daemon = stack.enter_context(shield.Daemon(topology, scratch, arguments.holdfast))
        measure.install(topology)
        topology.set("platform", "ipv4/tcp_syncookies", "1")
        services = Services(topology, scratch, arguments.echo)
        unaided.Live(daemon)  # enforces
        daemon.start()
        soak, memory = Soak(topology, scratch, arguments, daemon), Memory(daemon)
        soak.calm(unaided.PEACE, LEARN_S)
        memory.start()
        while time.monotonic() < soak.began + arguments.seconds:
            soak.round()
            services.again()
        rules = soak.rest()
        memory.stop()
        for role, most, growth, too_much in memory.verdicts():
            told = "too few samples for a slope" if growth is None else f"{growth:+.1f} MiB by the line"
            print(f"{role:10} {most:6.1f} MiB at most, {told}")
            if too_much:
                soak.fault(f"{role} grows: {growth:.1f} MiB")
        took = time.monotonic() - soak.began
        print(f"soak: waves: {took:.0f} s, {soak.waves} waves, {soak.peace_packets} packets in peace, "
              f"{soak.users[0]} of {soak.users[1]} users served then, {rules} rules armed at the end, "
              f"{len(soak.wrong)} faults (--seed {arguments.seed})")
        return 1 if soak.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RangeError as error:
        print(f"soak: {error}", file=sys.stderr)
        sys.exit(1)
