#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""completion.py HOLDFAST: what bash completes of commands (dist/holdfast.bash), by what --help says. Speaks TAP.

A case is a row: what is typed, the last word being the one that is completed, and what is offered, in order. "|" stands
before words of which there may be more. The folder has the files of FILES.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

FILES = ["attack.pcap", "evidence.pub"]
ROWS = [
    (["an"], "analyze"),
    (["help", "subs"], "subscription"),
    (["claim", ""], "add approve list show test"),
    (["geo", ""], "list look-up update"),
    (["config", ""], "check"),
    (["statement", "wi"], "withdraw"),
    (["subscription", "con"], "confirm"),
    (["block", ""], ""),
    (["analyze", "--ht"], "--html"),
    (["analyze", ""], ""),  # which leaves it to bash: files
    (["analyze", "--html", "at"], "attack.pcap"),
    (["evidence", "latest", "-o", "ev"], "evidence.pub"),
    (["verify", "x.tar", "--public-key", "ev"], "evidence.pub"),
    (["analyze", "--threads", "at"], ""),
    (["nothing", ""], ""),
    (["doctor", "lo"], "|lo"),
]
COMPLETE = """
source "$1"
shift
COMP_WORDS=(holdfast "$@")
COMP_CWORD=$#
_holdfast holdfast "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast = pathlib.Path(sys.argv[1]).resolve()
    script = pathlib.Path(__file__).resolve().parents[2] / "dist/holdfast.bash"
    path = f"{holdfast.parent}:{os.environ['PATH']}"
    failed = 0
    print(f"1..{len(ROWS)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            pathlib.Path(folder, name).touch()
        for number, (words, wanted) in enumerate(ROWS, 1):
            done = subprocess.run(["bash", "-c", COMPLETE, "bash", script, *words], cwd=folder, check=False, text=True,
                                  capture_output=True, env=os.environ | {"PATH": path})
            offered = done.stdout.split()
            good = wanted[1:] in offered if wanted[:1] == "|" else offered == wanted.split()
            good = good and not done.stderr
            failed += not good
            if not good:
                print(f"# offered {offered}; {done.stderr.strip()}")
            print(f"{'' if good else 'not '}ok {number} - holdfast {' '.join(words)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
