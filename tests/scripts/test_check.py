#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests/tap.py makes of cmocka's lines, and scripts/check of theirs and of meson's log: what failed, and why; and
what it runs beside other things."""
import importlib.machinery
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# what cmocka 1.1.5 prints; what becomes of it
CMOCKA = [
    ("a case that passes, and what it prints", ["1..1", "talk", "ok 1 - good"], ["1..1", "# talk", "ok 1 - good"]),
    ("why one failed stands before it, the place first",
     ["1..2", "talk", "not ok 1 - bad", "# 0x1 != 0x2", "# a.c:9: error: Failure!", "# more", "ok 2 - good"],
     ["1..2", "# talk", "# a.c:9: 0x1 != 0x2", "not ok 1 - bad", "# more", "ok 2 - good"]),
    ("over several lines", ["not ok 1 - bad", '# "a', '# b" != "c"', "# a.c:10: error: Failure!"],
     ['# a.c:10: "a b" != "c"', "not ok 1 - bad"]),
    ("what is said to standard error",
     ["ok 1 - good", "ERR ERROR: row 7", "not ok 2 - bad", "# a.c:9: error: Failure!", "not ok 3 - b", "# 1 != 2",
      "# a.c:10: error: Failure!", "ERR talk", "ERR ERROR: row 8", "not ok 4 - c", "# a.c:11: error: Failure!"],
     ["ok 1 - good", "# a.c:9: row 7", "not ok 2 - bad", "# a.c:10: 1 != 2", "not ok 3 - b", "# a.c:11: row 8",
      "not ok 4 - c"]),
    ("a skipped one is none that failed", ["why", "not ok 1 # SKIP one"], ["# why", "ok 1 # SKIP one"]),
    ("what is set up before one",
     ["not ok 1 - one Could not run test: 0", "a.c:12: error: Failure!Test setup failed", "talk", "ok 2 - two"],
     ["# a.c:12: Test setup failed", "not ok 1 - one", "# talk", "ok 2 - two"]),
    ("what is cleared away after one", ["not ok 1 - one Could not run test: Test teardown failed", "talk"],
     ["# Test teardown failed", "not ok 1 - one", "# talk"]),
    ("two that fail, the first without a place", ["not ok 1 - a", "# lost", "not ok 2 - b", "# a.c:1: error: Failure!"],
     ["# lost", "not ok 1 - a", "# a.c:1", "not ok 2 - b"]),
    ("one that dies", ["1..2", "ok 1 - a", "DIE"], ["1..2", "ok 1 - a", "Bail out! killed by signal 6 (Aborted)"]),
    ("one that dies as a reason is said", ["not ok 1 - a", "# 1 != 2", "DIE"],
     ["# 1 != 2", "not ok 1 - a", "Bail out! killed by signal 6 (Aborted)"]),
]

# meson's object of a program; what the summary has of it: passed, failed, skipped
LOGS = [
    ("all pass", {"result": "OK", "stdout": "1..2\nok 1 - a\nok 2 - b\n"}, 2, [], []),
    ("a reason before", {"result": "FAIL", "stdout": "1..2\n# a.c:9: 1 != 2\nnot ok 1 - a\nok 2 - b\n"},
     1, ["gcc: t: a: a.c:9: 1 != 2"], []),
    ("a reason behind, over lines: the first", {"result": "FAIL", "stdout":
     "1..3\nnot ok 1 - a\n# this\n# and that\nok 2 - b\nnot ok 3 - c\n# those\n# too\n"},
     1, ["gcc: t: a: this", "gcc: t: c: those"], []),
    ("no reason", {"result": "FAIL", "stdout": "1..1\nnot ok 1 - a\n"}, 0, ["gcc: t: a"], []),
    ("of a long one the end", {"result": "FAIL", "stdout": "1..1\n# " + "x" * 999 + "y\nnot ok 1 - a\n"},
     0, ["gcc: t: a: … " + "x" * 239 + "y"], []),
    ("killed", {"result": "ERROR", "returncode": 1, "stdout":
     "1..2\nok 1 - a\nBail out! killed by signal 11 (Segmentation fault)\n", "stderr": "talk\n"},
     1, ["gcc: t: case 2: never came: killed by signal 11 (Segmentation fault); exit 1"], []),
    ("killed itself", {"result": "ERROR", "returncode": -9, "stdout": "1..1\n"},
     0, ["gcc: t: case 1: never came: killed by signal 9 (Killed)"], []),
    ("too slow", {"result": "TIMEOUT", "returncode": -15, "duration": 300.2, "stdout": "1..2\nok 1 - a\n"},
     1, ["gcc: t: case 2: never came: ended after 300 s, which was too long"], []),
    ("too slow at its end", {"result": "TIMEOUT", "returncode": -15, "duration": 9.6, "stdout": "1..1\nok 1 - a\n"},
     1, ["gcc: t: ended after 10 s, which was too long"], []),
    ("a sanitizer's word", {"result": "ERROR", "returncode": 1, "stdout": "1..1\nok 1 - a\n",
                            "stderr": "==1==ERROR: LeakSanitizer: detected memory leaks\n #0 f\n"},
     1, ["gcc: t: exit 1: ERROR: LeakSanitizer: detected memory leaks"], []),
    ("undefined behaviour", {"result": "ERROR", "returncode": 1, "stdout": "1..1\n",
                             "stderr": "a.c:3:5: runtime error: shift exponent 70\n"},
     0, ["gcc: t: case 1: never came: exit 1: a.c:3:5: runtime error: shift exponent 70"], []),
    ("no TAP", {"result": "FAIL", "returncode": 3, "stdout": "talk\n"}, 0, ["gcc: t: exit 3"], []),
    ("no TAP, good", {"result": "OK", "returncode": 0, "stdout": "talk\n"}, 1, [], []),
    ("skipped", {"result": "SKIP", "stdout": "1..2\n# no files\nok 1 # SKIP a\nok 2 - b # SKIP no root\n"},
     0, [], ["gcc: t: a: no files", "gcc: t: b: no root"]),
]


def check():
    """scripts/check as a module."""
    loader = importlib.machinery.SourceFileLoader("check", str(ROOT / "scripts/check"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
    loader.exec_module(module)
    return module


def adapt(lines):
    body = "".join("kill -ABRT $$\n" if line == "DIE" else
                   f"printf '%s\\n' '{line[4:]}' >&2\n" if line.startswith("ERR ") else
                   f"printf '%s\\n' '{line}'\n" for line in lines)
    done = subprocess.run([sys.executable, ROOT / "tests/tap.py", "sh", "-c", body], capture_output=True, text=True,
                          check=False)
    return done.stdout.splitlines()


def count(module, test):
    tally = module.Tally()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as log:
        log.write(json.dumps(dict(test, name="t")) + "\n")
        log.flush()
        module.count_tests(tally, "gcc", pathlib.Path(log.name))
    return tally.passed, tally.failed, tally.skipped


def one_behind_the_other(module, folder):
    """What is begun runs in order, and its status and words come back."""
    file = folder / "order"
    with module.Beside() as beside:
        slow = beside.begin(lambda run: run("sh", "-c", f"sleep 0.2; echo one >>{file}; echo said; exit 3"))
        quick = beside.begin(lambda run: run("sh", "-c", f"echo two >>{file}; echo no >&2"))
        return slow.result(), quick.result(), file.read_text(encoding="utf-8")


def ended_with_the_rest(module, folder):
    """What still runs ends, with its children; what had not begun never does."""
    file = folder / "late"
    began = time.monotonic()
    with module.Beside() as beside:
        running = beside.begin(lambda run: run("sh", "-c", f"echo $$; sleep 60 & wait; echo >{file}"))
        waiting = beside.begin(lambda run: run("sh", "-c", f"echo >{file}"))
        while beside.process is None:
            time.sleep(0.01)
    return running.result()[0] != 0, waiting.result()[0] != 0, file.exists(), time.monotonic() - began < 30


def main():
    sys.dont_write_bytecode = True
    module = check()
    rows = [(name, adapt(lines), wanted) for name, lines, wanted in CMOCKA]
    rows += [(name, count(module, test), wanted) for name, test, *wanted in LOGS]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        rows += [("beside others, one behind the other", one_behind_the_other(module, folder),
                  [(3, "said\n"), (0, "no\n"), "one\ntwo\n"]),
                 ("beside others, until the end", ended_with_the_rest(module, folder), [True, True, False, True])]
    print(f"1..{len(rows)}")
    failed = 0
    for number, (name, got, wanted) in enumerate(rows, 1):
        good = list(got) == list(wanted)
        failed += not good
        if not good:
            print(f"# {got!r}, wanted {wanted!r}")
        print(f"{'' if good else 'not '}ok {number} - {name}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
