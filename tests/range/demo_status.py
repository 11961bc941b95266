# SPDX-License-Identifier: Apache-2.0
"""The demo's public word: `holdfast serve` on a host of its own, two places elsewhere that probe, people who report.

Nothing here tells the page anything by hand: three places look at the site every two seconds (as operators would every
minute), people who cannot get in fill in the form of the page, nginx sends its access log. All of it is on one record
with what `holdfast run` finds.
"""
import json
import random
import re
import secrets
import signal
import subprocess
import threading
import time

from topology import HOMES, HOMES4, OSLO4, PARIS4, PLATFORM4, STATUS4, RangeError, wait_for

EVERY_S = 2
PLACES = {"paris": (64496, PARIS4), "oslo": (64497, OSLO4)}
LOG_PORT = 5514
PAGE = f"http://{STATUS4}"
START_S = 15
FORM_S = 2.3  # the form takes nobody for a person who is faster
A_PERSON_S = 0.5
WORDS = {"operational": "operational", "degraded_performance": "degraded", "partial_outage": "partial outage",
         "major_outage": "major outage", "under_maintenance": "maintenance"}

CONFIG = """
page:
  title: Example
  title_fr: Exemple
  url: {page}
  directory: {scratch}/web/page
  measured: true
public:
  listen: ["{status}:80"]
  vantages:
    - {{ name: paris, network: 64496, key_file: {scratch}/paris.key }}
    - {{ name: oslo, network: 64497, key_file: {scratch}/oslo.key }}
logs: [ {{ component: web, syslog: "{status}:{log_port}", from: [{platform}] }} ]
probes:
  vantage: status
  network: 64498
  every: {every}s
  checks: [ {{ name: front, component: web, target: "http://{platform}/", timeout: 1s }} ]
"""

ELSEWHERE = """
probes:
  vantage: {place}
  every: {every}s
  home: {page}
  key_file: {scratch}/{place}.key
  checks: [ {{ name: front, component: web, target: "http://{platform}/", timeout: 1s }} ]
"""


class Status:
    """The daemon and the places; `daemon` is the shield's (shield.py), whose configuration and record are shared. A
    context."""

    def __init__(self, topology, scratch, daemon):
        self.topology, self.scratch, self.daemon = topology, scratch, daemon
        self.log = scratch / "serve.log"
        self.running = []
        self.latest = None  # what the page says of the site, as it is read every half second
        self.ended = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)

    def __enter__(self):
        known = {"scratch": self.scratch, "page": PAGE, "status": STATUS4, "platform": PLATFORM4, "every": EVERY_S,
                 "log_port": LOG_PORT}
        for place in PLACES:
            key = self.scratch / f"{place}.key"
            key.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
            key.chmod(0o600)
            (self.scratch / f"{place}.yaml").write_text(ELSEWHERE.format(place=place, **known), encoding="utf-8")
        self.daemon.text += CONFIG.format(**known)
        self.daemon.config.write_text(self.daemon.text, encoding="utf-8")
        self.daemon.state.mkdir(exist_ok=True)
        self.daemon.tell("page", "component", "add", "web", "--name", "Website", "--name-fr", "Site web")
        self.begin("status", "serve", "--config", self.daemon.config)
        wait_for("holdfast serve", START_S, lambda: self.state() is not None)
        for place in PLACES:
            self.begin(place, "probe", "--run", "--config", self.scratch / f"{place}.yaml")
        self.latest = self.state()
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for process in reversed(self.running):
            self.topology.end(process, signal.SIGTERM)

    def begin(self, host, *words):
        with open(self.log, "ab") as log:
            self.running.append(self.topology.begin(host, self.daemon.program, *words, tree=False, stdout=log,
                                                    stderr=log))

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace").strip().replace("\n", " | ")[-600:]

    def get(self, path, source=None):
        """As anybody asks for it, from where users are. None where there is no answer."""
        done = subprocess.run([*self.topology.inside("users"), "curl", "--silent", "--max-time", "3",
                               *(["--interface", source] if source else []), PAGE + path], check=False,
                              capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def state(self):
        if self.running and self.running[0].poll() is not None:
            raise RangeError(f"holdfast serve: exit {self.running[0].returncode}: {self.said()}")
        try:
            return json.loads(self.get("/api/v2/components.json") or "")["components"][0]["status"]
        except (ValueError, LookupError):
            return None

    def read(self):
        while not self.ended.wait(0.5):
            try:
                self.latest = self.state() or self.latest
            except RangeError:
                return


class People:
    """At home, each with an address of a network of their own: they try the site, and who cannot get in says so by the
    form."""

    def __init__(self, topology):
        self.topology, self.lock, self.ended = topology, threading.Lock(), threading.Event()
        self.tried = self.failed = self.reported = 0
        self.threads = []
        lead = HOMES4.split("/", maxsplit=1)[0].split(".")
        self.homes = [f"{lead[0]}.{lead[1]}.{int(lead[2]) + i}.10" for i in range(HOMES)]
        random.Random(1).shuffle(self.homes)

    def curl(self, home, *words):
        done = subprocess.run([*self.topology.inside("users"), "curl", "--silent", "--interface", home, "--max-time",
                               "3", *words], check=False, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def come(self, home, language):
        site = self.curl(home, "--max-time", "1", f"http://{PLATFORM4}/")
        with self.lock:
            self.tried += 1
            self.failed += site is None
        if site is not None:
            return
        form = self.curl(home, f"{PAGE}/{language}/report")
        nonce = re.search(r'name="nonce" value="([0-9a-f]+)"', form or "")
        if not nonce or self.ended.wait(FORM_S):
            return
        said = self.curl(home, "--data", f"component=web&symptom=cannot_reach&region=FR&nonce={nonce[1]}",
                         f"{PAGE}/{language}/report")
        with self.lock:
            self.reported += "Thank you" in (said or "") or "Merci" in (said or "")

    def come_for(self, seconds):
        """So long, one after the other, each in a thread of their own."""
        def crowd():
            until = time.monotonic() + seconds
            for number, home in enumerate(self.homes):
                if time.monotonic() >= until or self.ended.wait(A_PERSON_S):
                    break
                person = threading.Thread(target=self.come, args=(home, "fr" if number % 2 else "en"), daemon=True)
                person.start()
                self.threads.append(person)
        leader = threading.Thread(target=crowd, daemon=True)
        leader.start()
        self.threads.append(leader)

    def leave(self):
        self.ended.set()
        for person in list(self.threads):
            person.join(8)
