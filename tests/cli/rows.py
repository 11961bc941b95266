# SPDX-License-Identifier: Apache-2.0
"""Rows of tests of commands: what is typed, its exit status, a pattern of standard output and one of the line on
standard error, None where nothing may stand there."""
import os
import re
import subprocess

DONE, BAD, USAGE = 0, 1, 2
SECONDS = 120


def run(holdfast, folder, typed):
    """Exit status, standard output, standard error; <, > and NAME=value as in a shell, words parted by blanks."""
    words, source, sink, given = [], subprocess.DEVNULL, subprocess.PIPE, {}
    for word in typed.split(" "):
        if word[:1] == "<":
            source = open(folder / word[1:], "rb")
        elif word[:1] == ">":
            sink = open(folder / word[1:], "wb")
        elif not words and re.match("[A-Z_]+=", word):
            given.update([word.split("=", 1)])
        elif word:
            words.append(word)
    # Pages as they are where nobody looks: in ASCII, 80 columns, no colours.
    environment = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS") or name == "PATH"}
    done = subprocess.run([holdfast, *words], cwd=folder, stdin=source, stdout=sink, stderr=subprocess.PIPE,
                          check=False, env=environment | given, timeout=SECONDS)
    for file in (source, sink):
        if not isinstance(file, int):
            file.close()
    return done.returncode, (done.stdout or b"").decode(errors="replace"), done.stderr.decode(errors="replace")


def fault(row, answer):
    """What is wrong, or "". A complaint is one line that begins with "holdfast: "; to who types nothing it is help."""
    typed, status, wanted_out, wanted_error = row
    got, out, error = answer
    if got != status:
        return f"exit {got}, wanted {status}: {error.strip()}"
    for name, text, wanted in (("output", out, wanted_out), ("error", error, wanted_error)):
        if wanted is None and text:
            return f"standard {name} has {text[:200]!r}"
        if wanted and not re.search(wanted, text, re.DOTALL):
            return f"standard {name} has {text[:1500]!r}, wanted {wanted!r}"
    if typed and error and (error.count("\n") != 1 or not error.startswith("holdfast: ") or not error.endswith("\n")):
        return f"no line of complaint: {error[:300]!r}"
    if any(character < " " and character != "\n" for character in error):
        return f"octets for a terminal to obey: {error[:200]!r}"
    return ""


def tell(number, row, wrong):
    """The case as TAP; whether it failed."""
    name = re.sub(r"[^ -~]|#", "?", row[0]) or "nothing"
    print(f"{'not ' if wrong else ''}ok {number} - holdfast {name}", flush=True)
    for line in wrong.splitlines():
        print(f"# {line}", flush=True)
    return wrong != ""
