#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme.py HOLDFAST: does what README.md says under "The shield", as it stands there, and looks at what comes of it.

Speaks TAP. In namespaces of its own for networks, mounts and processes; skipped where we are not root.
"""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

SECONDS = 240  # of the whole session; a machine that has other things to do takes long
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
MOUNTS = ["mount -t tmpfs none /run", "mount -t tmpfs none /tmp", "mount -t bpf none /sys/fs/bpf"]

# What must come, in this order. What the daemon says goes in between, and is not waited for.
WANTED = [
    "All is well|Nothing is in the way",
    "2 packets transmitted, 2 received",
    "blocked 192.0.2.2 until",
    "mode observe: what would be dropped is counted, and passes",
    "enforcing: ",
    "2 packets transmitted, 0 received",
    "MODE ENFORCE",
    "web .* drop_block",
    "released 192.0.2.2",
    "2 packets transmitted, 2 received",
    "off: the shield is detached",
]


# A person types on when the daemon says that it is ready; a session without a person looks whether it answers.
BEGINS = "near holdfast run &"
READY = "until near holdfast status >/dev/null 2>&1; do kill -0 $! || break; sleep 0.1; done"


def session():
    """The commands, from the first block of the section that begins with `make build`."""
    section = README.read_text(encoding="utf-8").split("\n## The shield\n")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ") or not line]
    begin = next(i for i, line in enumerate(lines) if line.startswith("make build && export PATH="))
    daemon = next(i for i, line in enumerate(lines) if line.startswith(BEGINS))
    return "\n".join([*lines[begin + 1:daemon + 1], READY, *lines[daemon + 1:]])


def inside(holdfast, commands):
    """`holdfast` is the program itself: where it lies, and where README does, may be hidden by the mounts."""
    for command in MOUNTS:
        subprocess.run(command.split(), check=True)
    pathlib.Path("/run/bin").mkdir()
    with open("/run/bin/holdfast", "wb", opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
        file.write(holdfast)
    # A part of the daemon may make no such system calls as the search for leaks makes when it ends.
    environment = {**os.environ, "PATH": f"/run/bin:{os.environ['PATH']}",
                   "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}
    done = subprocess.run(["bash", "-O", "expand_aliases"], input=commands, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, cwd="/", env=environment, timeout=SECONDS)
    print(f"1..{len(WANTED)}")
    failed, at = 0, 0
    for number, pattern in enumerate(WANTED, 1):
        found = re.compile(pattern).search(done.stdout, at)
        failed += found is None
        at = found.end() if found else at
        print(f"{'ok' if found else 'not ok'} {number} - {re.sub('[#]', '?', pattern)}")
    if failed:
        for line in done.stdout.splitlines():
            print(f"# {line}")
    return 1 if failed else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--inside":
        return inside(pathlib.Path(sys.argv[2]).read_bytes(), session())
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    return cases.play_apart(__file__, sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
