#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""present.py HOLDFAST: what places that probe see turns the page within seconds, and turns it back; what an operator
has said stands against it; one place alone turns nothing. Speaks TAP; wants root.

Three places report to `holdfast serve` as `holdfast probe --run` does, by signed requests on loopback.
"""
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

EVERY_S = 2
WAIT_S = 25
KEY = "a-key-of-the-test-of-enough-octets"
PLACES = {"paris": 64496, "oslo": 64497, "rome": 64498}
CONFIG = """user: nobody
state_dir: {folder}/state
run_dir: {folder}/run
page: {{ title: Example, directory: {folder}/web/page, publish_every: 1h, measured: true }}
probes: {{ every: {every}s }}
public:
  listen: ["127.0.0.1:{port}"]
  vantages:
"""


class Stage(cases.Cases):
    def __init__(self, holdfast, folder):
        super().__init__(folder / "log")
        self.holdfast, self.folder = holdfast, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process, self.refused = None, []

    def run(self, *words):
        done = subprocess.run([self.holdfast, *words, "--config", self.folder / "c.yaml"], capture_output=True,
                              text=True, check=True, timeout=60)
        return done.stdout

    def start(self):
        (self.folder / "key").write_text(KEY + "\n", encoding="utf-8")
        (self.folder / "key").chmod(0o600)
        text = CONFIG.format(folder=self.folder, port=self.port, every=EVERY_S)
        text += "".join(f"    - {{ name: {name}, network: {network}, key_file: {self.folder}/key }}\n"
                        for name, network in PLACES.items())
        (self.folder / "c.yaml").write_text(text, encoding="utf-8")
        (self.folder / "state").mkdir()
        self.run("page", "component", "add", "web", "--name", "Website")
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([self.holdfast, "serve", "--config", self.folder / "c.yaml"], stdout=log,
                                            stderr=log)

    def report(self, failing):
        """A round of all three."""
        bucket = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() // 300 * 300))
        for name in PLACES:
            signals = [{"bucket": bucket, "component": "web", "kind": "probe", "good": int(name not in failing),
                        "bad": int(name in failing), "value": 5},
                       {"bucket": bucket, "component": "web", "kind": "canary", "good": 3, "bad": 0, "value": 5}]
            text = json.dumps({"schema": "holdfast.probe/1", "id": secrets.token_hex(16), "vantage": name,
                               "signals": signals})
            stamp = str(int(time.time()))
            sign = hmac.new(KEY.encode(), f"{stamp}.{text}".encode(), hashlib.sha256).hexdigest()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
            try:
                connection.request("POST", "/api/v1/probe", text, {
                    "Content-Type": "application/json", "Holdfast-Vantage": name, "Holdfast-Timestamp": stamp,
                    "Holdfast-Signature": sign})
                status = connection.getresponse().status
                if status != 204:
                    self.refused.append(status)
            finally:
                connection.close()

    def page(self):
        path = self.folder / "web/page/api/v2/components.json"
        page = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        return page["components"][0]["status"] if page and page["components"] else None

    def rounds(self, failing, wanted=None, seconds=WAIT_S):
        """Rounds until the page says so, at most so long; seconds until then, None where it never does."""
        began, due = time.monotonic(), 0.0
        while time.monotonic() < began + seconds:
            if time.monotonic() >= due:
                self.report(failing)
                due = time.monotonic() + EVERY_S
            if wanted and self.page() == wanted:
                return time.monotonic() - began
            time.sleep(0.1)
        return None


def play(stage):
    stage.start()
    until = time.monotonic() + WAIT_S
    while stage.page() is None and time.monotonic() < until:
        time.sleep(0.1)
    stage.expect("all is well at first", stage.page() == "operational", stage.page())
    stage.rounds([], seconds=4 * EVERY_S)
    stage.rounds(["paris"], seconds=5 * EVERY_S)
    stage.expect("one place alone turns nothing", stage.page() == "operational", stage.page())
    took = stage.rounds(PLACES, "degraded_performance")
    stage.expect("three turn the page within seconds", took is not None, stage.page())
    print(f"# after {took or -1:.1f} s", flush=True)
    stage.rounds([], seconds=EVERY_S)
    stage.expect("a round that goes well is not the end", stage.page() == "degraded_performance", stage.page())
    took = stage.rounds([], "operational")
    stage.expect("three are", took is not None and took >= EVERY_S, (took, stage.page()))
    print(f"# after {took or -1:.1f} s more", flush=True)
    stage.run("page", "component", "set", "web", "--status", "operational")
    stage.rounds(PLACES, seconds=4 * EVERY_S)
    stage.expect("what an operator said stands", stage.page() == "operational", stage.page())
    stage.expect("all that was reported was taken", not stage.refused, stage.refused)
    with contextlib.closing(sqlite3.connect(stage.folder / "state/holdfast.db")) as record:
        states = record.execute("SELECT status, source FROM component_state ORDER BY id").fetchall()
    stage.expect("the record says who said what", states == [
        ("degraded_performance", "measured"), ("operational", "measured"), ("operational", "operator")], states)


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP wants root")
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-present-"))
    folder.chmod(0o755)
    stage = Stage(os.path.abspath(sys.argv[1]), folder)
    try:
        play(stage)
    finally:
        if stage.process and stage.process.poll() is None:
            stage.process.terminate()
            stage.process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)
    return stage.close()


if __name__ == "__main__":
    sys.exit(main())
