#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""logs.py HOLDFAST: a real nginx on loopback writes its log, has it rotated as logrotate does it, and sends it by
syslog, while 'holdfast serve' reads it: each answer counts once, over rotations and a restart. Speaks TAP.

Skipped where we are not root, or there is no nginx.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

HOLDFAST = os.path.abspath(sys.argv[1])
WAIT = 20
NGINX = """
pid {place}/nginx.pid;
error_log {place}/nginx.log;
worker_processes 2;
events {{ worker_connections 64; }}
http {{
	log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
	                 '"$http_user_agent" $request_time';
	access_log {place}/logs/access.log timed;
	access_log syslog:server=127.0.0.1:{syslog},tag=edge timed;
	client_body_temp_path {place}/body;
	proxy_temp_path {place}/proxy;
	fastcgi_temp_path {place}/fastcgi;
	uwsgi_temp_path {place}/uwsgi;
	scgi_temp_path {place}/scgi;
	server {{
		listen 127.0.0.1:{port};
		location / {{ return 200 "good\\n"; }}
		location /bad {{ return 503; }}
	}}
}}
"""
CONFIGURATION = """
user: nobody
state_dir: {place}/state
run_dir: {place}/run
logs:
  - {{ component: web, file: {place}/logs/access.log }}
  - {{ component: wire, syslog: "127.0.0.1:{syslog}" }}
"""


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def wait_for(what, done):
    until = time.monotonic() + WAIT
    while not done():
        assert time.monotonic() < until, f"waited {WAIT} s for {what}"
        time.sleep(0.1)


class Site:
    def __init__(self, place):
        self.place, self.port, self.syslog = place, free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
        self.sent, self.serve, self.log = 0, None, os.path.join(place, "logs/access.log")
        os.makedirs(os.path.join(place, "logs"))
        for name, text in (("nginx.conf", NGINX), ("h.yaml", CONFIGURATION)):
            with open(os.path.join(place, name), "w", encoding="utf-8") as out:
                out.write(text.format(place=place, port=self.port, syslog=self.syslog))
        self.nginx = subprocess.Popen(["nginx", "-g", "daemon off;", "-c", os.path.join(place, "nginx.conf")])
        wait_for("nginx", self.answers)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def ask(self, count):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        for _ in range(count):
            self.sent += 1
            link.request("GET", "/bad" if self.sent % 5 == 0 else "/")
            link.getresponse().read()
        link.close()

    def begin(self):
        out = open(os.path.join(self.place, "out"), "a+", encoding="utf-8")
        self.serve = subprocess.Popen([HOLDFAST, "serve", "--config", os.path.join(self.place, "h.yaml")],
                                      stdout=out, stderr=out)
        self.out = out
        began = out.tell()
        wait_for("serve", lambda: "ready" in self.said(began))
        time.sleep(1)

    def said(self, since):
        with open(os.path.join(self.place, "out"), encoding="utf-8") as text:
            text.seek(since)
            return text.read()

    def end(self):
        self.serve.send_signal(signal.SIGTERM)
        assert self.serve.wait(WAIT) == 0, self.said(0)
        self.out.close()

    def counted(self, component):
        """Answers, and those of 5xx: on record, and in buckets that are not over."""
        with open(os.path.join(self.place, "state/reader/places"), encoding="utf-8") as text:
            kept = json.load(text)
        record = sqlite3.connect(os.path.join(self.place, "state/holdfast.db"))
        good, bad = record.execute("SELECT coalesce(sum(good), 0), coalesce(sum(bad), 0) FROM signal "
                                   "WHERE component = ? AND kind = 'edge_5xx'", (component,)).fetchone()
        record.close()
        buckets = [b for b in kept["buckets"] if b["component"] == component]
        waiting = [s for s in kept["signals"] if s["component"] == component and s["kind"] == "edge_5xx"]
        return (good + bad + sum(b["answers"] for b in buckets) + sum(s["good"] + s["bad"] for s in waiting),
                bad + sum(b["bad"] for b in buckets) + sum(s["bad"] for s in waiting))

    def reopen(self):
        self.nginx.send_signal(signal.SIGUSR1)


def each_answer_counts_once(site):
    site.ask(10)  # before anybody read: not counted
    before = site.sent
    site.begin()
    site.ask(20)
    # rename, go on with the old one, create, USR1
    os.rename(site.log, site.log + ".1")
    site.ask(20)
    site.reopen()
    time.sleep(0.5)
    site.ask(20)
    time.sleep(7)  # the old one is given up once it has been still for five seconds
    # copytruncate
    site.ask(20)
    time.sleep(1.2)
    shutil.copyfile(site.log, site.log + ".1")
    os.truncate(site.log, 0)
    site.ask(20)
    time.sleep(1.2)
    # while the roles begin anew what comes by syslog waits
    for _ in range(3):
        site.serve.send_signal(signal.SIGHUP)
        for _ in range(10):
            site.ask(2)
            time.sleep(0.05)
    time.sleep(1.5)
    heard = site.sent  # by syslog, which nobody hears now
    site.end()
    # while nobody reads: more, and another rotation
    site.ask(10)
    os.rename(site.log, site.log + ".1")
    site.reopen()
    time.sleep(0.3)
    site.ask(10)
    site.begin()
    deaf = site.sent - heard
    site.ask(10)
    time.sleep(1.2)
    site.end()
    wanted = site.sent - before
    bad = site.sent // 5 - before // 5
    assert site.counted("web") == (wanted, bad), (site.counted("web"), wanted, bad, site.said(0))
    assert site.counted("wire")[0] == wanted - deaf, (site.counted("wire"), wanted - deaf, site.said(0))


def main():
    print("1..1")
    if os.geteuid() != 0 or not shutil.which("nginx"):
        print("ok 1 # SKIP not root, or no nginx")
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        site = None
        try:
            site = Site(folder)
            each_answer_counts_once(site)
        except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            print(f"# {error!r}")
            print("not ", end="")
        finally:
            if site:
                site.nginx.terminate()
                site.nginx.wait(WAIT)
                if site.serve and site.serve.poll() is None:
                    site.serve.terminate()
                    site.serve.wait(WAIT)
    print("ok 1 - each_answer_counts_once", flush=True)


if __name__ == "__main__":
    main()
