#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tap.py PROGRAM...: runs a cmocka program and prints the TAP that meson understands.

cmocka 1.1.5 calls a skipped test "not ok N # SKIP", which the protocol reads as a failure, and lets what the test
itself prints stand between its lines. Here the one becomes "ok", the other a comment.
"""
import os
import re
import subprocess
import sys

RESULT = re.compile(r"(not )?ok \d+\b")
SKIP = re.compile(r"not (ok \d+ # SKIP)")


def main():
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, env=environment) as process:
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            if SKIP.match(text):
                text = SKIP.sub(r"\1", text)
            elif not (RESULT.match(text) or re.match(r"1\.\.\d+$", text) or text.startswith("#")):
                text = "# " + text
            print(text, flush=True)
    if process.returncode < 0:
        print(f"Bail out! killed by signal {-process.returncode}")
    return process.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
