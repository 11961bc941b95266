#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""probe.py HOLDFAST: what `holdfast probe` makes of real servers on loopback, and of those that misbehave.

Speaks TAP.
"""
import hashlib
import hmac
import http.server
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import servers

HOLDFAST = sys.argv[1]
DONE, BAD, USAGE = 0, 1, 2
PATIENCE = 15  # seconds of a run under a sanitizer; all checks are over within 2


def run(*words):
    began = time.monotonic()
    done = subprocess.run([HOLDFAST, "probe", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr, time.monotonic() - began


def probe(*words):
    """Exit status, and the one probe of the answer."""
    status, out, error, took = run("--json", "--timeout", "2s", *words)
    if took > PATIENCE:
        raise AssertionError(f"took {took:.1f} s")
    if not out:
        raise AssertionError(error)
    answer = json.loads(out)
    if answer["schema"] != "holdfast.probes/1" or len(answer["probes"]) != 1:
        raise AssertionError(out)
    return status, answer["probes"][0]


def demand(condition, what):
    if not condition:
        raise AssertionError(what)


def expect(reason, *words, good=0, bad=1):
    status, got = probe(*words)
    demand((got["reason"], got["good"], got["bad"]) == (reason, good, bad), json.dumps(got))
    demand(status == (BAD if bad or not good else DONE), f"exit status {status}")
    return got


class Stage:
    def __init__(self, folder):
        self.ca = servers.Authority(folder)
        self.ca.issue("good", "20260101000000Z", "20351231235959Z", "site.test")
        self.ca.issue("expired", "20200101000000Z", "20210101000000Z", "site.test")
        self.ca.issue("early", "20450101000000Z", "20480101000000Z", "site.test")
        self.http, self.https = servers.free_port(), servers.free_port()
        self.tls = {name: servers.free_port() for name in ("expired", "early")}
        blocks = [
            f"server {{ listen 127.0.0.1:{self.http}; location / {{ return 200 'the site is up'; }}\n"
            "location /503 { return 503; } location /moved { return 302 /there; }\n"
            f"location /out {{ return 302 http://www.test:{self.http}/; }} "
            f"location /nowhere {{ return 302 http://none.test/; }}\n"
            "location /ftp { return 302 ftp://site.test/; } }",
            f"server {{ listen 127.0.0.1:{self.https} ssl; ssl_certificate {folder}/good.pem; "
            f"ssl_certificate_key {folder}/good.key; location / {{ return 200 'the site is up'; }}\n"
            f"location /down {{ return 302 http://site.test:{self.http}/; }} }}"]
        blocks += [f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/{name}.pem; "
                   f"ssl_certificate_key {folder}/{name}.key; }}" for name, port in self.tls.items()]
        self.nginx = servers.Nginx(folder, "\n".join(blocks), self.https)
        self.names = servers.Names({"site.test": ["127.0.0.1"], "www.test": ["127.0.0.1"], "other.test": ["127.0.0.1"],
                                    "both.test": ["127.0.0.1", "::1"]})
        self.resolver = f"127.0.0.1:{self.names.port}"
        self.rogues = []

    def rogue(self, behave):
        self.rogues.append(servers.Rogue(behave))
        return self.rogues[-1]

    def asked(self, *words):
        return ("--resolver", self.resolver, "--ca", self.ca.ca, *words)

    def stop(self):
        for rogue in self.rogues:
            rogue.stop()
        self.nginx.stop()
        self.names.stop()


def good_ones(stage):
    got = expect("ok", *stage.asked(f"http://site.test:{stage.http}/"), good=1, bad=0)
    address = got["addresses"][0]
    demand(address["status"] == 200 and address["address"] == "127.0.0.1" and address["octets"] == 14, address)
    demand(0 < address["connect_us"] <= address["total_us"], got)
    demand(address["first_octet_us"] > 0 and got["dns_us"] > 0, got)
    got = expect("ok", *stage.asked(f"https://site.test:{stage.https}/"), good=1, bad=0)
    demand(got["addresses"][0]["tls_us"] > 0, got)
    demand(got["addresses"][0]["certificate_expires"] == "2035-12-31T23:59:59.000000Z", got)
    got = expect("ok", *stage.asked(f"tls://site.test:{stage.https}"), good=1, bad=0)
    demand(got["addresses"][0]["certificate_expires"] and got["addresses"][0]["status"] is None, got)
    expect("ok", *stage.asked(f"tcp://127.0.0.1:{stage.http}"), good=1, bad=0)
    expect("ok", "--expect-status", 503, *stage.asked(f"http://site.test:{stage.http}/503"), good=1, bad=0)
    expect("ok", "--expect-text", "is up", *stage.asked(f"http://site.test:{stage.http}/"), good=1, bad=0)


def answers_that_are_none(stage):
    expect("status_unexpected", *stage.asked(f"http://site.test:{stage.http}/503"))
    expect("text_missing", "--expect-text", "is down", *stage.asked(f"http://site.test:{stage.http}/"))
    expect("connect_refused", f"http://127.0.0.1:{servers.free_port()}/")
    expect("reply_closed", f"http://127.0.0.1:{stage.rogue(servers.close_early).port}/")
    expect("reply_closed", f"http://127.0.0.1:{stage.rogue(servers.close_at_once).port}/")
    expect("reply_malformed", f"http://127.0.0.1:{stage.rogue(servers.no_http).port}/")


def nobody_waits(stage):
    expect("reply_timeout", f"http://127.0.0.1:{stage.rogue(servers.hang).port}/")
    expect("reply_timeout", f"http://127.0.0.1:{stage.rogue(servers.drip).port}/")
    expect("tls_timeout", f"tls://127.0.0.1:{stage.rogue(servers.mute).port}")
    hanging = [f"http://127.0.0.1:{stage.rogue(servers.hang).port}/" for _ in range(8)]
    status, out, _, took = run("--json", "--timeout", "2s", *hanging)
    demand(status == BAD and len(json.loads(out)["probes"]) == 8 and took < 2 + PATIENCE / 2, f"{took:.1f} s")


def more_than_is_read(stage):
    rogue = stage.rogue(servers.gigabytes)
    got = expect("ok", f"http://127.0.0.1:{rogue.port}/", good=1, bad=0)
    demand(got["addresses"][0]["cut"] and got["addresses"][0]["octets"] == 1 << 20, got)
    demand(rogue.sent < 64 << 20, f"{rogue.sent} octets went out")
    rogue = stage.rogue(servers.endless_head)
    expect("reply_too_large", f"http://127.0.0.1:{rogue.port}/")


def redirects(stage):
    got = expect("ok", *stage.asked(f"http://site.test:{stage.http}/moved"), good=1, bad=0)
    demand(got["addresses"][0]["redirects"] == 1, got)
    expect("ok", *stage.asked(f"http://site.test:{stage.http}/out"), good=1, bad=0)
    expect("no_name", *stage.asked(f"http://site.test:{stage.http}/nowhere"))
    expect("redirect_refused", *stage.asked(f"http://site.test:{stage.http}/ftp"))
    expect("redirect_refused", *stage.asked(f"https://site.test:{stage.https}/down"))
    expect("redirect_loop", f"http://127.0.0.1:{stage.rogue(servers.circle).port}/a")
    got = expect("redirects_too_many", f"http://127.0.0.1:{stage.rogue(servers.for_ever).port}/0")
    demand(got["addresses"][0]["redirects"] == 5, got)
    expect("ok", "--expect-status", 302, f"http://127.0.0.1:{stage.rogue(servers.circle).port}/a", good=1, bad=0)


def certificates(stage):
    expect("certificate_expired", *stage.asked(f"https://site.test:{stage.tls['expired']}/"))
    expect("certificate_not_yet_valid", *stage.asked(f"tls://site.test:{stage.tls['early']}"))
    expect("certificate_wrong_name", *stage.asked(f"https://other.test:{stage.https}/"))
    expect("certificate_untrusted", "--resolver", stage.resolver, f"https://site.test:{stage.https}/")
    expect("tls_failed", *stage.asked(f"tls://site.test:{stage.http}"))


def names(stage):
    got = expect("ok", f"dns://{stage.resolver}/site.test", good=1, bad=0)
    demand(got["addresses"][0]["address"] == "127.0.0.1" and got["dns_us"] > 0, got)
    expect("ok", "--expect-text", "127.0.0.1", f"dns://{stage.resolver}/site.test", good=1, bad=0)
    expect("text_missing", "--expect-text", "192.0.2.1", f"dns://{stage.resolver}/site.test")
    expect("no_name", f"dns://{stage.resolver}/none.test")
    expect("no_name", *stage.asked(f"http://none.test:{stage.http}/"))
    expect("resolver_timeout", f"dns://127.0.0.1:{stage.silent.getsockname()[1]}/site.test")


def every_address(stage):
    """Of a name with two addresses one is dead."""
    got = expect("connect_refused", *stage.asked(f"http://both.test:{stage.http}/"), good=1, bad=1)
    demand({a["address"]: a["reason"] for a in got["addresses"]} == {"127.0.0.1": "ok", "::1": "connect_refused"}, got)


def in_words(stage):
    status, out, _, _ = run(*stage.asked(f"http://both.test:{stage.http}/"))
    demand(status == BAD and re.search(r"^in part +http://both\.test", out), out)
    demand("refused the connection" in out and "HTTP 200" in out, out)
    for words in [("x",), ("tcp://a",), ("http://user@host/",), ("ftp://a/",), (), ("--run", "http://a/"),
                  ("--json", "--metrics", "http://a/"), ("http://1.2.3/",)]:
        status, out, error, _ = run(*words)
        demand(status == USAGE and not out and "see 'holdfast probe --help'" in error, (words, status, error))


def metrics(stage):
    status, out, _, _ = run("--metrics", *stage.asked(f"https://site.test:{stage.https}/\"",
                                                           f"http://site.test:{stage.http}/503"))
    demand(status == BAD and out.endswith("\n# EOF\n") and out.count("# EOF") == 1, out)
    values = dict(re.findall(r'^(\w+)\{target="[a-z]+(?:s|p)://site\.test:\d+/503"\} (\S+)$', out, re.MULTILINE))
    demand(values["probe_success"] == "0" and values["probe_http_status_code"] == "503", out)
    demand(float(values["probe_duration_seconds"]) > 0 and float(values["probe_dns_lookup_time_seconds"]) > 0, out)
    demand(re.search(r'^probe_ssl_earliest_cert_expiry\{target="https://site\.test:\d+/\\""\} 2082758399$', out,
                     re.MULTILINE), out)
    families = re.findall(r"^# TYPE (\w+) gauge$", out, re.MULTILINE)
    demand(len(families) == len(set(families)) == 8, families)
    current = None
    for line in out.splitlines()[:-1]:  # samples stand behind their own family's lines
        if line.startswith("# TYPE"):
            current = line.split()[2]
        demand(line.split("{")[0].split()[-1] == current or line.startswith("#"), line)


class Home:
    """Takes reports as their contract has it; answers what `answers` say first, then 204."""

    def __init__(self, answers):
        self.answers, self.took, self.wrong = list(answers), [], []
        home = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stamp = self.headers["Holdfast-Timestamp"]
                signed = hmac.new(KEY.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
                if (self.path != "/x/api/v1/probe" or self.headers["Holdfast-Vantage"] != "paris-1"
                        or self.headers["Holdfast-Signature"] != signed or abs(time.time() - int(stamp)) > 5):
                    home.wrong.append((self.path, dict(self.headers)))
                home.took.append(json.loads(body))
                self.send_response(home.answers.pop(0) if home.answers else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


KEY = "a-key-of-the-test-of-enough-octets"


def reports_home(stage, folder):
    """A place that probes: what it counted is sent when it ends, again with the same id where it was not taken."""
    home = Home([503])
    key, config = folder / "key", folder / "holdfast.yaml"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    config.write_text(f"""
probes:
  every: 10s
  vantage: paris-1
  home: http://127.0.0.1:{home.port}/x/
  key_file: {key}
  ca_file: {stage.ca.ca}
  canaries: ["http://127.0.0.1:{stage.http}/", "http://127.0.0.1:{servers.free_port()}/"]
  checks:
    - {{ name: front, component: site, target: "https://site.test:{stage.https}/", resolver: "{stage.resolver}" }}
    - {{ name: gone, component: login, target: "http://127.0.0.1:{servers.free_port()}/", timeout: 1s }}
""")
    process = subprocess.Popen([HOLDFAST, "probe", "--run", "--config", str(config)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 40
        while len(home.took) < 2 and time.monotonic() < end and process.poll() is None:
            time.sleep(0.1)
        process.terminate()
        out, error = process.communicate(timeout=20)
    finally:
        process.kill()
        home.stop()
    demand(process.returncode == DONE and not out, (process.returncode, error))
    demand(len(home.took) >= 2 and not home.wrong, (home.took, home.wrong, error))
    demand(home.took[0] == home.took[1] and re.fullmatch("[0-9a-f]{32}", home.took[0]["id"]), home.took)
    demand(len({report["id"] for report in home.took[1:]}) == len(home.took) - 1, home.took)
    demand("home does not take a report: HTTP 503" in error and "home takes reports again" in error, error)
    counts = {}
    for report in home.took[1:]:
        demand(report["schema"] == "holdfast.probe/1" and report["vantage"] == "paris-1", report)
        for row in report["signals"]:
            good, bad = counts.get((row["component"], row["kind"]), (0, 0))
            counts[row["component"], row["kind"]] = good + row["good"], bad + row["bad"]
    demand(counts["site", "probe"][0] >= 1 and counts["site", "probe"][1] == 0, counts)
    demand(counts["login", "probe"][0] == 0 and counts["login", "probe"][1] >= 1, counts)
    demand(counts["site", "canary"] == counts["login", "canary"] and min(counts["site", "canary"]) >= 1, counts)


def what_it_needs(stage, folder):
    """Without a key, or with one that others may read, nothing begins."""
    del stage
    key, config = folder / "weak", folder / "weak.yaml"
    whole = ("probes: { vantage: a, home: 'http://127.0.0.1:1/', key_file: %s, checks: [{ name: a, component: a, "
             "target: 'tcp://127.0.0.1:1' }] }\n")
    for text, octets, mode, said in [
            ("mode: observe\n", None, 0, "has 'probes' with checks, vantage, home and key_file"),
            (whole % key, None, 0, "weak"), (whole % key, "short\n", 0o600, "a key is one line of 16"),
            (whole % key, KEY + "\n", 0o644, "weak"),
            (whole.replace("127.0.0.1:1'", "x'") % key, KEY, 0o600, "it has no port")]:
        config.write_text(text)
        key.unlink(missing_ok=True)
        if octets:
            key.write_text(octets)
            key.chmod(mode)
        status, out, error, _ = run("--run", "--config", config)
        demand(status == BAD and not out and said in error, (text, status, error))


TESTS = [good_ones, answers_that_are_none, nobody_waits, more_than_is_read, redirects, certificates, names,
         every_address, in_words, metrics, reports_home, what_it_needs]


def main():
    lacking = [program for program in ("nginx", "dnsmasq", "openssl") if not servers.find(program)]
    if lacking:
        print(f"1..0 # SKIP without {' and '.join(lacking)}")
        return 0
    print(f"1..{len(TESTS)}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="holdfast-probe-") as folder:
        stage = Stage(folder)
        stage.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stage.silent.bind(("127.0.0.1", 0))
        try:
            for number, test in enumerate(TESTS, 1):
                try:
                    test(*([stage, pathlib.Path(folder)] if test in (reports_home, what_it_needs) else [stage]))
                    print(f"ok {number} - {test.__name__}", flush=True)
                except Exception as wrong:  # noqa: BLE001: each test is told
                    failed += 1
                    print(f"not ok {number} - {test.__name__}\n# {type(wrong).__name__}: {wrong}", flush=True)
        finally:
            stage.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
