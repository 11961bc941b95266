#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""places.py HOLDFAST SYNTH: of what places are said, and of what none.

A database is made that knows a country of every address. Of each of synth's scenarios,
and of each real attack of HOLDFAST_DATA (default ../shared/data): where the sources were forged, or nobody can tell
whether they were, no row of the trace has a place, and the report in HTML draws no map. Of the reflection whose
sources' countries are known one by one (geo-golden), countries have exactly so many sources. Speaks TAP.
"""
import csv
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "geo"))
import mmdb  # noqa: E402

DATA = pathlib.Path(os.environ.get("HOLDFAST_DATA", "../shared/data"))
GOLDEN = DATA / "geo-golden/geo-golden/snmp_amp.iptoasn.dev.csv"
GOLDEN_OF = DATA / "attacks/StopDDoS+packet-captures/amp.UDP.snmp.src161.pcapng"
UNKNOWN = "-"
MAP = '<figure class="map">'
SECONDS = 300


def database(rows):
    made = mmdb.Database(32)
    records = {code: made.record(mmdb.country(code)) for code in sorted({code for _, code in rows})}
    for prefix, code in rows:
        made.put(prefix, records[code])
    return made.finish()


def all_addresses():
    """A country for each: one for the first half of all addresses, another for the second."""
    return database([("0.0.0.0/1", "SE"), ("128.0.0.0/1", "UA")])


def golden_addresses():
    rows = [row for row in csv.reader(GOLDEN.open(encoding="utf-8")) if row and row[1] != UNKNOWN]
    return database([(f"{address}/32", code) for address, code in rows])


def analyze(holdfast, capture, geo, html):
    done = subprocess.run([holdfast, "analyze", "--json", "--geo", geo, "--html", html, capture], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS)
    return json.loads(done.stdout)["incidents"] if done.stdout else []


def wrong_of(incidents, page):
    """What is wrong with these incidents, a line each."""
    placed = False
    for incident in incidents:
        trace = incident.get("trace")
        if trace is None:
            continue
        verdicts = {vector["spoofing"]["verdict"] for vector in trace["vectors"]}
        rows = [row for row in trace["rows"] if any(row["countries"]) or row["network"] is not None]
        placed = placed or bool(rows)
        if verdicts <= {"spoofed"} and (trace["rows"] or trace["located_sources"]):
            yield f"{incident['id']}: {len(trace['rows'])} rows of forged sources"
        if verdicts & {"reflectors"} == set() and any(row["reflectors"] for row in trace["rows"]):
            yield f"{incident['id']}: relays where there was no reflection"
        if sum(row["sources"] for row in trace["rows"]) != trace["located_sources"]:
            yield f"{incident['id']}: rows do not add up"
    if not placed and MAP in page:
        yield "a map of nothing"


def golden_wrong(incidents):
    known = collections.Counter(row[1] for row in csv.reader(GOLDEN.open(encoding="utf-8")) if row)
    counted = collections.Counter()
    for incident in incidents:
        for row in incident["trace"]["rows"]:
            counted[row["countries"][0]] += row["sources"]
    del known[UNKNOWN], counted[""]
    for code in sorted(known | counted):
        if known[code] != counted[code]:
            yield f"{code}: {counted[code]} sources, {known[code]} are known"


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, synth = map(os.path.abspath, sys.argv[1:])
    listed = subprocess.run([synth, "list"], check=True, stdout=subprocess.PIPE, text=True).stdout
    scenarios = [line.split()[0] for line in listed.splitlines() if line.strip()]
    attacks = sorted(path for path in (DATA / "attacks").rglob("*") if path.suffix in {".pcap", ".pcapng"})
    failed = spoofed = number = 0
    with tempfile.TemporaryDirectory(prefix="holdfast-places-") as scratch:
        folder = pathlib.Path(scratch)
        for name, make in (("all", all_addresses), ("golden", golden_addresses)):
            if name == "golden" and not GOLDEN.exists():
                continue
            (folder / name).mkdir()
            (folder / name / f"{name}.mmdb").write_bytes(make())
        print(f"1..{len(scenarios) + len(attacks) + 2}", flush=True)
        for scenario in scenarios + attacks:
            capture = scenario
            if isinstance(scenario, str):
                capture = folder / "made.pcap"
                subprocess.run([synth, scenario, "--scale", "20", "-o", capture], check=True, stdout=subprocess.DEVNULL)
            page = folder / "page.html"
            incidents = analyze(holdfast, capture, folder / "all", page)
            spoofed += sum(i["sources"]["spoofing"]["verdict"] == "spoofed" for i in incidents)
            wrong = list(wrong_of(incidents, page.read_text(encoding="utf-8") if page.exists() else ""))
            number += 1
            failed += bool(wrong)
            print(f"{'not ' if wrong else ''}ok {number} - {getattr(scenario, 'name', scenario)}", flush=True)
            for line in wrong:
                print(f"# {line}", flush=True)
        number += 1
        failed += spoofed == 0
        print(f"{'' if spoofed else 'not '}ok {number} - {spoofed} incidents were forged, none has a place", flush=True)
        number += 1
        if not GOLDEN.exists():
            print(f"ok {number} - known countries # SKIP no {GOLDEN}", flush=True)
        else:
            wrong = list(golden_wrong(analyze(holdfast, GOLDEN_OF, folder / "golden", folder / "page.html")))
            failed += bool(wrong)
            print(f"{'not ' if wrong else ''}ok {number} - known countries have so many sources", flush=True)
            for line in wrong:
                print(f"# {line}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
