#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scenario.py HOLDFAST SYNTH SCENARIO [OPTION...]: what is said of a made-up capture is true, and so are its rules.

SYNTH makes the capture of SCENARIO (OPTION: synth's own, --seed 2 or --ipv6, say), the truth about it and a label for
each packet. `holdfast analyze --json` must find that truth; `holdfast try` applies the rules found, and what it wrote
is compared with what it read, packet by packet. Speaks TAP. HOLDFAST_KEEP=FOLDER leaves all files there.

scenario.py --listed SYNTH SCENARIO...: the scenarios named are all that SYNTH has.
"""
import calendar
import collections
import contextlib
import ipaddress
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import capture

SECONDS = 120  # of one command

# How far off a number may be.
BEGAN_S = 0.3
ENDED_S = 0.5
PACKETS = 0.02
SOURCES = 0.05  # three standard errors of the estimate
# Ordinary senders of the very same kind of packet cannot be told from the attack's and are counted with its sources: up
# to so many times the truth.
SOURCES_MIXED = {"dns_query_flood": 1.6, "tcp_connection_flood": 1.3, "syn_flood_botnet": 1.15}
# Of a connection two packets make the handshake; what is counted is the one that completes it.
HALF = {"tcp_connection_flood"}
# Those that begin so gently, or show only by so much, that nobody can name their first packet.
BEGAN_SLOWLY_S = 1.0
SLOW = {"slow_ramp", "low_slow_syn", "carpet_wide", "port_scan", "horizontal_scan"}

# Of the attack's packets that have a port: what a named port must hold, and what holds it must be named.
PORT_NAMED, PORT_MAIN = 0.04, 0.5

CAUGHT = 0.98  # of the attack, by what drops
LOST = 0.001  # of normal packets to the target, by rules that drop
LOST_TO_LIMITS = 0.01  # … by rules that limit as well
NORMAL_ENOUGH = 10000  # normal packets to the target that are enough to prove a rule with


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def check(self, good, what):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        return good

    def close(self):
        print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0


def run(*command):
    try:
        done = subprocess.run([str(part) for part in command], check=False, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"no answer in {SECONDS} s"
    said = done.stderr.decode(errors="replace").strip()
    for line in said.splitlines()[-40:]:
        print(f"# {line}")
    return done, f"exit {done.returncode}" + (f", {len(said.splitlines())} lines on standard error" if said else "")


def nanoseconds(text):
    """2025-06-01T10:00:30.000217Z since the epoch"""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction.ljust(9, "0") or 0)


def signed_s(ns):
    return f"{ns / 1e9:+.3f} s"


def percent(part, whole):
    return f"{100 * part / whole:.2f} %" if whole else "0 of 0"


def names(incident):
    return sorted(vector["name"] for vector in incident["vectors"])


def signatures(report):
    return [signature for incident in report["incidents"] for signature in incident["signatures"]]


class Scenario:
    def __init__(self, tap, holdfast, folder, truth, given, labels):
        self.tap, self.holdfast, self.folder = tap, holdfast, folder
        self.truth, self.labels = truth, labels
        self.path = given
        self.given = capture.Capture(given)
        is_target = capture.within(truth["target"])
        self.attack = [i for i, label in enumerate(labels) if chr(label).isdigit()]
        normal = [i for i, label in enumerate(labels) if label == ord("n")]
        self.normal = [i for i in normal if is_target(self.given.destination(i))]

    # --- what was made is what the truth says, else nothing below means anything

    def check_made(self):
        truth = self.truth
        made = (len(self.given.records), len(self.labels), len(self.attack), len(self.normal))
        said = (truth["packets"], truth["packets"], truth["attack_packets"], truth["normal_packets_to_target"])
        return self.tap.check(made == said, f"made: packets, labels, attack, normal to the target {made}, truth {said}")

    # --- the report

    def analyze(self):
        done, said = run(self.holdfast, "analyze", "--json", self.path)
        report = None
        if done is not None and done.returncode == 0 and not done.stderr:
            with contextlib.suppress(ValueError):
                report = json.loads(done.stdout)
                (self.folder / "report.json").write_bytes(done.stdout)
        good = report is not None and report.get("schema") == "holdfast.analysis/1"
        return report if self.tap.check(good, f"analyze: {said}") else None

    def check_report(self, report):
        tap, truth = self.tap, self.truth
        tap.check(report["input"]["packets"] == truth["packets"], f"packets read: {report['input']['packets']}")
        tap.check(report["input"]["undecodable"] == 0, f"undecodable: {report['input']['undecodable']}")
        found = report["incidents"]
        told = "; ".join(f"{', '.join(names(i))} to {i['target']['scope']}" for i in found) or "none"
        if truth["expect"] == "none":
            tap.check(not found, f"incidents: {told}; truth none")
            return
        if not tap.check(len(found) == 1, f"incidents: {told}; truth one"):
            return
        self.check_incident(found[0], nanoseconds(report["input"]["last"]))

    def check_incident(self, incident, last_ns):
        tap, truth = self.tap, self.truth
        wanted = sorted(vector["name"] for vector in truth["vectors"])
        tap.check(names(incident) == wanted, f"vectors: {', '.join(names(incident))}; truth {', '.join(wanted)}")
        scope = ipaddress.ip_network(incident["target"]["scope"])
        tap.check(scope == ipaddress.ip_network(truth["target"]), f"scope: {scope}, truth {truth['target']}")
        self.check_ports(incident["target"]["ports"])
        self.check_times(incident, last_ns)
        if truth["expect"] == "scan":
            # That a scanner's host resets what answered it is no part of the scan.
            probes = sum(1 for i in self.attack if not self.given.resets(i))
            self.check_number("probes", incident["packets"], probes, PACKETS)
            return
        half = 2 if truth["scenario"] in HALF else 1
        self.check_number("packets", incident["packets"], truth["attack_packets"] // half, PACKETS)
        sources, most = incident["sources"]["estimate"], SOURCES_MIXED.get(truth["scenario"])
        if most:
            tap.check(truth["sources"] * (1 - SOURCES) <= sources <= truth["sources"] * most,
                      f"sources: {sources}, truth {truth['sources']} and ordinary ones of the same kind")
        else:
            self.check_number("sources", sources, truth["sources"], SOURCES)
        verdict = incident["sources"]["spoofing"]["verdict"]
        if truth["spoofed"] is not None:
            good = verdict in ("spoofed", "undetermined") if truth["spoofed"] else verdict != "spoofed"
            tap.check(good, f"spoofing: {verdict}, truth {truth['source_kind']}")
        families = sorted(family["name"] for family in incident["families"])
        tap.check(families == ([truth["family"]] if truth["family"] else []),
                  f"family: {', '.join(families) or 'none'}; truth {truth['family'] or 'none'}")

    def check_ports(self, said):
        held = collections.Counter(self.given.destination_port(i) for i in self.attack)
        del held[None]
        total = sum(held.values())
        strangers = [port for port in said if held[port] < total * PORT_NAMED]
        missing = [port for port, count in held.items() if count > total * PORT_MAIN and port not in said]
        self.tap.check(not strangers and not missing and (total or not said),
                       f"ports: {said}" + (f", strangers {strangers}" if strangers else "")
                       + (f", missing {missing}" if missing else ""))

    def check_number(self, what, said, truth, tolerance):
        good = abs(said - truth) <= truth * tolerance
        self.tap.check(good, f"{what}: {said}, truth {truth}, may differ by {tolerance:.0%}")

    def check_times(self, incident, last_ns):
        """Of the incident and of each wave. What is still going on at the end of the capture has no end."""
        truth, waves = self.truth, incident["waves"]
        may_ns = (BEGAN_SLOWLY_S if truth["scenario"] in SLOW else BEGAN_S) * 1e9
        self.tap.check(len(waves) == len(truth["waves"]), f"waves: {len(waves)}, truth {len(truth['waves'])}")
        pairs = [("", incident, truth)]
        if len(waves) == len(truth["waves"]) > 1:
            pairs += [(f"wave {i} ", *pair) for i, pair in enumerate(zip(waves, truth["waves"]), 1)]
        for which, said, true in pairs:
            began = nanoseconds(said["began"]) - true["began_ns"]
            ended = (nanoseconds(said["ended"]) if said["ended"] else last_ns) - true["ended_ns"]
            self.tap.check(abs(began) <= may_ns, f"{which}began: {signed_s(began)}, may differ by {may_ns / 1e9} s")
            self.tap.check(abs(ended) <= ENDED_S * 1e9, f"{which}ended: {signed_s(ended)}, may differ by {ENDED_S} s"
                           + ("" if said["ended"] else " (open)"))

    # --- the rules

    def rules_that(self, report, actions):
        """The report with the rules of these actions alone, as a file."""
        path = self.folder / f"{'-'.join(actions)}.json"
        incidents = []
        for incident in report["incidents"]:
            kept = [signature for signature in incident["signatures"] if signature["action"] in actions]
            incidents.append(dict(incident, signatures=kept))
        path.write_text(json.dumps(dict(report, incidents=incidents)), encoding="utf-8")
        return path

    def sift(self, rules, what):
        """Of each packet whether `try` let it pass; None where it failed."""
        left = self.folder / f"{what}{self.path.suffix}"
        done, said = run(self.holdfast, "try", "--rules", rules, self.path, "-w", left)
        fates = None
        if done is not None and done.returncode == 0 and not done.stderr:
            try:
                fates = capture.passed(self.given, capture.Capture(left))
            except (ValueError, OSError) as error:
                said = str(error)
        return fates if self.tap.check(fates is not None, f"try, {what}: {said}") else None

    def check_rules(self, report):
        tap, truth = self.tap, self.truth
        actions = {signature["action"] for signature in signatures(report)}
        acting = actions & {"drop", "rate_limit"}
        if truth["rule_possible"] and len(self.normal) >= NORMAL_ENOUGH:
            tap.check(acting, f"rules: {', '.join(sorted(actions)) or 'none'}; truth: one is possible")
        fates = self.sift(self.folder / "report.json", "all rules")
        if fates is None:
            return
        if not acting:
            tap.check(all(fates), "without a rule that drops or limits, everything passes")
            return
        caught = sum(1 for i in self.attack if not fates[i])
        lost = sum(1 for i in self.normal if not fates[i])
        if "drop" in actions and truth["rule_possible"]:
            tap.check(caught >= CAUGHT * len(self.attack),
                      f"caught: {caught} of {len(self.attack)} attack packets, {percent(caught, len(self.attack))}")
        if "rate_limit" in actions:
            tap.check(lost <= LOST_TO_LIMITS * len(self.normal),
                      f"lost, limits too: {lost} of {len(self.normal)} normal packets, "
                      f"{percent(lost, len(self.normal))}")
            fates = self.sift(self.rules_that(report, ["drop"]), "rules that drop")
            if fates is None:
                return
            lost = sum(1 for i in self.normal if not fates[i])
        tap.check(lost <= LOST * len(self.normal),
                  f"lost: {lost} of {len(self.normal)} normal packets to the target, {percent(lost, len(self.normal))}")


def play(tap, holdfast, synth, name, options, folder):
    given = folder / ("given.pcapng" if "pcapng" in options else "given.pcap")
    truth, labels = folder / "truth.json", folder / "labels"
    done, said = run(synth, name, "-o", given, "--truth", truth, "--labels", labels, *options)
    if not tap.check(done is not None and done.returncode == 0, f"synth: {said}"):
        return
    scenario = Scenario(tap, holdfast, folder, json.loads(truth.read_bytes()), given, labels.read_bytes())
    if not scenario.check_made():
        return
    report = scenario.analyze()
    if report is not None:
        scenario.check_report(report)
        scenario.check_rules(report)


def listed(tap, synth, named):
    done, said = run(synth, "list")
    has = [line.split()[0] for line in done.stdout.decode().splitlines()] if done is not None else []
    if tap.check(has, f"synth list: {said}"):
        different = sorted(set(has) ^ set(named))
        tap.check(not different, f"all of synth's scenarios are played, no other: {', '.join(different) or len(has)}")


def main():
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "--listed":
        tap = Tap()
        listed(tap, os.path.abspath(sys.argv[2]), sys.argv[3:])
        return tap.close()
    holdfast, synth, name, *options = sys.argv[1:]
    tap = Tap()
    kept = os.environ.get("HOLDFAST_KEEP")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-")))
        folder.mkdir(parents=True, exist_ok=True)
        play(tap, os.path.abspath(holdfast), os.path.abspath(synth), name, options, folder)
    return tap.close()


if __name__ == "__main__":
    sys.exit(main())
