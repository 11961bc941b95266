#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package.py DEB: installs the Debian package, uses it, upgrades it, purges it, and looks for what is left. Speaks TAP.

    v0 192.0.2.1/24 ──── v1     both ends in a network namespace of our own

All of it happens in a copy of this system that writes to memory (an overlay), with a bpf file system, processes and a
network of its own: nothing of it stays, and nothing outside is touched. Needs root and overlay; exits 77 without.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

UNABLE = 77
SECONDS = 120
MOUNTS = [("proc", "proc"), ("sysfs", "sys"), ("bpf", "sys/fs/bpf"), ("tmpfs", "run"), ("tmpfs", "tmp")]
NETWORK = ["link set lo up", "link add v0 type veth peer name v1", "address add 192.0.2.1/24 dev v0", "link set v0 up",
           "link set v1 up"]
CONFIGURATION = "shield: { interfaces: [v0], generic: true }\n"
OWN_FOLDERS = ["etc/holdfast", "run/holdfast", "var/lib/holdfast"]


def run(*command, check=False):
    """Of a command outside the copy: whether it succeeds, and what it says."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=check, timeout=SECONDS)
    return done.returncode == 0, done.stdout


class Copy:
    """A root of its own over this system's."""

    def __init__(self, scratch):
        run("mount", "-t", "tmpfs", "none", scratch, check=True)
        for name in ("upper", "work", "root"):
            (scratch / name).mkdir()
        self.root = scratch / "root"
        run("mount", "-t", "overlay", "-o", f"lowerdir=/,upperdir={scratch}/upper,workdir={scratch}/work", "none",
            self.root, check=True)
        for kind, where in MOUNTS:
            run("mount", "-t", kind, "none", self.root / where, check=True)
        run("mount", "--rbind", "/dev", self.root / "dev", check=True)
        self.daemon = None
        self.log = open(scratch / "log", "w+", encoding="utf-8")

    def command(self, *words):
        return ["chroot", self.root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND=noninteractive", *words]

    def run(self, *words):
        return run(*self.command(*words))

    def files(self):
        """What the package has put there, without folders."""
        _, said = self.run("dpkg-query", "-L", "holdfast")
        return [path for path in said.splitlines() if not (self.root / path[1:]).is_dir()]

    def begin(self):
        """Runs the daemon until it answers."""
        self.daemon = subprocess.Popen(self.command("holdfast", "run"), stdin=subprocess.DEVNULL, stdout=self.log,
                                       stderr=subprocess.STDOUT)
        for _ in range(100):
            time.sleep(0.1)
            if self.run("holdfast", "status", "--json")[0]:
                return True, ""
            if self.daemon.poll() is not None:
                break
        self.log.seek(0)
        return False, self.log.read()

    def end(self):
        """Ends it in order; chroot and env have become it."""
        self.daemon.terminate()
        return self.daemon.wait(timeout=SECONDS) == 0, ""


def attached():
    """The program at v0: its number, or None."""
    found = re.search(r"prog/xdp id (\d+)", run("ip", "-details", "link", "show", "dev", "v0")[1])
    return found[1] if found else None


def left_behind(copy, files, program):
    """Everything of the package and the shield that is still there, by name."""
    left = [path for path in files if (copy.root / path[1:]).exists()]
    left += [f"/{name}" for name in OWN_FOLDERS if (copy.root / name).exists()]
    left += [f"pin {path.name}" for path in (copy.root / "sys/fs/bpf").iterdir() if "holdfast" in path.name]
    if attached():
        left.append("a program at v0")
    if "clsact" in run("tc", "qdisc", "show", "dev", "v0")[1]:
        left.append("a queue at v0")
    if "holdfast" in run("nft", "list", "tables")[1]:
        left.append("a table of nftables")
    if len(run("ip", "route")[1].splitlines()) != 1:
        left.append("a route")
    if program and run("bpftool", "prog", "show", "id", program)[0]:
        left.append(f"program {program} in the kernel")
    for database in ("passwd", "group"):
        if copy.run("getent", database, "holdfast")[0]:
            left.append(f"holdfast in {database}")
    return not left, "left: " + ", ".join(left)


def use(copy, deb):
    """Yields a name, whether it is so, and what is said where it is not."""
    shutil.copy(deb, copy.root / "tmp/holdfast.deb")
    copy.run("dpkg", "--purge", "holdfast")  # what this machine has installed is not what is tested
    yield "the package can be installed", *copy.run("dpkg", "--install", "/tmp/holdfast.deb")
    for database in ("passwd", "group"):
        yield f"holdfast is in {database}", *copy.run("getent", database, "holdfast")
    yield "the example configuration is good", *copy.run("holdfast", "config", "check")
    yield "nothing is attached by installing", attached() is None, ""
    files = copy.files()
    yield "both manual pages are there", len([path for path in files if "/share/man/" in path]) == 2, "\n".join(files)

    (copy.root / "etc/holdfast/holdfast.yaml").write_text(CONFIGURATION, encoding="utf-8")
    yield "the daemon begins", *copy.begin()
    yield "the shield is attached", attached() is not None, ""
    yield "an address can be blocked", *copy.run("holdfast", "block", "198.51.100.7")
    owner = copy.run("stat", "-c", "%U", "/var/lib/holdfast")[1].strip()
    yield "the record belongs to the user", owner == "holdfast", owner
    yield "the daemon ends", *copy.end()
    program = attached()
    yield "without it the shield stays", program is not None, ""
    yield "it can be upgraded", *copy.run("dpkg", "--force-confold", "--install", "/tmp/holdfast.deb")
    yield "after an upgrade the shield stays", attached() == program, f"{program}, then {attached()}"
    yield "the next daemon begins", *copy.begin()
    said = copy.run("holdfast", "rules", "--json")[1]
    yield "it has taken the block over", "198.51.100.7/32" in said, said
    program = attached()
    yield "the next daemon ends", *copy.end()

    yield "the package can be removed", *copy.run("dpkg", "--remove", "holdfast")
    yield "removed: no program is attached", attached() is None, ""
    yield "removed: the record is kept", (copy.root / "var/lib/holdfast/holdfast.db").exists(), ""
    yield "it can be purged", *copy.run("dpkg", "--purge", "holdfast")
    yield "purged: nothing is left", *left_behind(copy, files, program)
    # At once, from use: the shield attached, and a daemon running.
    yield "it can be installed again", *copy.run("dpkg", "--install", "/tmp/holdfast.deb")
    (copy.root / "etc/holdfast/holdfast.yaml").write_text(CONFIGURATION, encoding="utf-8")
    yield "and begins again", *copy.begin()
    program = attached()
    copy.end()
    yield "it can be purged at once", *copy.run("dpkg", "--purge", "holdfast")
    yield "purged at once: nothing is left", *left_behind(copy, files, program)


def inside(deb):
    for words in NETWORK:
        run("ip", *words.split(), check=True)
    failed = number = 0
    with tempfile.TemporaryDirectory(prefix="holdfast-package-") as scratch:
        copy = Copy(pathlib.Path(scratch))
        try:
            for name, good, said in use(copy, deb):
                number += 1
                failed += not good
                print(f"{'' if good else 'not '}ok {number} - {name}", flush=True)
                for line in said.splitlines() if not good else []:
                    print(f"# {line}", flush=True)
        finally:
            if copy.daemon and copy.daemon.poll() is None:
                copy.daemon.terminate()
                copy.daemon.wait(timeout=SECONDS)
            copy.log.close()
            run("umount", "--recursive", scratch)
    print(f"1..{number}", flush=True)
    return 1 if failed else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--inside":
        return inside(sys.argv[2])
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0 or "\toverlay\n" not in pathlib.Path("/proc/filesystems").read_text(encoding="ascii"):
        print("needs root, and a kernel with overlay")
        return UNABLE
    return subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--propagation", "private", sys.executable,
                           os.path.abspath(__file__), "--inside", os.path.abspath(sys.argv[1])], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
