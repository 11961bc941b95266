#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants breaches in a small orderly house and sees that scripts/check-rooms finds each, and finds none without."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

HOUSE = {
    "src/base/cursor.h": "#include <stdint.h>\n",
    "src/observe/observation.h": '#include "base/cursor.h"\n',
    "abi/shield.h": "#include <stdint.h>\n",
    "src/base/time.c": "#include <time.h>\n",
    "src/defend/match.h": '#include "observe/observation.h"\n',
    "src/meson.build": (ROOT / "src/meson.build").read_text(encoding="utf-8"),
}

PLAN = """
    base      cursor.h octets; time.c
    observe   observation.h
              by base/time.h, and what is beside it
        │
    defend    match.h, on what base/cursor.h reads"""

# what it is, the file it is planted in, the line planted, what must be said of it (None: nothing)
PLANTS = [
    ("an orderly house", None, None, None),
    ("own room", "src/base/planted.c", '#include "base/cursor.h"', None),
    ("upstream", "src/defend/planted.c", '#include "observe/observation.h"', None),
    ("downstream", "src/base/planted.c", '#include "observe/observation.h"', "downstream of base"),
    ("downstream, oddly spaced", "src/observe/planted.h", ' #\tinclude"defend/match.h"', "downstream of observe"),
    ("upstream, of a room that makes do without", "src/impact/planted.c", '#include "observe/observation.h"',
     "makes do with base"),
    ("of a room that makes do", "src/impact/planted.c", '#include "base/cursor.h"', None),
    ("not from src/", "src/base/planted.c", '#include "cursor.h"', "not under src/"),
    ("round the back", "src/base/planted.c", '#include "../defend/match.h"', "not under src/"),
    ("round the front", "src/base/planted.c", '#include "base/../defend/match.h"', "not under src/"),
    ("library in its room", "src/tell/planted.c", "#include <jansson.h>", None),
    ("library in another's room", "src/detect/planted.c", "#include <jansson.h>", "belongs to trace and"),
    ("configuration in tell", "src/tell/planted.c", "#include <cyaml/cyaml.h>", "belongs to cli"),
    ("the tests' oracle", "src/observe/planted.c", "#include <pcap.h>", "belongs to the tests"),
    ("library without owner", "src/cli/planted.c", "#include <openssl/evp.h>", "no room owns"),
    ("floating point", "src/measure/planted.c", "#include <math.h>", "belongs to base"),
    ("no room", "src/attic/planted.c", "#include <stdint.h>", "attic is no room"),
    ("assertions", "src/observe/planted.c", "#include <assert.h>", "no room owns <assert.h>"),
    ("a network", "src/trace/planted.c", "#include <sys/socket.h>", "not to trace"),
    ("shared with the kernel", "src/shield/planted.c", '#include "abi/shield.h"', None),
    ("shared, in another's room", "src/engine/planted.c", '#include "abi/shield.h"', "is not for engine"),
    ("shared, and not there", "src/shield/planted.c", '#include "abi/none.h"', "not under src/"),
    ("names", "src/cli/planted.c", "#include <netdb.h>", "no room owns <netdb.h>"),
    ("a library in quotes", "src/cli/planted.c", '#include "openssl/evp.h"', "not under src/"),
    ("a source", "src/defend/planted.c", '#include "base/time.c"', "is no header"),
    ("a macro", "src/base/planted.c", "#include MATCH_H", "names no header"),
    ("the next of its name", "src/base/planted.c", "#include_next <stdlib.h>", "names no header"),
    ("behind a comment", "src/base/planted.c", '/* */ #include "defend/match.h"', "names no header"),
    ("around a comment", "src/base/planted.c", '# /* */ include "defend/match.h"', "names no header"),
    ("a digraph", "src/base/planted.c", '%:include "defend/match.h"', "names no header"),
    ("over two lines", "src/base/planted.c", '#\\\ninclude "defend/match.h"', "names no header"),
    ("words about it", "src/base/planted.c", '/* how to #include "defend/match.h" */', None),
    ("a plan", "ARCHITECTURE.md", PLAN, None),
    ("a plan without one", "ARCHITECTURE.md", PLAN.replace("match.h", ""), "does not name src/defend/match.h"),
    ("a plan with one twice", "ARCHITECTURE.md", PLAN + "\n    base      cursor.h", "cursor.h of base stands there"),
    ("a plan with none", "ARCHITECTURE.md", PLAN + ", none.c", "there is no none.c in defend"),
    ("a plan with another's", "ARCHITECTURE.md", PLAN.replace("time.c", "") + ", time.c", "is no time.c in defend"),
    ("another order of linking", "src/meson.build", "\t['observe', files(\n\t['base', files(", "links observe, base"),
]


def judge(path, line, wanted):
    """What is wrong with check-rooms' answer, or None."""
    with tempfile.TemporaryDirectory() as scratch:
        files = dict(HOUSE, **({path: f"/* planted */\n{line}\n"} if path else {}))
        for name, text in files.items():
            file = pathlib.Path(scratch, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        answer = subprocess.run(
            [sys.executable, ROOT / "scripts/check-rooms", scratch], capture_output=True, text=True, check=False
        )
    if wanted is None:
        return None if answer.returncode == 0 else f"exit {answer.returncode}: {answer.stdout}{answer.stderr}"
    if answer.returncode != 1 or wanted not in answer.stdout or f"{pathlib.Path(path).name}:" not in answer.stdout:
        return f"exit {answer.returncode}, wanted 1 and {wanted!r}: {answer.stdout}{answer.stderr}"
    return None


def main():
    print(f"1..{len(PLANTS)}")
    failed = 0
    for number, (name, path, line, wanted) in enumerate(PLANTS, 1):
        wrong = judge(path, line, wanted)
        failed += wrong is not None
        print(f"{'not ' if wrong else ''}ok {number} - {name}")
        for said in (wrong or "").splitlines():
            print(f"# {said}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
