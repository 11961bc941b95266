#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""quiet.py QUIET [SEEDS]: no more alarms in quiet days than the design's rate, one in 90 days and stream. TAP.

Quiet days are made up (days.py). The series of HOLDFAST_DATA (../shared/data), where it is, are scaled as reports: the
World Cup's requests of 1998 as one report for each REQUESTS of them, NAB's series as SCALE reports in a bucket.
"""
import csv
import datetime
import os
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import days  # noqa: E402

QUIET = os.path.abspath(sys.argv[1])
SEEDS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
REQUESTS = 1000000
SCALE = 0.05
DATA = os.environ.get("HOLDFAST_DATA", "../shared/data")


def alarms(counts, first=5900000):
    text = "".join(f"{count}\n" for count in counts)
    return int(subprocess.run([QUIET, "1", str(first)], input=text, stdout=subprocess.PIPE, text=True,
                              check=True).stdout)


def bucket(text):
    return int(datetime.datetime.fromisoformat(text.strip() + "+00:00").timestamp()) // days.BUCKET


def made_up():
    """Ninety days behind five weeks of learning, of few reports and of many."""
    found = total = 0
    for mean in (0.3, 3, 30):
        for seed in range(SEEDS):
            found += alarms(count for _, count in days.series(125, 100 + seed, mean))
            total += 125
    return found, total


def world_cup(folder):
    requests = {}
    for file in folder.glob("wc_day*.csv"):
        for line in file.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(\d+-\d+-\d+ \d+:\d+)(?::\d+)?,(\d+)", line)
            if match:
                at = bucket(match[1])
                requests[at] = requests.get(at, 0) + int(match[2])
    first, last, rng = min(requests), max(requests), random.Random(1)
    counts = [days.poisson(rng, requests.get(at, 0) / REQUESTS) for at in range(first, last + 1)]
    return alarms(counts, first), len(counts) / 288


def nab(folder):
    found = total = 0
    rng = random.Random(2)
    for file in sorted(folder.glob("data/*/*.csv")):
        with open(file, encoding="utf-8") as lines:
            values = {bucket(row["timestamp"]): max(0.0, float(row["value"])) for row in csv.DictReader(lines)}
        mean = sum(values.values()) / len(values)
        if not mean > 0:
            continue
        first, last, value, counts = min(values), max(values), 0.0, []
        for at in range(first, last + 1):
            value = values.get(at, value)
            counts.append(days.poisson(rng, value / mean * SCALE))
        found += alarms(counts, first)
        total += len(counts) / 288
    return found, total


def main():
    series = pathlib.Path(DATA) / "series"
    rows = [("made up", made_up, None), ("World Cup 98", world_cup, series / "nimamahmoudi+worldcup98-dataset/results"),
            ("NAB", nab, series / "numenta+NAB")]
    print(f"1..{len(rows) + 1}")
    for number, (name, measure, folder) in enumerate(rows, 1):
        if folder and not (DATA and folder.is_dir()):
            print(f"ok {number} - {name} # SKIP no {DATA} (HOLDFAST_DATA)")
            continue
        found, total = measure(*([folder] if folder else []))
        print(f"# {name}: {found} alarms in {total:.0f} days")
        print(f"{'ok' if found <= total / 90 else 'not ok'} {number} - {name}", flush=True)
    took = float(subprocess.run([QUIET, "--speed", "50", "200"], stdout=subprocess.PIPE, text=True, check=True).stdout)
    print(f"# a year of 50 components and 200 regions: {took} s")
    print(f"{'ok' if took < 60 else 'not ok'} {len(rows) + 1} - speed")


if __name__ == "__main__":
    main()
