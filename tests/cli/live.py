#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""live.py HOLDFAST: the shield's commands, one after another, with the daemon and the kernel behind them. Speaks TAP.

    v0 192.0.2.1/24 ──── v1 192.0.2.2/24, in the namespace far, which sends packets to port 9000 of the other

All of it happens with networks, mounts, processes and a bpf file system of its own; nothing outside is touched. A step
is a row: what is typed, exit status, a pattern of what is said; or how many of the packets sent arrive; or what happens
to the daemon. Skipped where we are not root.
"""
import http.server
import os
import pathlib
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

SECONDS = 60
PACKETS = 20
DONE, BAD, USAGE, NO_DAEMON = 0, 1, 2, 3

# A part of the daemon may make no such system calls as the search for leaks makes when it ends.
SANITIZERS = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}
# Of this namespace alone: they go with it.
MOUNTS = ["mount -t tmpfs none /run", "mount -t tmpfs none /var/tmp", "mount -t bpf none /sys/fs/bpf"]
NETWORK = ["ip link set lo up", "ip netns add far", "ip link add v0 type veth peer name v1 netns far",
           "ip address add 192.0.2.1/24 dev v0", "ip link set v0 up", "ip -n far address add 192.0.2.2/24 dev v1",
           "ip -n far link set v1 up"]
SENDER = """
import socket, sys
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin:
    for _ in range(int(line)):
        out.sendto(b"x", ("192.0.2.1", 9000))
    print(flush=True)
"""
CONFIGURATION = """
shield: { interfaces: [v0], block_capacity: 4096 }
services: [ { name: web, addresses: [192.0.2.1], udp: [9000] } ]
run_dir: {place}/run
state_dir: {place}/state
bpffs_dir: /sys/fs/bpf/holdfast
"""

# Whom to tell: a web server that this test plays, the same with a certificate that nobody vouches for, with one of an
# authority that this host comes to trust, a script.
ALERTS = """
alerts:
  - { name: hook, type: webhook, url: "http://localhost:8125/in", key_file: {place}/key }
  - { name: tls, type: webhook, url: "https://localhost:8126/in", key_file: {place}/key }
  - { name: sure, type: webhook, url: "https://localhost:8127/in", key_file: {place}/key }
  - { name: fnm, type: script, script: {place}/notify }
"""
NOTIFY = """#!/bin/sh
echo "$1 $2 $3 $4 $(id -u)" >>{place}/told
"""

# ("type", words, exit status, pattern), ("send", arrive), ("wait", seconds), ("begin",), ("end", signal),
# ("write", file, text), ("look", shell, pattern), ("stop", role), ("go on", role),
# ("kill", role), ("mode", file, mode), ("serve",), ("posted", pattern)
STEPS = [
    ("type", "status", NO_DAEMON, "the daemon is not running"),
    ("type", "observe", BAD, "no shield is pinned there"),
    ("type", "doctor", DONE, "ok +pinned +nothing.*ok +v0 xdp +native"),
    ("type", "off", DONE, "there was nothing of the shield"),
    ("begin",),
    ("type", "doctor --json", DONE, '"pinned".*"programs",.*Holdfast'),
    ("type", "status", DONE, "MODE OBSERVE.*XDP  v0 native.*web .*BLOCKS  0 IPv4.*RECORD  ok"),
    ("send", PACKETS),
    ("type", "block 192.0.2.2 --for 10m --reason 'a test'", DONE, "blocked 192.0.2.2 until .*mode observe"),
    ("send", PACKETS),
    ("type", "status --json", DONE, f'"drop_block": {{\\s+"packets": {PACKETS},'),
    ("type", "enforce", DONE, "^enforcing"),
    ("send", 0),
    ("type", "status", DONE, "MODE ENFORCE.*BLOCKS  1 IPv4"),
    ("type", "rules", DONE, "BLOCKED.*192.0.2.2/32 .*Mode enforce"),
    ("type", "allow 192.0.2.0/30", DONE, "allowed 192.0.2.0/30"),
    ("send", PACKETS),
    ("type", "release 192.0.2.0/30", DONE, "it was on the allow list"),
    ("send", 0),
    ("type", "release 192.0.2.0/24", BAD, "neither blocked nor allowed"),
    ("type", "release 192.0.2.2", DONE, "it was on the block list"),
    ("send", PACKETS),
    # rules
    ("type", "block --match 'udp and dst port 9000' --observe", DONE, "^observed  udp and dst port 9000\nrule r1 "),
    ("send", PACKETS),
    ("type", "rules", DONE, f"r1 +drop, observed +{PACKETS} +{PACKETS} .*to 192.0.2.1/32\n +made .* by root"),
    ("type", "release r1", DONE, "^released r1\n$"),
    ("type", "release r1", BAD, "there is no rule r1"),
    ("type", "block --match 'udp and dst port 9000' --to 192.0.2.1 --for 3s", DONE, "rule r2 "),
    ("send", 0),
    ("wait", 3.2),
    ("send", PACKETS),
    ("type", "block 0.0.0.0/0", BAD, "^holdfast: block: 0.0.0.0/0: "),
    # files
    ("write", "list.txt", "192.0.2.2 # far\n198.51.100.0/24\n"),
    ("write", "broken.txt", "192.0.2.2\n198.51.100.0/240\n"),
    ("type", "block --file broken.txt", BAD, "broken.txt:2: "),
    ("send", PACKETS),
    ("type", "block --file list.txt", DONE, "blocked 2 prefixes"),
    ("send", 0),
    ("type", "release --file list.txt", DONE, "released 2 prefixes"),
    ("send", PACKETS),
    # a mode that ends by itself
    ("type", "observe", DONE, "^observing"),
    ("type", "block 192.0.2.2", DONE, "blocked"),
    ("type", "enforce --confirm 2s", DONE, "until .* unless confirmed\nkeep it: holdfast enforce"),
    ("send", 0),
    ("wait", 2.2),
    ("send", PACKETS),
    ("type", "enforce --confirm 2s", DONE, "unless confirmed"),
    ("type", "enforce", DONE, "^enforcing: "),
    ("wait", 2.2),
    ("send", 0),
    # configuration
    ("write", "holdfast.yaml", "colour: red\n"),
    ("type", "reload --config good.yaml", BAD, "holdfast.yaml:1:1: .*the old one stays"),
    ("write", "holdfast.yaml", CONFIGURATION),
    ("type", "reload", DONE, "^reloaded"),
    ("send", 0),
    # alerts
    ("serve",),
    ("write", "key", "s3cret\n"),
    ("write", "notify", NOTIFY),
    ("write", "told", ""),
    ("write", "holdfast.yaml", CONFIGURATION + ALERTS),
    ("type", "config check holdfast.yaml", BAD, "key: everybody may read it.*notify: is no program"),
    ("type", "reload", DONE, "^reloaded"),
    ("type", "alerts test hook", BAD, "the messenger does not run"),
    ("type", "status", DONE, "ALERTS  not running"),
    ("mode", "key", 0o600),
    ("mode", "notify", 0o755),
    ("mode", "told", 0o666),
    ("type", "config check holdfast.yaml", DONE, "good"),
    ("type", "reload", DONE, "^reloaded"),
    ("type", "alerts test hook", DONE, "^sent to hook: HTTP 200"),
    ("posted", r"^POST /in HTTP/1.1\n.*Authorization: Bearer s3cret\n.*Test of alerts to hook"),
    ("type", "alerts test tls", BAD, "certificate"),
    ("type", "alerts test sure", BAD, "certificate"),
    ("trust",),
    ("type", "alerts test tls", BAD, "certificate"),
    ("type", "alerts test sure", DONE, "^sent to sure: HTTP 200"),
    ("posted", r"^POST /in HTTP/1.1\n.*Authorization: Bearer s3cret\n.*Test of alerts to sure"),
    ("type", "alerts test fnm", DONE, "^sent to fnm: exit status 0"),
    ("type", "alerts test nobody", BAD, "no such target"),
    ("look", "cat /var/tmp/holdfast-live-*/told", r"^192.0.2.1 incoming 0 test [1-9]\d*\n$"),
    ("type", "status", DONE, "ALERTS  .*3 sent, 3 failed"),
    ("type", "status --json", DONE, '^((?!s3cret).)*"links": \\[\\s+{\\s+"name": "v0",((?!s3cret).)*$'),
    ("kill", "messenger"),
    ("wait", 1.5),
    ("type", "alerts test hook", DONE, "^sent to hook: HTTP 200"),
    ("type", "status --json", DONE, '"restarts": 0'),
    ("send", 0),
    ("write", "holdfast.yaml", CONFIGURATION),
    ("type", "reload", DONE, "^reloaded"),
    ("type", "status --json", DONE, '"alerts": null'),
    # with one that hangs
    ("stop", "engine"),
    ("type", "status", NO_DAEMON, "the daemon does not answer within 2 s.*MODE ENFORCE.*BLOCKS  1 IPv4"),
    ("type", "observe", DONE, "^observing: .*the daemon does not answer"),
    ("send", PACKETS),
    ("go on", "engine"),
    ("type", "status", DONE, "MODE OBSERVE"),
    ("type", "enforce", DONE, "^enforcing"),
    ("send", 0),
    # without the daemon
    ("end", signal.SIGKILL),
    ("send", 0),
    ("type", "status", NO_DAEMON,
     "MODE ENFORCE.*XDP  v0 native.*web .*BLOCKS  1 IPv4.*DAEMON  NOT RUNNING"),
    ("type", "status --json", NO_DAEMON, '"pid": null.*"mode": "enforce"'),
    ("type", "block 192.0.2.2", NO_DAEMON, "is not running"),
    ("type", "observe", DONE, "^observing: .*the daemon is not running"),
    ("send", PACKETS),
    ("begin",),
    ("type", "status", DONE, "MODE OBSERVE.*BLOCKS  1 IPv4"),
    ("type", "enforce", DONE, "enforcing"),
    ("send", 0),
    ("end", signal.SIGTERM),
    ("send", 0),
    ("type", "off", DONE, "^off: the shield is detached"),
    ("send", PACKETS),
    ("look", "ls -d /sys/fs/bpf/*; ip -d link show v0; tc qdisc show dev v0", r"^((?!/holdfast|prog/xdp|clsact).)*$"),
    ("type", "off", DONE, "there was nothing"),
    ("begin",),
    ("type", "rules", DONE, "no rules\n\nMode observe"),
    ("type", "off", DONE, "the daemon sees that, and ends"),
    ("ended",),
]


class Scene:
    def __init__(self, holdfast, place):
        self.holdfast, self.place = holdfast, place
        self.environment = {**os.environ, "HOLDFAST_CONFIG": str(place / "holdfast.yaml"), "COLUMNS": "100"}
        self.environment.pop("SSH_CONNECTION", None)
        for name in ("holdfast.yaml", "good.yaml"):
            self.write(name, CONFIGURATION)
        self.daemon = self.stopped = None
        self.request, self.servers = "", []
        self.log = open(place / "log", "w+", encoding="utf-8")
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind(("192.0.2.1", 9000))
        self.receiver.settimeout(0.2)
        self.sender = subprocess.Popen(["nsenter", "--net=/run/netns/far", sys.executable, "-c", SENDER],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self, name, text):
        (self.place / name).write_text(text.replace("{place}", str(self.place)), encoding="utf-8")
        return ""

    def type(self, words, status, pattern):
        done = subprocess.run([self.holdfast, *shlex.split(words)], cwd=self.place, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment, check=False,
                              timeout=SECONDS)
        good = done.returncode == status and re.search(pattern, done.stdout, re.DOTALL)
        return "" if good else f"exit {done.returncode}: {done.stdout}"

    def send(self, arrive):
        self.sender.stdin.write(f"{PACKETS}\n")
        self.sender.stdin.flush()
        self.sender.stdout.readline()
        came = 0
        try:
            while came < PACKETS:
                self.receiver.recv(16)
                came += 1
        except TimeoutError:
            pass
        return "" if came == arrive else f"{came} of {PACKETS} came"

    def wait(self, seconds):
        time.sleep(seconds)
        return ""

    def look(self, shell, pattern):
        said = subprocess.run(shell, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False, timeout=SECONDS).stdout
        return "" if re.search(pattern, said, re.DOTALL) else said

    def begin(self):
        self.daemon = subprocess.Popen([self.holdfast, "run"], stdin=subprocess.DEVNULL, stdout=self.log,
                                       stderr=subprocess.STDOUT, env={**self.environment, **SANITIZERS})
        for _ in range(100):
            time.sleep(0.1)
            if self.daemon.poll() is not None:
                break
            if not self.type("status --json", DONE, '"ready": true'):
                return ""
        self.log.seek(0)
        return self.log.read()

    def end(self, how):
        self.daemon.send_signal(how)
        status = self.daemon.wait(timeout=SECONDS)
        return "" if status == (0 if how == signal.SIGTERM else -how) else f"ended with {status}"

    def find(self, role):
        children = pathlib.Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text(encoding="ascii")
        words = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in children.split()}
        return next(int(pid) for pid, said in words.items() if role.encode() in said)

    def stop(self, role):
        """The kernel takes connections for it, and nobody answers."""
        self.stopped = self.find(role)
        os.kill(self.stopped, signal.SIGSTOP)
        return ""

    def kill(self, role):
        os.kill(self.find(role), signal.SIGKILL)
        return ""

    def mode(self, name, mode):
        os.chmod(self.place / name, mode)
        return ""

    def serve(self):
        """Web servers that say yes to everything; the latest request stands in self.request."""
        scene = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                scene.request = f"{self.requestline}\n{self.headers}{body}"
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        for port, pem in (8125, None), (8126, self.certificate("own")), (8127, self.certificate("vouched", "ca")):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
            if pem:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(f"{pem}.crt", pem)
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)
        return ""

    def certificate(self, name, authority=None):
        """A key and a certificate of localhost, its own or of an authority that is made for it."""
        make = shlex.split("openssl req -x509 -newkey rsa:2048 -nodes -days 2")
        pem, by = self.place / name, []
        if authority:
            ca = self.place / authority
            subprocess.run([*make, "-subj", "/CN=made for a test", "-keyout", ca, "-out", f"{ca}.crt"], check=True,
                           stderr=subprocess.DEVNULL)
            by = ["-CA", f"{ca}.crt", "-CAkey", ca]
        subprocess.run([*make, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", *by,
                        "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", pem, "-out", f"{pem}.crt"],
                       check=True, stderr=subprocess.DEVNULL)
        return pem

    def trust(self):
        """This host, as all in the mount namespace see it, trusts the authority, and nobody else."""
        os.chmod(self.place / "ca.crt", 0o644)
        subprocess.run(["mount", "--bind", self.place / "ca.crt", "/etc/ssl/certs/ca-certificates.crt"], check=True)
        return ""

    def posted(self, pattern):
        return "" if re.search(pattern, self.request, re.DOTALL) else self.request

    def go_on(self, _role):
        os.kill(self.stopped, signal.SIGCONT)
        return ""

    def ended(self):
        status = self.daemon.wait(timeout=SECONDS)
        return "" if status == 0 else f"ended with {status}"

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(timeout=SECONDS)
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.sender.stdin.close()
        self.sender.wait(timeout=SECONDS)
        self.receiver.close()
        self.log.close()


def inside(holdfast):
    for command in [*MOUNTS, *NETWORK]:
        subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
    failed = 0
    print(f"1..{len(STEPS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-live-", dir="/var/tmp") as place:
        os.chmod(place, 0o755)
        scene = Scene(holdfast, pathlib.Path(place))
        try:
            for number, (kind, *rest) in enumerate(STEPS, 1):
                wrong = getattr(scene, kind.replace(" ", "_"))(*rest)
                failed += wrong != ""
                name = " ".join(map(str, [kind, *rest[:1]])).splitlines()[0]
                print(f"{'not ' if wrong else ''}ok {number} - {name}", flush=True)
                for line in wrong.splitlines():
                    print(f"# {line}", flush=True)
        finally:
            scene.close()
    return 1 if failed else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--inside":
        return inside(sys.argv[2])
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    return cases.play_apart(__file__, sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
