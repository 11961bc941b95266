#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""labels.py HOLDFAST: what is said of real captures is what an expert says of them. Speaks TAP, one case a class.

HOLDFAST_DATA (default ../shared/data) holds labels.tsv: file, score, kind, vectors, target, port, spoofing. Of vectors,
"," parts those that must all be named, "|" alternatives. Scores "must" and "http" count here; "may" is shown. Without
the folder every case is skipped, and said to be.
"""
import csv
import ipaddress
import json
import os
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

DATA = pathlib.Path(os.environ.get("HOLDFAST_DATA", "../shared/data"))
JOBS = int(os.environ.get("HOLDFAST_JOBS", "2"))
SECONDS = 60

BENIGN_QUIET = 452  # benign captures without any incident, at least
BESIDE = {"scan", "fragment_flood"}  # may be named beside the vectors wanted: large answers come in fragments
WIDEST = {4: 24, 6: 48}  # a scope that names a target is no wider

CLASSES = ("attack", "scan", "benign")


class Report:
    """What one run of analyze came to: `incidents`, or `error`."""

    def __init__(self, holdfast, path):
        self.incidents, self.error = [], None
        began = time.monotonic()
        try:
            command = [holdfast, "analyze", "--json", path]
            done = subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.error, self.took = f"no answer in {SECONDS} s", SECONDS
            return
        self.took = time.monotonic() - began
        if done.returncode not in (0, 1):
            self.error = f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-300:].strip()}"
        elif done.stdout or done.returncode == 0:
            try:
                report = json.loads(done.stdout)
                if report["schema"] != "holdfast.analysis/1":
                    self.error = f"schema {report['schema']}"
                self.incidents = report["incidents"]
            except (ValueError, KeyError, TypeError) as error:
                self.error = f"exit {done.returncode}, no report: {error}"


def vectors(incident):
    return {vector["name"] for vector in incident["vectors"]}


def named(incidents):
    return set().union(*(vectors(incident) for incident in incidents))


def points_at(incident, row):
    """What of target, port and spoofing an incident gets wrong; "" where all is right."""
    if row["target"]:
        scope = ipaddress.ip_network(incident["target"]["scope"])
        if scope.prefixlen < WIDEST[scope.version] or ipaddress.ip_address(row["target"]) not in scope:
            return f"scope {scope}"
    ports = incident["target"]["ports"]
    if row["port"] and ports and int(row["port"]) not in ports:
        return f"ports {ports}"
    verdict = incident["sources"]["spoofing"]["verdict"]
    if row["spoofing"] == "spoofed" and verdict not in ("spoofed", "undetermined"):
        return f"spoofing {verdict}"
    return ""


def attack(row, incidents):
    """What is wrong, or "". So with the other two."""
    wanted = [set(each.split("|")) for each in row["vectors"].split(",")]
    any_wanted = set().union(*wanted)
    found = named(incidents)
    said = f"named {', '.join(sorted(found)) or 'nothing'}, label {row['vectors']}"
    if not all(each & found for each in wanted) or found - any_wanted - BESIDE:
        return said
    faults = [points_at(incident, row) for incident in incidents if vectors(incident) & any_wanted]
    return "" if "" in faults else f"{'; '.join(faults)}; label {row['target']} {row['port']} {row['spoofing']}"


def scan(_, incidents):
    found = named(incidents)
    return "" if found == {"scan"} else f"named {', '.join(sorted(found)) or 'nothing'}"


def benign(_, incidents):
    found = named(incidents)
    return f"named {', '.join(sorted(found))}" if incidents else ""


def judge(row, report):
    return report.error or {"attack": attack, "scan": scan, "benign": benign}[row["kind"]](row, report.incidents)


def each(holdfast, paths):
    with ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(lambda path: Report(holdfast, path), paths))


def show(what):
    print("# " + what.replace("\n", " "), flush=True)


def labelled(holdfast):
    """(good, what) of each class of labels.tsv"""
    with open(DATA / "labels.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    reports = each(holdfast, [DATA / row["file"] for row in rows])
    count, right, floods, broken = {}, {}, 0, 0
    for row, report in zip(rows, reports):
        fault, kind, counts = judge(row, report), row["kind"], row["score"] != "may"
        if fault:
            show(f"{kind}{'' if counts else ' (' + row['score'] + ')'} {row['file']}: {fault}")
        if counts:
            count[kind] = count.get(kind, 0) + 1
            right[kind] = right.get(kind, 0) + (not fault)
            floods += kind == "benign" and bool(named(report.incidents) - {"scan"})
            broken += bool(report.error)
    show(f"slowest {max(report.took for report in reports):.1f} s")
    for kind in ("attack", "scan"):
        yield count[kind] and right[kind] == count[kind], f"{kind}: {right[kind]} of {count[kind]} right"
    yield not floods and not broken and right["benign"] >= BENIGN_QUIET, (
        f"benign: {right['benign']} of {count['benign']} without incident (wanted {BENIGN_QUIET}), "
        f"{floods} called a flood, {broken} broken"
    )


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast = os.path.abspath(sys.argv[1])
    failed = number = 0
    if not (DATA / "labels.tsv").exists():
        for number, kind in enumerate(CLASSES, 1):
            print(f"ok {number} - {kind} # SKIP no {DATA}/labels.tsv; HOLDFAST_DATA says where the real captures are")
    else:
        for number, (good, what) in enumerate(labelled(holdfast), 1):
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {what}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
