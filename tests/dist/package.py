#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""package.py DEB: installs the Debian package, uses it, upgrades it, purges it, and looks for what is left. Speaks TAP.

    v0 192.0.2.1/24 ──── v1     both ends in a network namespace of our own

All of it happens in a copy of this system that writes to memory (an overlay), with a bpf file system, processes and a
network of its own: nothing of it stays, and nothing outside is touched. Needs root and overlay; exits 77 without.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

UNABLE = 77
SECONDS = 120
MOUNTS = [("proc", "proc"), ("sysfs", "sys"), ("bpf", "sys/fs/bpf"), ("tmpfs", "run"), ("tmpfs", "tmp")]
NETWORK = ["link set lo up", "link add v0 type veth peer name v1", "address add 192.0.2.1/24 dev v0", "link set v0 up",
           "link set v1 up"]
CONFIGURATION = "shield: { interfaces: [v0], generic: true }\n"
PAGE = "http://127.0.0.1:8080"
SERVE_CONFIGURATION = f"""{CONFIGURATION}page: {{ title: Example, directory: /var/lib/holdfast-page/page }}
public: {{ listen: ["127.0.0.1:8080"] }}
"""
OWN_FOLDERS = ["etc/holdfast", "run/holdfast", "var/lib/holdfast", "var/lib/holdfast-page"]
UNITS = ("holdfast", "holdfast-serve")
EXPOSURE = {"holdfast": 50, "holdfast-serve": 30}  # of 100, as systemd-analyze reckons it, at most
# What a record of the second schema had not yet.
SINCE_SCHEMA_2 = """approval report_count signal report_import outage component_state works_cancelled works component
statement_act statement_source statement awareness delivery subscriber console_audit
exemption""".split()


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

    def unit(self, name):
        """What a unit says, by key: all of its words."""
        said = {}
        for line in (self.root / f"lib/systemd/system/{name}.service").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if value and not line.startswith("#"):
                said.setdefault(key, []).extend(value.split())
        return said

    def begin_as_unit(self, name, trace=None):
        """As systemd would begin it: with the unit's capabilities, what it may not write read-only, and a socket that
        it tells when it is ready. Whether it has, and what it has said."""
        unit, capabilities = self.unit(name), "-all"
        for word in unit["CapabilityBoundingSet"]:
            capabilities += "," + word.lower().replace("cap_", "+")
        script = "".join(f'mount --bind "{self.root}/{path}" "{self.root}/{path}"\n'
                         for path in (path.lstrip("-/") for path in unit.get("ReadWritePaths", ()))
                         if not os.path.ismount(self.root / path)) if unit["ProtectSystem"] == ["strict"] else ""
        script += f'mount -o remount,bind,ro "{self.root}"\n' if script else ""
        command = self.command("NOTIFY_SOCKET=/run/ready", *unit["ExecStart"])
        at = command.index("/usr/bin/env")
        command[at:at] = ["/usr/bin/setpriv", f"--bounding-set={capabilities}"]
        lead = ["strace", "-f", "-qq", "-o", trace] if trace else []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(self.root / "run/ready"))
            os.chmod(self.root / "run/ready", 0o777)
            ready.settimeout(30)
            self.daemon = subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", f'{script}exec "$@"', "sh", *lead, *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
            said = ""
            try:
                while "READY=1" not in said:
                    said = ready.recv(4096).decode()
            except TimeoutError:
                self.log.seek(0)
                said = self.log.read()
        (self.root / "run/ready").unlink()
        return "READY=1" in said, said

    def end(self):
        """Ends it in order; chroot and env have become it, but strace, which has it for its child."""
        pid = self.daemon.pid
        if (self.root / f"proc/{pid}/comm").read_text(encoding="utf-8").strip() == "strace":
            pid = next(int(path.parent.name) for path in (self.root / "proc").glob("[0-9]*/stat")
                       if path.read_text(encoding="utf-8").rpartition(")")[2].split()[1] == str(pid))
        os.kill(pid, signal.SIGTERM)
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


def get(path):
    with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(PAGE + path, timeout=5) as answer:
        return answer.read().decode()
    return ""


def wait_for(test):
    for _ in range(100):
        if test():
            return True
        time.sleep(0.1)
    return False


def filtered(copy, name, trace):
    """Which system calls were made that the unit does not allow. Groups are systemd's own."""
    allowed, waiting = set(), ["@default", *copy.unit(name)["SystemCallFilter"]]
    while waiting:
        one = waiting.pop()
        if one.startswith("@"):
            said = run("systemd-analyze", "--no-pager", "syscall-filter", one)[1].split("\n")[1:]
            waiting += [line.strip() for line in said if line.strip() and not line.strip().startswith("#")]
        else:
            allowed.add(one)
    # What is before the program, chroot's and setpriv's, is systemd's to do.
    text = pathlib.Path(trace).read_text(encoding="utf-8", errors="replace")
    text = text.partition('execve("/usr/bin/holdfast"')[2]
    made = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    return made, made - allowed


def age(database):
    """Makes a record what it was when its schema was the second."""
    with contextlib.closing(sqlite3.connect(database)) as record:
        for table in SINCE_SCHEMA_2:
            record.execute(f"DROP TABLE IF EXISTS {table}")
        record.execute("PRAGMA user_version = 2")
        record.commit()


def schema(database):
    with contextlib.closing(sqlite3.connect(database)) as record:
        return record.execute("PRAGMA user_version").fetchone()[0]


def units(copy):
    """Yields the same: of the units, as far as can be told where systemd does not run."""
    for name in UNITS:
        path = copy.root / f"lib/systemd/system/{name}.service"
        yield f"{name}.service is there", path.exists(), ""
        # Only what it says of this unit: others of this machine are not what is tested.
        good, said = copy.run("systemd-analyze", "verify", "--man=no", f"/lib/systemd/system/{name}.service")
        said = "\n".join(line for line in said.splitlines() if "holdfast" in line)
        yield f"systemd takes {name}.service", good or not said, said
        good, said = copy.run("systemd-analyze", "security", "--offline=true", "--no-pager",
                              f"--threshold={EXPOSURE[name]}", f"/lib/systemd/system/{name}.service")
        yield f"{name}.service leaves little open", good, said[-3000:]


def serve(copy, scratch):
    """Yields the same: of the second daemon."""
    place, database = copy.root / "etc/holdfast/holdfast.yaml", copy.root / "var/lib/holdfast/holdfast.db"
    before = place.read_text(encoding="utf-8")
    place.write_text(SERVE_CONFIGURATION, encoding="utf-8")
    add = ("holdfast", "page", "component", "add")
    yield "a component is put on the page", *copy.run(*add, "web", "--name", "Website")
    yield "holdfast serve is ready, with what its unit gives it", *copy.begin_as_unit("holdfast-serve")
    yield "it publishes the page, and serves it", wait_for(lambda: "Website" in get("/")), get("/")[:500]
    status = copy.run("holdfast", "status")[1]
    yield "status says so", "desk up" in status and "public up" in status, status
    owner = copy.run("stat", "-c", "%U", "/var/lib/holdfast-page")[1].strip()
    yield "what it keeps is the user's", owner == "holdfast", owner
    yield "it ends", *copy.end()
    trace = scratch / "trace"
    good, said = copy.begin_as_unit("holdfast-serve", trace)
    wait_for(lambda: "Website" in get("/report"))
    copy.end()
    made, wrong = filtered(copy, "holdfast-serve", trace)
    good = good and len(made) > 40 and not wrong
    yield "its unit allows every system call that it makes", good, f"{said} {len(made)} {sorted(wrong)}"

    copy.run("holdfast", "event", "add", "--kind", "change", "--from", "2026-03-10T09:40:00Z", "--text", "an old event")
    age(database)
    yield "with a record of another time it is ready too", *copy.begin_as_unit("holdfast-serve")
    yield "that record is one of today's then", wait_for(lambda: schema(database) > 2), str(schema(database))
    yield "of which nothing is lost", "an old event" in copy.run("holdfast", "event", "list")[1], ""
    yield "and to which is added", *copy.run(*add, "api", "--name", "API")
    yield "it ends again", *copy.end()

    place.write_text(SERVE_CONFIGURATION + "page_dir: /srv/page\n", encoding="utf-8")
    good, said = copy.run("holdfast", "config", "check")
    good = not good and "holdfast.yaml:4" in said and "'page_dir'" in said
    yield "a key that is no more is named, with its line", good, said
    good, said = copy.run("holdfast", "serve")
    yield "and nothing is begun with it", not good and "'page_dir'" in said, said
    place.write_text(before, encoding="utf-8")


def use(copy, deb, scratch):
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
    yield from units(copy)

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
    yield from serve(copy, scratch)

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
            for name, good, said in use(copy, deb, pathlib.Path(scratch)):
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
