#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py HOLDFAST PROCESSOR RUNS: the status page by the public role and by nginx, the same files, in turns.

Both in a network namespace of their own, each with one process on one and the same processor; wrk asks on the others,
by 32 connections, for three seconds a run. While the first half of the runs goes on nobody reports; in the second, one
client does as fast as it can. Printed are medians: requests a second by the wall's clock, and by the processor's time
of the server; of the second half also how many reports a second were answered meanwhile.
"""
import contextlib
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

NAME = f"hfbench{os.getpid()}"
SECONDS = 3
PORTS = {"holdfast": 18080, "nginx": 18081}
CONFIG = """user: nobody
state_dir: {0}/state
run_dir: {0}/run
page: {{ title: Example, directory: {0}/web/page, publish_every: 5m }}
public: {{ listen: ["127.0.0.1:18080"], per_address: 64 }}
"""
NGINX = """daemon off; master_process off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type text/html;
open_file_cache max=1000; client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3;
uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5; server {{ listen 127.0.0.1:18081; root {0}/web/page; }} }}
"""
REPORTS = """
wrk.method = "POST"
wrk.body = "component=service&symptom=slow&nonce=000000000000000000000000000000000000000000000000"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.path = "/report"
"""


def ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def public_of(parent):
    children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout
    for pid in children.split():
        if b"\0public\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return int(pid)
    return 0


def measure(port, pid, processors):
    before, began = ticks(pid), time.monotonic()
    said = subprocess.run(["taskset", "-c", processors, "wrk", "-t1", "-c32", f"-d{SECONDS}",
                           f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True).stdout
    done = int(re.search(r"(\d+) requests in", said)[1])
    spent = max(ticks(pid) - before, 0.01)
    return done / (time.monotonic() - began), done / spent


def play(holdfast, processor, runs, folder):
    others = ",".join(str(n) for n in sorted(os.sched_getaffinity(0)) if n != processor) or str(processor)
    pinned = ["taskset", "-c", str(processor)]
    os.chmod(folder, 0o755)
    for name in ("state", "run", "web"):
        (folder / name).mkdir()
        os.chown(folder / name, 65534, 65534)
    (folder / "c.yaml").write_text(CONFIG.format(folder), encoding="utf-8")
    (folder / "nginx.conf").write_text(NGINX.format(folder), encoding="utf-8")
    (folder / "reports.lua").write_text(REPORTS, encoding="utf-8")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*pinned, holdfast, "serve", "--config", str(folder / "c.yaml")], **quiet) as serve, \
            subprocess.Popen([*pinned, "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], **quiet) as nginx:
        try:
            for port in PORTS.values():
                until = time.monotonic() + 20
                while time.monotonic() < until:
                    with contextlib.suppress(OSError):
                        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                        break
                    time.sleep(0.2)
            pids = {"holdfast": public_of(serve.pid), "nginx": nginx.pid}
            found, reports = {}, []
            for run in range(2 * runs):
                what = "nobody reports" if run < runs else "reports pour in"
                for name, port in PORTS.items():
                    flood = None
                    if run >= runs and name == "holdfast":
                        flood = subprocess.Popen(["taskset", "-c", others, "wrk", "-t1", "-c8", f"-d{SECONDS + 1}",
                                                  "-s", str(folder / "reports.lua"), "http://127.0.0.1:18080/"],
                                                 stdout=subprocess.PIPE, text=True)
                    if run < runs or name == "holdfast":
                        found.setdefault((name, what), []).append(measure(port, pids[name], others))
                    if flood:
                        reports.append(float(re.search(r"Requests/sec:\s+([\d.]+)", flood.communicate()[0])[1]))
            for (name, what), rates in found.items():
                wall, own = (statistics.median(rate[i] for rate in rates) for i in (0, 1))
                peer = statistics.median(rate[1] for rate in found[("nginx", "nobody reports")])
                print(f"{name:9} {what:16} {wall:9,.0f} a second, {own:9,.0f} a second of its processor "
                      f"({own / peer:.2f} of nginx's)")
            print(f"reports answered meanwhile: {statistics.median(reports):,.0f} a second")
        finally:
            for process in (serve, nginx):
                process.send_signal(signal.SIGTERM)
                process.wait(20)
    return 0


def main():
    holdfast, processor, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if len(sys.argv) > 4:
        with tempfile.TemporaryDirectory() as scratch:
            return play(os.path.abspath(holdfast), processor, runs, pathlib.Path(scratch))
    subprocess.run(["ip", "netns", "add", NAME], check=True)
    try:
        inside = ["nsenter", f"--net=/run/netns/{NAME}"]
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        return subprocess.run([*inside, sys.executable, __file__, *sys.argv[1:4], "inside"], check=False).returncode
    finally:
        subprocess.run(["ip", "netns", "del", NAME], check=False)


if __name__ == "__main__":
    sys.exit(main())
