#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Days of users' reports that never were, of which the truth is known: a rhythm of the day and the week, noise of more than
Poisson's width, and outages in waves. Shares no code with src/.

days.py OUT [--days N] [--seed N] [--mean X] [--regions N] [--outage] [--times X]: writes them as CSV.
"""
import argparse
import datetime
import math
import random

BUCKET = 300
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)  # a Monday
COUNTRIES = ["FR", "DE", "ES", "IT", "BE", "CH", "GB", "NL", "PT", "PL", "SE", "AT"]
# Of the last day: 09:30 to 18:00 in three waves. Minutes of the day, and how many times as many as usual.
WAVES = [(570, 690, 20), (765, 900, 30), (960, 1080, 15)]


def poisson(rng, mean):
    """Knuth's for small ones, the normal's for large ones."""
    if mean > 60:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def rhythm(minute, weekday):
    """How many times the mean is usual: nights are quiet, evenings busy, weekends quieter."""
    hour = minute / 60
    day = 1 + 0.75 * math.sin((hour - 9.5) / 24 * 2 * math.pi) + 0.2 * math.sin((hour - 5) / 12 * 2 * math.pi)
    return max(0.08, day) * (0.75 if weekday >= 5 else 1.0)


def usual(time, mean):
    return mean * rhythm(time.hour * 60 + time.minute, time.weekday())


def draw(rng, mean, width=8.0):
    """Negative binomial: a gamma mixture of dispersion `width`."""
    return poisson(rng, mean * rng.gammavariate(width, 1 / width)) if mean > 0 else 0


def series(days, seed, mean, waves=(), start=START, width=8.0):
    """[(time, count)]; waves are of the last day."""
    rng = random.Random(seed)
    rows = []
    for bucket in range(days * 288):
        time = start + datetime.timedelta(seconds=bucket * BUCKET)
        expected = usual(time, mean)
        minute = time.hour * 60 + time.minute
        if bucket >= (days - 1) * 288:
            for began, ended, times in waves:
                if began <= minute < ended:
                    expected *= times
        rows.append((time, draw(rng, expected, width)))
    return rows


def write(path, rows, seed, regions=0, component="login"):
    """Each count is spread over regions by a Zipf's law."""
    rng = random.Random(seed + 1)
    weights = [1 / (k + 1) for k in range(regions)]
    with open(path, "w", encoding="utf-8") as out:
        out.write("time,component,symptom,region,count\n")
        for time, count in rows:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ")
            if count == 0:
                continue
            if not regions:
                out.write(f"{stamp},{component},cannot_reach,,{count}\n")
                continue
            cells = {}
            for region in rng.choices(COUNTRIES[:regions], weights, k=count):
                cells[region] = cells.get(region, 0) + 1
            for region, number in sorted(cells.items()):
                out.write(f"{stamp},{component},cannot_reach,{region},{number}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--days", type=int, default=57)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mean", type=float, default=6.0)
    parser.add_argument("--regions", type=int, default=0)
    parser.add_argument("--outage", action="store_true")
    arguments = parser.parse_args()
    waves = WAVES if arguments.outage else ()
    write(arguments.out, series(arguments.days, arguments.seed, arguments.mean, waves), arguments.seed,
          arguments.regions)


if __name__ == "__main__":
    main()
