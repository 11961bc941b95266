#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""live.py HOLDFAST SYNTH: the daemon under one attack, from its first packet to the record of it. Speaks TAP.

    v0 192.0.2.1/24 ──── v1 192.0.2.2/24, in the namespace far: a user who asks and is answered, and, by tcpreplay, what
                         synth says an NTP reflection is, every packet to 192.0.2.1

All of it happens with networks, mounts, processes and a bpf file system of its own; nothing outside is touched, and of
the attack there are at most RATE packets a second for SECONDS. Skipped where we are not root, or there is no tcpreplay.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

RATE, SECONDS = 5000, 60
WAIT = 30
PEACE = 10  # seconds, so that what is normal is known …
ASKED = 4500  # … and questions: a drop is proven safe by 3,000 that no rule hits
SANITIZERS = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}
MOUNTS = ["mount -t tmpfs none /run", "mount -t tmpfs none /var/tmp", "mount -t bpf none /sys/fs/bpf"]
NETWORK = ["ip link set lo up", "ip netns add far", "ip link add v0 type veth peer name v1 netns far",
           "ip link set v0 address 02:00:00:00:00:01", "ip address add 192.0.2.1/24 dev v0", "ip link set v0 up",
           "ip -n far address add 192.0.2.2/24 dev v1", "ip -n far link set v1 up"]
CONFIGURATION = """
mode: MODE
shield: { interfaces: [v0], block_capacity: 4096 }
services: [ { name: web, addresses: [192.0.2.1] } ]
run_dir: PLACE/run
state_dir: PLACE/state
bpffs_dir: /sys/fs/bpf/holdfast
"""
# Asks some hundred times a second, and says after each whether it was answered.
USER = """
import socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.settimeout(0.5)
while True:
    begun = time.monotonic()
    try:
        out.sendto(b"a question", ("192.0.2.1", 9000))
        out.recv(64)
        print(1, flush=True)
    except OSError:
        print(0, flush=True)
    time.sleep(max(0, 0.002 - (time.monotonic() - begun)))
"""
HEADER, RECORD = struct.Struct("<IHHiIII"), struct.Struct("<IIII")


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def aim(raw, labels, out):
    """Of synth's capture the attack, with every packet to 192.0.2.1; without checksums of UDP."""
    octets, marks = raw.read_bytes(), labels.read_bytes()
    kept, at, number = [octets[:HEADER.size]], HEADER.size, 0
    while at < len(octets):
        length = RECORD.unpack_from(octets, at)[2]
        head, frame = octets[at:at + RECORD.size], bytearray(octets[at + RECORD.size:at + RECORD.size + length])
        if 0x30 <= marks[number] <= 0x39:
            frame[:12] = bytes.fromhex("020000000001020000000002")
            frame[24:26], frame[30:34], frame[40:42] = b"\0\0", socket.inet_aton("192.0.2.1"), b"\0\0"
            frame[24:26] = struct.pack("!H", checksum(bytes(frame[14:34])))
            kept += [head, bytes(frame)]
        at += RECORD.size + length
        number += 1
    out.write_bytes(b"".join(kept))


class Scene:
    def __init__(self, holdfast, synth, place):
        self.holdfast, self.place = holdfast, place
        self.environment = {**os.environ, "HOLDFAST_CONFIG": str(place / "holdfast.yaml"), "COLUMNS": "100"}
        self.environment.pop("SSH_CONNECTION", None)
        self.log = open(place / "log", "w+", encoding="utf-8")
        self.daemon = self.attack = None
        subprocess.run([synth, "ntp_reflection", "--scale", "25", "-o", place / "raw.pcap", "--labels",
                        place / "labels"], check=True, stdout=subprocess.DEVNULL)
        aim(place / "raw.pcap", place / "labels", place / "attack.pcap")
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("192.0.2.1", 9000))
        threading.Thread(target=self.serve, daemon=True).start()
        self.user = subprocess.Popen(["nsenter", "--net=/run/netns/far", sys.executable, "-c", USER], text=True,
                                     stdout=subprocess.PIPE)
        self.answers = []
        threading.Thread(target=self.listen, daemon=True).start()

    def serve(self):
        while True:
            said, sender = self.server.recvfrom(64)
            if said == b"a question":
                self.server.sendto(said, sender)

    def listen(self):
        for line in self.user.stdout:
            self.answers.append((time.monotonic(), int(line)))

    def ask(self, words):
        done = subprocess.run([self.holdfast, *words.split()], cwd=self.place, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment, check=False,
                              timeout=WAIT)
        return done.returncode, done.stdout

    def status(self):
        code, said = self.ask("status --json")
        return json.loads(said) if code == 0 else {}

    def until(self, true_of, seconds=WAIT):
        """The first status of which it is true, and how long that took; or the last."""
        begun = time.monotonic()
        while True:
            status = self.status()
            if true_of(status) or time.monotonic() - begun > seconds:
                return status, time.monotonic() - begun
            time.sleep(0.02)

    def begin(self, mode):
        (self.place / "holdfast.yaml").write_text(
            CONFIGURATION.replace("PLACE", str(self.place)).replace("MODE", mode), encoding="utf-8")
        self.daemon = subprocess.Popen([self.holdfast, "run"], stdin=subprocess.DEVNULL, stdout=self.log,
                                       stderr=subprocess.STDOUT, env={**self.environment, **SANITIZERS})
        return self.until(lambda status: status.get("ready"))[0].get("ready")

    def end(self):
        self.daemon.terminate()
        return self.daemon.wait(timeout=WAIT)

    def flood(self):
        self.attack = subprocess.Popen(
            ["nsenter", "--net=/run/netns/far", "tcpreplay", "--intf1=v1", "--preload-pcap", "--loop=0",
             f"--pps={RATE}", f"--limit={RATE * SECONDS}", f"--duration={SECONDS}", "--quiet",
             self.place / "attack.pcap"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def calm(self):
        self.attack.terminate()
        self.attack.wait(timeout=WAIT)

    def peace(self):
        begun = time.monotonic()
        time.sleep(PEACE)
        while sum(answer for at, answer in self.answers if at > begun) < ASKED and time.monotonic() < begun + WAIT:
            time.sleep(0.1)

    def answered(self, since):
        """Share of the user's questions since then that were."""
        counted = [answer for at, answer in self.answers if at > since]
        return sum(counted) / len(counted) if counted else 0

    def close(self):
        for process in (self.attack, self.user, self.daemon):
            if process and process.poll() is None:
                process.terminate()
                process.wait(timeout=WAIT)
        self.log.close()


def rules_of(status):
    return [rule for attack in status.get("attacks", []) for rule in attack["rules"]]


def acting(status):
    return [rule for rule in rules_of(status) if rule["state"] == "enforced" and rule["dropped"] > 0]


def observing(scene):
    """In mode observe all of it is seen, and nothing is dropped."""
    yield "begins", scene.begin("observe")
    scene.peace()
    begun = time.monotonic()
    scene.flood()
    status, _ = scene.until(acting)
    yield "an attack is seen, with a rule that would drop", acting(status)
    seen = [(attack["vector"], attack["target"], attack["service"]) for attack in status["attacks"]]
    yield "what it is, and whom it hits", seen == [("ntp_reflection", "192.0.2.1/32", "web")]
    status = scene.until(lambda now: now["totals"]["would_drop"] > 1000)[0]
    yield "nothing is dropped", status["totals"]["dropped"] == 0 and status["totals"]["would_drop"] > 1000
    yield "the user is answered", scene.answered(begun) > 0.99
    scene.calm()
    yield "ends", scene.end() == 0
    yield "off", scene.ask("off")[0] == 0


def enforcing(scene):
    yield "begins again", scene.begin("enforce")
    scene.peace()
    scene.flood()
    begun = time.monotonic()
    status, took = scene.until(acting)
    yield f"a rule drops ({took:.2f} s)", acting(status) and took < 3
    time.sleep(2)
    before, at = scene.status()["totals"], time.monotonic()
    time.sleep(1)
    after = scene.status()
    came, dropped = (after["totals"][of] - before[of] for of in ("packets", "dropped"))
    came -= len([asked for asked, _ in scene.answers if asked > at])  # a busy machine sends less than RATE
    yield f"nearly all of it ({dropped} of {came})", came > 0.2 * RATE and dropped > 0.9 * came
    yield "the share that passes is known", after["attacks"][0]["passing_ppm"] < 20000
    yield "the user is answered", scene.answered(begun + 1) > 0.99
    yield "and known to be", after["users"]["answered_pps"] > 10 and after["users"]["lost_ppm"] == 0
    yield f"the engine keeps up ({after['engine']['lag_ms']} ms)", after["engine"]["lag_ms"] < 200

    # the engine dies, and what it did goes on
    rule = acting(after)[0]["id"]
    restarts = after["roles"]["restarts"]
    os.kill(after["roles"]["engine"], signal.SIGKILL)
    before = time.monotonic()
    status, _ = scene.until(lambda now: now.get("ready") and now["roles"]["restarts"] > restarts)
    yield "it comes back", status.get("ready")
    yield "the user was answered meanwhile", scene.answered(before) > 0.98
    status, _ = scene.until(lambda now: any(one["id"] == rule for one in acting(now)))
    yield f"{rule} is taken up again", any(one["id"] == rule for one in acting(status))

    # a person knows better
    for one in acting(status):
        yield f"{one['id']} is released", scene.ask(f"release {one['id']}")[0] == 0
    status, _ = scene.until(lambda now: now["attacks"] and not acting(now), 3)
    time.sleep(2)
    status = scene.status()
    yield "none is made again", status["attacks"] and not acting(status)
    yield "the attack passes", status["attacks"][0]["passing_ppm"] > 900000
    scene.calm()
    yield "ends", scene.end() == 0
    yield "what was learned is kept", (scene.place / "state" / "checkpoint").stat().st_size > 0
    kept = sorted(path.stem for path in (scene.place / "state" / "streams").glob("*.hfs"))
    told = sorted(path.stem for path in (scene.place / "state" / "incidents").glob("*.json"))
    yield f"so is each incident, with what it was seen by ({len(told)})", told and set(kept) <= set(told) and kept
    series = json.loads(scene.ask("incident latest --json")[1])["analysis"]["live"]["series"]
    users, lost, carried = (series[row] for row in ("answered_pps", "lost_pps", "link_bps"))
    yield "each second of users and links is kept", any(users) and any(carried) and not any(lost)
    page = scene.place / "report.html"
    done = scene.ask(f"report latest --html {page}")[0] == 0
    yield "and drawn", done and "Users and links meanwhile" in page.read_text()
    yield "off", scene.ask("off")[0] == 0


def inside(holdfast, synth):
    for command in [*MOUNTS, *NETWORK]:
        subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
    failed = count = 0
    with tempfile.TemporaryDirectory(prefix="holdfast-attack-", dir="/var/tmp") as place:
        os.chmod(place, 0o755)
        scene = Scene(holdfast, synth, pathlib.Path(place))
        try:
            for act in (observing, enforcing):
                for name, good in act(scene):
                    count += 1
                    failed += not good
                    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
                    if not good:
                        scene.log.seek(0)
                        said = json.dumps(scene.status(), indent=1) + "\n" + scene.log.read()
                        for line in said.splitlines():
                            print(f"# {line}", flush=True)
        finally:
            scene.close()
    print(f"1..{count}")
    return 1 if failed else 0


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--inside":
        return inside(*sys.argv[2:])
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0 or not shutil.which("tcpreplay"):
        print("1..0 # SKIP needs root, and tcpreplay")
        return 0
    return subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--propagation", "private",
                           sys.executable, os.path.abspath(__file__), "--inside",
                           *map(os.path.abspath, sys.argv[1:])], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
