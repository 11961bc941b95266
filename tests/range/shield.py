#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What may stand at the platform's interface: nothing, a line for nftables, Holdfast; each told by hand what to drop.

begin() sets the rule, end() removes every trace, dropped() is the shield's own word on how much it dropped, None where
it has none.
"""
import json
import os
import pathlib
import signal
import subprocess

from topology import OPERATOR4, PLATFORM4, PLATFORM6, RangeError, call, wait_for

# Where Holdfast attaches and its own files are. It knows the operator's network and port, as it should on any host, and that
# cookies arrive: the veth is in a card's place, and at its other end stands what it takes (topology.py).
CONFIG = """
mode: observe
user: nobody
state_dir: {state}
run_dir: {scratch}/run
bpffs_dir: {scratch}/bpf/holdfast
shield:
  interfaces: [up0]
  block_capacity: 4096
  management: {{ ports: [22], from: [{operator}/32] }}
services:
  - {{ name: web, addresses: [{platform4}, "{platform6}"], tcp: [80], udp: [53], path: local, per_source_pps: 0,
      syn_cookies: true }}
  - {{ name: box, addresses: [192.0.2.128/25, "2001:db8:2::2"], path: forwarded }}
"""

START_SECONDS = 10


def has_ended(pid):
    """Whether a process is gone, or has closed all it had and only waits to be reaped."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


class Daemon:
    """Holdfast at the platform's interface, with a bpf file system of its own in the scratch folder. A context."""

    def __init__(self, topology, scratch, program, state=None):
        self.topology, self.scratch, self.program = topology, scratch, str(program)
        self.config, self.log = scratch / "holdfast.yaml", scratch / "holdfast.log"
        self.state = state or scratch / "state"
        self.text = CONFIG.format(scratch=scratch, state=self.state, operator=OPERATOR4, platform4=PLATFORM4,
                                  platform6=PLATFORM6)
        self.bpffs = scratch / "bpf"
        self.lead = []  # words before those of the command that runs it
        self.process = None

    def __enter__(self):
        self.config.write_text(self.text, encoding="utf-8")
        self.bpffs.mkdir()
        call("mount", "-t", "bpf", "none", self.bpffs)
        return self

    def __exit__(self, *_):
        self.kill()
        try:
            self.tell("off")
        finally:
            call("umount", self.bpffs)

    def ask(self, *words, environment=None):
        """A command, asked of it: exit status, standard output, standard error."""
        done = subprocess.run([*self.topology.inside("platform"), self.program, *words, "--config", self.config],
                              stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True, timeout=30,
                              env=os.environ | (environment or {}))
        return done.returncode, done.stdout, done.stderr

    def tell(self, *words):
        """A command that has to be obeyed."""
        status, out, error = self.ask(*words)
        if status:
            raise RangeError(f"holdfast {' '.join(words)}: exit {status}: {error.strip()}")
        return out

    def status(self):
        """As `status --json` says, or None while nobody is there to say it."""
        code, out, _ = self.ask("status", "--json")
        return json.loads(out) if code == 0 else None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = self.topology.begin("platform", *self.lead, self.program, "run", "--config", self.config,
                                               tree=False, stdout=log, stderr=log)
        try:
            wait_for("holdfast run", START_SECONDS, self.is_ready)
        except RangeError as error:
            raise RangeError(f"{error}: {self.said()}") from error
        return self.status()

    def is_ready(self):
        if self.process.poll() is not None:
            raise RangeError(f"holdfast run: exit {self.process.returncode}")
        status = self.status()
        return status is not None and status["ready"] and bool(status["interfaces"])  # attached, too

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace").strip().replace("\n", " | ")[-600:]

    def stop(self):
        """In peace; what is attached stays."""
        self.topology.end(self.process, signal.SIGTERM)
        self.process = None

    def kill(self):
        """Every process of it, at once; none has a file open any more when this returns."""
        killed = self.pids().values()
        for pid in killed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process:
            self.topology.end(self.process)
            self.process = None
        wait_for("those that were killed to be gone", START_SECONDS, lambda: all(map(has_ended, killed)))

    def pids(self):
        """Of its processes, by role; whoever their parent is by now. Commands that run for a moment are none."""
        home = os.stat(f"/run/netns/{self.topology.name('platform')}").st_ino
        found = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if len(words) < 3 or words[1] not in (b"run", b"--role") or os.readlink(folder / "exe") != self.program:
                    continue
                if os.stat(folder / "ns/net").st_ino != home:
                    continue
            except OSError:  # it has ended
                continue
            found["parent" if words[1] == b"run" else words[2].decode()] = int(folder.name)
        return found


class Nothing:
    name = "without"

    def begin(self, scenario):
        pass

    def dropped(self):
        return None

    def end(self):
        pass


class Nftables:
    """The peer: what one would type instead, at the earliest hook that nftables has."""

    name = "nftables"
    TABLE = """
table netdev peer {{
	counter dropped {{ }}
	set sources {{ type ipv4_addr; flags dynamic; size 4096; }}
	chain every {{
		type filter hook ingress device "up0" priority -500;
		{rules}
	}}
}}
"""

    def __init__(self, topology):
        self.topology = topology

    def begin(self, scenario):
        self.topology.run("platform", "nft", "-f", "-", text=self.TABLE.format(
            rules="\n".join(f"{match} counter name dropped drop" for match in scenario.nft)))

    def dropped(self):
        said = json.loads(self.topology.run("platform", "nft", "-j", "list", "counters", "table", "netdev", "peer"))
        return sum(entry["counter"]["packets"] for entry in said["nftables"] if "counter" in entry)

    def end(self):
        self.topology.run("platform", "nft", "delete", "table", "netdev", "peer")


class Holdfast:
    """A daemon for a scenario: attached, enforcing, told by hand what to drop."""

    name = "holdfast"

    def __init__(self, daemon):
        self.daemon = daemon
        self.hook = None  # how it was attached: "native"

    def begin(self, scenario):
        self.daemon.config.write_text(
            self.daemon.text.replace("per_source_pps: 0", f"per_source_pps: {scenario.source_pps}"), encoding="utf-8")
        status = self.daemon.start()
        self.hook = status["interfaces"][0]["hook"]
        self.daemon.tell("enforce")
        for match in scenario.matches:
            self.daemon.tell("block", *([match] if "/" in match else ["--match", match]), "--for", "10m")

    def dropped(self):
        """By what it counts of each service; its totals are added up only once a second."""
        return sum(count["packets"] for service in self.daemon.status()["services"]
                   for reason, count in service["enforced"].items() if reason.startswith("drop_"))

    def end(self):
        self.daemon.stop()
        self.daemon.tell("off")
