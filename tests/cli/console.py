#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""console.py HOLDFAST: the console of `holdfast serve`, on loopback, as a browser uses it. Speaks TAP.

Wants root, for the daemon does; without it all of it is skipped. HOLDFAST_PAGES names a folder that pages are put
into, each in one file with its style, for tests/report/console.mjs.
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

HALF = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\ntok"
ROLES = {"ann": "publish", "bob": "operate", "eve": "read"}


class Browser:
    """One session, with its cookie and the CSRF token of the latest page."""

    def __init__(self, port):
        self.port, self.cookie, self.csrf = port, "", ""

    def ask(self, method, path, fields=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if fields is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection.request(method, path, None if fields is None else urllib.parse.urlencode(fields), headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        self.csrf = (re.findall(r'name="csrf" value="([0-9a-f]{64})"', body) or [self.csrf])[0]
        connection.close()
        return answer.status, body, answer

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, csrf=None, **fields):
        return self.ask("POST", path, {"csrf": self.csrf if csrf is None else csrf, **fields})

    def sign_in(self, token, lang="en"):
        answer = self.ask("POST", "/sign-in", {"token": token, "lang": lang})
        if answer[0] == 303:
            self.get("/")
        return answer


class Stage:
    def __init__(self, holdfast, folder):
        self.holdfast, self.folder, self.count, self.failed = holdfast, folder, 0, 0
        self.tokens = {}

    def expect(self, what, good, said=""):
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {what}", flush=True)
        if not good:
            print("\n".join(f"# {line}" for line in str(said)[:2000].splitlines()), flush=True)

    def answered(self, what, answer, status, wanted=""):
        self.expect(what, answer[0] == status and re.search(wanted, answer[1], re.DOTALL), answer[:2])

    def run(self, *typed):
        return subprocess.run([self.holdfast, *typed], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "HOLDFAST_CONFIG": f"{self.folder}/c.yaml", "LC_ALL": "C.UTF-8"})

    def json(self, *typed):
        done = self.run(*typed, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {"statements": [], "audit": [], "said": done.stderr}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def configure(s, port):
    lines = ["user: nobody", f"state_dir: {s.folder}/state", f"run_dir: {s.folder}/run", "console:",
             f"  listen: 127.0.0.1:{port}", "  tokens:"]
    for name, role in ROLES.items():
        out = s.run("console", "token", name, "--role", role).stdout
        s.tokens[name] = re.search(r"\n  ([0-9a-f]{64})\n", out).group(1)
        lines += [line.removeprefix("  ") for line in out.splitlines()[-3:]]
        s.expect(f"the configuration has nothing of {name}'s token", s.tokens[name] not in "\n".join(lines))
    (s.folder / "c.yaml").write_text("\n".join(lines) + "\n")
    for name in ("state", "run"):
        (s.folder / name).mkdir()
        shutil.chown(s.folder / name, "nobody")


def begin(s, port):
    daemon = subprocess.Popen([s.holdfast, "serve", "--config", f"{s.folder}/c.yaml"], stdout=subprocess.DEVNULL,
                              stderr=open(s.folder / "log", "w", encoding="utf-8"))
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                break
        except OSError:
            time.sleep(.05)
    for _ in range(200):
        if (s.folder / "state/holdfast.db").exists():
            break
        time.sleep(.05)
    return daemon


def doors(s, port):
    b = Browser(port)
    answer = b.get("/")
    s.answered("who is not signed in is asked to", answer, 200, "Sign in")
    headers = dict(answer[2].getheaders())
    s.expect("no script, no frame, no store", "default-src 'none'" in headers["Content-Security-Policy"] and
             headers["Cache-Control"] == "no-store" and headers["X-Frame-Options"] == "DENY", headers)
    s.answered("the same of every page", b.get("/audit"), 401, "Sign in")
    s.answered("another host's name", b.get("/", Host="console.example:80"), 421)
    s.answered("a name that begins like this host's", b.get("/", Host="localhost.example"), 421)
    s.answered("a wrong token", b.sign_in("0" * 64), 403, "No token of that kind")
    s.answered("no form", b.ask("POST", "/sign-in", {"token": s.tokens["ann"]}, Content_Type="text/plain"), 400)
    s.answered("another site's page", b.ask("POST", "/sign-in", {"token": s.tokens["ann"]},
                                            Sec_Fetch_Site="cross-site"), 400)
    s.answered("PUT", b.ask("PUT", "/"), 405)
    answer = b.sign_in(s.tokens["ann"])
    s.expect("a session's cookie", answer[0] == 303 and re.search("HttpOnly; SameSite=Strict",
             answer[2].getheader("Set-Cookie")), answer)
    s.answered("the overview", b.get("/"), 200, "What is due")
    s.answered("no such page", b.get("/nothing"), 404)
    s.answered("no such statement", b.get("/matter/s99"), 404)
    return b


def roles(s, port):
    eve, bob = Browser(port), Browser(port)
    eve.sign_in(s.tokens["eve"])
    bob.sign_in(s.tokens["bob"], "fr")
    s.answered("who may read reads", eve.get("/audit"), 200, "Audit log")
    s.answered("and may draft nothing", eve.get("/draft"), 403, "may not")
    s.answered("nor by a form", eve.post("/draft", since="09:40", lang="en"), 403, "may not")
    s.answered("in the language that was chosen", bob.get("/"), 200, "<html lang=\"fr\">.*Vue d’ensemble")
    s.answered("without the session's own token nothing is done",
               bob.post("/draft", csrf="0" * 64, since="09:40", lang="en"), 403, "ne vient pas de votre session")
    s.answered("nor with another session's", bob.post("/draft", csrf=eve.csrf, since="09:40", lang="en"), 403)
    return bob


def latest(s):
    return s.json("statement", "list")["statements"][-1]


def life(s, ann, bob):
    s.answered("nothing to speak of", bob.post("/draft", lang="en"), 400, "say of what")
    s.answered("no time", bob.post("/draft", lang="en", since="25:99"), 400, "a time is in UTC")
    answer = bob.post("/draft", lang="en", since="2026-03-10T09:40", component="web <b>")
    s.expect("a draft", answer[0] == 303 and "/matter/s1" in answer[2].getheader("Location"), answer)
    s.answered("its page", bob.get("/matter/s1"), 200, "some people cannot reach web &lt;b&gt;.*Approuver")
    answer = bob.get("/edit/s1")
    s.answered("its form", answer, 200, "name=\"t1\"")
    fields = {"title": "Web is down", "revision": "1", "t1": "[Some] people cannot reach us.", "a1": "public",
              "t2": "", "a2": "public", "t3": "Rule r1 drops it.", "a3": "internal"}
    s.answered("it is edited", bob.post("/edit/s1", **fields), 303)
    s.answered("who edits what is no longer the latest is refused", bob.post("/edit/s1", **fields), 409, "since")
    one = latest(s)
    s.expect("what was typed", one["revision"] == 2 and one["statement"]["title"] == "Web is down" and
             one["text"].startswith("[Some] people"), one)
    s.answered("a hash that was not read", bob.post("/approve/s1", hash="0" * 64), 409, "not what you have read")
    s.answered("publication before approval", ann.get("/publish/s1"), 409, "nobody has approved")
    s.answered("approved", bob.post("/approve/s1", hash=one["sha256"]), 303)
    s.answered("who may operate may not publish", bob.post("/publish/s1", hash=one["sha256"]), 403)
    page = ann.get("/publish/s1")
    s.answered("what the public will see, and nothing else", page, 200, "Some. people cannot reach us")
    s.expect("what is internal is not in it", "Rule r1" not in page[1], page[1])
    s.answered("another than was shown", ann.post("/publish/s1", hash="0" * 64), 409, "edited since")
    s.answered("published", ann.post("/publish/s1", hash=one["sha256"]), 303)
    one = latest(s)
    s.expect("it is published, by whom, of which revision",
             one["state"] == "published" and [act["by"] for act in one["acts"]] == ["bob", "ann"], one)
    s.answered("due on the overview", ann.get("/"), 200, "Next word on s1.*in 3?2?[0-9]")
    page = pathlib.Path(s.folder) / "site"
    done = s.run("page", "publish", "-o", str(page))
    index = page / "index.html"
    s.expect("the public page says it", done.returncode == 0 and "Web is down" in index.read_text("utf-8"), done)
    s.answered("withdrawn for no reason", ann.post("/withdraw/s1", text=" "), 400, "say why")
    s.answered("withdrawn", ann.post("/withdraw/s1", text="It was not so."), 303)
    s.expect("it stays, marked", latest(s)["state"] == "withdrawn", latest(s))


def others(s, ann, bob):
    done = s.run("page", "component", "add", "web", "--name", "Web")
    s.expect("a component", done.returncode == 0, done)
    s.answered("its state", bob.post("/components", component="web", status="major_outage", since=""), 303)
    s.answered("is seen", ann.get("/components"), 200, "<th scope=\"row\">Web</th><td>[^<]*(?i:major)")
    s.answered("no such component", bob.post("/components", component="nothing", status="major_outage"), 404)
    s.answered("an event", bob.post("/events", kind="provider", text="Carrier <down>", since="2026-03-10T09:30"), 303)
    s.answered("is seen, escaped", ann.get("/events"), 200, "Carrier &lt;down&gt;")
    s.answered("no incident", bob.post("/aware/0123456789abcdef", at="09:40"), 400, "no such incident")


def keep(s, ann, bob):
    """Pages as they stand in the middle of it all, for a browser that is to look at them."""
    folder = os.environ.get("HOLDFAST_PAGES")
    if not folder:
        return
    style = ann.get("/style.css")[1]
    bob.post("/draft", lang="fr", since="2026-03-10T09:40", until="2026-03-10T11:00", kind="postmortem")
    claimed = bob.post("/draft", lang="en", since="2026-03-10T09:40", component="Sign-in", kind="nis2_24h")
    number = re.search(r"/matter/s(\d+)", claimed[2].getheader("Location")).group(1)
    bob.post(f"/approve/s{number}", hash=latest(s)["sha256"])
    pages = {"sign-in": Browser(ann.port).get("/"), "overview": ann.get("/"), "overview-fr": bob.get("/"),
             "matter": ann.get("/matter/s1"), "matter-fr": bob.get(f"/matter/s{int(number) - 1}"),
             "submit": ann.get(f"/submit/s{number}"), "draft": ann.get("/draft"), "edit": bob.get(f"/edit/s{number}"),
             "components": ann.get("/components"), "events": bob.get("/events"), "audit": ann.get("/audit"),
             "refused": bob.post("/withdraw/s1", text="x")}
    for name, answer in pages.items():
        page = answer[1].replace('<link rel="stylesheet" href="/style.css">', f"<style>{style}</style>")
        (pathlib.Path(folder) / f"{name}.html").write_text(page, "utf-8")


def audited(s, ann):
    rows = s.json("console", "audit")["audit"]
    told = {(row["who"], row["what"], row["object"], row["outcome"]) for row in rows}
    for wanted in (("ann", "sign-in", "", "done"), ("", "sign-in", "", "refused"), ("bob", "edit", "s1", "done"),
                   ("bob", "edit", "s1", "refused"), ("bob", "approve", "s1", "done"),
                   ("ann", "publish", "s1", "done"), ("bob", "publish", "s1", "refused"),
                   ("ann", "withdraw", "s1", "done"), ("eve", "draft", "", "refused")):
        s.expect(f"audited: {wanted}", wanted in told, rows)
    published = [row for row in rows if row["what"] == "publish" and row["outcome"] == "done"]
    s.expect("of which revision", published and published[0]["revision"] == 2, published)
    s.answered("the log as a page", ann.get("/audit"), 200, "sign-in")
    done = s.run("record", "check")
    s.expect("the record is whole", done.returncode == 0, done)
    cookie = ann.cookie
    s.answered("signed out", ann.post("/sign-out"), 303)
    ann.cookie = cookie
    s.answered("the session is over", ann.get("/audit"), 401)
    limited = [Browser(ann.port).sign_in("1" * 64)[0] for _ in range(12)]
    s.expect("wrong tokens are limited", limited[-1] == 429 and limited[0] == 403, limited)
    s.answered("the right one waits, too", Browser(ann.port).sign_in(s.tokens["ann"]), 429, "wait a minute")


def slow_ones(s, ann, port):
    """More than it has places for, that ask for nothing."""
    sockets, good = [], 0
    for number in range(80):
        try:
            one = socket.create_connection(("127.0.0.1", port), 1)
            one.sendall((b"", HALF)[number % 2])
            sockets.append(one)
        except OSError:
            pass
    time.sleep(1.2)
    for _ in range(10):
        try:
            good += ann.get("/")[0] == 200
        except (OSError, http.client.HTTPException):
            pass
    s.expect("slow clients take every place, and who is signed in is served", good >= 4, good)
    for one in sockets:
        one.close()


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP the daemon wants root")
        return 0
    with tempfile.TemporaryDirectory(prefix="holdfast-console-") as folder:
        os.chmod(folder, 0o755)
        s = Stage(sys.argv[1], pathlib.Path(folder))
        port = free_port()
        configure(s, port)
        daemon = begin(s, port)
        try:
            ann = doors(s, port)
            bob = roles(s, port)
            life(s, ann, bob)
            others(s, ann, bob)
            keep(s, ann, bob)
            audited(s, ann)
            slow_ones(s, ann, port)
        finally:
            daemon.send_signal(signal.SIGTERM)
            s.expect("it ends when asked to", daemon.wait(20) == 0, (s.folder / "log").read_text("utf-8"))
        print(f"1..{s.count}")
        return int(s.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
