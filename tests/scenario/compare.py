#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py GIVEN LEFT TRUTH LABELS: how many attack packets and normal ones of GIVEN, which synth made, are in LEFT,
which `holdfast try` made of it. Prints a table; decides nothing."""
import json
import pathlib
import sys

import capture


def main():
    if len(sys.argv) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    given, left = capture.Capture(sys.argv[1]), capture.Capture(sys.argv[2])
    truth, labels = json.loads(pathlib.Path(sys.argv[3]).read_bytes()), pathlib.Path(sys.argv[4]).read_bytes()
    fates, is_target = capture.passed(given, left), capture.within(truth["target"])
    attack = [i for i, label in enumerate(labels) if chr(label).isdigit()]
    normal = [i for i, label in enumerate(labels) if label == ord("n") and is_target(given.destination(i))]
    print(f"  {'':24} {'before':>10} {'after':>10} {'dropped':>10}")
    for what, which in ((f"attack to {truth['target']}", attack), ("its normal visitors", normal)):
        after = sum(fates[i] for i in which)
        lost = 100 * (len(which) - after) / len(which) if which else 0
        print(f"  {what:24} {len(which):10,} {after:10,} {lost:8.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
