#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py HOLDFAST: 'holdfast serve' from its beginning to its end: counts become an outage, the page turns, people
are told, a role that is killed comes back alone, a reload holds, nothing is left behind. Speaks TAP; wants root.
"""
import http.server
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

CONFIG = """user: nobody
state_dir: {folder}/state
run_dir: {folder}/run
page:
  title: Example
  directory: {folder}/web/page
  publish_every: 1h
  measured: {measured}
alerts:
  - {{ name: hook, type: webhook, url: "http://127.0.0.1:{port}/hook" }}
"""
BUCKET_S = 300
DAY_S = 86400
WAIT_S = 25


class Hook(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):  # noqa: N802
        Hook.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Stage(cases.Cases):
    def __init__(self, holdfast, folder):
        super().__init__(pathlib.Path(folder) / "log")
        self.holdfast, self.folder = holdfast, pathlib.Path(folder)
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.config = self.folder / "c.yaml"
        self.log = self.folder / "log"
        self.process = None

    def configure(self, measured="true", more=""):
        text = CONFIG.format(folder=self.folder, measured=measured, port=self.server.server_port)
        self.config.write_text(text + more, encoding="utf-8")

    def run(self, *words):
        done = subprocess.run([self.holdfast, *words, "--config", self.config], capture_output=True, text=True,
                              check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.holdfast, "serve", "--config", self.config], stdout=log, stderr=log)

    def wait(self, what, seconds=WAIT_S):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if what():
                return True
            time.sleep(0.1)
        return False

    def state(self):
        _, out, _ = self.run("status", "--json")
        return (json.loads(out) if out else {}).get("serve")

    def roles(self):
        state = self.state()
        return {role["name"]: role for role in state["roles"]} if state else {}

    def page(self):
        path = self.folder / "web/page/api/v2/components.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def component(self):
        page = self.page()
        return page["components"][0]["status"] if page and page["components"] else None


def processes(parent):
    """Those of a process, with their roles."""
    found = {}
    for path in pathlib.Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            line = (path / "cmdline").read_bytes().split(b"\0")
            status = (path / "status").read_text(encoding="utf-8")
        except OSError:
            continue
        if f"\nPPid:\t{parent}\n" in status:
            found[int(path.name)] = (line[2].decode() if len(line) > 2 else "", status)
    return found


def family(parent):
    """All that descends from it."""
    all_of_them = set()
    for pid in processes(parent):
        all_of_them |= {pid} | family(pid)
    return all_of_them


def alive(pids):
    return [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]


def write_reports(path):
    """Nine days with five reports a bucket, of which the last half hour has a hundred and more."""
    now = int(time.time()) // BUCKET_S * BUCKET_S
    lines = ["time,component,region,symptom,count"]
    for at in range(now - 9 * DAY_S, now, BUCKET_S):
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        count = 120 if at >= now - 6 * BUCKET_S else 4 + at // BUCKET_S % 3
        lines.append(f"{text},web,FR,cannot_reach,{count}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def put_probes(database, bad):
    """Three places see it as it is, for the last half hour and a week before."""
    now = int(time.time()) // BUCKET_S * BUCKET_S
    rows = []
    for network, vantage in enumerate(("paris", "oslo", "rome"), 64501):
        for at in [now - DAY_S] + list(range(now - 6 * BUCKET_S, now, BUCKET_S)):
            good, wrong = (0, 5) if bad and at >= now - 6 * BUCKET_S else (5, 0)
            rows.append((at * 10**9, "web", "probe", vantage, network, good, wrong, 20))
            rows.append((at * 10**9, "web", "canary", vantage, network, 5, 0, 0))
    with sqlite3.connect(database, timeout=10) as connection:
        connection.executemany("INSERT OR REPLACE INTO signal VALUES(?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()


def begins(stage):
    stage.configure()
    status, out, error = stage.run("status")
    stage.expect("status says that it does not run", status == 3 and "SERVE  not running" in out, (out, error))
    write_reports(stage.folder / "reports.csv")
    os.makedirs(stage.folder / "state")
    for words in (["page", "component", "add", "web", "--name", "Website"],
                  ["outage", "import", str(stage.folder / "reports.csv")]):
        status, out, error = stage.run(*words)
        stage.expect(" ".join(words[:2]), status == 0, (out, error))
    put_probes(stage.folder / "state/holdfast.db", True)
    stage.start()
    stage.expect("it begins", stage.wait(lambda: stage.roles().get("desk", {}).get("ready")), stage.state())
    children = processes(stage.process.pid)
    uid = pwd.getpwnam("nobody").pw_uid
    of_nobody = [f"\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status for _, status in children.values()]
    nothing = ("\nCapPrm:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n")
    without = [all(line in status for line in nothing) for role, status in children.values() if role == "desk"]
    stage.expect("its roles have no rights", of_nobody and all(of_nobody) and without == [True], children)
    own = pathlib.Path(f"/proc/{stage.process.pid}/status").read_text(encoding="utf-8")
    stage.expect("nor has it", "\nCapEff:\t0000000000000000\n" in own, own)


def turns(stage):
    good = stage.wait(lambda: stage.component() in ("partial_outage", "major_outage"))
    stage.expect("reports and probes turn the page", good, (stage.component(), stage.state()))
    mode = (stage.folder / "web/page/index.html").stat()
    stage.expect("it is for all to read", stat.S_IMODE(mode.st_mode) == 0o644, oct(mode.st_mode))
    stage.expect("people are told of the outage once",
                 stage.wait(lambda: any(said["alert"].get("outage") == "o1" for said in Hook.heard)) and
                 len([said for said in Hook.heard if said["alert"]["change"] == "began"]) == 1, Hook.heard)
    def says():
        out = stage.run("status")[1]
        return "desk up, messenger up" in out and "1 outage" in out and "; published" in out
    stage.expect("status says how it stands", stage.wait(says), stage.run("status"))
    status, out, error = stage.run("page", "component", "set", "web", "--status", "degraded_performance")
    good = stage.wait(lambda: stage.component() == "degraded_performance")
    stage.expect("what an operator says is on the page at once, and stands", status == 0 and good, (out, error))


def comes_back(stage):
    before = {role: pid for pid, (role, _) in processes(stage.process.pid).items()}
    heard = len(Hook.heard)
    os.kill(before["desk"], signal.SIGKILL)
    stage.expect("a desk that is killed comes back", stage.wait(
        lambda: stage.roles().get("desk", {}).get("restarts") == 1 and stage.roles()["desk"]["ready"] and
        stage.roles()["messenger"]["ready"]), stage.state())
    after = {role: pid for pid, (role, _) in processes(stage.process.pid).items()}
    os.kill(after["messenger"], signal.SIGKILL)
    stage.expect("a messenger, alone",
                 stage.wait(lambda: stage.roles()["messenger"]["ready"] and "messenger" in {
                     role for pid, (role, _) in processes(stage.process.pid).items() if pid != after["messenger"]}) and
                 {role: pid for pid, (role, _) in processes(stage.process.pid).items()}["desk"] == after["desk"],
                 (before, after, processes(stage.process.pid)))
    time.sleep(1.5)
    stage.expect("and nobody is told again", len(Hook.heard) == heard and stage.component() == "degraded_performance",
                 Hook.heard[heard:])


def free_port():
    with socket.socket() as at:
        at.bind(("127.0.0.1", 0))
        return at.getsockname()[1]


def connects(address):
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def reloads(stage):
    desk = [pid for pid, (role, _) in processes(stage.process.pid).items() if role == "desk"]
    stage.configure(more="nonsense: true\n")
    stage.process.send_signal(signal.SIGHUP)
    good = stage.wait(lambda: "is refused" in stage.log.read_text(encoding="utf-8"))
    stage.expect("a configuration that is wrong changes nothing", good and alive(desk) == desk, desk)
    stage.configure(measured="false")
    stage.process.send_signal(signal.SIGHUP)
    good = stage.wait(lambda: "is in force" in stage.log.read_text(encoding="utf-8"))
    stage.expect("one that is good is in force, by roles that are new",
                 good and not alive(desk) and stage.wait(lambda: stage.roles().get("desk", {}).get("ready")), desk)
    address = ("127.0.0.1", free_port())
    stage.configure(measured="false", more=f"public:\n  listen: [\"{address[0]}:{address[1]}\"]\n")
    stage.process.send_signal(signal.SIGHUP)
    stage.expect("it listens where a configuration says", stage.wait(lambda: connects(address)), address)
    stage.configure(measured="false")
    stage.process.send_signal(signal.SIGHUP)
    stage.expect("and no more where one does not", stage.wait(lambda: not connects(address)), address)
    stage.wait(lambda: stage.roles().get("desk", {}).get("ready"))
    status, out, error = stage.run("serve")
    stage.expect("there is one of it", status == 1 and "another holdfast runs" in error, (out, error))


def ends(stage):
    pids = family(stage.process.pid)
    began = time.monotonic()
    stage.process.send_signal(signal.SIGHUP)
    time.sleep(0.05)
    stage.process.terminate()  # which it does not forget over the reload
    code = stage.process.wait(timeout=20)
    stage.expect("it ends when it is asked to", code == 0 and time.monotonic() - began < 8, code)
    stage.expect("with all that it began", len(pids) >= 3 and stage.wait(lambda: not alive(pids), 5), alive(pids))
    stage.expect("and leaves no word behind that it runs", not (stage.folder / "run/serve.json").exists())
    stage.start()
    stage.expect("it begins again", stage.wait(lambda: stage.roles().get("desk", {}).get("ready")))
    pids = family(stage.process.pid)
    stage.process.kill()
    stage.process.wait(timeout=20)
    stage.expect("where it is killed, its roles end too", len(pids) >= 3 and stage.wait(lambda: not alive(pids), 5),
                 alive(pids))


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP wants root")
        return 0
    folder = tempfile.mkdtemp(prefix="holdfast-serve-")
    os.chmod(folder, 0o755)
    stage = Stage(os.path.abspath(sys.argv[1]), folder)
    try:
        for part in (begins, turns, comes_back, reloads, ends):
            part(stage)
    finally:
        if stage.process and stage.process.poll() is None:
            stage.process.kill()
            stage.process.wait(timeout=20)
        stage.server.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
    return stage.close()


if __name__ == "__main__":
    sys.exit(main())
