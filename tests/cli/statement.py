#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""statement.py HOLDFAST: statements from draft to publication, and what they say in English and French. Speaks TAP.

Incidents are made up here, as the archive has them. tests/statement/NAME.LANG.txt is what is said of each, all
sentences, internal ones too; HOLDFAST_GOLDEN=write writes them anew, after which a person reads the difference.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

GOLDEN = pathlib.Path(__file__).parent.parent / "statement"
BEGAN, ENDED = "2026-03-10T09:40:00.000000Z", "2026-03-10T11:10:30.000000Z"


def incident(number, vector, title, spoofing, live):
    id = f"{number:016x}"
    analysis = {
        "schema": "holdfast.analysis/1",
        "incidents": [{
            "id": id, "began": BEGAN, "ended": ENDED, "detected": "2026-03-10T09:40:02.500000Z",
            "target": {"scope": "192.0.2.10/32"}, "packets": 1234567890, "bytes": 98765432100, "peak_pps": 4100000,
            "peak_bps": 2400000000, "waves": [
                {"began": BEGAN, "ended": "2026-03-10T10:00:00.000000Z", "peak_pps": 4100000},
                {"began": "2026-03-10T11:00:00.000000Z", "ended": ENDED, "peak_pps": 812345}],
            "vectors": [{"name": vector, "title": title}], "residual": 0.002, "families": [],
            "sources": {"estimate": 86412, "spoofing": {"verdict": spoofing}},
            "signatures": [{"match": "udp and src port 123", "action": "drop", "coverage": 0.998}]}]}
    if live:
        analysis["live"] = {
            "rules": [{"made": "2026-03-10T09:40:07.500000Z", "packets": {"dropped": 1200000000}}],
            "series": {"answered_pps": [900, 1000, None], "lost_pps": [0, 2, None], "link_percent": [97, None],
                       "link_lost_pps": [12]}}
    head = {"schema": "holdfast.incident/1", "id": id, "state": "final", "service": "web", "target": "192.0.2.10/32",
            "vector": vector, "generation": "0000000000000001", "began_ns": 1773135600000000000,
            "ended_ns": 1773141030000000000, "peak_pps": 4100000, "peak_bps": 2400000000}
    return id, head, analysis


class Stage(cases.Cases):
    def __init__(self, holdfast, folder):
        super().__init__()
        self.holdfast, self.folder = holdfast, folder

    def run(self, *typed, who=("ann", "1001"), editor=None):
        env = {**os.environ, "SUDO_USER": who[0], "SUDO_UID": who[1], "HOLDFAST_CONFIG": f"{self.folder}/c.yaml",
               "VISUAL": "", "EDITOR": editor or "false", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([self.holdfast, "statement", *typed], capture_output=True, text=True, check=False,
                              timeout=60, env=env)
        return done.returncode, done.stdout, done.stderr

    def row(self, typed, status, wanted="", **more):
        code, out, error = self.run(*typed, **more)
        self.expect(f"statement {' '.join(typed)[:90]}", code == status and re.search(wanted, out + error, re.DOTALL),
                    (code, out, error))
        return out

    def one(self, *typed, **more):
        """What a command says of a statement as JSON."""
        code, out, error = self.run(*typed, "--json", **more)
        if code != 0:
            self.expect(f"statement {' '.join(typed)[:90]} --json", False, (code, out, error))
            return {"id": "", "sha256": "", "text": "", "statement": {"sentences": []}}
        return json.loads(out)["statements"][0]

    def publish(self, id):
        self.row(["approve", id, "--hash", self.one("show", id)["sha256"][:12]], 0, "approved")
        return self.row(["publish", id], 0)


def text_of(one):
    lines = [one["statement"]["title"]]
    for sentence in one["statement"]["sentences"]:
        lines.append(f"[{sentence['audience']}] {sentence['text']}")
    lines.append("left out: " + " ".join(left["template"] for left in one["statement"]["left_out"]))
    return "\n".join(lines) + "\n"


def goldens(s, ids):
    none = ["--since", "2026-05-10T09:40:00Z", "--until", "2026-05-10T11:00:00Z", "--component", "web"]
    change = ["--since", "2026-04-10T09:40:00Z", "--until", "2026-04-10T11:00:00Z", "--component", "web"]
    cases = {"spoofed": [ids["spoofed"]], "reflection": [ids["reflection"]], "no_attack": none, "own_change": change}
    for name, operands in cases.items():
        for lang in ("en", "fr"):
            for kind in ("resolution", "postmortem"):
                file = GOLDEN / f"{name}.{kind}.{lang}.txt"
                one = s.one("draft", *operands, "--kind", kind, "--lang", lang)
                said = text_of(one)
                if os.environ.get("HOLDFAST_GOLDEN") == "write":
                    file.write_text(said, encoding="utf-8")
                s.expect(file.name, file.is_file() and file.read_text(encoding="utf-8") == said, said)
                code, out, error = s.run("check", one["id"])
                s.expect(f"{one['id']}: every link holds", code == 0, (out, error))


def life(s):
    s.row(["draft", "--since", "25:99"], 2, "wants a time")
    s.row(["draft"], 2, "nothing to speak of")
    s.row(["draft", "--kind", "rumour", "--since", "09:40"], 2, "there is no 'rumour'")
    s.row(["draft", "--since", "09:40", "--component", "a\x1bb"], 1, "cannot be shown")
    s.row(["show", "s99999"], 1, "there is no")
    s.row(["show", "1"], 2, "is no statement's ID")
    first = s.one("draft", "--since", "2026-03-10T09:40:00Z", "--component", "web")
    id = first["id"]
    s.expect("a first notice", re.match("Since 10.March.2026, 09:40.UTC, some people cannot reach web. "
                                        "We are investigating. Next update by ..:...UTC.$", first["text"]), first)
    s.row(["publish", id], 1, "nobody has approved")
    s.row(["approve", id], 2, "--hash says")
    s.row(["approve", id, "--hash", "0" * 12], 1, "not what you have read")
    s.row(["edit", id, "--set", "2", "We know no more yet."], 0, "We know no more yet")
    s.row(["approve", id, "--hash", first["sha256"][:12]], 1, "not what you have read")
    s.publish(id)
    s.row(["edit", id, "--set", "2", "Never mind."], 1, "it is published")
    s.row(["publish", id], 1, "done already")
    s.row(["status"], 0, "an update is due in")
    form = pathlib.Path(s.folder) / "editor"
    form.write_text("#!/bin/sh\nsed -i 's/some people/a few people/' \"$1\"\n")
    form.chmod(0o755)
    other = s.one("draft", "--since", "2026-03-10T09:40:00Z")["id"]
    s.row(["edit", other], 0, "a few people cannot", editor=str(form))
    s.row(["edit", other], 0, "is as it was", editor="true")
    s.row(["edit", other], 1, "the editor failed", editor="false")
    s.row(["withdraw", other, "--text", "x"], 1, "not published")
    s.row(["withdraw", id, "--text", "a mistake"], 0, "withdrawn")
    s.row(["draft", "--kind", "correction", "--corrects", id, "--text", "It was mail."], 0,
          "This corrects what we said")


def named(s):
    """What is concerned has its name of the page in each language; what is not on the page is as it was typed."""
    env = {**os.environ, "HOLDFAST_CONFIG": f"{s.folder}/c.yaml"}
    subprocess.run([s.holdfast, "page", "component", "add", "shop", "--name", "The shop", "--name-fr", "La boutique"],
                   env=env, check=True, capture_output=True)
    notice = s.one("draft", "--since", "2026-05-12T09:40:00Z", "--component", "shop")
    s.expect("its name", "cannot reach The shop." in notice["text"] and
             notice["statement"]["title"].endswith(": The shop"), notice)
    s.expect("the page finds it by its ID", notice["statement"]["component"] == "shop", notice)
    s.publish(notice["id"])
    french = s.one("draft", "--translates", notice["id"], "--lang", "fr")
    s.expect("its name in French", "La boutique" in french["text"] and "La boutique" in french["statement"]["title"],
             french)
    after = s.one("draft", "--after", notice["id"], "--kind", "resolution", "--until", "2026-05-12T10:00:00Z", "--lang",
                  "fr")
    s.expect("and in what follows", "La boutique" in after["text"] and after["statement"]["component"] == "shop", after)
    other = s.one("draft", "--since", "2026-05-12T09:40:00Z", "--component", "our telephones")
    s.expect("other words stay", "cannot reach our telephones." in other["text"], other)
    for one in (notice, french, after, other):
        s.row(["check", one["id"]], 0)


def pairs(s):
    """One matter in two languages is one update on the page, however late the other comes; and how far one has come."""
    s.row(["draft", "--phase", "lost", "--kind", "update", "--since", "09:40"], 2, "wants identified or monitoring")
    s.row(["draft", "--phase", "identified", "--kind", "resolution", "--since", "09:40"], 2, "is of an update")
    s.row(["draft", "--phase", "identified", "--since", "2026-05-11T09:40:00Z"], 1, "is of an update")
    notice = s.one("draft", "--since", "2026-05-11T09:40:00Z", "--component", "web")["id"]
    s.publish(notice)
    updates = []
    for phase in ("identified", "monitoring", None):
        said = ["--phase", phase] if phase else []
        updates.append(s.one("draft", "--after", notice, "--kind", "update", "--text", "Words of ours.", *said))
        s.publish(updates[-1]["id"])
    words = [one["text"] for one in updates]
    s.expect("its phase in words", "We know the cause" in words[0] and "whether it holds" in words[1], updates)
    late = updates[1]["id"]
    s.row(["draft", "--translates", late], 1, "is in that language")
    s.row(["draft", "--translates", late, "--lang", "fr", "--text", "x"], 2, "takes all from that statement")
    s.row(["draft", "--translates", "s999", "--lang", "fr"], 1, "there is no")
    french = s.one("draft", "--translates", late, "--lang", "fr")
    first, second = updates[1]["statement"], french["statement"]
    s.expect("the same facts", first["sources"] == second["sources"] and second["translates"] == late and
             second["phase"] == "monitoring" and "nous v\u00e9rifions" in french["text"], french)
    s.row(["draft", "--translates", french["id"], "--lang", "en"], 1, "neither a correction nor a translation")
    s.publish(french["id"])
    code, out, error = s.run("check", french["id"])
    s.expect("its links hold", code == 0, (out, error))
    done = subprocess.run([s.holdfast, "page", "publish", "-o", f"{s.folder}/page", "--config", f"{s.folder}/c.yaml"],
                          capture_output=True, text=True, check=False)
    page = pathlib.Path(s.folder) / "page"
    incidents = json.loads((page / "api/v2/incidents.json").read_text())["incidents"] if done.returncode == 0 else []
    told = [i for i in incidents if any(u["id"] == late for u in i["incident_updates"])]
    s.expect("the page is published", len(told) == 1, (done, incidents))
    if told:
        words = [u["status"] for u in told[0]["incident_updates"]]
        s.expect("told once", words == ["monitoring", "monitoring", "identified", "investigating"], words)
        s.expect("since when it is watched", told[0]["monitoring_at"] is not None, told)
    html = (page / "fr/index.html").read_text() if told else ""
    s.expect("in French what is told in French", html.count("nous v\u00e9rifions") == 1 and
             "whether it holds" not in html, html)


def claims(s, ids):
    def claim(*typed):
        return subprocess.run([s.holdfast, "claim", *typed], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "HOLDFAST_CONFIG": f"{s.folder}/c.yaml"})
    claim("add", ids["spoofed"], "--by", "the minister of Examplia", "--text", "Elbonia did it", "--predicate",
          'actor = "Elbonia"')
    one = s.one("draft", ids["spoofed"], "--kind", "update")
    s.expect("no claim unless it is wanted", "Elbonia" not in one["text"], one["text"])
    one = s.one("draft", ids["spoofed"], "--kind", "update", "--include-claim", "c1", "--text", "We are at work.")
    s.expect("a claim that was not tested is left out", "claim" in text_of(one).split("left out:")[1], text_of(one))
    s.row(["approve", one["id"], "--hash", one["sha256"]], 0, "somebody else has to approve")
    s.row(["publish", one["id"]], 1, "only one person")
    s.row(["approve", one["id"], "--hash", one["sha256"]], 1, "done already")
    s.row(["approve", one["id"], "--hash", one["sha256"]], 0, "approved", who=("bob", "1002"))
    s.row(["publish", one["id"]], 0, "We are at work")


def laws(s, ids):
    s.row(["aware", ids["spoofed"]], 0, "Nobody has said.*recognised by the machine at 2026-03-10 09:40:02")
    s.row(["aware", ids["spoofed"], "--at", "2026-03-10T09:45:00Z"], 0, "nis2_24h +due 2026-03-11 09:45:00 UTC")
    s.row(["status"], 4, "nis2_72h +was due")
    one = s.one("draft", ids["spoofed"], "--kind", "nis2_24h")
    s.expect("a draft for an authority", re.search("11.March.2026, 09:45", text_of(one)) and not one["text"],
             text_of(one))
    s.row(["approve", one["id"], "--hash", one["sha256"]], 0)
    s.row(["publish", one["id"]], 1, "for an authority")
    s.row(["submit", one["id"]], 0, "submitted")
    # What is not needed here is said so, with who says it; it is not overdue.
    some = ids["spoofed"]
    s.row(["exempt"], 2, "of which incident")
    s.row(["exempt", some, "--text", "x"], 2, "--kind says which")
    s.row(["exempt", some, "--kind", "update", "--text", "x"], 2, "no report to an authority")
    s.row(["exempt", some, "--kind", "nis2"], 2, "--text says why")
    s.row(["exempt", some, "--kind", "gdpr_33", "--text", " "], 1, "say why")
    s.row(["exempt", ids["reflection"]], 0, "Nothing is due of it yet")
    s.row(["exempt", some], 0, "nis2_24h +handed in.*nis2_72h +was due")
    s.row(["exempt", some, "--kind", "gdpr_33", "--text", "No data of people."], 0,
          "nis2_72h +was due.*gdpr_33 +not needed here, says .*: No data of people")
    s.row(["status"], 4, "nis2_month")
    s.row(["exempt", some[:8], "--kind", "nis2", "--text", "We are too small for it."], 0,
          "nis2_24h +handed in.*nis2_72h +not needed here.*nis2_month +not needed here")
    s.row(["status"], 0, "nis2_72h +not needed here, says .*: We are too small")
    s.row(["aware", some], 0, "nis2_72h +not needed here, says .*: We are too small")
    laws = json.loads(s.run("status", "--json")[1])["laws"]
    s.expect("as JSON", [law["exempt"] and law["exempt"]["why"] for law in laws if law["kind"] == "gdpr_33"] ==
             ["No data of people."] and not any(law["overdue"] for law in laws), laws)
    s.row(["exempt", some, "--kind", "gdpr_33", "--needed"], 0, "gdpr_33 +was due")
    s.row(["status"], 4, "gdpr_33 +was due")


def tampered(s, ids):
    id = s.one("draft", ids["reflection"], "--kind", "postmortem")["id"]
    path = pathlib.Path(s.folder) / "state/incidents" / f"{ids['reflection']}.json"
    text = path.read_text()
    s.row(["check", id], 0, "links, each says")
    path.write_text(text.replace('"peak_pps": 4100000,', '"peak_pps": 4100001,'))
    s.row(["check", id], 1, "as it is now.*4100001")
    path.write_text(text)
    s.row(["check", id], 0)
    other = pathlib.Path(s.folder) / "other.json"
    other.write_text(text.replace("86412", "86413"))
    s.row(["check", id, "--analysis", str(other)], 1, "is 86413")


def main():
    holdfast = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="holdfast-statement-") as folder:
        s = Stage(holdfast, folder)
        (pathlib.Path(folder) / "state/incidents").mkdir(parents=True)
        (pathlib.Path(folder) / "c.yaml").write_text(f"state_dir: {folder}/state\n")
        made = {"spoofed": incident(0xaa00, "syn_flood", "SYN flood", "spoofed", True),
                "reflection": incident(0xbb00, "ntp_reflection", "NTP reflection", "reflectors", False)}
        for id, head, analysis in made.values():
            text = json.dumps(head, separators=(",", ":"))[:-1] + ',"analysis":\n' + json.dumps(analysis) + "\n}\n"
            (pathlib.Path(folder) / f"state/incidents/{id}.json").write_text(text)
        ids = {name: one[0] for name, one in made.items()}
        subprocess.run([holdfast, "event", "add", "--config", f"{folder}/c.yaml", "--kind", "change", "--from",
                        "2026-04-10T09:35:00Z", "--to", "2026-04-10T10:50:00Z", "--text", "new load balancer"],
                       check=False, capture_output=True)
        goldens(s, ids)
        life(s)
        named(s)
        pairs(s)
        claims(s, ids)
        laws(s, ids)
        tampered(s, ids)
        return s.close()


if __name__ == "__main__":
    sys.exit(main())
