#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""public.py HOLDFAST: what the public role of `holdfast serve` gives strangers, and takes from them. Speaks TAP.

The real role, in a network namespace of its own, asked on loopback: the page, the form, browsers' reports, Gatus and a
vantage point; then what strangers do who mean ill: wrong sizes, types and encodings, nonces twice, floods from few and
from many networks (by X-Forwarded-For through a proxy that is trusted), clients that are slow. What counted is read out
of the record.
"""
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import signal
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

PORT = 18080
WAIT_S = 60
FILLED_S = 2.1  # so long a person fills in a form at least: more than INTAKE_NONCE_EARLY_S
NAME = f"hfpublic{os.getpid()}"
CONFIG = """user: nobody
state_dir: {folder}/state
run_dir: {folder}/run
trusted_proxies: [127.0.0.0/8]
geo: {folder}/geo
page: {{ title: Example, title_fr: Exemple, directory: {folder}/web/page, publish_every: 1m }}
public:
  listen: ["127.0.0.1:{port}"]
  connections: 64
  gatus_key_file: {folder}/gatus.key
  component: service
  network_reports: 50
  sites: [{{ host: www.example.org, component: service }}]
  vantages: [{{ name: paris-1, network: 64500, key_file: {folder}/paris.key }}]
"""
TLS_PORT = 18081
TLS_CONFIG = """user: nobody
state_dir: {folder}/tls/state
run_dir: {folder}/tls/run
public: {{ listen: ["127.0.0.1:{port}"], connections: 32, tls_cert: {folder}/{cert}{key} }}
"""
NEL = {"age": 420, "type": "network-error", "url": "https://www.example.org/",
       "body": {"sampling_fraction": 0.5, "elapsed_time": 18, "phase": "connection", "type": "tcp.timed_out",
                "protocol": "", "method": "GET", "status_code": 0, "server_ip": "192.0.2.1", "referrer": ""}}
KEY, TOKEN = "0123456789abcdef0123456789abcdef", "a-token-for-gatus"


class Stage(cases.Cases):
    """The role, and what is asked of it."""

    def __init__(self, holdfast, folder, parent):
        super().__init__()
        self.folder, self.parent = folder, parent
        self.sanitized = b"__asan_init" in pathlib.Path(holdfast).read_bytes()

    def role(self, name="public"):
        children = subprocess.run(["pgrep", "-P", str(self.parent)], capture_output=True, text=True, check=False)
        for pid in children.stdout.split():
            with contextlib.suppress(OSError):
                if f"\0{name}\0".encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
        return 0

    def resident_kib(self):
        text = pathlib.Path(f"/proc/{self.role()}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def sums(self, question):
        with contextlib.closing(sqlite3.connect(self.folder / "state/holdfast.db", timeout=10)) as database:
            return database.execute(question).fetchone()

    def wait_for(self, question, wanted):
        until = time.monotonic() + WAIT_S
        found = None
        while time.monotonic() < until:
            with contextlib.suppress(sqlite3.Error):
                found = self.sums(question)
                if wanted(found):
                    break
            time.sleep(0.3)
        return found


def ask(method, path, body=None, source="192.0.2.1", **headers):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=WAIT_S)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if source:
        fields["X-Forwarded-For"] = source
    try:
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


FORM = "application/x-www-form-urlencoded"


def nonces(count):
    return [re.search(rb'name="nonce" value="([0-9a-f]+)"', ask("GET", "/report")[2])[1].decode()
            for _ in range(count)]


def send(nonce, source="192.0.2.1", component="service", path="/report"):
    return ask("POST", path, f"component={component}&symptom=slow&region=FR-IDF&nonce={nonce}", source,
               Content_Type=FORM)


def page(stage):
    status, headers, body = ask("GET", "/")
    stage.expect("the page is there", status == 200 and b"<html" in body, (status, body[:200]))
    stage.expect("nothing in it may run, nothing frames it",
                 "default-src 'none'" in headers["Content-Security-Policy"] and "Set-Cookie" not in headers, headers)
    stage.expect("it leads to the form", b'href="/en/report"' in body and b'href="/fr/report"' in
                 ask("GET", "/fr/")[2])
    again = ask("GET", "/", If_None_Match=headers["ETag"])
    stage.expect("what is known is not sent again", again[0] == 304 and not again[2], again)
    stage.expect("nor what has not changed since",
                 ask("GET", "/", If_Modified_Since=headers["Last-Modified"])[0] == 304)
    status, headers, body = ask("HEAD", "/api/v2/summary.json")
    stage.expect("Statuspage's JSON is open to other sites",
                 status == 200 and headers["Access-Control-Allow-Origin"] == "*" and not body, headers)
    stage.expect("a folder is named with its slash", ask("GET", "/fr")[0] == 301)
    wrong = {path: ask("GET", path)[0] for path in
             ("/../state/holdfast.db", "/%2e%2e/c.yaml", "/api", "/api/", "//etc/passwd", "/.hidden",
              "/fr/../index.html", "/index.html%00", "/%c3%a9", "/" + "a" * 500, "/link")}
    stage.expect("nothing else is", all(status in (301, 404, 400) or path == "/index.html%00"
                                        for path, status in wrong.items()) and wrong["/link"] == 404, wrong)
    stage.expect("nothing is listed, nothing is put", ask("PUT", "/", "x")[0] == 405 and
                 ask("POST", "/", "x")[0] == 405)


def form(stage):
    status, headers, body = ask("GET", "/report", Accept_Language="fr-FR,fr;q=0.9,en;q=0.5")
    stage.expect("the form comes in French to who wants that",
                 status == 200 and b'<html lang="fr">' in body and headers["Cache-Control"] == "no-store")
    stage.expect("and in English to others, with no script", b'<html lang="en">' in ask("GET", "/report")[2] and
                 b"<script" not in body)
    first, second, third = nonces(3)
    stage.expect("a robot is too fast", send(first)[0] == 409)
    time.sleep(FILLED_S)
    answer = send(first)
    stage.expect("a report is taken", answer[0] == 200 and b"Thank you" in answer[2], answer)
    answer = send(second, path="/fr/report")
    stage.expect("and in French", answer[0] == 200 and "pris en compte" in answer[2].decode())
    answer = send(first)
    stage.expect("but not twice; the form comes again, filled in",
                 answer[0] == 409 and b'value="slow" checked' in answer[2], answer)
    stage.expect("nor with a nonce of nobody's", send("0" * 48)[0] == 409)
    stage.expect("nor of what there is not", send(third, component="moon")[0] == 400)
    wrong = [ask("POST", "/report", body, Content_Type=kind)[0] for body, kind in (
        ("component=service", "application/json"), ("component=service", FORM), ("x" * 1025, FORM),
        ("component=%ff&symptom=slow", FORM), ("component=service&symptom=slow&script=1", FORM))]
    stage.expect("wrong types, sizes, encodings, fields", wrong == [415, 400, 413, 400, 400], wrong)
    stage.expect("a body larger than any", ask("POST", "/report", "x" * 70000, Content_Type=FORM)[0] == 413)
    found = stage.wait_for("SELECT sum(raw), sum(accepted) FROM report_count WHERE region = 'FR-IDF'",
                           lambda row: row[0] == 2)
    stage.expect("two reports are on record", found == (2, 2), found)


def browsers(stage):
    status, headers, _ = ask("OPTIONS", "/nel", Origin="https://www.example.org", Access_Control_Request_Method="POST",
                             Access_Control_Request_Headers="content-type")
    stage.expect("browsers may report from any site", status == 204 and headers["Access-Control-Allow-Origin"] == "*"
                 and headers["Access-Control-Allow-Methods"] == "POST" and
                 headers["Access-Control-Allow-Headers"].lower() == "content-type", headers)
    other = dict(NEL, url="https://www.example.net/")
    served = dict(NEL, body=dict(NEL["body"], phase="application", type="ok", sampling_fraction=1))
    kind = "application/reports+json"
    stage.expect("what they report is taken",
                 ask("POST", "/nel", json.dumps([NEL, other, served]), Content_Type=kind)[0] == 204)
    wrong = [ask("POST", "/nel", body, Content_Type=given)[0] for body, given in (
        ("[", kind), ("{}", kind), ("[" * 5000, kind), ("[]", "text/plain"), (b"\xff", kind))]
    stage.expect("what is no report is not", wrong == [400, 400, 400, 415, 400], wrong)
    found = stage.wait_for("SELECT sum(bad), sum(good) FROM signal WHERE component = 'service' AND vantage = ''",
                           lambda row: row[0] == 2)
    stage.expect("failures count by their share, other hosts' not", found == (2, 1), found)


def machines(stage):
    path = "/api/v1/endpoints/core_web/external?success=false&error=timeout&duration=1.5s"
    stage.expect("Gatus needs its token", ask("POST", path)[0] == 401 and
                 ask("POST", path, Authorization="Bearer no")[0] == 401)
    answer = ask("POST", path, Authorization=f"Bearer {TOKEN}")
    stage.expect("and is heard", answer[0] == 200, answer)
    stage.expect("where it makes sense",
                 ask("POST", path.replace("false", "maybe"), Authorization=f"Bearer {TOKEN}")[0] == 400 and
                 ask("GET", path, Authorization=f"Bearer {TOKEN}")[0] == 405)
    bucket = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() // 300 * 300))
    body = json.dumps({"schema": "holdfast.probe/1", "id": "0123456789abcdef0123456789abcdef", "vantage": "paris-1",
                       "signals": [{"bucket": bucket, "component": "service", "kind": "probe", "good": 3, "bad": 1,
                                    "value": 123}]})

    def probe(key=KEY, shift=0, text=body):
        stamp = str(int(time.time()) + shift)
        sign = hmac.new(key.encode(), f"{stamp}.{text}".encode(), hashlib.sha256).hexdigest()
        return ask("POST", "/api/v1/probe", text, Content_Type="application/json", Holdfast_Vantage="paris-1",
                   Holdfast_Timestamp=stamp, Holdfast_Signature=sign)[0]

    wrong = [probe("x" * 32), probe(shift=400), probe(shift=-400), probe(text="{}")]
    stage.expect("a vantage point signs, and now", wrong == [401, 401, 401, 400], wrong)
    stage.expect("what it sends twice is taken once", [probe(), probe()] == [204, 204])
    found = stage.wait_for("SELECT sum(good), sum(bad), max(network) FROM signal WHERE vantage = 'paris-1'",
                           lambda row: row[0])
    stage.expect("with the network that is on file", found == (3, 1, 64500), found)
    found = stage.wait_for("SELECT sum(bad), max(value) FROM signal WHERE vantage = 'gatus'", lambda row: row[0])
    stage.expect("Gatus' is there, too", found == (1, 1500), found)


def floods(stage):
    before, began = stage.resident_kib(), time.time() // 300
    kept = nonces(400)
    time.sleep(FILLED_S)
    for number, nonce in enumerate(kept):
        send(nonce, f"198.51.100.{number % 250}" if number < 150 else f"198.18.{number % 256}.{number // 256}")
    found = stage.wait_for("SELECT sum(raw), sum(accepted) FROM report_count WHERE symptom = 'slow'",
                           lambda row: row[0] >= 402)
    # 2 before; 3 of the one /24; 50 of 198.18.0.0/16; and anew where another five minutes have begun
    good = found == (402, 55) if time.time() // 300 == began else found[0] == 402 and 55 <= found[1] <= 108
    stage.expect("a source counts three times, a network as often as is said", good, found)
    for _ in range(300):
        send("f" * 48, "203.0.113.9")
    after = stage.resident_kib()
    if stage.sanitized:
        stage.skip("memory is bounded", "sanitizers keep what is freed")
    else:
        stage.expect("memory is bounded", after < before + 8192 and after < 65536, (before, after))
    print(f"# resident: {before} KiB before, {after} KiB after", flush=True)


def place(stage, name, lines):
    (stage.folder / "geo" / name).write_text(lines, encoding="utf-8")


def placed(stage, source, region):
    nonce = nonces(1)[0]
    time.sleep(FILLED_S)
    ask("POST", "/report", f"component=service&symptom=other&region={region}&nonce={nonce}", source, Content_Type=FORM)


def where(stage):
    """Of 203.0.113.0/24 the databases have said Germany and a network since the role began; of 192.0.2.0/24 nothing."""
    stage.expect("the form says what is derived from the address", "votre pays et le réseau de votre fournisseur"
                 in ask("GET", "/fr/report")[2].decode())
    placed(stage, "203.0.113.1", "")
    placed(stage, "203.0.113.130", "CH")
    placed(stage, "192.0.2.77", "")
    kept = "SELECT group_concat(region || ' ' || network) FROM (SELECT region, network FROM report_count" \
           " WHERE symptom = 'other' ORDER BY region)"
    found = stage.wait_for(kept, lambda row: row[0] and row[0].count(",") == 2)
    stage.expect("country and network of the address; a user's own word stands; else nothing",
                 found == (" 0,CH 64502,DE 64502",), found)
    found = stage.wait_for("SELECT group_concat(name) FROM pragma_table_info('report_count')", lambda row: row[0])
    stage.expect("and counts by these are all that is kept",
                 found == ("bucket_ns,component,symptom,region,network,source,raw,accepted,shielded",), found)


def where_anew(stage):
    """After the reload."""
    placed(stage, "198.51.100.9", "")
    found = stage.wait_for("SELECT sum(raw) FROM report_count WHERE region = 'SE' AND network = 64503",
                           lambda row: row[0] == 1)
    stage.expect("a reload reads the databases anew", found == (1,), found)


def without_desk(stage):
    """What is counted while the desk is not there waits for it."""
    stage.expect("there is a desk", stage.role("desk"))
    kept = nonces(3)
    time.sleep(FILLED_S)
    before = stage.sums("SELECT coalesce(sum(raw), 0) FROM report_count WHERE region = 'LU'")
    os.kill(stage.parent, signal.SIGSTOP)
    try:
        os.kill(stage.role("desk"), signal.SIGKILL)
        for nonce in kept:
            ask("POST", "/report", f"component=service&symptom=slow&region=LU&nonce={nonce}", "203.0.113.77",
                Content_Type=FORM)
        time.sleep(5)
    finally:
        os.kill(stage.parent, signal.SIGCONT)
    found = stage.wait_for("SELECT sum(raw) FROM report_count WHERE region = 'LU'", lambda row: row[0] == 3)
    stage.expect("reports outlast a desk that dies", before == (0,) and found == (3,), (before, found))


def slow_ones(stage):
    sockets = []
    for _ in range(80):
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", PORT), timeout=1)
            one.sendall(b"GET / HTTP/1.1\r\nHost: ")
            sockets.append(one)
    time.sleep(1.2)
    good = 0
    for _ in range(20):
        with contextlib.suppress(OSError, http.client.HTTPException):
            good += ask("GET", "/")[0] == 200
    stage.expect("slow clients take every place, and others are served all the same", good >= 8, good)
    for one in sockets:
        one.close()


def lives_on(stage):
    pid = stage.role()
    place(stage, "countries.csv", "198.51.100.0,198.51.100.255,SE\n")
    place(stage, "networks.csv", "198.51.100.0,198.51.100.255,64503,Example North\n")
    os.kill(stage.parent, signal.SIGHUP)
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and stage.role() in (0, pid):
        time.sleep(0.1)
    status = 0
    while time.monotonic() < until and status != 200:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status = ask("GET", "/")[0]
    stage.expect("a reload begins it anew, and it serves", status == 200 and stage.role() not in (0, pid))
    pid = stage.role()
    os.kill(pid, signal.SIGKILL)
    status = 0
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and (status != 200 or stage.role() in (0, pid)):
        time.sleep(0.1)
        with contextlib.suppress(OSError, http.client.HTTPException):
            status = ask("GET", "/")[0]
    stage.expect("killed, it is begun anew", status == 200)


def ask_by_tls():
    """Whether the form comes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", TLS_PORT, timeout=5, context=context)
    try:
        connection.request("GET", "/report")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def serving_by_tls(holdfast, folder, cert, key):
    text = TLS_CONFIG.format(folder=folder, port=TLS_PORT, cert=cert, key=f", tls_key: {folder}/{key}" if key else "")
    (folder / "tls.yaml").write_text(text, encoding="utf-8")
    command = [holdfast, "serve", "--config", str(folder / "tls.yaml")]
    with open(folder / "tls.log", "w", encoding="utf-8") as log:
        with subprocess.Popen(command, stdout=log, stderr=log) as serve:
            try:
                yield folder / "tls.log"
            finally:
                serve.send_signal(signal.SIGTERM)
                serve.wait(WAIT_S)


def wait_until(holds):
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.1)
    return False


def by_tls(stage, holdfast, folder):
    made = shutil.which("openssl") and subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         "tls.key", "-out", "tls.pem", "-days", "2", "-subj", "/CN=status.example.org"],
        cwd=folder, check=False, capture_output=True).returncode == 0
    if not made:
        stage.skip("by TLS", "openssl makes no certificate here")
        return
    for name in ("tls", "tls/state", "tls/run"):
        (folder / name).mkdir()
        os.chown(folder / name, 65534, 65534)
    for cert, key, says in (("tls.pem", "", "tls_cert and tls_key"), ("c.yaml", "tls.key", "nothing can be served"),
                            ("tls.pem", "none.key", "none.key")):
        with serving_by_tls(holdfast, folder, cert, key) as log:
            said = wait_until(lambda: says in log.read_text(encoding="utf-8"))
            stage.expect(f"{cert} with {key or 'no key'}: it says so", said, log.read_text(encoding="utf-8"))
    with serving_by_tls(holdfast, folder, "tls.pem", "tls.key") as log:
        stage.expect("by TLS it serves, too", wait_until(ask_by_tls), log.read_text(encoding="utf-8"))
        sockets = []
        for number in range(40):
            with contextlib.suppress(OSError):
                one = socket.create_connection(("127.0.0.1", TLS_PORT), timeout=1)
                one.sendall((b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64)[number % 4])
                sockets.append(one)
        time.sleep(1.2)
        good = sum(ask_by_tls() for _ in range(20))
        stage.expect("who shakes no hand, or half a hand, keeps nobody out", good >= 8, good)
        for one in sockets:
            one.close()


def wait_for_page(folder):
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if (folder / "web/page/index.html").exists() and ask("GET", "/")[0] == 200:
                return True
        time.sleep(0.1)
    return False


def play(holdfast, folder):
    for name in ("state", "run", "web", "geo"):
        (folder / name).mkdir()
        os.chown(folder / name, 65534, 65534)
    os.chmod(folder, 0o755)
    for name, key in (("gatus.key", TOKEN), ("paris.key", KEY)):
        (folder / name).write_text(key + "\n", encoding="utf-8")
        os.chmod(folder / name, 0o600)
    (folder / "c.yaml").write_text(CONFIG.format(folder=folder, port=PORT), encoding="utf-8")
    for name, lines in (("countries.csv", "203.0.113.0,203.0.113.255,DE\n"),
                        ("networks.csv", "203.0.113.0,203.0.113.255,64502,Example Access\n")):
        (folder / "geo" / name).write_text(lines, encoding="utf-8")
    with open(folder / "log", "w", encoding="utf-8") as log:
        with subprocess.Popen([holdfast, "serve", "--config", str(folder / "c.yaml")], stdout=log, stderr=log) as serve:
            stage = Stage(holdfast, folder, serve.pid)
            try:
                there = wait_for_page(folder)
                stage.expect("it begins", there, (folder / "log").read_text(encoding="utf-8"))
                if there:
                    (folder / "web/page/link").symlink_to(folder / "c.yaml")
                    for part in (page, form, browsers, machines, where, floods, without_desk, slow_ones, lives_on,
                                 where_anew):
                        part(stage)
            finally:
                serve.send_signal(signal.SIGTERM)
                serve.wait(WAIT_S)
    by_tls(stage, holdfast, folder)
    return stage.close()


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP it takes root to start what gives it up")
        return 0
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as scratch:
            return play(os.path.abspath(sys.argv[1]), pathlib.Path(scratch))
    made = subprocess.run(["ip", "netns", "add", NAME], capture_output=True, check=False)
    if made.returncode != 0:
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
