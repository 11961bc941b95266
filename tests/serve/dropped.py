#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dropped.py HOLDFAST: reports of users whom the shield is dropping, from the order to what is told.

    v0 192.0.2.1/24    ──── v1 192.0.2.2/24     shielded by 'holdfast run'
    w0 198.51.100.1/24 ──── w1 198.51.100.2/24  another way in, which is not; 'holdfast serve' listens there

v1 and w1 are in the namespace far. A block is ordered of w1's network: what comes of it by v0 is dropped, and its user
reports by the other way. A rule drops what v1 sends, and its user reports through a proxy; and a client there that was
known asks in vain. All of it with networks, mounts, processes and a bpf file system of its own; nothing outside is
touched. Speaks TAP; wants root.
"""
import contextlib
import html
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

PORT, GREETER = 18080, 9001
BUCKET_S, DAY_S = 300, 86400
WAIT_S = 30
FILLED_S = 2.1  # so long a person fills in a form at least: more than INTAKE_NONCE_EARLY_S
FORM = "application/x-www-form-urlencoded"
MOUNTS = ["mount -t tmpfs none /run", "mount -t tmpfs none /var/tmp", "mount -t bpf none /sys/fs/bpf"]
NETWORK = ["ip link set lo up", "ip netns add far", "ip link add v0 type veth peer name v1 netns far",
           "ip link add w0 type veth peer name w1 netns far",
           "ip address add 192.0.2.1/24 dev v0", "ip link set v0 up",
           "ip address add 198.51.100.1/24 dev w0", "ip link set w0 up",
           "ip -n far address add 192.0.2.2/24 dev v1", "ip -n far link set v1 up",
           "ip -n far address add 198.51.100.2/24 dev w1", "ip -n far link set w1 up"]
CONFIG = """user: nobody
shield: {{ interfaces: [v0], block_capacity: 4096 }}
services: [ {{ name: web, addresses: [192.0.2.1], udp: [9000], tcp: [{greeter}] }} ]
trusted_proxies: [127.0.0.0/8]
state_dir: {place}/state
run_dir: {place}/run
bpffs_dir: /sys/fs/bpf/holdfast
page: {{ title: Example, directory: {place}/web/page, publish_every: 1h }}
public: {{ listen: ["127.0.0.1:{port}", "198.51.100.1:{port}"], component: web{more} }}
"""
# A part of a daemon may make no such system calls as the search for leaks makes when it ends.
SANITIZERS = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}


def ask(host, method, path, body=None, **fields):
    connection = http.client.HTTPConnection(host, PORT, timeout=WAIT_S)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in fields.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def report(host, count, source=""):
    """Sends so many; the statuses."""
    fields = {"X_Forwarded_For": source} if source else {}
    nonces = [re.search('name="nonce" value="([0-9a-f]+)"', ask(host, "GET", "/report", **fields)[1])[1]
              for _ in range(count)]
    time.sleep(FILLED_S)
    return [ask(host, "POST", "/report", f"component=web&symptom=cannot_reach&nonce={nonce}", Content_Type=FORM,
                **fields)[0] for nonce in nonces]


class Stage(cases.Cases):
    def __init__(self, holdfast, place):
        super().__init__(place / "log")
        self.holdfast, self.place = holdfast, place
        self.log = open(place / "log", "w", encoding="utf-8")
        self.daemons = {}
        self.expected = [0, 0]  # reports that are known, of them shielded

    def configure(self, more=""):
        text = CONFIG.format(place=self.place, port=PORT, greeter=GREETER, more=more)
        (self.place / "c.yaml").write_text(text, encoding="utf-8")

    def run(self, words, *more):
        done = subprocess.run([self.holdfast, *shlex.split(words), *more, "--config", str(self.place / "c.yaml")],
                              capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def order(self, words):
        status, out, error = self.run(words)
        self.expect(words, status == 0, out + error)

    def begin(self, which):
        self.daemons[which] = subprocess.Popen([self.holdfast, which, "--config", str(self.place / "c.yaml")],
                                               stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                               env={**os.environ, **SANITIZERS})

    def end(self, which):
        self.daemons[which].terminate()
        return self.daemons.pop(which).wait(WAIT_S)

    def wait(self, what):
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
                if what():
                    return True
            time.sleep(0.2)
        return False

    def public(self):
        """Its counters, and how it stands."""
        state = json.loads(self.run("status --json")[1])["serve"]
        role = next(role for role in state["roles"] if role["name"] == "public")
        return {**role["counters"], "state": role["state"]}

    def list(self):
        """Of the file: the head's words, and the prefixes."""
        head, *lines = (self.place / "state/dropped").read_text(encoding="utf-8").splitlines()
        return head.split(), lines

    def listed(self, *lines):
        """Whether it comes to hold those alone, and the public role has it."""
        count = sum(not line.startswith("!") for line in lines)
        return self.wait(lambda: self.list()[1] == list(lines) and self.public()["dropped_prefixes"] == count and
                         self.public()["dropped_lists"] > 0)

    def report(self, what, statuses, shielded):
        """Reports that were sent are on record as what they are."""
        self.expected[0] += len(statuses)
        self.expected[1] += shielded
        found = None
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and found != tuple(self.expected):
            time.sleep(0.3)
            with contextlib.suppress(sqlite3.Error):
                found = self.sums("SELECT sum(raw), sum(shielded) FROM report_count WHERE region = ''")
        self.expect(what, found == tuple(self.expected) and all(status == 200 for status in statuses),
                    (statuses, found, self.expected))

    def sums(self, question):
        with contextlib.closing(sqlite3.connect(self.place / "state/holdfast.db", timeout=10)) as database:
            return database.execute(question).fetchone()


def write_reports(path):
    """Nine days with five reports a bucket, of which the last half hour has a hundred and more."""
    now = int(time.time()) // BUCKET_S * BUCKET_S
    lines = ["time,component,region,symptom,count"]
    for at in range(now - 9 * DAY_S, now + BUCKET_S, BUCKET_S):
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        lines.append(f"{text},web,FR,cannot_reach,{120 if at > now - 6 * BUCKET_S else 4 + at // BUCKET_S % 3}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def greet_all(listener):
    while True:
        one = listener.accept()[0]
        one.sendall(b"hello")
        one.close()


def from_far(words):
    """What a program in the namespace far says."""
    return subprocess.run(["nsenter", "--net=/run/netns/far", sys.executable, __file__, *words], check=False, text=True,
                          stdout=subprocess.PIPE, timeout=60).stdout


def begins(stage):
    write_reports(stage.place / "reports.csv")
    stage.order("page component add web --name Website")
    stage.order(f"outage import {stage.place}/reports.csv")
    stage.begin("run")
    stage.expect("the shield is there", stage.wait(lambda: stage.run("status --json")[1].find('"ready": true') > 0))
    stage.order("enforce")
    stage.begin("serve")
    stage.expect("the form is there", stage.wait(lambda: ask("198.51.100.1", "GET", "/report")[0] == 200))
    stage.expect("nobody is dropped, and that is known", stage.listed(), stage.public())
    mode = (stage.place / "state/dropped").stat()
    stage.expect("the list is not for all to read", mode.st_mode & 0o777 == 0o640 and mode.st_uid == 65534, mode)
    stage.expect("a client gets in, and is known from then on", from_far(["--greet", "192.0.2.1"]) == "yes\n")
    stage.report("a report by the other way counts", json.loads(from_far(["--report", "198.51.100.1", "1"])), 0)


def blocked(stage):
    stage.order("block 198.51.100.0/25 --for 10m")
    stage.order("allow 198.51.100.9")
    stage.expect("what is blocked is listed, and what is allowed",
                 stage.listed("198.51.100.0/25", "!127.0.0.0/8", "!198.51.100.9/32"), stage.list())
    stage.expect("by the shielded way it does not come in",
                 from_far(["--connect", "192.0.2.1", "198.51.100.2"]) == "no\n" and
                 from_far(["--connect", "198.51.100.1", "198.51.100.2"]) == "yes\n")
    stage.report("reports of who is blocked are apart", json.loads(from_far(["--report", "198.51.100.1", "12"])), 12)
    stage.report("those of who is allowed are not", report("127.0.0.1", 1, "198.51.100.9"), 0)
    stage.report("nor those of others, through a proxy", report("127.0.0.1", 1, "203.0.113.5"), 0)
    stage.report("through a proxy a blocked one is told, too", report("127.0.0.1", 1, "198.51.100.77"), 1)


def ruled_out(stage):
    stage.expect("a client that is known gets in", from_far(["--greet", "192.0.2.1"]) == "yes\n")
    stage.order(f"block --match 'tcp and dst port {GREETER}' --to 192.0.2.1 --for 10m")
    stage.asks = subprocess.Popen(["nsenter", "--net=/run/netns/far", sys.executable, __file__, "--greet", "192.0.2.1"],
                                  stdout=subprocess.PIPE, text=True)
    stage.order("block --match 'udp and dst port 9000' --to 192.0.2.1 --for 10m")
    from_far(["--send", "192.0.2.1"])
    stage.expect("whom a rule drops is listed, as samples show it",
                 stage.listed("192.0.2.2/32", "198.51.100.0/25", "!127.0.0.0/8", "!198.51.100.9/32"), stage.list())
    stage.report("and reports of it are apart", report("127.0.0.1", 1, "192.0.2.2"), 1)
    found = stage.sums("SELECT sum(good), sum(bad) FROM signal WHERE kind = 'filtered' AND component = 'web'")
    stage.expect("how many were refused is a signal", found == (3, 14), found)
    said = stage.run("status")[1]
    stage.expect("status tells of it", re.search(
        "17 reports; 14 of users or browsers left out whom the shield was dropping; its list has 2", said), said)


def told(stage):
    """Of the present bucket nothing is told before it is over: in a copy all of the counts are ten minutes older."""
    copy = str(stage.place / "copy.db")
    stage.end("serve")
    with contextlib.closing(sqlite3.connect(stage.place / "state/holdfast.db")) as record, \
            contextlib.closing(sqlite3.connect(copy)) as database:
        record.backup(database)
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND "
                                        "tbl_name IN ('report_count', 'signal')").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for table in ("report_count", "signal"):
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            older = ", ".join(f"bucket_ns - {2 * BUCKET_S * 10**9}" if name == "bucket_ns" else name
                              for name in columns)
            database.execute(f"CREATE TEMP TABLE older AS SELECT {older} FROM {table}")
            database.execute(f"DELETE FROM {table}")
            database.execute(f"INSERT INTO {table} SELECT * FROM older")
            database.execute("DROP TABLE older")
        database.commit()
    status, out, error = stage.run("outage reckon", "--record", copy)
    stage.expect("the outage is reckoned", status == 0, out + error)
    out = re.sub(r"\s+", " ", stage.run("outage show latest", "--record", copy)[1])
    stage.expect("it tells which part of its reports came from whom the shield was dropping",
                 re.search(r"Of \d+ reports that came 14 were left out: the shield was dropping their sources "
                           r"\(1\.\d+ %\)", out), out)
    stage.expect("and that it was our own filter", "Our own filter had refused the users that reported." in out, out)
    outage = json.loads(stage.run("outage show latest --json", "--record", copy)[1])
    text = json.dumps(outage)
    stage.expect("as JSON, too", '"shielded": 14' in text and '"own_filter"' in text, text[:2000])
    picture = html.unescape(re.sub(r"<[^>]*>", "", stage.run("outage show latest --html -", "--record", copy)[1]))
    stage.expect("and on the picture of attack, defence and harm",
                 re.search(r"Of the \d+ reports that came, 1\.\d+\s% came from sources that the shield was dropping",
                           picture), picture[-3000:])


def a_list(since_s):
    """Made so long ago, of five minutes, with 203.0.113.0/24."""
    made, until = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + s)) for s in (since_s, since_s + 300)]
    return f"holdfast.dropped/1 made {made} until {until} dropped 1 passing 0 left_out 0\n203.0.113.0/24\n"


def over(stage):
    stage.begin("serve")
    stage.expect("a role that begins anew has the list", stage.listed(
        "192.0.2.2/32", "198.51.100.0/25", "!127.0.0.0/8", "!198.51.100.9/32"), stage.list())
    stage.order("release 198.51.100.0/25")
    stage.expect("who is let go is listed no more", stage.listed("192.0.2.2/32", "!127.0.0.0/8", "!198.51.100.9/32"),
                 stage.list())
    stage.report("and counts again", json.loads(from_far(["--report", "198.51.100.1", "1"])), 0)
    stage.order("observe")
    stage.expect("who only observes drops nobody", stage.listed(), stage.list())
    stage.expect("who asked in vain was told nothing", stage.asks.communicate()[0] == "no\n")
    stage.end("run")
    found = stage.sums("SELECT sum(good), sum(bad) FROM signal WHERE kind = 'handshakes' AND component = 'web'")
    stage.expect("of known clients, one connection came about, and one failed", found == (1, 1), found)
    (stage.place / "state/dropped").write_text(a_list(-600), encoding="ascii")
    stage.expect("a list that has ended is told", stage.wait(
        lambda: stage.public()["state"].startswith("whom the shield is dropping is not known")), stage.public())
    stage.report("and keeps nobody from counting", report("127.0.0.1", 1, "203.0.113.5"), 0)
    stage.expect("which is counted", stage.wait(lambda: stage.public()["dropped_stale"] == 1), stage.public())


def from_elsewhere(stage):
    """As if another host's list were copied here, at first by halves."""
    folder = stage.place / "elsewhere"
    folder.mkdir()
    stage.configure(f", dropped: {folder}/list")
    stage.daemons["serve"].send_signal(signal.SIGHUP)
    stage.expect("that there is none where one is to be is told", stage.wait(
        lambda: stage.public()["state"] == "whom the shield is dropping cannot be read: No such file or directory"),
        stage.public())
    (folder / "list").write_text(a_list(0)[:-1], encoding="ascii")
    stage.expect("nor is half of one taken", stage.wait(
        lambda: stage.public()["state"].startswith("whom the shield is dropping cannot be read: line 2")),
        stage.public())
    (folder / "list.new").write_text(a_list(0), encoding="ascii")
    (folder / "list.new").rename(folder / "list")
    stage.expect("one that is whole is", stage.wait(
        lambda: stage.public()["dropped_prefixes"] == 1 and stage.public()["state"] == "ok"), stage.public())
    stage.report("and holds", report("127.0.0.1", 1, "203.0.113.5"), 1)


def play(holdfast):
    for command in [*MOUNTS, *NETWORK]:
        subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
    greeter = socket.create_server(("192.0.2.1", GREETER))
    threading.Thread(target=greet_all, args=(greeter,), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="holdfast-dropped-", dir="/var/tmp") as folder:
        place = pathlib.Path(folder)
        place.chmod(0o755)
        for name in ("state", "web"):
            (place / name).mkdir()
            os.chown(place / name, 65534, 65534)
        stage = Stage(holdfast, place)
        stage.configure()
        try:
            for part in (begins, blocked, ruled_out, told, over, from_elsewhere):
                part(stage)
        finally:
            for daemon in stage.daemons.values():
                daemon.send_signal(signal.SIGTERM)
            for daemon in stage.daemons.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    daemon.wait(WAIT_S)
                daemon.kill()
            stage.log.close()
    return stage.close()


def send(target):
    """Twenty packets in four seconds."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(20):
        out.sendto(b"x", (target, 9000))
        time.sleep(0.2)
    return 0


def greet(target):
    """For as long as it takes to ask four times."""
    try:
        with socket.create_connection((target, GREETER), timeout=9) as one:
            print("yes" if one.recv(9) == b"hello" else "what?")
    except TimeoutError:
        print("no")
    return 0


def connect(target, source):
    try:
        socket.create_connection((target, PORT), timeout=2, source_address=(source, 0)).close()
        print("yes")
    except TimeoutError:
        print("no")
    return 0


def main():
    words = sys.argv[1:]
    if words[0] == "--report":
        print(json.dumps(report(words[1], int(words[2]))))
        return 0
    if words[0] == "--send":
        return send(words[1])
    if words[0] == "--greet":
        return greet(words[1])
    if words[0] == "--connect":
        return connect(*words[1:])
    if words[0] == "--inside":
        return play(words[1])
    if os.geteuid() != 0:
        print("1..0 # SKIP wants root")
        return 0
    return cases.play_apart(__file__, words[0])


if __name__ == "__main__":
    sys.exit(main())
