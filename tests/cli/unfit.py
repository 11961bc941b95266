#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""unfit.py HOLDFAST: a host that is not as it should be: what the daemon and the doctor say of it, and what to do.

Speaks TAP. An interface is one end of a veth pair; networks, mounts, processes and bpf file system are the test's own,
and how the host is unfit is a mount there, a limit or a personality of the one process. Skipped where we are not root.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

WAIT = 30
BUSY = "/sys/fs/bpf/busy"  # pins of whoever is at the interface already
MOUNTS = ["mount -t tmpfs none /run", "mount -t bpf none /sys/fs/bpf"]
NETWORK = ["ip link set lo up", "ip link add v0 type veth peer name v1", "ip link set v0 up", "ip link set v1 up"]
CONFIGURATION = """
shield: { interfaces: [INTERFACE], nftables: no }
run_dir: PLACE/run
state_dir: PLACE/state
bpffs_dir: PINS
"""
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
OLD = ["setarch", platform.machine(), "--uname-2.6"]  # says that it is Linux 2.6
# Neither is there memory to be locked, nor the right to have more.
NO_MEMLOCK = ["prlimit", "--memlock=0:0", "setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"]
NO_PATH = ["env", "PATH=/nowhere"]  # neither clang nor any other program
READY = "attached, native.*ready: pid"

# What it is; how the host is made so, and undone; what the command runs under; the command; how it ends (None: it is
# ready, and stays); what it says, first to last.
ROWS = [
    ("an interface that is not there", "", "", [], "run --config nowhere.yaml", 1,
     "nowhere0: there is no such interface; 'ip link' lists those there are"),
    ("no root", "", "", NOBODY, "run --config host.yaml", 1,
     "only root can attach the shield; try 'sudo holdfast run'"),
    ("no root, asked beforehand", "", "", NOBODY, "doctor v0 --config host.yaml", 1,
     "bad +privilege +programs cannot be loaded by you.*run it as root"),
    ("a kernel that is too old", "", "", OLD, "doctor v0 --config host.yaml", 1,
     "bad +kernel +Linux 2.6.*the shield needs Linux 6.0; 'holdfast analyze' runs here"),
    ("no BTF", "mount -t tmpfs none /sys/kernel/btf", "umount /sys/kernel/btf", [],
     "run --config host.yaml", None, READY),
    ("no BTF, asked beforehand", "mount -t tmpfs none /sys/kernel/btf", "umount /sys/kernel/btf", [],
     "doctor v0 --config host.yaml", 0, "ok +btf +not there; it is not needed"),
    ("no compiler, nor any other program", "", "", NO_PATH, "run --config host.yaml", None, READY),
    ("memlock refused", "", "", NO_MEMLOCK, "run --config host.yaml", None, READY),
    ("no bpf file system", "mount -t tmpfs none /sys/fs/bpf", "umount /sys/fs/bpf /sys/fs/bpf", [],
     "run --config host.yaml", None,
     f"no bpf file system was mounted at /sys/fs/bpf: mounted one.*{READY}"),
    ("no bpf file system, which there could be", "mount -t tmpfs none /sys/fs/bpf", "umount /sys/fs/bpf", [],
     "doctor v0 --config host.yaml", 0, "ok +bpffs +/sys/fs/bpf/host can hold what is pinned"),
    ("no bpf file system, and pins elsewhere", "", "", [], "doctor v0 --config elsewhere.yaml", 1,
     "bad +bpffs +/run/pins is in no bpf file system.*mount -t bpf bpf /sys/fs/bpf"),
    ("pins that cannot be", "", "", [], "run --config elsewhere.yaml", 1, "/run/pins.*bpf file system"),
    ("another program attached", f"HOLDFAST run --config busy.yaml {BUSY}", "", [], "run --config host.yaml", 1,
     "v0: another XDP program is attached: id [0-9]+; 'bpftool prog show id [0-9]+' names it; "
     "'ip link set dev v0 xdp off' takes it away, if nobody needs it"),
    ("another program, asked beforehand", f"HOLDFAST run --config busy.yaml {BUSY}", "", [],
     "doctor v0 --config host.yaml", 1, "bad +v0 xdp +cannot be had.*another XDP program is attached: shield_xdp"),
]


class Host:
    def __init__(self, holdfast, place):
        self.holdfast, self.place, self.others, self.said = holdfast, place, [], {}
        # A part of the daemon may make no such system calls as the search for leaks makes when it ends.
        self.environment = {**os.environ, "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}
        for name, interface, pins in (("host", "v0", "/sys/fs/bpf/host"), ("busy", "v0", BUSY),
                                      ("nowhere", "nowhere0", "/sys/fs/bpf/host"), ("elsewhere", "v0", "/run/pins")):
            (place / name).mkdir()
            text = CONFIGURATION.replace("INTERFACE", interface).replace("PINS", pins)
            (place / f"{name}.yaml").write_text(text.replace("PLACE", str(place / name)), encoding="utf-8")

    def begin(self, lead, words):
        """It says what it says into a file of its own."""
        path = self.place / f"said{len(self.said)}"
        with open(path, "w", encoding="utf-8") as said:
            process = subprocess.Popen([*lead, self.holdfast, *words], cwd=self.place, stdout=said,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.environment)
        self.said[process] = path
        return process

    def follow(self, process, pattern, ends):
        """What it has said when it says so, or ends; `ends`: when it ends, whatever it says."""
        until = time.monotonic() + WAIT
        while time.monotonic() < until and process.poll() is None:
            if not ends and re.search(pattern, self.said[process].read_text(encoding="utf-8"), re.DOTALL):
                break
            time.sleep(0.02)
        return self.said[process].read_text(encoding="utf-8")

    def stop(self, process):
        process.terminate()
        try:
            process.wait(WAIT)
        except subprocess.TimeoutExpired:
            process.kill()

    def make(self, command):
        """A command that is Holdfast's own is a daemon that stays."""
        if command.startswith("HOLDFAST "):
            other = self.begin([], command.split()[1:4])
            self.others.append((other, "busy.yaml"))
            self.follow(other, READY, False)
        elif command:
            subprocess.run(command.split(), check=True)

    def undo(self, command):
        if command:
            subprocess.run(command.split(), check=True)
        for other, name in self.others:
            self.off(name)
            self.stop(other)
        self.others = []

    def off(self, name):
        subprocess.run([self.holdfast, "off", "--config", name], cwd=self.place, check=False, capture_output=True,
                       env=self.environment)

    def fault(self, row):
        """What is wrong; None: nothing is."""
        _, make, undo, lead, words, status, pattern = row
        self.make(make)
        process = self.begin(lead, words.split())
        said = self.follow(process, pattern, status is not None)
        fault = None
        if not re.search(pattern, said, re.DOTALL):
            fault = f"wanted {pattern}, said: {said}"
        elif status != process.poll():
            fault = f"ended with {process.poll()}, wanted {status}: {said}"
        if process.poll() is None:
            self.off("host.yaml")
            self.stop(process)
        self.undo(undo)
        return fault


def inside(holdfast):
    for command in MOUNTS:
        subprocess.run(command.split(), check=True)
    for command in NETWORK:
        subprocess.run(command.split(), check=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="holdfast-unfit-", dir="/run") as scratch:
        place = pathlib.Path(scratch)
        place.chmod(0o755)
        program = place / "holdfast"
        program.write_bytes(holdfast)
        program.chmod(0o755)
        host = Host(str(program), place)
        print(f"1..{len(ROWS)}")
        for number, row in enumerate(ROWS, 1):
            fault = host.fault(row)
            failed += fault is not None
            print(f"{'not ok' if fault else 'ok'} {number} - {row[0]}", flush=True)
            for line in (fault or "").splitlines():
                print(f"# {line}")
    return 1 if failed else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--inside":
        return inside(pathlib.Path(sys.argv[2]).read_bytes())
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    missing = [tool for tool in ("ip", "prlimit", "setarch", "setpriv", "unshare") if not shutil.which(tool)]
    if os.geteuid() != 0 or missing:
        print(f"1..0 # SKIP needs root{' and ' if missing else ''}{', '.join(missing)}")
        return 0
    return cases.play_apart(__file__, sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
