#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""subscription.py HOLDFAST: who is told of what is published, through real servers on loopback. Speaks TAP.

Mail goes to aiosmtpd, with TLS and a password; webhooks to a receiver that checks Standard Webhooks' signatures by Python's
own HMAC. Receivers that fail, hang, and recover; a deliverer that is killed in the midst.
"""
import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

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


class Stage:
    def __init__(self, holdfast, folder):
        self.holdfast, self.folder, self.count, self.failed = holdfast, folder, 0, 0
        self.hooks, self.other, self.box = Hooks(), Hooks(), Box()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
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

    def expect(self, what, good, said=""):
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {what}", flush=True)
        if not good:
            print("\n".join(f"# {line}" for line in str(said)[:3000].splitlines()), flush=True)

    def environment(self):
        return {**os.environ, "SUDO_USER": "ann", "SUDO_UID": "1001", "HOLDFAST_CONFIG": f"{self.folder}/c.yaml",
                "LC_ALL": "C.UTF-8"}

    def run(self, *typed):
        done = subprocess.run([self.holdfast, *typed], capture_output=True, text=True, check=False, timeout=60,
                              env=self.environment())
        return done.returncode, done.stdout, done.stderr

    def row(self, typed, status, wanted=""):
        code, out, error = self.run(*typed)
        self.expect(f"{' '.join(typed)[:90]}", code == status and re.search(wanted, out + error, re.DOTALL),
                    (code, out, error))
        return out

    def publish(self, *typed):
        """A statement, published; its ID."""
        code, out, error = self.run("statement", "draft", *typed, "--json")
        if code != 0:
            self.expect(f"draft {typed}", False, (out, error))
            return ""
        one = json.loads(out)["statements"][0]
        for act in ("approve", "publish"):
            code, out, error = self.run("statement", act, one["id"], "--sha256", one["sha256"])
            if code != 0:
                self.expect(f"{act} {one['id']}", False, (out, error))
        return one["id"]

    def deliveries(self):
        code, out, error = self.run("subscription", "dead", "--all", "--json")
        if code != 0:
            self.expect("deliveries", False, (out, error))
        return json.loads(out)["deliveries"]

    def due_now(self):
        """Time passes: what waits for another attempt waits no more."""
        with contextlib.closing(__import__("sqlite3").connect(f"{self.folder}/holdfast.db")) as base:
            base.execute("UPDATE delivery SET next_ns = 0 WHERE state = 'queued'")
            base.commit()


def free_port():
    import socket
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
    print(f"1..{s.count}")
    return 1 if s.failed else 0


def tell(s):
    print(s.run("page", "component", "add", "web", "--name", "Website", "--name-fr", "Site web"))
    print(s.run("subscription", "list"))
    print(s.run("subscription", "deliver"))
    print(s.run("subscription", "list"))
    print(s.publish("--since", "2026-03-10T09:40:00Z", "--component", "web"))
    print(s.run("subscription", "deliver"))
    print(s.hooks.got)
    print(s.run("subscription", "add", "ann@Example.org", "--lang", "fr"))
    print(s.run("subscription", "deliver"))
    print(s.run("subscription", "dead", "--all"))
    for m in s.box.mails: print(m["raw"].decode())


if __name__ == "__main__":
    sys.exit(main())
