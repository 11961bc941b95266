#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""day.py HOLDFAST FOLDER OUT: a day that never was, put on record in FOLDER by commands and told as a page, OUT.

Five weeks of users' reports (days.py), of which the last day has an outage from 09:30 to 18:00 in three waves: two of
them go with attacks, which the archive has as a daemon would have left them; the third with a provider's failure. A
change of one's own falls into the second. The access log has errors of 5xx at the same times. Prints what is done and
found.
"""
import datetime
import json
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import days  # noqa: E402  pylint: disable=wrong-import-position

BEFORE, MEAN, SEED, REGIONS = 35, 6.0, 11, 8
DAY = days.START + datetime.timedelta(days=BEFORE)
COMPONENT = "login"
# Minutes of the day: when an attack began and ended, when the shield had it, its packets a second, what it is called.
ATTACKS = [(566, 692, 583, 92000, "ntp_reflection"), (758, 893, 762, 148000, "syn_flood")]
SHIELDED = 12  # of a hundred reports of a wave that goes with an attack: from sources that are dropped
# of `holdfast event`: kind, from, to, text
EVENTS = [("maintenance", 390, 420, "a database moves to new disks"),
          ("change", 761, 790, "limits of the load balancer are raised"),
          ("provider", 955, 1064, "a carrier loses packets between Paris and Frankfurt")]
ANSWERS = 60  # in five minutes, of the access log
ERRORS = {0: 61, 1: 72, 2: 38}  # of a hundred answers, by the wave


def at(minute):
    return DAY + datetime.timedelta(minutes=minute)


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def wave_of(minute):
    """Its number, or None."""
    return next((i for i, (began, ended, _) in enumerate(days.WAVES) if began <= minute < ended), None)


def write_reports(path):
    rng = random.Random(SEED + 1)
    with open(path, "w", encoding="utf-8") as out:
        out.write("time,component,symptom,region,count,shielded\n")
        for time, count in days.series(BEFORE + 1, SEED, MEAN, days.WAVES):
            minute = (time - DAY).total_seconds() // 60
            wave = wave_of(minute)
            cells = {}
            for region in rng.choices(days.COUNTRIES[:REGIONS], [1 / (k + 1) for k in range(REGIONS)], k=count):
                cells[region] = cells.get(region, 0) + 1
            for region, number in sorted(cells.items()):
                symptom = "cannot_log_in" if rng.random() < 0.3 else "cannot_reach"
                shielded = sum(rng.random() < SHIELDED / 100 for _ in range(number)) if wave in (0, 1) else 0
                out.write(f"{stamp(time)},{COMPONENT},{symptom},{region},{number},{shielded}\n")


def write_log(path):
    rng = random.Random(SEED + 2)
    with open(path, "w", encoding="utf-8") as out:
        for bucket in range(288):
            wave = wave_of(5 * bucket)
            for _ in range(ANSWERS):
                time = at(5 * bucket) + datetime.timedelta(seconds=rng.randrange(300))
                bad = rng.random() * 100 < (ERRORS[wave] if wave is not None else 0.4)
                took = rng.uniform(0.01, 0.08) * (9 if wave is not None else 1)
                out.write(f'198.51.100.{rng.randrange(1, 255)} - - [{time.strftime("%d/%b/%Y:%H:%M:%S +0000")}] '
                          f'"GET /login HTTP/1.1" {503 if bad else 200} 512 "-" "-" {took:.3f}\n')


def write_attacks(folder):
    """As the daemon's archive has incidents that are over."""
    folder.mkdir(parents=True)
    rng = random.Random(SEED + 3)
    for number, (began, ended, stopped, rate, vector) in enumerate(ATTACKS):
        minutes = range(began - 30, ended + 30)
        rates = [round(rate * rng.uniform(0.82, 1.0)) if began <= minute < ended else 0 for minute in minutes]
        usual = [round(2600 * rng.uniform(0.9, 1.1)) for _ in minutes]
        lost = [round(users * rng.uniform(0.6, 0.8)) if began <= minute < stopped else 0
                for minute, users in zip(minutes, usual)]
        series = {"from": stamp(at(began - 30)), "step_s": 60, "arrived_pps": [a + b for a, b in zip(rates, usual)],
                  "dropped_pps": [round(0.995 * much) if minute >= stopped else 0
                                  for minute, much in zip(minutes, rates)],
                  "answered_pps": usual, "lost_pps": lost, "handshakes_pps": [40 for _ in minutes]}
        name = f"{0xd1 + number:016x}"
        span = [int(at(minute).timestamp()) * 10**9 for minute in (began, ended)]
        head = {"schema": "holdfast.incident/1", "id": name, "state": "final", "service": COMPONENT,
                "target": "192.0.2.10/32", "vector": vector, "began_ns": span[0], "ended_ns": span[1],
                "peak_pps": rate, "peak_bps": rate * 4000, "generation": "0000000000000001"}
        text = json.dumps(head, separators=(",", ":"))[:-1]
        (folder / f"{name}.json").write_text(f'{text},"analysis":\n{json.dumps({"live": {"series": series}})}\n}}\n',
                                             encoding="utf-8")


def replay(holdfast, folder, out):
    """Yields lines: commands with a "$ " before them, and what came of them. Raises CalledProcessError."""
    config = folder / "holdfast.yaml"
    config.write_text(f"state_dir: {folder}/state\n", encoding="utf-8")
    write_attacks(folder / "state/incidents")
    write_reports(folder / "reports.csv")
    write_log(folder / "access.log")

    def run(*words):
        return subprocess.run([holdfast, *map(str, words), "--config", config], check=True, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL).stdout.strip().split("\n")

    for kind, began, ended, text in EVENTS:
        run("event", "add", "--kind", kind, "--from", stamp(at(began)), "--to", stamp(at(ended)), "--text", text)
    run("outage", "logs", folder / "access.log", "--import", "--component", COMPONENT)
    yield "$ holdfast outage import reports.csv"
    yield from run("outage", "import", folder / "reports.csv")
    yield ""
    yield f"$ holdfast outage show latest --html {out.name}"
    yield from run("outage", "show", "latest")
    run("outage", "show", "latest", "--html", out)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    for line in replay(*map(pathlib.Path, sys.argv[1:])):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
