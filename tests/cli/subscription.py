#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""subscription.py HOLDFAST: who is told of what is published, through real servers on loopback. Speaks TAP.

Mail goes to aiosmtpd, with TLS and a password; webhooks to a receiver that checks Standard Webhooks' signatures by
Python's own HMAC. Receivers that fail, hang, and recover; a deliverer that is killed in the midst.
"""
import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

SECRET = base64.b64encode(bytes(range(32))).decode()
PASSWORD = "correct-horse"


class Hook(http.server.BaseHTTPRequestHandler):
    """What it does with the n-th request is in `server.plan`: a status, or "hang"."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        id, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        wanted = hmac.new(bytes(range(32)), f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
        good = self.headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()
        plan = self.server.plan.pop(0) if self.server.plan else 204
        self.server.got.append({"id": id, "signed": good and abs(int(at) - time.time()) < 300, "plan": plan,
                                "path": self.path, "body": json.loads(body), "agent": self.headers["User-Agent"]})
        if plan == "hang":
            self.server.hanging.wait(30)
            return
        self.send_response(plan)
        if 300 <= plan < 400:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Hooks(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.plan, self.got, self.hanging = [], [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Box:
    """What a mail server is asked to take; `refuse` maps addresses to what it answers."""

    def __init__(self):
        self.mails, self.refuse, self.slow = [], {}, 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        self.mails.append({"from": envelope.mail_from, "to": envelope.rcpt_tos, "raw": envelope.content,
                           "tls": session.ssl is not None, "user": session.auth_data,
                           "mail": email.message_from_bytes(envelope.content, policy=email.policy.default)})
        return "250 taken"


def login(_server, _session, _envelope, _mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"status" and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False, auth_data="status" if good else None)


class Stage(cases.Cases):
    def __init__(self, holdfast, folder):
        super().__init__()
        self.holdfast, self.folder = holdfast, folder
        self.hooks, self.other, self.box = Hooks(), Hooks(), Box()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes",
                        "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.pem", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True,
                       capture_output=True)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(f"{folder}/tls.pem", f"{folder}/tls.key")
        self.smtp = Controller(self.box, hostname="127.0.0.1", port=0, tls_context=tls, require_starttls=True,
                               authenticator=login, auth_required=True)
        self.smtp.port = free_port()
        self.smtp.start()
        for name, text in {"secret": f"whsec_{SECRET}\n", "password": PASSWORD + "\n"}.items():
            with open(f"{folder}/{name}", "w", opener=lambda path, flags: os.open(path, flags, 0o600),
                      encoding="utf-8") as file:
                file.write(text)
        self.configure()

    def configure(self, hooks=True, mail=True, more=""):
        text = (f"state_dir: {self.folder}\nrun_dir: {self.folder}\npage:\n  title: Example\n  title_fr: Exemple\n"
                "  url: https://status.example.org\n")
        if mail:
            text += (f"mail:\n  smtp: smtp://localhost:{self.smtp.port}\n  from: status@example.org\n"
                     f"  name: Équipe\n  user: status\n  password_file: {self.folder}/password\n"
                     f"  ca_file: {self.folder}/tls.pem\n")
        if hooks:
            text += (f"webhooks:\n  - name: chat\n    url: http://127.0.0.1:{self.hooks.server_port}/in\n"
                     f"    secret_file: {self.folder}/secret\n{more}")
        with open(f"{self.folder}/c.yaml", "w", encoding="utf-8") as file:
            file.write(text)

    def environment(self):
        return {**os.environ, "SUDO_USER": "ann", "SUDO_UID": "1001", "HOLDFAST_CONFIG": f"{self.folder}/c.yaml",
                "LC_ALL": "C.UTF-8"}

    def run(self, *typed):
        done = subprocess.run([self.holdfast, *typed], capture_output=True, text=True, check=False, timeout=60,
                              env=self.environment())
        return done.returncode, done.stdout, done.stderr

    def row(self, typed, status, wanted=""):
        code, out, error = self.run(*typed)
        self.expect(repr(" ".join(typed)[:90])[1:-1], code == status and re.search(wanted, out + error, re.DOTALL),
                    (code, out, error))
        return out

    def publish(self, *typed):
        """A statement, published; its ID."""
        code, out, error = self.run("statement", "draft", *typed, "--json")
        if code != 0:
            self.expect(f"draft {typed}", False, (out, error))
            return ""
        one = json.loads(out)["statements"][0]
        for act in (["approve", one["id"], "--hash", one["sha256"]], ["publish", one["id"]]):
            code, out, error = self.run("statement", *act)
            if code != 0:
                self.expect(f"statement {act}", False, (out, error))
        return one["id"]

    def deliveries(self):
        code, out, error = self.run("subscription", "dead", "--all", "--json")
        if code != 0:
            self.expect("deliveries", False, (out, error))
        return json.loads(out)["deliveries"]

    def due_now(self):
        """Time passes: what waits for another attempt waits no more."""
        with contextlib.closing(sqlite3.connect(f"{self.folder}/holdfast.db")) as base:
            base.execute("UPDATE delivery SET next_ns = 0 WHERE state = 'queued'")
            base.commit()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def words(mail):
    return mail["mail"].get_content().replace("\r\n", "\n")


def main():
    with tempfile.TemporaryDirectory() as folder:
        s = Stage(os.path.abspath(sys.argv[1]), folder)
        try:
            tell(s)
        finally:
            s.smtp.stop()
    return s.close()


def subscriber(s, address):
    code, out, error = s.run("subscription", "list", "--json")
    every = json.loads(out)["subscribers"] if code == 0 else s.expect("list", False, error)
    return next((one for one in every if one["name"] == address), None)


def set_state(s, status):
    s.row(["page", "component", "set", "web", "--status", status], 0)


def tell_hooks(s):
    s.row(["subscription", "list"], 0, "nobody is told")
    s.row(["subscription", "deliver"], 0, "^0 sent")
    s.row(["subscription", "list"], 0, "webhook .*confirmed .*chat")
    first = s.publish("--since", "2026-03-10T09:40:00Z", "--component", "web")
    s.row(["subscription", "deliver"], 0, "^1 sent")
    s.row(["subscription", "deliver"], 0, "^0 sent")
    got = s.hooks.got
    s.expect("a webhook came once, with a good signature", len(got) == 1 and got[0]["signed"], got)
    body = got[0]["body"]
    s.expect("it has Statuspage's body: page and incident", set(body) == {"meta", "page", "incident"} and
             body["incident"]["status"] == "investigating" and body["incident"]["components"][0]["id"] == "web" and
             body["page"]["status_description"], body)
    set_state(s, "partial_outage")
    s.row(["subscription", "deliver"], 0, "^1 sent")
    body = got[-1]["body"]
    s.expect("a component's change: component_update and component", got[-1]["signed"] and
             set(body) == {"meta", "page", "component", "component_update"} and
             body["component_update"]["old_status"] == "operational" and
             body["component_update"]["new_status"] == "partial_outage" and
             body["component"]["status"] == "partial_outage", body)
    set_state(s, "partial_outage")
    s.row(["subscription", "deliver"], 0, "^0 sent.* 1 not needed")
    return first


def tell_trouble(s):
    s.hooks.got.clear()
    s.hooks.plan = [500, 302, "hang", 200]
    s.publish("--since", "2026-03-11T09:40:00Z", "--text", "Work goes on.")
    s.row(["subscription", "deliver"], 0, "^0 sent, 1 to be tried again")
    s.row(["subscription", "deliver"], 0, "^0 sent, 0 to be tried")  # it waits
    one = [each for each in s.deliveries() if each["state"] == "queued"]
    s.expect("what failed waits, with the reason", len(one) == 1 and one[0]["error"] == "HTTP 500" and
             one[0]["attempts"] == 1, one)
    s.due_now()
    s.row(["subscription", "deliver"], 0, "1 to be tried again")
    s.expect("a redirect is not followed", [each["path"] for each in s.hooks.got] == ["/in", "/in"], s.hooks.got)
    s.due_now()
    began = time.monotonic()
    s.row(["subscription", "deliver"], 0, "1 to be tried again")
    took = time.monotonic() - began
    s.expect("one that never answers costs ten seconds", 9 < took < 14, took)
    s.hooks.hanging.set()
    s.due_now()
    s.row(["subscription", "deliver"], 0, "^1 sent")
    s.expect("every attempt had the same webhook-id, and was signed", len({each["id"] for each in s.hooks.got}) == 1 and
             len(s.hooks.got) == 4 and all(each["signed"] for each in s.hooks.got), s.hooks.got)
    s.hooks.plan = [410]
    set_state(s, "major_outage")
    s.row(["subscription", "deliver"], 4, "1 given up")
    out = s.row(["subscription", "dead"], 0, "dead +web .*HTTP 410")
    s.row(["subscription", "retry", out.split()[out.split().index("dead") - 1]], 0, "1 put back")
    s.row(["subscription", "deliver"], 0, "^1 sent")
    s.row(["subscription", "dead"], 0, "nothing was given up")


def tell_mail(s):
    s.row(["subscription", "add", "ann@EXAMPLE.org", "--lang", "fr", "--components", "web"], 0,
          "ann@example.org is asked")
    s.row(["subscription", "add", "ann@example.org"], 0, "asked lately")
    s.row(["subscription", "deliver"], 0, "^1 sent")
    asked = s.box.mails[-1]
    s.expect("the question came over TLS, to a server that asked for a password", asked["tls"] and
             asked["to"] == ["ann@example.org"] and asked["from"] == "status@example.org", asked)
    s.expect("it is in French, and has a link and no unsubscription", "appuyez sur le bouton" in words(asked) and
             "https://status.example.org/confirm?token=c" in words(asked) and
             "List-Unsubscribe" not in asked["mail"] and asked["mail"]["Subject"].startswith("[Exemple] À confirmer"),
             asked["raw"])
    s.expect("lines are short, and ASCII", all(len(line) <= 78 and max(line, default=0) < 127
                                               for line in asked["raw"].split(b"\r\n")), asked["raw"])
    s.expect("who has not answered is told nothing", subscriber(s, "ann@example.org")["state"] == "asked")
    s.row(["subscription", "confirm", "c1" + "0" * 32], 1, "no such token")
    token = re.search(r"token=(\w+)", words(asked))[1]
    s.row(["subscription", "confirm", token], 0, "confirmed")
    s.row(["subscription", "confirm", token], 0, "confirmed")
    s.expect("who has answered is a subscriber", subscriber(s, "ann@example.org")["state"] == "confirmed")
    s.row(["subscription", "add", "bob@example.org", "--confirmed"], 0, "bob@example.org is subscriber")
    s.row(["subscription", "add", "bob@example.org", "--confirmed"], 1, "is a subscriber already")
    s.row(["subscription", "deliver"], 0, "^0 sent")


def tell_news(s, first):
    """In each subscriber's language, once, and what is taken back too."""
    s.box.mails.clear()
    s.box.refuse = {"bob@example.org": "450 try again"}
    english = s.publish("--kind", "update", "--after", first, "--since", "2026-03-10T09:40:00Z", "--component", "web",
                        "--text", "We know why.")
    s.publish("--kind", "update", "--after", first, "--since", "2026-03-10T09:40:00Z", "--component", "web",
              "--lang", "fr",
              "--text", "Nous savons pourquoi.")
    s.row(["subscription", "deliver"], 0, "^2 sent, 1 to be tried again")  # chat, ann; bob's waits
    s.due_now()
    s.box.refuse = {}
    s.row(["subscription", "deliver"], 0, "^1 sent, .* 3 not needed")  # bob; the other languages'
    to = {mail["to"][0]: mail for mail in s.box.mails}
    s.expect("each was told once, in their language", len(s.box.mails) == 2 and
             "Nous savons pourquoi." in words(to["ann@example.org"]) and
             "We know why." in words(to["bob@example.org"]) and
             not any(b"=05" in mail["raw"] for mail in s.box.mails), [mail["raw"] for mail in s.box.mails])
    one = to["bob@example.org"]["mail"]
    s.expect("one POST unsubscribes", one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and
             re.fullmatch(r"<https://status\.example\.org/unsubscribe\?token=e\w+>", one["List-Unsubscribe"]) and
             one["Auto-Submitted"] == "auto-generated" and one["Message-ID"].endswith("@example.org>"), one.as_string())
    s.publish("--kind", "correction", "--corrects", english, "--text", "It was something else.")
    s.row(["subscription", "deliver"], 0, "^2 sent")
    s.expect("a correction says that it is one", "This corrects what was said before." in words(s.box.mails[-1]),
             words(s.box.mails[-1]))
    s.row(["statement", "withdraw", english, "--text", "It was wrong."], 0)
    s.row(["subscription", "deliver"], 0, "^2 sent")
    s.expect("what was withdrawn is taken back, and not repeated", "withdrawn" in words(s.box.mails[-1]) and
             "It was wrong." in words(s.box.mails[-1]) and "We know why" not in words(s.box.mails[-1]),
             words(s.box.mails[-1]))
    s.box.refuse = {"ann@example.org": "550 no such box"}
    set_state(s, "operational")
    s.row(["subscription", "deliver"], 4, "^2 sent, 0 to be tried again, 1 given up")
    s.expect("a change of a component is told by mail",
             re.search("Website is now: Operational", words(s.box.mails[-1])),
             words(s.box.mails[-1]))
    s.box.refuse = {}
    token = re.search(r"token=(\w+)", to["ann@example.org"]["mail"]["List-Unsubscribe"])[1]
    s.row(["subscription", "leave", token], 0, "gone")
    s.row(["subscription", "leave", token], 0, "gone")
    s.expect("who leaves is forgotten", subscriber(s, "ann@example.org") is None and
             b"ann@example.org" not in read_base(s), "")
    s.row(["subscription", "remove", "bob@example.org"], 0, "address erased")
    s.row(["subscription", "remove", "bob@example.org"], 1, "no such subscriber")


def works(s, begin, end, name):
    now = time.time()
    at = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 1 + n)) for n in (begin, end)]
    out = s.row(["page", "works", "add", "--components", "web", "--from", at[0], "--to", at[1], "--name", name,
                 "--name-fr", f"{name} (fr)", "--text", "Disks are exchanged."], 0)
    return out.split()[0]


def tell_works(s):
    """Announced, begun, ended; called off; to whom they concern, in their language, mails and webhooks alike."""
    s.configure(more="    lang: fr\n")
    for address, more in (("carl@example.org", ["--lang", "fr"]), ("dora@example.org", ["--components", "api"])):
        s.row(["subscription", "add", address, "--confirmed", *more], 0)
    s.row(["subscription", "deliver"], 0, "^0 sent")
    s.hooks.got.clear()
    s.box.mails.clear()
    works(s, 3, 6, "New disks")
    s.row(["subscription", "deliver"], 0, "^2 sent, .* 1 not needed")
    s.row(["subscription", "deliver"], 0, "^0 sent")
    one = s.hooks.got[-1]["body"]["incident"] if s.hooks.got else {}
    s.expect("planned works are announced as Statuspage does, in the webhook's language", len(s.hooks.got) == 1 and
             one["status"] == "scheduled" and one["name"] == "New disks (fr)" and one["scheduled_for"] and
             one["components"][0]["name"] == "Site web", s.hooks.got)
    s.expect("and by mail", len(s.box.mails) == 1 and "Travaux planifiés – New disks (fr)" in
             str(s.box.mails[0]["mail"]["Subject"]) and "Disks are exchanged." in words(s.box.mails[0]),
             [mail["raw"] for mail in s.box.mails])
    for status, said in (("in_progress", "ont commencé"), ("completed", "sont terminés")):
        until(lambda: s.run("subscription", "deliver")[1].startswith("2 sent"), 20)
        s.expect(f"then they are {status}", s.hooks.got[-1]["body"]["incident"]["status"] == status and
                 said in words(s.box.mails[-1]) and len(s.hooks.got) == len(s.box.mails), s.hooks.got[-1])
    s.row(["subscription", "deliver"], 0, "^0 sent")
    s.expect("each with an ID of its own", len({each["id"] for each in s.hooks.got}) == 3 == len(s.hooks.got) and
             all(each["signed"] for each in s.hooks.got), s.hooks.got)
    off = works(s, 3600, 7200, "New racks")
    s.row(["subscription", "deliver"], 0, "^2 sent")
    s.row(["page", "works", "cancel", off], 0)
    s.row(["subscription", "deliver"], 0, "^2 sent, .* 1 not needed")
    one = s.hooks.got[-1]["body"]["incident"]
    s.expect("what is called off is said to be", one["id"] == off and one["status"] == "completed" and
             "annulés" in one["incident_updates"][0]["body"] and "annulés" in words(s.box.mails[-1]) and
             one["components"][0]["id"] == "web", (one, words(s.box.mails[-1])))
    of = [each["of"] for each in s.deliveries() if each["what"] == "works" and each["name"] == "carl@example.org"]
    s.expect("they are listed as what they are", of == ["m1 announced", "m1 begun", "m1 ended", "m2 announced",
                                                       "m2 called off"], of)
    quick = works(s, 3600, 7200, "New roof")
    s.row(["page", "works", "cancel", quick], 0)
    s.row(["subscription", "deliver"], 0, "^2 sent, .* 4 not needed")  # nobody is told of what is no longer planned
    for address in ("carl@example.org", "dora@example.org"):
        s.row(["subscription", "remove", address], 0)
    s.configure(more="    lang: xx\n")
    s.row(["subscription", "deliver"], 1, "lang is 'xx'; write en or fr")
    s.configure()


def read_base(s):
    with contextlib.closing(sqlite3.connect(f"{s.folder}/holdfast.db")) as base:
        return "\n".join(base.iterdump()).encode()


def tell_death(s):
    """A deliverer that is killed in the midst: all come, twice only what was under way, and by the same ID."""
    s.hooks.got.clear()
    s.hooks.plan, s.hooks.hanging = [204] * 3 + ["hang"], threading.Event()
    states = ["degraded_performance", "partial_outage", "major_outage", "operational"] * 3
    for state in states[:8]:
        set_state(s, state)
    child = subprocess.Popen([s.holdfast, "subscription", "deliver"], env=s.environment(), stdout=subprocess.PIPE)
    limit = time.monotonic() + 20
    while len(s.hooks.got) < 4 and time.monotonic() < limit:
        time.sleep(0.02)
    s.row(["subscription", "deliver"], 0, "somebody else is delivering")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    s.hooks.hanging.set()
    s.row(["subscription", "deliver"], 0, "^5 sent, .*1 may have gone out twice")
    ids = [each["id"] for each in s.hooks.got]
    s.expect("nothing is lost, and one alone came twice", len(set(ids)) == 8 and len(ids) == 9 and
             max(ids.count(id) for id in ids) == 2, ids)
    s.expect("the repeat is counted where it was", sum(each["repeats"] for each in s.deliveries()) == 1, s.deliveries())


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def tell_wrong(s):
    s.row(["subscription"], 2, "say what to do")
    s.row(["subscription", "sing"], 2, "no command")
    s.row(["subscription", "add"], 2, "wants to know of what")
    for address in ["https://example.org/hook", "a b@example.org", "a@b@example.org", "@example.org", "a@",
                    "é@example.org",
                    "a@example.org\nBcc: b@example.org", "x" * 65 + "@example.org", "a@" + "b" * 64 + ".org"]:
        s.row(["subscription", "add", address], 2, "is no address")
    s.row(["subscription", "add", "a@example.org", "--components", "Web"], 2, "wants IDs")
    s.row(["subscription", "add", "a@example.org", "--lang", "xx"], 2, "en or fr")
    s.row(["subscription", "retry", "one"], 2, "no delivery's number")
    s.row(["subscription", "retry", "999"], 1, "is not dead")
    s.configure(more="    extra: 1\n")
    s.row(["subscription", "deliver"], 1, "no key 'extra' in a webhook")
    with open(f"{s.folder}/secret", "w", encoding="utf-8") as file:
        file.write("whsec_short\n")
    s.configure()
    s.row(["subscription", "deliver"], 1, "is no secret of a webhook")
    s.configure(hooks=False)
    s.row(["subscription", "deliver"], 0)
    s.row(["subscription", "list"], 0, "nobody is told")
    s.configure(mail=False, hooks=False)
    s.row(["subscription", "add", "eve@example.org", "--confirmed"], 0)


def fetch(port, method, path, body=None, lang="en"):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        headers = {"Accept-Language": lang}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def until(what, seconds=25):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if what():
            return True
        time.sleep(0.1)
    return False


def tell_serve(s):
    """A stranger subscribes by the public role, is asked, confirms, is told, leaves by one POST; the desk delivers."""
    nobody = pwd.getpwnam("nobody")
    os.chmod(s.folder, 0o755)
    own, s.folder = s.folder, f"{s.folder}/served"
    for folder in (s.folder, f"{s.folder}/web"):
        os.mkdir(folder)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    port = free_port()
    s.box.mails.clear()
    with open(f"{s.folder}/c.yaml", "w", encoding="utf-8") as file:
        file.write(f"user: nobody\nstate_dir: {s.folder}\nrun_dir: {s.folder}/run\npage:\n  title: Example\n"
                   f"  url: http://127.0.0.1:{port}\n  directory: {s.folder}/web/page\n"
                   f"public: {{ listen: [\"127.0.0.1:{port}\"] }}\nmail:\n"
                   f"  smtp: smtp://localhost:{s.smtp.port}\n  from: status@example.org\n  user: status\n"
                   f"  password_file: {own}/password\n  ca_file: {own}/tls.pem\n")
    with open(f"{own}/log", "wb") as log, subprocess.Popen([s.holdfast, "serve", "--config", f"{s.folder}/c.yaml"],
                                                            stdout=log, stderr=log) as serve:
        try:
            serve_a_stranger(s, port)
        finally:
            serve.terminate()
            serve.wait(20)
    with open(f"{own}/log", encoding="utf-8", errors="replace") as log:
        s.expect("the daemon complains of nothing", "subscribers" not in log.read())
    s.folder = own


def serve_a_stranger(s, port):
    def there():
        with contextlib.suppress(OSError):
            return fetch(port, "GET", "/subscribe")[0] == 200
        return False

    s.expect("the form is there, in two languages", until(there) and
             "Your address" in fetch(port, "GET", "/subscribe")[1] and
             "Votre adresse" in fetch(port, "GET", "/subscribe", lang="fr")[1])
    s.expect("what is no address is said to be none",
             fetch(port, "POST", "/subscribe", "address=x%0aBcc:y@z.org")[0] == 400)
    status, first = fetch(port, "POST", "/subscribe", "address=eve%40example.org&lang=fr")
    s.expect("who subscribes is asked by mail", status == 200 and until(lambda: s.box.mails), (status, first))
    if not s.box.mails:
        return
    link = re.search(r"http://127\.0\.0\.1:\d+(/confirm\?token=\w+)", words(s.box.mails[-1]))[1]
    s.expect("an address that is known is answered the same",
             fetch(port, "POST", "/subscribe", "address=eve%40example.org&lang=fr") == (status, first))
    s.expect("following the link shows a button alone", "<button" in fetch(port, "GET", link)[1] and
             subscriber(s, "eve@example.org")["state"] == "asked")
    s.expect("a token that is none is answered as one that is",
             fetch(port, "POST", "/confirm?token=c9" + "a" * 32)[1] == fetch(port, "POST", link)[1])
    s.expect("pressing it confirms", until(lambda: subscriber(s, "eve@example.org")["state"] == "confirmed"))
    s.row(["page", "component", "add", "web", "--name", "Website"], 0)
    set_state(s, "major_outage")
    s.expect("the page leads to the form", until(lambda: "/subscribe\">Be told by mail" in fetch(port, "GET", "/")[1]))
    s.expect("what is said on the page is delivered by the daemon", until(lambda: len(s.box.mails) == 2) and
             "Website" in words(s.box.mails[-1]), [mail["raw"] for mail in s.box.mails])
    leave = re.search(r"<http://127\.0\.0\.1:\d+(/unsubscribe\?token=\w+)>",
                      str(s.box.mails[-1]["mail"]["List-Unsubscribe"]))
    s.expect("a GET of the unsubscription changes nothing", leave and fetch(port, "GET", leave[1])[0] == 200 and
             subscriber(s, "eve@example.org") is not None)
    s.expect("a mail program's POST is all it takes", leave and
             fetch(port, "POST", leave[1], "List-Unsubscribe=One-Click")[0] == 200 and
             until(lambda: subscriber(s, "eve@example.org") is None))
    s.row(["page", "component", "add", "api", "--name", "Interface"], 0)
    s.expect("components can be chosen",
             until(lambda: 'value="api"> Interface' in fetch(port, "GET", "/subscribe")[1]) and
             fetch(port, "POST", "/subscribe", "address=fay%40example.org&component=none")[0] == 400 and
             fetch(port, "POST", "/subscribe", "address=fay%40example.org&component=api")[0] == 200 and
             until(lambda: (subscriber(s, "fay@example.org") or {}).get("components") == "api"),
             subscriber(s, "fay@example.org"))
    answers = [fetch(port, "POST", "/subscribe", f"address=a{i}%40example.org")[0] for i in range(8)]
    s.expect("of one network so many are taken in ten minutes",
             answers.count(200) == 2 and answers.count(429) == 6, answers)


def tell(s):
    s.row(["page", "component", "add", "web", "--name", "Website", "--name-fr", "Site web"], 0)
    first = tell_hooks(s)
    tell_trouble(s)
    tell_mail(s)
    tell_news(s, first)
    tell_works(s)
    tell_death(s)
    tell_wrong(s)
    if os.geteuid() == 0:
        tell_serve(s)


if __name__ == "__main__":
    sys.exit(main())
