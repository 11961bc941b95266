#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""failsafe.py HOLDFAST SYNTH CLIENT ECHO PINS [--case NAME]...: what becomes of traffic when Holdfast itself is in
trouble. Speaks TAP, a case a row of CASES.

On the topology of range.py, without its budget, three steady streams of datagrams go from users to the platform:

    passed    to port 7, where an echo answers
    ruled     to port 9, which a rule has dropped
    blocked   to port 7, from addresses that are blocked

While they flow something happens to Holdfast. Counters of router and platform, not Holdfast's, then say what came
through: of the first stream all, of the others nothing, not one packet.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import attack
import range as field
import shield
from services import ECHO_PORT
from topology import (GUEST4, GUEST_SOURCES, GUESTS4, OPERATOR4, PLATFORM4, USER4, USER_SOURCES, USERS4,
                      RangeError, Topology, call, step_aside, wait_for)

RULED_PORT = 9
SSH_PORT = 22
VISITOR4 = "198.51.100.2"  # whence users connect who say no other
STREAM_PPS, STREAM_MS = 500, 60000  # and bounded, whatever becomes of us
UNIT = pathlib.Path(__file__).resolve().parents[2] / "dist" / "holdfast.service"

# Commands that together say what there is at the platform's interfaces.
TRACES = [
    "ip -d addr show up0", "ip -d link show box0", "tc qdisc show", "tc filter show dev up0 ingress",
    "tc filter show dev up0 egress", "nft --stateless list ruleset", "ip rule", "ip -6 rule", "ip route show table all",
    "ip -6 route show table all",
]

TABLE = """
table inet failsafe {{
	counter passed {{ }}
	counter ruled {{ }}
	counter blocked {{ }}
	chain every {{
		type filter hook {hook} priority raw;
		iifname "{end}" ip saddr {guests} udp dport {echo} counter name blocked return
		iifname "{end}" ip saddr {users} udp dport {ruled} counter name ruled return
		iifname "{end}" ip saddr {users} udp dport {echo} counter name passed
	}}
}}
"""


class Fault(Exception):
    """What a case found."""


def demand(truth, what):
    if not truth:
        raise Fault(what)


class Lab:
    def __init__(self, topology, scratch, arguments, notes):
        self.topology, self.scratch, self.arguments, self.notes = topology, scratch, arguments, notes
        for host, hook, end in (("router", "forward", "r-users"), ("platform", "prerouting", "up0")):
            topology.run(host, "nft", "-f", "-", text=TABLE.format(
                hook=hook, end=end, guests=GUESTS4, users=USERS4, echo=ECHO_PORT, ruled=RULED_PORT))
        with open(os.devnull, "wb") as nowhere:
            for port in (ECHO_PORT, SSH_PORT):
                topology.begin("platform", arguments.echo, port, stdout=nowhere, stderr=nowhere)
        wait_for("echo", 5, lambda: f":{SSH_PORT} " in topology.run("platform", "ss", "-Hltn"))
        self.number = 0

    @contextlib.contextmanager
    def daemon(self, state=None):
        """A Holdfast that has never been here before; afterwards none is left."""
        self.number += 1
        scratch = self.scratch / f"case{self.number}"
        scratch.mkdir(mode=0o755)
        before = self.trace()
        with shield.Daemon(self.topology, scratch, self.arguments.holdfast, state) as daemon:
            yield daemon
        self.traceless(before)

    def trace(self):
        """What somebody finds who looks for it at the platform."""
        return {command: self.topology.run("platform", *command.split()) for command in TRACES}

    def traceless(self, before):
        for command, said in self.trace().items():
            demand(said == before[command], f"{command}: was {before[command]!r}, is {said!r}")

    def defend(self, daemon, rest="10m"):
        """Running, enforcing, with a rule and a block."""
        daemon.start()
        daemon.tell("enforce")
        daemon.tell("block", "--match", f"udp and dst port {RULED_PORT}", "--for", rest)
        daemon.tell("block", GUESTS4, "--for", rest)

    def note(self, text):
        self.notes.append(text)

    def counters(self):
        found = {}
        for host in ("router", "platform"):
            said = json.loads(self.topology.run(host, "nft", "-j", "list", "counters", "table", "inet", "failsafe"))
            for entry in said["nftables"]:
                if "counter" in entry:
                    found[host, entry["counter"]["name"]] = entry["counter"]["packets"]
        return found

    def send(self, source, sources, port):
        return self.topology.begin(
            "users", self.arguments.client, "udp", PLATFORM4, port, f"rate={STREAM_PPS}", f"ms={STREAM_MS}",
            f"from={source}", f"sources={sources}", "timeout=200", tree=False, stdout=subprocess.PIPE, text=True,
        )

    @contextlib.contextmanager
    def streams(self, passes=("passed",)):
        """All three, from before the body begins until after it ends. Those that are to pass have to lose nothing, the
        others to lose all."""
        before = self.counters()
        began = time.monotonic()
        clients = {
            "passed": self.send(USER4, USER_SOURCES, ECHO_PORT),
            "ruled": self.send(USER4, USER_SOURCES, RULED_PORT),
            "blocked": self.send(GUEST4, GUEST_SOURCES, ECHO_PORT),
        }
        try:
            wait_for("streams", 5, lambda: all(
                self.counters()["router", name] > before["router", name] for name in clients))
            yield
            time.sleep(0.2)
            demand(all(client.poll() is None for client in clients.values()), "a stream ended before its time")
        finally:
            seconds = time.monotonic() - began
            for client in clients.values():
                client.terminate()
            for client in clients.values():
                client.communicate(timeout=20)
                self.topology.end(client)
        after = self.counters()
        for name in clients:
            sent, came = (after[host, name] - before[host, name] for host in ("router", "platform"))
            demand(sent > 0.3 * STREAM_PPS * seconds, f"{name}: only {sent} packets were sent in {seconds:.1f} s")
            wanted = sent if name in passes else 0
            demand(came == wanted, f"{name}: of {sent} packets {came} came through, not {wanted}")

    def check_now(self, passes=("passed",)):
        with self.streams(passes):
            time.sleep(0.3)


def roles(daemon):
    """Its processes, all of them; a fault says which is missing."""
    found = daemon.pids()
    demand(set(found) == {"parent", "loader", "engine", "recorder"}, f"running are {', '.join(found) or 'none'}")
    return found


def in_force(daemon):
    """Names of rules and blocked prefixes."""
    said = json.loads(daemon.tell("rules", "--json"))
    return sorted(rule["match"] for rule in said["rules"]), sorted(block["prefix"] for block in said["blocked"])


def still_defending(daemon, before):
    status = daemon.status()
    demand(status["mode"] == "enforce", f"the mode is {status['mode']}")
    now = in_force(daemon)
    demand(now == before, f"in force were {before}, and now are {now}")


def kill_role(role):
    def case(lab):
        with lab.daemon() as daemon:
            lab.defend(daemon)
            before, force = roles(daemon), in_force(daemon)
            with lab.streams():
                os.kill(before[role], signal.SIGKILL)
                began = time.monotonic()
                wait_for("new roles", 10, lambda: renewed(daemon, before))
                lab.note(f"all roles anew and ready {time.monotonic() - began:.2f} s after the {role} was killed")
            still_defending(daemon, force)
            demand(roles(daemon)["parent"] == before["parent"], "the parent is another")
    return case


def renewed(daemon, before):
    now = daemon.pids()
    status = daemon.status() if len(now) == 4 else None
    return status is not None and status["ready"] and all(now[role] != before[role] for role in
                                                          ("loader", "engine", "recorder"))


def kill_parent(lab):
    with lab.daemon() as daemon:
        lab.defend(daemon)
        force = in_force(daemon)
        with lab.streams():
            os.kill(roles(daemon)["parent"], signal.SIGKILL)
            wait_for("the end of its roles", 5, lambda: not daemon.pids())
            status = daemon.start()
        demand(status["origin"] == "taken_over", f"the new one says of the pinned maps: {status['origin']}")
        still_defending(daemon, force)


def kill_all(lab):
    with lab.daemon() as daemon:
        lab.defend(daemon)
        force = in_force(daemon)
        with lab.streams():
            for pid in roles(daemon).values():
                os.kill(pid, signal.SIGKILL)
            wait_for("their end", 5, lambda: not daemon.pids())
            time.sleep(1)  # nobody is there
            status = daemon.start()
        demand(status["origin"] == "taken_over", f"the new one says of the pinned maps: {status['origin']}")
        still_defending(daemon, force)


def restart(lab):
    """In peace: stop, start."""
    with lab.daemon() as daemon:
        lab.defend(daemon)
        force = in_force(daemon)
        with lab.streams():
            daemon.stop()
            demand(not daemon.pids(), "not all have ended")
            time.sleep(0.5)
            daemon.start()
        still_defending(daemon, force)


def full_disk(lab):
    disk = lab.scratch / "disk"
    disk.mkdir()
    call("mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", disk)
    try:
        with lab.daemon(disk / "state") as daemon:
            lab.defend(daemon)
            fill(disk)
            with lab.streams():
                for i in range(100):
                    began = time.monotonic()
                    daemon.tell("block", f"203.0.113.{i}", "--for", "10m")
                    demand(time.monotonic() - began < 2, "a block had to wait for the disk")
            full = daemon.status()["record"]
            lab.note(f"disk full: {full}")
            demand(full["state"] != "ok", "a full disk goes unnoticed")
            (disk / "ballast").unlink()
            wait_for("the record to go on", 20, lambda: is_recording(daemon))
            room = daemon.status()["record"]
            lab.note(f"room again: {room}")
            demand(room["written"] + room["lost"] >= full["written"] + 100, "what was done is neither written nor lost")
            # And to begin on a full disk.
            daemon.stop()
            fill(disk)
            daemon.start()
            lab.check_now()
    finally:
        call("umount", "-l", disk)


def is_recording(daemon):
    return daemon.status()["record"]["state"] == "ok"


def read_only_disk(lab):
    """As a file system is when it has met with an error: a shield without a record is still one."""
    disk = lab.scratch / "disk"
    disk.mkdir(exist_ok=True)
    call("mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "none", disk)
    try:
        for fresh in (True, False):
            with lab.daemon(disk / "state") as daemon:
                (disk / "state").mkdir(exist_ok=True)
                if not fresh:
                    lab.defend(daemon)
                    daemon.kill()
                os.chmod(disk / "state", 0o750)
                call("chown", "nobody:nogroup", disk / "state")
                call("mount", "-o", "remount,ro", disk)
                lab.defend(daemon)
                lab.check_now()
                wait_for("a word that nothing is recorded", 20, lambda daemon=daemon: not is_recording(daemon))
                call("mount", "-o", "remount,rw", disk)
                try:
                    wait_for("the record to go on", 20, lambda daemon=daemon: is_recording(daemon))
                except RangeError as error:
                    raise Fault(f"{error}: {daemon.status()['record']}: {daemon.said()}") from error
    finally:
        call("umount", "-l", disk)


def fill(disk):
    with contextlib.suppress(OSError), open(disk / "ballast", "wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def full_ring(lab):
    """The engine reads no samples, and a flood makes more of them than there is room for."""
    scenario = next(scenario for scenario in field.SCENARIOS if scenario.name == "udp_flood")
    capture = attack.prepare(scenario, lab.arguments.synth, lab.scratch)
    with lab.daemon() as daemon:
        daemon.config.write_text(daemon.text.replace("shield:", "shield:\n  sample_budget: 1000000"), encoding="utf-8")
        lab.defend(daemon)
        engine = roles(daemon)["engine"]
        os.kill(engine, signal.SIGSTOP)
        try:
            with lab.streams():
                flood = attack.replay(lab.topology, capture, 30000, 2.5)
                flood.wait(10)
                lab.topology.end(flood)
        finally:
            os.kill(engine, signal.SIGCONT)
        wait_for("the engine", 5, daemon.status)
        status = daemon.status()
        demand(status["samples"]["lost"] > 0, "no sample was lost: the ring was not full")
        lab.note(f"samples: {status['samples']}")
        lab.check_now()


def stopped_engine(lab):
    with lab.daemon() as daemon:
        lab.defend(daemon)
        force = in_force(daemon)
        before = roles(daemon)
        os.kill(before["engine"], signal.SIGSTOP)
        try:
            with lab.streams():
                time.sleep(2)
        finally:
            os.kill(before["engine"], signal.SIGCONT)
        wait_for("the engine", 5, daemon.status)
        still_defending(daemon, force)
        lab.check_now()


def bad_reload(lab):
    with lab.daemon() as daemon:
        lab.defend(daemon)
        before, force, size = roles(daemon), in_force(daemon), daemon.log.stat().st_size
        with lab.streams():
            daemon.config.write_text(daemon.text + "colour: red\nmode: fight\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for("a word on the bad file", 10, lambda: b"colour" in daemon.log.read_bytes()[size:])
        daemon.config.write_text(daemon.text, encoding="utf-8")  # commands read it too
        lab.note(daemon.log.read_bytes()[size:].decode().strip().replace("\n", " | "))
        still_defending(daemon, force)
        demand(roles(daemon) == before, "there are other processes")
        # A good one is taken.
        size = daemon.log.stat().st_size
        with lab.streams():
            daemon.config.write_text(daemon.text.replace("name: web", "name: shop"), encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for("the new name", 30, lambda: '"shop"' in daemon.tell("status", "--json"))
        still_defending(daemon, force)


def reloads_at_once(lab):
    """None is forgotten, and none takes another's answer away."""
    with lab.daemon() as daemon:
        daemon.start()
        parent = roles(daemon)["parent"]
        asking = [lab.topology.begin("platform", daemon.program, "reload", "--config", daemon.config, tree=False,
                                     stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(4)]
        for _ in range(20):
            os.kill(parent, signal.SIGHUP)
            time.sleep(0.005)
        for process in asking:
            demand(process.wait(5) in (0, 1), "a reload was not answered")
        wait_for("a reload that is carried out", 5, lambda: daemon.ask("reload")[0] == 0)
        # One that comes while nobody can carry it out is carried out then.
        daemon.config.write_text(daemon.text.replace("name: web", "name: shop"), encoding="utf-8")
        os.kill(roles(daemon)["loader"], signal.SIGKILL)
        os.kill(parent, signal.SIGHUP)
        wait_for("the new name", 30, lambda: '"shop"' in daemon.ask("status", "--json")[1])


def other_layout(lab):
    """The pinned maps are those of another version: rules and blocks come back from the record, the mode stays."""
    with lab.daemon() as daemon:
        lab.defend(daemon)
        force = in_force(daemon)
        daemon.stop()
        call(lab.arguments.pins, "layout", pin(daemon, "config"), 999)
        size = daemon.log.stat().st_size
        with lab.streams():
            status = daemon.start()
            lab.note(daemon.log.read_bytes()[size:].decode().strip().replace("\n", " | "))
            demand(status["origin"] == "replaced", f"of the pinned maps it says: {status['origin']}")
            still_defending(daemon, force)


def pin(daemon, name):
    found = list(daemon.bpffs.rglob(name))
    demand(len(found) == 1, f"{len(found)} pins are called {name}")
    return found[0]


def lock_out(lab):
    """Neither by a mistake nor by force is the operator kept out."""
    session = {"SSH_CONNECTION": f"{USER4} 40000 {PLATFORM4} {SSH_PORT}"}
    visitor = lab.topology.begin("users", "bash", "-c", f"exec 3<>/dev/tcp/{PLATFORM4}/{SSH_PORT} && sleep 60")
    wait_for("a visitor", 5, lambda: lab.topology.run("platform", "ss", "-Htn", f"sport = :{SSH_PORT}"))
    with lab.daemon() as daemon:
        daemon.start()
        daemon.tell("enforce")
        for words in (["block", USER4], ["block", f"{OPERATOR4}/32"], ["block", "198.51.100.0/24"],
                      ["block", "--match", f"tcp and dst port {SSH_PORT}"], ["block", "--match", "ip"],
                      ["block", USER4]):
            status, _, error = daemon.ask(*words, "--for", "1m", environment=session)
            demand(status == 1, f"{' '.join(words)}: exit {status}")
            lab.note(f"{' '.join(words)}: {error.strip()}")
        # Who is merely connected has no veto, or any attacker had one.
        daemon.tell("block", VISITOR4)
        daemon.tell("release", VISITOR4)
        lab.topology.end(visitor)
        demand(in_force(daemon) == ([], []), f"refused, and yet in force: {in_force(daemon)}")
        # What is refused to everybody is put into the maps behind its back.
        call(lab.arguments.pins, "cover", pin(daemon, "config"), pin(daemon, "rulesets"))
        demand(ask(lab, USER4, ECHO_PORT) == 0, "a rule that covers all lets users pass: the test tests nothing")
        demand(ask(lab, OPERATOR4, SSH_PORT) == 1, "the operator is locked out")
        demand(ask(lab, OPERATOR4, ECHO_PORT) == 0, "the guard is for all ports")


def ask(lab, source, port):
    """The share of ten connections that is served."""
    said = json.loads(lab.topology.run("users", lab.arguments.client, "tcp", PLATFORM4, port, "rate=100", "ms=100",
                                       f"from={source}", "timeout=500"))
    return said["answered"] / said["asked"]


def expiry(lab):
    """Nobody is left, and what was to end ends all the same."""
    with lab.daemon() as daemon:
        lab.defend(daemon, rest="6s")
        daemon.kill()
        lab.check_now()
        time.sleep(6)
        lab.check_now(passes=("passed", "ruled", "blocked"))


def unconfirmed(lab):
    with lab.daemon() as daemon:
        lab.defend(daemon)
        daemon.tell("enforce", "--confirm", "5s")
        daemon.kill()
        lab.check_now()
        time.sleep(5)
        lab.check_now(passes=("passed", "ruled", "blocked"))


def observe_without_daemon(lab):
    with lab.daemon() as daemon:
        lab.defend(daemon)
        daemon.kill()
        lab.check_now()
        daemon.tell("observe")
        lab.check_now(passes=("passed", "ruled", "blocked"))


def off(lab):
    """Nothing is left of it."""
    with lab.daemon() as daemon:
        before, pins = lab.trace(), set(daemon.bpffs.rglob("*"))  # a kernel may have put some of its own there
        lab.defend(daemon)
        demand(lab.trace() != before, "it leaves no trace while it runs: the test tests nothing")
        daemon.stop()
        lab.check_now()
        numbers = programs(lab)
        demand(len(numbers) == 2 and all(map(is_loaded, numbers)), f"programs at up0: {numbers}")
        daemon.tell("off")
        lab.traceless(before)
        demand(set(daemon.bpffs.rglob("*")) == pins, f"pinned was {pins}, and is {set(daemon.bpffs.rglob('*'))}")
        wait_for("the end of its programs", 5, lambda: not any(map(is_loaded, numbers)))
        lab.check_now(passes=("passed", "ruled", "blocked"))
        daemon.tell("off")  # there is nothing, and that is no error


def programs(lab):
    """Numbers of what is attached to the platform's interface: XDP, and the classifier of what goes out."""
    said = lab.topology.run("platform", "ip", "-d", "link", "show", "up0") + \
        lab.topology.run("platform", "tc", "filter", "show", "dev", "up0", "egress")
    return re.findall(r"\bid (\d+)", said)


def is_loaded(number):
    return subprocess.run(["bpftool", "prog", "show", "id", number], check=False, capture_output=True).returncode == 0


def as_the_service(lab):
    """The first start, with a state_dir that is not there, and the rights and the umask that the unit gives; then
    another."""
    unit = dict(line.split("=", 1) for line in UNIT.read_text(encoding="utf-8").splitlines() if line[:1].isalpha())
    rights = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in unit["CapabilityBoundingSet"].split())
    with lab.daemon() as daemon:
        daemon.lead = ["setpriv", f"--bounding-set=-all,{rights}", "--inh-caps=-all", "sh", "-c",
                       f"umask {unit['UMask']}; exec \"$@\"", "service"]
        lab.defend(daemon)
        lab.check_now()
        about = os.stat(daemon.state)
        demand(about.st_uid != 0 and about.st_mode & 0o777 == 0o750, f"state_dir has mode {about.st_mode:o}")
        daemon.stop()
        os.chmod(daemon.state, 0o700)
        daemon.start()
        demand(os.stat(daemon.state).st_mode & 0o777 == 0o750, "a mode that somebody changed is not set again")


CASES = [
    ("the loader is killed", kill_role("loader")),
    ("the engine is killed", kill_role("engine")),
    ("the recorder is killed", kill_role("recorder")),
    ("the parent is killed", kill_parent),
    ("all are killed at once", kill_all),
    ("a restart in peace", restart),
    ("the disk is full", full_disk),
    ("the ring of samples is full", full_ring),
    ("the engine is stopped", stopped_engine),
    ("a bad configuration is reloaded, then a good one", bad_reload),
    ("pinned maps are of another layout", other_layout),
    ("nobody is locked out", lock_out),
    ("blocks and rules expire with no process left", expiry),
    ("what nobody confirmed ends with no process left", unconfirmed),
    ("observe with no process left", observe_without_daemon),
    ("off leaves nothing", off),
    ("several reloads at once", reloads_at_once),
    ("the rights of the service, and no more", as_the_service),
    ("the disk can only be read", read_only_disk),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("holdfast", "synth", "client", "echo", "pins"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--case", action="append", default=[], help="a word of its name")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if not arguments.case or any(word in case[0] for word in arguments.case)]
    why = field.unable()
    if not why and not field.can_run(arguments):
        why = f"no daemon in {arguments.holdfast}"
    if not why:
        step_aside()
    print(f"1..{len(chosen)}", flush=True)
    if why:
        for number, (name, _) in enumerate(chosen, 1):
            print(f"ok {number} - {name} # SKIP {why}")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="holdfast-failsafe-") as folder, Topology() as topology:
        scratch, notes = pathlib.Path(folder), []
        scratch.chmod(0o755)
        lab = Lab(topology, scratch, arguments, notes)
        for number, (name, case) in enumerate(chosen, 1):
            notes.clear()
            wrong = ""
            try:
                case(lab)
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            failed += wrong != ""
            for line in notes + ([wrong] if wrong else []):
                print(f"# {line}", flush=True)
            print(f"{'not ' if wrong else ''}ok {number} - {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
