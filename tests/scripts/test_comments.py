#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/comments fills anew, what it leaves as it is, and what it says of what is too long."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONG = " ".join(["octets"] * 17)  # 118 columns

# what it is; before; after; lines that --check names in the former
CASES = [
    ("short ones stay", "/* octets */\n/*\n * octets\n * and more\n */\n", None, []),
    ("a line that is too long", f"/* {LONG} */\n",
     f"/*\n * {LONG[:-7]}\n * octets\n */\n", [1]),
    ("a paragraph; the others stay", f"/*\n * a\n * b\n *\n * {LONG}\n * c\n */\n",
     f"/*\n * a\n * b\n *\n * {LONG[:-7]}\n * octets c\n */\n", [5]),
    ("items of a list", f"/*\n * - {LONG}\n * - b\n */\n",
     f"/*\n * - {LONG[:-7]}\n *   octets\n * - b\n */\n", [2]),
    ("tabs before it", f"\t\t/* {LONG[:-14]} */\n",
     f"\t\t/*\n\t\t * {LONG[:-21]}\n\t\t * octets\n\t\t */\n", [1]),
    ("just within", f"/* {LONG[:114]} */\n", None, []),
    ("a drawing", f"/*\n *     {LONG}\n */\n", None, []),
    ("between clang-format off and on", f"/* clang-format off */\n/* {LONG} */\n/* clang-format on */\n", None, []),
    ("behind code it is only said", f"int a; /* {LONG} */\n", None, [1]),
    ("a text that is no comment", f'const char *a = "/* {LONG} */";\n', None, []),
]


def run(*arguments):
    return subprocess.run([sys.executable, ROOT / "scripts/comments", *arguments],
                          capture_output=True, text=True, check=False)


def judge(before, after, named):
    """What is wrong, or None."""
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch, "a.c")
        path.write_text(before, encoding="utf-8")
        said = run("--check", path)
        wanted = "".join(f"{path}:{line}: a comment goes beyond 120 columns\n" for line in named)
        if said.stdout != wanted or said.returncode != bool(named) or said.stderr:
            return f"--check: exit {said.returncode}: {said.stdout}{said.stderr}"
        said = run(path)
        got = path.read_text(encoding="utf-8")
        if said.returncode != 0 or said.stdout or said.stderr:
            return f"exit {said.returncode}: {said.stdout}{said.stderr}"
        if got != (after or before):
            return f"made:\n{got}"
        run(path)
        return None if path.read_text(encoding="utf-8") == got else "made another when run again"


def main():
    print(f"1..{len(CASES)}")
    failed = 0
    for number, (name, before, after, named) in enumerate(CASES, 1):
        wrong = judge(before, after, named)
        failed += wrong is not None
        print(f"{'not ' if wrong else ''}ok {number} - {name}")
        for line in (wrong or "").splitlines():
            print(f"# {line}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
