#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge.py HOLDFAST [SEEDS [FIRST]]: claims on fictional incidents (world.py), tested, and held against the truth. TAP.

- Each kind of verdict is reached, and rightly, of each kind of claim that the evidence can decide.
- A claim whose truth lies on the other side is not supported, nor a true one contradicted, however near the
  threshold is: at most ERRORS of the claims about shares, none of the others.
- The interval of 95 % covers the true value in at least 95 % of all cases.
- Of forged sources there is no country, network or number; of an actor nothing, whatever else is in the predicate.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world  # noqa: E402

COVERED = 0.95
ERRORS = 0.002
AT_ONCE = 2


def kind_of(predicate):
    """What a claim is of, for counting."""
    if " and " in predicate or " or " in predicate or "not (" in predicate:
        return "joined"
    return re.match(r"(?:not )?(\w+(?:\(\w+)?)", predicate).group(1)


def run(holdfast, folder, w):
    paths = [os.path.join(folder, "%d.%s" % (w.seed, n)) for n in ("trace", "context", "predicates")]
    predicates = [p for p, _, _ in w.claims] + [p for p, _ in w.intervals]
    for path, text in zip(paths, (json.dumps(w.trace), json.dumps(w.context), "\n".join(predicates) + "\n")):
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
    return subprocess.Popen([holdfast, "claim", "test", "--report", paths[0], "--context", paths[1], "--predicates",
                             paths[2], "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Count:
    def __init__(self):
        self.verdicts = {}
        self.wrong_side, self.decided, self.claims = [], 0, 0
        self.wrong = []
        self.covered, self.intervals, self.missed = 0, 0, []
        self.by_kind = {}

    def judge(self, w, verdicts):
        for (predicate, truth, clear), said in zip(w.claims, verdicts):
            verdict, kind = said["verdict"], kind_of(predicate)
            self.verdicts.setdefault(kind, {}).setdefault((truth, verdict), 0)
            self.verdicts[kind][(truth, verdict)] += 1
            if truth is None or truth == "open":
                right = "untestable" if truth is None else "unsupported"
                if verdict != right:
                    self.wrong.append((w.seed, w.kind, predicate, truth, verdict, said["reason"]))
                continue
            self.claims += 1
            self.decided += verdict in ("supported", "contradicted")
            if verdict == ("contradicted" if truth else "supported"):
                self.wrong_side.append((w.seed, w.kind, predicate, truth, verdict, said["reason"]))
            elif clear and verdict != ("supported" if truth else "contradicted"):
                self.wrong.append((w.seed, w.kind, predicate, truth, verdict, said["reason"],
                                   said["log10_bayes_factor"]))
        for (predicate, true), said in zip(w.intervals, verdicts[len(w.claims):]):
            high = float("inf") if said["high"] is None else said["high"]
            inside = said["low"] is not None and said["low"] - 1e-9 <= true <= high + 1e-9
            self.intervals += 1
            self.covered += inside
            counts = self.by_kind.setdefault(kind_of(predicate), [0, 0])
            counts[0] += inside
            counts[1] += 1
            if not inside:
                self.missed.append((w.seed, predicate, true, said["low"], said["high"]))


def main():
    holdfast = sys.argv[1]
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    count = Count()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        running = []

        def collect():
            w, process = running.pop(0)
            out, err = process.communicate(timeout=120)
            if process.returncode != 0:
                failures.append((w.seed, err))
            else:
                count.judge(w, json.loads(out)["verdicts"])

        for seed in range(first, first + seeds):
            w = world.world(seed)
            running.append((w, run(holdfast, folder, w)))
            if len(running) == AT_ONCE:
                collect()
        while running:
            collect()

    share = [x for x in count.wrong_side if "share(" in x[2]]
    rest = [x for x in count.wrong_side if "share(" not in x[2]]
    missing = [(kind, truth) for kind, truths in EXPECTED.items() for truth in truths
               if not any(t == truth and v == VERDICT_OF[truth]
                          for t, v in count.verdicts.get(kind, {}))]
    results = [
        ("all of them ran", failures),
        ("every kind of verdict was reached, of every kind of claim", missing),
        ("clear claims got the one right verdict", count.wrong),
        ("shares: at most %g of the claims on the wrong side" % ERRORS,
         share if len(share) > ERRORS * count.claims else []),
        ("all others: none on the wrong side", rest),
        ("the interval covers the truth in %.0f %%" % (100 * COVERED),
         count.missed if count.covered < COVERED * count.intervals else []),
    ]
    # Of one kind there are so few that chance alone makes it less, at times: two standard deviations.
    for kind, (c, n) in sorted(count.by_kind.items()):
        enough = c >= COVERED * n - 2 * (n * COVERED * (1 - COVERED)) ** 0.5
        missed = [m for m in count.missed if kind_of(m[1]) == kind]
        results.append((f"... of {kind}", [] if enough else [(c, n)] + missed))
    print("1..%d" % len(results))
    for i, (name, bad) in enumerate(results):
        print("%s %d - %s" % ("not ok" if bad else "ok", i + 1, name))
        for item in bad[:12]:
            print("# ", *item)
        if len(bad) > 12:
            print("# and %d more" % (len(bad) - 12))
    print("# %d claims, %d of them decided; on the wrong side: %d (%.4f %% of those decided)" %
          (count.claims, count.decided, len(count.wrong_side), 100 * len(count.wrong_side) / max(1, count.decided)))
    print("# intervals: %d of %d cover the truth (%.1f %%); %s" %
          (count.covered, count.intervals, 100 * count.covered / max(1, count.intervals),
           ", ".join("%s %.1f %%" % (k, 100 * c / n) for k, (c, n) in sorted(count.by_kind.items()))))
    if os.environ.get("HOLDFAST_CLAIMS_TABLE"):
        for kind in sorted(count.verdicts):
            print("# %-20s %s" % (kind, {"%s/%s" % k: v for k, v in sorted(count.verdicts[kind].items(), key=str)}))
    return any(bad for _, bad in results)


VERDICT_OF = {True: "supported", False: "contradicted", None: "untestable", "open": "unsupported"}
BOTH = (True, False)
EXPECTED = {
    "share(country": (True, False, None), "share(network": (True, False, None), "share(vector": BOTH,
    "share(family": (True, False, None), "count(sources": (True, False, None), "count(packets": BOTH,
    "count(networks": BOTH, "count(countries": (True, False, None), "count(devices": (True, False, None),
    "count(waves": BOTH, "count(vectors": BOTH, "family(mirai": (True, False, None), "spoofed": BOTH, "amplified": BOTH,
    "coordinated": (True, False, None), "size": BOTH, "duration": BOTH, "cost": BOTH,
    "outage": (True, False, "open"), "cause": (True, False, "open"), "actor": (None,), "joined": (True, False, None),
}

if __name__ == "__main__":
    sys.exit(1 if main() else 0)
