#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nel.py HOLDFAST: a real Chromium reports by itself what failed. Speaks TAP.

nginx serves a site with the headers that `holdfast page headers` prints; of what its page loads
one answer is 503, one 404. The public role takes what Chromium says of it, by TLS, in a network namespace of its own.
The certificate is made for the test, and Chromium is told its key: without that it heeds no such header.
"""
import base64
import contextlib
import hashlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

NAME = f"hfnel{os.getpid()}"
WAIT_S = 60
NEEDED = ("chromium", "nginx", "openssl")
CONFIG = """user: nobody
state_dir: {0}/state
run_dir: {0}/run
public: {{ listen: ["127.0.0.1:18443"], tls_cert: {0}/c.pem, tls_key: {0}/k.pem,
  sites: [{{ host: www.example.org, component: web }}] }}
"""
NGINX = """daemon off; pid {0}/nginx.pid; error_log {0}/error.log; worker_processes 1; user nobody nogroup;
events {{}}
http {{ access_log off; default_type text/html; client_body_temp_path {0}/t1; proxy_temp_path {0}/t2;
fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
ssl_certificate {0}/c.pem; ssl_certificate_key {0}/k.pem; include {0}/nel.conf;
server {{ listen 127.0.0.1:19443 ssl; location / {{ return 200 "{1}"; }} location /missing {{ return 404; }}
  location /failed {{ return 503; }} }} }}
"""
PAGE = "<img src=/failed><img src=/missing>"


def make_key(folder):
    """The hash of the key, as Chromium wants it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem",
                    "-days", "2", "-subj", "/CN=www.example.org", "-addext",
                    "subjectAltName=DNS:www.example.org,DNS:status.example.org"], cwd=folder, check=True,
                   capture_output=True)
    public = subprocess.run(["openssl", "x509", "-in", "c.pem", "-pubkey", "-noout"], cwd=folder, check=True,
                            capture_output=True).stdout
    octets = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True,
                            capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


def counted(folder):
    with contextlib.suppress(sqlite3.Error):
        with contextlib.closing(sqlite3.connect(folder / "state/holdfast.db", timeout=10)) as database:
            row = database.execute("SELECT sum(good), sum(bad) FROM signal WHERE kind = 'nel' AND component = 'web'")
            return tuple(number or 0 for number in row.fetchone())
    return 0, 0


def browse(folder, key):
    with subprocess.Popen(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/c",
                           f"--ignore-certificate-errors-spki-list={key}", "--host-resolver-rules=MAP * 127.0.0.1",
                           "--enable-features=NetworkErrorLogging,Reporting", "--short-reporting-delay",
                           "--remote-debugging-port=19777", "https://www.example.org:19443/"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as chromium:
        until = time.monotonic() + WAIT_S
        found = (0, 0)
        while time.monotonic() < until and (not found[0] or not found[1]):
            time.sleep(0.5)
            found = counted(folder)
        chromium.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            chromium.wait(10)
        chromium.kill()
    return found


def play(holdfast, folder):
    os.chmod(folder, 0o755)
    for name in ("state", "run"):
        (folder / name).mkdir()
        os.chown(folder / name, 65534, 65534)
    key = make_key(folder)
    (folder / "c.yaml").write_text(CONFIG.format(folder), encoding="utf-8")
    (folder / "nginx.conf").write_text(NGINX.format(folder, PAGE), encoding="utf-8")
    headers = subprocess.run([holdfast, "page", "headers", "https://status.example.org:18443", "--for", "nginx",
                              "--successes", "100"], check=True, capture_output=True, text=True).stdout
    (folder / "nel.conf").write_text(headers, encoding="utf-8")
    with open(folder / "log", "w", encoding="utf-8") as log:
        said = {"stdout": log, "stderr": log}
        with subprocess.Popen([holdfast, "serve", "--config", str(folder / "c.yaml")], **said) as serve, \
                subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], **said) as nginx:
            try:
                time.sleep(2)
                found = browse(folder, key)
            finally:
                for process in (serve, nginx):
                    process.terminate()
                    process.wait(20)
    good = found[0] >= 1 and found[1] >= 1
    print(f"{'' if good else 'not '}ok 1 - Chromium reports what went well, and what failed")
    print(f"# {found[0]} good, {found[1]} failed")
    if not good:
        print("\n".join(f"# {line}" for line in (folder / "log").read_text(encoding="utf-8").splitlines()))
    print("1..1")
    return not good


def main():
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        print(f"1..0 # SKIP there is no {', '.join(missing) or 'root'} here")
        return 0
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as scratch:
            return play(os.path.abspath(sys.argv[1]), pathlib.Path(scratch))
    if subprocess.run(["ip", "netns", "add", NAME], capture_output=True, check=False).returncode != 0:
        print("1..0 # SKIP no network namespace can be made here")
        return 0
    try:
        inside = ["nsenter", f"--net=/run/netns/{NAME}"]
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        return subprocess.run([*inside, sys.executable, __file__, sys.argv[1], "inside"], check=False).returncode
    finally:
        subprocess.run(["ip", "netns", "del", NAME], check=False)


if __name__ == "__main__":
    sys.exit(main())
