#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""console.py HOLDFAST: the console of `holdfast serve`, on loopback, as a browser uses it. Speaks TAP.

Each page and each refusal that an operator sees in French is looked at for English words of the console's tables
(src/tell/console_inside.h, console_sentences.c).

Wants root, for the daemon does; without it all of it is skipped. HOLDFAST_PAGES names a folder that pages are put
into, each in one file with its style, for tests/report/console.mjs.
"""
import calendar
import html.parser
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position
import statement  # noqa: E402  pylint: disable=wrong-import-position

HALF = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\ntok"
ROLES = {"ann": "publish", "bob": "operate", "eve": "read", "zoe": "publish"}
TELL = pathlib.Path(__file__).resolve().parents[2] / "src/tell"
MINUTE, HOUR = 60, 3600


class Visible(html.parser.HTMLParser):
    """What a page says in its own language: not what is marked as of another, nor code."""
    VOID = {"meta", "link", "input", "br"}

    def __init__(self, page):
        super().__init__()
        self.langs, self.said, self.others = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        lang = "code" if tag in ("code", "style") else attrs.get("lang", self.langs[-1] if self.langs else "")
        if tag not in self.VOID:
            self.langs.append(lang)
        if attrs.get("aria-label"):
            (self.said if lang == "fr" else self.others).append(attrs["aria-label"])

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            self.langs.pop()

    def handle_data(self, data):
        if data.strip():
            (self.said if self.langs and self.langs[-1] == "fr" else self.others).append(data)


class English:
    """Words of the tables that no French page may have, and what was found of them."""

    def __init__(self):
        rows = [re.findall(r'"((?:[^"\\]|\\.)*)"', row)[-2:]
                for row in re.findall(r"\tX\(\w+, .*", (TELL / "console_inside.h").read_text("utf-8"))]
        rows += re.findall(r'\{ "((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)" \}',
                           (TELL / "console_sentences.c").read_text("utf-8"))
        french = "\n".join(row[1] for row in rows).lower()
        parts = {part.strip(" .,:;()").lower() for row in rows for part in re.split(r"%[sd]|/", row[0])}
        self.words = sorted(part for part in parts if len(part) > 3 and part not in french)
        self.any = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, self.words)) + r")(?!\w)")
        self.pages, self.found = 0, []

    def look(self, where, page):
        seen = Visible(page)
        said = " ".join(" ".join(seen.said).replace("\u00a0", " ").lower().split())
        self.pages += 1
        self.found += [f"{where}: {word}" for word in set(self.any.findall(said))]
        if "l’a dit en anglais" in said:
            at = page.find('role="alert"')
            self.found.append(f"{where}: {page[at:at + 200]}")


ENGLISH = English()


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
        if '<html lang="fr">' in body:
            ENGLISH.look(f"{method} {path}", body)
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


class Stage(cases.Cases):
    def __init__(self, holdfast, folder):
        super().__init__()
        self.holdfast, self.folder = holdfast, folder
        self.tokens = {}

    def answered(self, what, answer, status, wanted=""):
        page = answer[1].replace("&nbsp;", " ")
        self.expect(what, answer[0] == status and re.search(wanted, page, re.DOTALL), (status, wanted, page))

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
    (s.folder / "state/incidents").mkdir()
    for number, vector in ((0xaa00, "syn_flood"), (0xbb00, "ntp_reflection")):
        id, head, analysis = statement.incident(number, vector, vector, "spoofed", True)
        (s.folder / f"state/incidents/{id}.json").write_text(
            json.dumps(head, separators=(",", ":"))[:-1] + ',"analysis":\n' + json.dumps(analysis) + "\n}\n")


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
    answer = bob.post("/draft", lang="en", since="2026-03-10T09:40", component="web <b>")
    s.expect("a draft", answer[0] == 303 and "/matter/s1" in answer[2].getheader("Location"), answer)
    s.answered("its page", bob.get("/matter/s1"), 200, "some people cannot reach web &lt;b&gt;.*Approuver")
    answer = bob.get("/edit/s1")
    s.answered("its form", answer, 200, "name=\"t1\"")
    fields = {"title": "Web is down", "revision": "1", "t1": "[Some] people cannot reach us.", "a1": "public",
              "t2": "", "a2": "public", "t3": "Rule r1 drops it.", "a3": "internal"}
    s.answered("it is edited", bob.post("/edit/s1", **fields), 303)
    s.answered("who edits what is no longer the latest is refused", bob.post("/edit/s1", **fields), 409,
               "quelqu’un d’autre l’a modifié")
    one = latest(s)
    s.expect("what was typed", one["revision"] == 2 and one["statement"]["title"] == "Web is down" and
             one["text"].startswith("[Some] people"), one)
    s.answered("a hash that was not read", bob.post("/approve/s1", hash="0" * 64), 409,
               "pas ce que vous avez lu : la révision 2 est")
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
    s.answered("due on the overview", ann.get("/"), 200, "<strong>in (29|30).*Next word on s1")
    page = pathlib.Path(s.folder) / "site"
    done = s.run("page", "publish", "-o", str(page))
    index = page / "index.html"
    s.expect("the public page says it", done.returncode == 0 and "Web is down" in index.read_text("utf-8"), done)
    s.answered("what comes next, with its phase",
               bob.post("/draft", lang="en", after="s1", phase="identified", next="10"), 303)
    one = latest(s)
    said = one["statement"]
    promised = calendar.timegm(time.strptime(said["next_update"][:19], "%Y-%m-%dT%H:%M:%S")) - time.time()
    s.expect("it is an update, in which the cause is known, and the next is promised in 10 minutes",
             said["kind"] == "update" and said["phase"] == "identified" and 500 < promised <= 600, one)
    s.answered("the page says so", ann.get("/matter/s1"), 200, "the cause is known")
    s.answered("the same in French", bob.get("/draft?translates=s1&lang=en"), 200, "s1 dans une autre langue")
    s.answered("drafted", bob.post("/draft", lang="fr", translates="s1"), 303)
    one = latest(s)
    s.expect("of the same facts", one["statement"]["translates"] == "s1" and one["statement"]["lang"] == "fr" and
             one["statement"]["kind"] == "first_notice", one)
    s.answered("the page says so", ann.get("/matter/s1"), 200, "translation of s1")
    s.answered("a withdrawal's page", ann.get("/withdraw/s1"), 200, "Reason")
    s.answered("withdrawn", ann.post("/withdraw/s1", text="It was not so."), 303)
    withdrawn = s.json("statement", "show", "s1")["statements"][0]
    s.expect("it stays, marked", withdrawn["state"] == "withdrawn", withdrawn)


def components(s, ann, bob):
    s.answered("a group", bob.post("/component-add", id="core", name_en="Core", name_fr="Cœur", is_group="1"), 303)
    s.answered("a component", bob.post("/component-add", id="web", name_en="Web", group="core",
                                       description_fr="Le site"), 303)
    s.answered("another", bob.post("/component-add", id="api", name_fr="Interface", hidden="1", position="1"), 303)
    listed = {row["id"]: row for row in s.json("page", "component", "list")["components"]}
    s.expect("they are as the command has them", listed["web"]["group"] == "core" and not listed["api"]["shown"] and
             listed["core"]["is_group"] and listed["api"]["position"] == 1, listed)
    s.answered("its settings", bob.get("/component/web"), 200, 'value="Le site"')
    s.answered("are changed", bob.post("/component-change/web", name_en="Website", name_fr="Site", group="core"), 303)
    s.answered("of the group, too", bob.post("/component-change/core", name_en="Core", name_fr="Noyau"), 303)
    listed = {row["id"]: row for row in s.json("page", "component", "list")["components"]}
    s.expect("as the form had it", listed["web"]["name"] == "Website" and listed["web"]["description_fr"] == "" and
             listed["core"]["is_group"] and listed["core"]["name_fr"] == "Noyau", listed)
    s.answered("who may read sees no form", Browser(ann.port).get("/component/web"), 401)
    s.answered("its state", bob.post("/components", component="web", status="major_outage", since="", cause="attack"),
               303)
    s.answered("is seen", ann.get("/components"), 200, "Website</a></th><td>Major outage")
    s.answered("removed", bob.post("/component-remove/api"), 303)
    s.expect("it is gone", "api" not in {row["id"] for row in s.json("page", "component", "list")["components"]})
    s.answered("works", bob.post("/works-add", name_en="Routers", name_fr="Routeurs", text_en="short <b>",
                                 **{"from": "2200-01-01T00:00", "to": "2200-01-02T00:00", "c-web": "1"}), 303)
    planned = s.json("page", "works", "list")["works"]
    s.expect("they are as the command has them", [(row["id"], row["components"], row["added_by"]) for row in planned] ==
             [("m1", "web", "bob")], planned)
    s.answered("are seen", ann.get("/works"), 200, "m1 . Routers.*planned.*Cancel")
    s.answered("cancelled", bob.post("/works-cancel/m1"), 303)
    s.answered("that is seen", ann.get("/works"), 200, "cancelled")
    s.answered("an event", bob.post("/events", kind="provider", text="Carrier <down>", since="2026-03-10T09:30"), 303)
    s.answered("is seen, escaped", ann.get("/events"), 200, "Carrier &lt;down&gt;.*failure")
    s.answered("who may read adds none", Browser(ann.port).get("/events"), 401)


def more_than_a_list_holds(s, bob):
    """Works that touch so many components that their IDs do not fit a text of the record."""
    ids = [f"c{i:031d}" for i in range(130)]
    with sqlite3.connect(s.folder / "state/holdfast.db") as database:
        database.executemany("INSERT INTO component VALUES(?, '', 1, 0, 1, 'x', '', '', '', 1, 1, 0)",
                             [(one,) for one in ids])
    s.answered("works of more components than a list holds",
               bob.post("/works-add", name_fr="T", **{"from": "2200-01-01T00:00", "to": "2200-01-02T00:00"},
                        **{f"c-{one}": "1" for one in ids}), 400, "prévoyez plusieurs travaux|plan several works")
    with sqlite3.connect(s.folder / "state/holdfast.db") as database:
        database.executemany("UPDATE component SET removed_ns = 2 WHERE id = ?", [(one,) for one in ids])


def refusals(s, bob, zoe):
    """What is refused, in French: who asks, where, with which form; status, words."""
    far, now = "x" * 5000, {"lang": "fr", "since": "09:40"}
    works = {"name_fr": "T", "from": "2026-03-10T09:40", "to": "2026-03-10T09:41", "c-web": "1"}
    event = {"kind": "provider", "text": "x", "since": "2026-03-10T09:40"}
    first = latest(s)["id"]
    bob.post("/draft", lang="fr", since="2026-03-10T09:40", kind="nis2_24h", component="Site")
    law = latest(s)
    bob.post(f"/approve/{law['id']}", hash=law["sha256"])
    bob.post("/draft", lang="fr", since="2026-03-10T09:40", kind="first_notice", component="Site")
    word = latest(s)
    edited = {"title": "Titre", "revision": "1"}
    inside = {**edited, **{f"t{i}": one["text"] for i, one in enumerate(word["statement"]["sentences"], 1)},
              **{f"a{i}": "internal" for i in range(1, 9)}}
    id = word["id"]
    for who, path, fields, status, wanted in (
            (bob, "/draft", {"lang": "fr"}, 400, "dites de quoi"),
            (bob, "/draft", {"lang": "fr", "since": "25:99"}, 400, "une heure est en UTC"),
            (bob, "/draft", {"lang": "fr", "since": "09:40", "until": "x"}, 400, "une heure est en UTC"),
            (bob, "/draft", {"lang": "xx", "since": "09:40"}, 400, "cette langue n’existe pas"),
            (bob, "/draft", {**now, "kind": "rumour"}, 400, "ce type de communiqué"),
            (bob, "/draft", {**now, "phase": "x"}, 400, "cette phase n’existe pas"),
            (bob, "/draft", {**now, "kind": "resolution", "phase": "monitoring"}, 400, "une phase est celle d’un"),
            (bob, "/draft", {**now, "next": "1441"}, 400, "sous un jour"),
            (bob, "/draft", {**now, "next": "-1"}, 400, "sous un jour"),
            (bob, "/draft", {**now, "after": "1"}, 400, "l’identifiant d’un communiqué"),
            (bob, "/draft", {"lang": "fr", "after": "s99"}, 404, "s99 n’existe pas"),
            (bob, "/draft", {"lang": "fr", "kind": "correction", "since": "09:40"}, 400, "quel communiqué publié"),
            (bob, "/draft", {"lang": "fr", "kind": "correction", "corrects": id}, 409, "n’est pas publié"),
            (bob, "/draft", {"lang": "fr", "incident": "0123"}, 400, "cet incident n’existe pas"),
            (bob, "/draft", {**now, "claim": "c99"}, 404, "l’affirmation c99 n’existe pas"),
            (bob, "/draft", {**now, "component": far}, 400, "64 octets"),
            (bob, "/draft", {**now, "translates": "s1"}, 400, "une traduction reprend tout"),
            (bob, "/draft", {"lang": "en", "translates": "s1"}, 400, "s1 est déjà dans cette langue"),
            (bob, "/draft", {"lang": "en", "translates": first}, 400, "ni un correctif ni une traduction"),
            (bob, "/draft", {"lang": "en", "translates": "s99"}, 404, "s99 n’existe pas"),
            (bob, "/edit/s99", edited, 404, "s99 n’existe pas"),
            (bob, "/edit/x", edited, 400, "l’identifiant d’un communiqué"),
            (bob, f"/edit/{id}", {**edited, "revision": "7"}, 409, "quelqu’un d’autre"),
            (bob, f"/edit/{id}", {"title": "", "revision": "1", "t1": "a", "a1": "public"}, 400, "sans mots"),
            (bob, f"/edit/{id}", {**edited, "t1": far, "a1": "public"}, 400, "plus de 2048 octets"),
            (bob, f"/edit/{id}", {"title": "é" * 100, "revision": "1", "t1": "a"}, 400, "n’est pas comme le veut"),
            (bob, "/edit/s1", {"title": "T", "revision": "2", "t1": "a", "a1": "public"}, 409, "reste tel quel"),
            (bob, f"/approve/{id}", {"hash": "0" * 64}, 409, "pas ce que vous avez lu"),
            (bob, f"/approve/{law['id']}", {"hash": law["sha256"]}, 409, "déjà fait"),
            (bob, f"/publish/{id}", {"hash": word["sha256"]}, 403, "ne le permet pas"),
            (zoe, f"/publish/{id}", {"hash": word["sha256"]}, 409, "personne ne l’a approuvé"),
            (zoe, f"/publish/{id}", {"hash": "0"}, 409, "modifié depuis qu’il a été montré"),
            (zoe, f"/submit/{id}", {"hash": word["sha256"]}, 409, "destiné au public"),
            (zoe, f"/publish/{law['id']}", {"hash": law["sha256"]}, 409, "destiné à une autorité"),
            (zoe, f"/withdraw/{id}", {"text": "Erreur"}, 409, "il n’est pas publié"),
            (zoe, f"/withdraw/{id}", {"text": " "}, 400, "dites pourquoi"),
            (zoe, "/withdraw/s1", {"text": "Erreur"}, 409, "déjà fait"),
            (bob, "/aware/0123456789abcdef", {"at": "09:40"}, 400, "cet incident n’existe pas"),
            (bob, "/aware/000000000000aa00", {"at": ""}, 400, "depuis quand, ce qui n’est pas dans le futur"),
            (bob, "/aware/000000000000aa00", {"at": "2199-01-01T00:00"}, 400, "pas dans le futur"),
            (bob, "/components", {"component": "absent", "status": "major_outage"}, 404, "ce composant n’existe pas"),
            (bob, "/components", {"component": "core", "status": "major_outage"}, 404, "ce composant n’existe pas"),
            (bob, "/components", {"component": "web", "status": "bad"}, 400, "ou cet état"),
            (bob, "/components", {"component": "web", "status": "major_outage", "since": "2199-01-01T00:00"}, 400,
             "dans le futur"),
            (bob, "/components", {"component": "web", "status": "operational", "cause": "bears"}, 400, "cette cause"),
            (bob, "/component-add", {"id": "Web", "name_en": "W"}, 400, "ne peut être l’identifiant"),
            (bob, "/component-add", {"id": "web", "name_en": "W"}, 409, "existe ou a existé"),
            (bob, "/component-add", {"id": "new"}, 400, "un nom dans une langue"),
            (bob, "/component-add", {"id": "new", "name_fr": "N", "group": "web"}, 404, "ce groupe n’existe pas"),
            (bob, "/component-add", {"id": "new", "name_fr": "N", "group": "core", "is_group": "1"}, 400,
             "un groupe ne peut"),
            (bob, "/component-add", {"id": "new", "name_fr": "N", "position": "0"}, 400, "de 1 à 256"),
            (bob, "/component-add", {"id": "new", "name_fr": far}, 400, "trop long, plus de 4096 octets : le nom"),
            (bob, "/component-change/absent", {"name_en": "N"}, 404, "ce composant n’existe pas"),
            (bob, "/component-remove/core", {}, 409, "des composants dans ce groupe"),
            (bob, "/component-remove/absent", {}, 404, "ce composant n’existe pas"),
            (bob, "/works-add", {"name_fr": "T"}, 400, "de quand à quand"),
            (bob, "/works-add", {**works, "to": works["from"]}, 400, "avant de commencer"),
            (bob, "/works-add", {**works, "name_fr": ""}, 400, "il faut aux travaux un nom"),
            (bob, "/works-add", {**works, "c-web": ""}, 400, "ne touchent rien"),
            (bob, "/works-cancel/m1", {}, 409, "déjà annulés"),
            (bob, "/works-cancel/m7", {}, 404, "ces travaux n’existent pas"),
            (bob, "/events", {**event, "kind": "bears"}, 400, "ce type d’événement"),
            (bob, "/events", {**event, "text": " "}, 400, "ce qui s’est passé"),
            (bob, "/events", {**event, "since": ""}, 400, "dites depuis quand"),
            (bob, "/events", {**event, "until": "2026-03-10T09:00"}, 400, "finir avant d’avoir commencé"),
            (bob, "/events", {**event, "text": far}, 400, "plus de 4096 octets : l’événement"),
            (bob, "/absent", {}, 404, "cette page n’existe pas"),
            (bob, f"/edit/{id}", inside, 303, ""),
            (bob, f"/edit/{id}", {**inside, "revision": "2"}, 400, "rien n’est changé")):
        s.answered(f"refused: {path} {str(fields)[:80]}", who.post(path, **fields), status, f"(?i){wanted}")
    word = latest(s)
    bob.post(f"/approve/{id}", hash=word["sha256"])
    s.answered("nothing of it is for the public", zoe.get(f"/publish/{id}"), 409, "n’est destinée au public")
    s.answered("no such page", bob.get("/absent"), 404, "Cette page n’existe pas")
    s.answered("a publisher's page for an operator", bob.get("/withdraw/s1"), 403, "ne le permet pas")
    s.answered("no form", bob.ask("POST", "/draft", {"csrf": bob.csrf}, Content_Type="text/plain"), 400,
               "Ce formulaire")


def approvals(s, ann, bob, zoe):
    """What holds a claim is published once two people have approved it."""
    done = s.run("claim", "add", "000000000000aa00", "--by", "the minister of Examplia", "--text", "Elbonia did it",
                 "--predicate", 'actor = "Elbonia"')
    s.expect("a claim", done.returncode == 0, done)
    s.answered("it can be chosen", bob.get("/draft"), 200, 'value="c1">c1, the minister of Examplia')
    s.answered("a draft that holds it", bob.post("/draft", lang="en", incident="000000000000aa00", kind="update",
                                                 claim="c1", text="We are at work."), 303)
    one = latest(s)
    id, sum = one["id"], {"hash": one["sha256"]}
    s.answered("nobody has approved it", zoe.post(f"/publish/{id}", **sum), 409, "personne ne l’a approuvé")
    s.answered("the first approves", bob.post(f"/approve/{id}", **sum), 303)
    s.answered("its page says that another has to", ann.get(f"/matter/{id}"), 200, "two different people.* 1 has")
    s.answered("not published with one", zoe.post(f"/publish/{id}", **sum), 409, "une seule personne l’a approuvé")
    s.answered("nor shown to be", zoe.get(f"/publish/{id}"), 409, "une seule personne")
    s.answered("the same person is no second", bob.post(f"/approve/{id}", **sum), 409, "déjà fait")
    again = Browser(bob.port)
    again.sign_in(s.tokens["bob"], "fr")
    s.answered("nor is another session of theirs", again.post(f"/approve/{id}", **sum), 409, "déjà fait")
    eve = Browser(bob.port)
    eve.sign_in(s.tokens["eve"], "fr")
    s.answered("nor who may read", eve.post(f"/approve/{id}", **sum), 403, "ne le permet pas")
    s.answered("an edit takes both anew", bob.post(f"/edit/{id}", title="Work goes on", revision="1",
               **{f"t{i}": line["text"] for i, line in enumerate(one["statement"]["sentences"], 1)},
               **{f"a{i}": line["audience"] for i, line in enumerate(one["statement"]["sentences"], 1)}), 303)
    one = latest(s)
    sum = {"hash": one["sha256"]}
    s.answered("the first, again", bob.post(f"/approve/{id}", **sum), 303)
    s.answered("the second", ann.post(f"/approve/{id}", **sum), 303)
    s.answered("published", zoe.post(f"/publish/{id}", **sum), 303)
    one = s.json("statement", "show", id)["statements"][0]
    s.expect("by whom", one["state"] == "published" and [act["by"] for act in one["acts"] if act["revision"] == 2] ==
             ["bob", "ann", "zoe"], one)
    s.answered("what is published is not approved", ann.post(f"/approve/{id}", **sum), 409, "done already")
    s.answered("nor published again", zoe.post(f"/publish/{id}", **sum), 409, "déjà fait")
    return id


def earlier(s, table, column, seconds, where="1"):
    """As if it had been so long ago: the record is only added to, so its guard is taken away meanwhile."""
    with sqlite3.connect(s.folder / "state/holdfast.db") as database:
        guards = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?",
                                  (table,)).fetchall()
        for name, _ in guards:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(f"UPDATE {table} SET {column} = {column} - {seconds * 10**9} WHERE {where}")
        for _, sql in guards:
            database.execute(sql)
    database.close()


def since(seconds):
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - seconds))


def due(s, ann, bob, zoe, id):
    """What is due, by pages and by the command: in time, overdue, done."""
    s.answered("an update is due", ann.get("/"), 200, r'alarm"><a href="/">Next due in.*<strong>in (29|30)')
    s.expect("the command says so", re.search(r"an update is due in \d+", s.run("statement", "status").stdout))
    earlier(s, "statement_act", "at_ns", 40 * MINUTE, f"act = 'published' AND number = {id[1:]}")
    late = "overdue since 1[01].*"
    s.answered("half an hour has passed", ann.get("/"), 200, 'alarm late"><a href="/">Overdue: 1.*<li class="late">'
               f"<strong>{late}Next word on {id}.*Work goes on.*Last said 4[01].*Draft the update")
    s.answered("every page says so", ann.get("/events"), 200, 'alarm late"><a href="/">Overdue: 1')
    s.answered("in French", bob.get(f"/matter/{id}"), 200, "en retard de 1[01].*Dernière parole il y a 4[01]")
    done = s.run("statement", "status")
    s.expect("the command says so, too", done.returncode == 4 and "an update was due 1" in done.stdout, done)
    s.answered("the way to the next", bob.get(f"/draft?after={id}"), 200, f'name="after" value="{id}"')
    bob.post("/draft", lang="en", after=id, kind="resolution", until=since(MINUTE))
    one = latest(s)
    s.answered("a draft that is there is opened", ann.get("/"), 200, f"Open {one['id']}")
    bob.post(f"/approve/{one['id']}", hash=one["sha256"])
    s.answered("the last word", zoe.post(f"/publish/{one['id']}", hash=one["sha256"]), 303)
    s.answered("nothing is due any more", ann.get("/"), 200, "Nothing is open, and nothing is due")
    done = s.run("statement", "status")
    s.expect("the command says so", done.returncode == 0 and "nothing is due" in done.stdout, done)


def laws(s, ann, bob, zoe, id):
    incident = "000000000000aa00"
    s.answered("nobody has said since when it is known", ann.get(f"/matter/{id}"), 200,
               "Nobody has said.*The machine recognised it at 10 March")
    s.answered("somebody says", bob.post(f"/aware/{incident}", at=since(23 * HOUR), thread=id), 303)
    page = ann.get("/")
    s.answered("24 hours: in one", page, 200, r"<strong>in (59.min|1.h)</strong><div><p>NIS2 early warning \(24")
    s.answered("72 hours: in two days", page, 200,
               r"<strong>in (1.d.23.h|2.d)[^<]*</strong><div><p>NIS2 notification \(72")
    s.answered("a month", page, 200, r"<strong>in (2[89]|3[0-4]).d[^<]*</strong><div><p>NIS2 final report \(one month")
    s.answered("the matter's page has them", ann.get(f"/matter/{id}"), 200,
               r"<strong>in (59.min|1.h)</strong><div><p>NIS2 early.*NIS2 notification.*NIS2 final.*as bob has noted")
    done = s.run("statement", "status")
    s.expect("the command: none is overdue", done.returncode == 0 and
             re.search(r"nis2_24h +due .*in (59 min|1 h)", done.stdout), done)
    s.answered("it was known earlier", bob.post(f"/aware/{incident}", at=since(25 * HOUR), thread=id), 303)
    page = ann.get("/")
    s.answered("overdue", page, 200, r'late"><strong>overdue since 1.h[^<]*</strong><div><p>NIS2 early')
    s.expect("what is overdue stands first", page[1].index("NIS2 early") < page[1].index("NIS2 notification"), page[1])
    done = s.run("statement", "status")
    s.expect("the command: overdue", done.returncode == 4 and
             re.search(r"nis2_24h +was due .*1 h.* ago", done.stdout), done)
    done = s.run("statement", "aware", incident)
    s.expect("of the incident, by the command", re.search(r"nis2_24h +due .*1 h.* ago.*nis2_72h +due .*in 1 d 22 h",
                                                          done.stdout, re.DOTALL), done)
    s.answered("the way to its draft", page, 200, rf'href="/draft\?kind=nis2_24h&amp;incident={incident}"')
    s.answered("which has its kind chosen", bob.get(f"/draft?kind=nis2_24h&incident={incident}"), 200,
               f'value="{incident}" selected.*value="nis2_24h" selected')
    for kind in ("nis2_24h", "nis2_72h"):
        s.answered(f"{kind} is drafted", bob.post("/draft", lang="fr", incident=incident, kind=kind), 303)
        one = latest(s)
        s.answered(f"{kind}: the draft is opened", ann.get("/"), 200, f"Open {one['id']}")
        s.answered(f"{kind} is approved", bob.post(f"/approve/{one['id']}", hash=one["sha256"]), 303)
        s.answered(f"{kind}, as it is handed in", zoe.get(f"/submit/{one['id']}"), 200, "NIS2")
        s.answered(f"{kind} is handed in", zoe.post(f"/submit/{one['id']}", hash=one["sha256"]), 303)
    s.answered("that is seen", ann.get("/"), 200, "<strong>handed in on .*</strong><div><p>NIS2 early")
    earlier(s, "statement_act", "at_ns", 40 * 24 * HOUR, "act = 'submitted'")
    s.answered("a month after the 72 hours' was handed in", ann.get("/"), 200,
               r'late"><strong>overdue since [^<]*</strong><div><p>NIS2 final report')
    bob.post("/draft", lang="fr", incident=incident, kind="gdpr_33")


def keep(s, ann, bob, zoe):
    """Pages as they stand in the middle of it all, for a browser that is to look at them."""
    folder = os.environ.get("HOLDFAST_PAGES")
    if not folder:
        return
    style = ann.get("/style.css")[1]
    bob.post("/draft", lang="fr", since="2026-03-10T09:40", until="2026-03-10T11:00", kind="postmortem")
    told = latest(s)["id"]
    bob.post("/draft", lang="en", since=since(12 * MINUTE), component="Website", text="Sign-in fails for most.")
    now = latest(s)
    bob.post(f"/approve/{now['id']}", hash=now["sha256"])
    ann.post(f"/publish/{now['id']}", hash=now["sha256"])
    bob.post("/draft", lang="en", since="2026-03-10T09:40", component="Sign-in")
    claim = latest(s)["id"]
    bob.post(f"/approve/{claim}", hash=latest(s)["sha256"])
    claimed = bob.post("/draft", lang="en", since="2026-03-10T09:40", component="Sign-in", kind="nis2_24h")
    number = re.search(r"/matter/s(\d+)", claimed[2].getheader("Location")).group(1)
    bob.post(f"/approve/s{number}", hash=latest(s)["sha256"])
    component = "web"
    bob.post("/works-add", name_en="New routers", name_fr="Nouveaux routeurs",
             **{"from": "2200-01-01T00:00", "to": "2200-01-02T00:00", "c-web": "1"})
    pages = {"sign-in": Browser(ann.port).get("/"), "overview": ann.get("/"), "overview-fr": bob.get("/"),
             "matter": ann.get("/matter/s1"), "matter-fr": bob.get(f"/matter/{told}"),
             "submit": ann.get(f"/submit/s{number}"), "draft": ann.get("/draft"), "edit": bob.get(f"/edit/s{number}"),
             "components": ann.get("/components"), "component": bob.get(f"/component/{component}"),
             "works": ann.get("/works"), "translate": ann.get(f"/draft?translates={now['id']}&lang=en"),
             "publish": zoe.get(f"/publish/{claim}"), "events": bob.get("/events"), "audit": bob.get("/audit"),
             "refused": bob.post("/withdraw/s1", text="x")}
    for name, answer in pages.items():
        page = answer[1].replace('<link rel="stylesheet" href="/style.css">', f"<style>{style}</style>")
        (pathlib.Path(folder) / f"{name}.html").write_text(page, "utf-8")


def walk(s, bob, zoe):
    """Every page there is, in French: those that have links are followed."""
    ahead, seen = ["/", "/draft", "/components", "/works", "/events", "/audit"], set()
    while ahead:
        path = ahead.pop()
        seen.add(path)
        answer = zoe.get(path)
        if answer[0] != 200 and not (answer[0] == 409 and path.startswith("/publish/")):
            s.expect(f"in French: {path}", False, answer[1])
        links = {link.split("#")[0].replace("&amp;", "&") for link in re.findall(r'href="(/[^"]*)"', answer[1])}
        ahead += sorted(links - seen - set(ahead) - {"/style.css"})
    s.expect("pages were followed", len(seen) > 30, seen)
    Browser(bob.port).sign_in("0" * 64, "fr")
    s.expect(f"no English in {ENGLISH.pages} French pages", ENGLISH.pages > 100 and not ENGLISH.found,
             "\n".join(sorted(set(ENGLISH.found))))


def audited(s, ann, bob):
    rows = s.json("console", "audit", "--limit", "1000")["audit"]
    told = {(row["who"], row["what"], row["object"], row["outcome"]) for row in rows}
    for wanted in (("ann", "sign-in", "", "done"), ("", "sign-in", "", "refused"), ("bob", "edit", "s1", "done"),
                   ("bob", "edit", "s1", "refused"), ("bob", "approve", "s1", "done"),
                   ("ann", "publish", "s1", "done"), ("bob", "publish", "s1", "refused"),
                   ("ann", "withdraw", "s1", "done"), ("eve", "draft", "", "refused")):
        s.expect(f"audited: {wanted}", wanted in told, rows)
    published = [row for row in rows if (row["what"], row["object"], row["outcome"]) == ("publish", "s1", "done")]
    s.expect("of which revision", published and published[0]["revision"] == 2, published)
    s.answered("the log as a page", ann.get("/audit"), 200, "signed in.*refused: no such token")
    s.answered("in French", bob.get("/audit"), 200, "connexion.*refusé.*: jeton inconnu")
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
            zoe = Browser(port)
            zoe.sign_in(s.tokens["zoe"], "fr")
            life(s, ann, bob)
            components(s, ann, bob)
            more_than_a_list_holds(s, bob)
            refusals(s, bob, zoe)
            published = approvals(s, ann, bob, zoe)
            due(s, ann, bob, zoe, published)
            laws(s, ann, bob, zoe, published)
            keep(s, ann, bob, zoe)
            walk(s, bob, zoe)
            audited(s, ann, bob)
            slow_ones(s, ann, port)
        finally:
            daemon.send_signal(signal.SIGTERM)
            s.expect("it ends when asked to", daemon.wait(20) == 0, (s.folder / "log").read_text("utf-8"))
        return s.close()


if __name__ == "__main__":
    sys.exit(main())
