#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""status.py FIXTURE: the status page of a made-up site is what it was, and what its readers can read, as TAP.

Each of the site's files is compared with tests/golden/status/NAME/FILE, which a person has looked at.
HOLDFAST_GOLDEN=write writes those instead. JSON is held to Statuspage's fields, feeds to what Atom and RSS demand,
pages to what HTML demands.
"""
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SITES = ["calm", "outage", "hostile", "empty"]
GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "status"
# What a person reads whole; the rest follows from the same functions.
KEPT = ["outage/index.html", "outage/fr/index.html", "outage/history/2026-11.html", "outage/history.atom",
        "outage/history.rss", "outage/api/v2/summary.json", "empty/index.html"]
STYLE = re.compile(r"<style>.*?</style>", re.S)  # it is looked at in browsers

# Fields of Statuspage's API v2: developer.statuspage.io, "Status API", and the summary.json of pages that use it.
PAGE = {"id", "name", "url", "time_zone", "updated_at"}
COMPONENT = {"id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date",
             "group_id", "page_id", "group", "only_show_if_degraded"}
INCIDENT = {"id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink",
            "started_at", "page_id", "incident_updates", "components"}
PLANNED = INCIDENT | {"scheduled_for", "scheduled_until"}
UPDATE = {"id", "status", "body", "incident_id", "created_at", "updated_at", "display_at", "affected_components",
          "deliver_notifications"}
AFFECTED = {"code", "name", "old_status", "new_status"}
COMPONENT_STATUS = {"operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"}
INCIDENT_STATUS = {"investigating", "identified", "monitoring", "resolved", "postmortem"}
PLANNED_STATUS = {"scheduled", "in_progress", "verifying", "completed"}
# File below api/v2: what it holds beside "page"
FILES = {
    "summary.json": {"components", "incidents", "scheduled_maintenances", "status"},
    "status.json": {"status"},
    "components.json": {"components"},
    "incidents.json": {"incidents"},
    "incidents/unresolved.json": {"incidents"},
    "scheduled-maintenances.json": {"scheduled_maintenances"},
    "scheduled-maintenances/upcoming.json": {"scheduled_maintenances"},
    "scheduled-maintenances/active.json": {"scheduled_maintenances"},
}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
ATOM = "{http://www.w3.org/2005/Atom}"
RSS_TIME = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$")
VOID = {"meta", "link", "br", "path", "rect", "circle"}


class Wrong(Exception):
    """What is told behind "not ok"."""


def want(good, what):
    if not good:
        raise Wrong(what)


def fields(thing, wanted, what):
    want(set(thing) == wanted, f"{what} has {sorted(set(thing) ^ wanted)} too many or too few")


def look_at_component(component):
    extra = {"components"} if component["group"] else set()
    fields(component, COMPONENT | extra, "a component")
    want(component["status"] in COMPONENT_STATUS, f"status {component['status']}")
    want(TIME.match(component["created_at"]) and TIME.match(component["updated_at"]), "a component's times")
    want(component["start_date"] is None or re.match(r"^\d{4}-\d\d-\d\d$", component["start_date"]), "start_date")


def look_at_incident(incident, planned):
    fields(incident, PLANNED if planned else INCIDENT, "an incident")
    want(incident["status"] in (PLANNED_STATUS if planned else INCIDENT_STATUS), f"status {incident['status']}")
    want(incident["impact"] in {"none", "minor", "major", "critical", "maintenance"}, f"impact {incident['impact']}")
    for component in incident["components"]:
        look_at_component(component)
    for update in incident["incident_updates"]:
        fields(update, UPDATE, "an update")
        want(update["incident_id"] == incident["id"], "an update of another incident")
        for affected in update["affected_components"] or []:
            fields(affected, AFFECTED, "an affected component")
            want({affected["old_status"], affected["new_status"]} <= COMPONENT_STATUS, "an affected component's status")


def json_is_statuspage(folder):
    for name, members in FILES.items():
        whole = json.loads((folder / "api/v2" / name).read_text(encoding="utf-8"))
        fields(whole, members | {"page"}, name)
        fields(whole["page"], PAGE, f"page of {name}")
        if "status" in members:
            fields(whole["status"], {"indicator", "description"}, "status")
            want(whole["status"]["indicator"] in {"none", "minor", "major", "critical"}, "indicator")
        for component in whole.get("components", []):
            look_at_component(component)
        for incident in whole.get("incidents", []):
            look_at_incident(incident, False)
        for incident in whole.get("scheduled_maintenances", []):
            look_at_incident(incident, True)


def feeds_are_feeds(folder):
    atom = xml.etree.ElementTree.parse(folder / "history.atom").getroot()
    want(atom.tag == ATOM + "feed", atom.tag)
    ids = [entry.findtext(ATOM + "id") for entry in atom.iter(ATOM + "entry")]
    want(len(ids) == len(set(ids)), "an ID twice")
    for element in [atom, *atom.iter(ATOM + "entry")]:
        want(element.findtext(ATOM + "id", "").startswith("tag:"), "no ID")
        want(TIME.match(element.findtext(ATOM + "updated", "")), "no time of change")
        want(element.find(ATOM + "title") is not None, "no title")
    want(atom.find(ATOM + "author") is not None, "no author")
    channel = xml.etree.ElementTree.parse(folder / "history.rss").getroot().find("channel")
    for name in ("title", "link", "description"):
        want(channel.find(name) is not None, f"no {name}")
    want([item.findtext("guid") for item in channel.iter("item")] == ids, "RSS has other entries than Atom")
    for item in channel.iter("item"):
        want(RSS_TIME.match(item.findtext("pubDate", "")), f"pubDate {item.findtext('pubDate')}")


class Reader(html.parser.HTMLParser):
    """What is open; IDs; links; whether anything is there that must not be."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.levels = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        want(tag not in {"script", "img", "iframe", "object", "embed", "b"}, f"<{tag}>")
        want(not any(name.startswith("on") for name in attributes), f"{attributes}")
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        if re.match(r"h[1-6]$", tag):
            self.levels.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        want(tag in VOID, f"<{tag}/>")

    def handle_endtag(self, tag):
        want(self.open and self.open[-1] == tag, f"</{tag}> closes <{self.open[-1] if self.open else 'nothing'}>")
        self.open.pop()


def pages_are_whole(folder):
    read = {}
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        reader = Reader()
        reader.feed(text)
        want(not reader.open, f"{path.name}: {reader.open} left open")
        want(len(reader.ids) == len(set(reader.ids)), f"{path.name}: an ID twice")
        want(reader.levels[0] == 1 and reader.levels.count(1) == 1, f"{path.name}: headings {reader.levels}")
        for before, after in zip(reader.levels, reader.levels[1:]):
            want(after <= before + 1, f"{path.name}: a heading of level {after} behind one of {before}")
        want("09:55" in text, f"{path.name}: does not say until when it holds")
        read[path.resolve()] = reader
    for path, reader in read.items():
        for link in reader.links:
            if link.startswith("http") or not link:
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            want(target.exists(), f"{path.name}: {link} leads nowhere")
            want(not anchor or target not in read or anchor in read[target].ids, f"{path.name}: {link}: no such place")


def every_day_is_told(folder):
    """90 bars a component, each with words; and all of them told again in words that do not hang on a pointer."""
    for name in ("index.html", "fr/index.html"):
        text = (folder / name).read_text(encoding="utf-8")
        bars = re.findall(r'<div class="days".*?</div>', text, re.S)
        want(len(bars) == 5, f"{len(bars)} components")
        for bar in bars:
            want(len(re.findall(r'<i [^>]*title="[^"]+ · [^"]+"', bar)) == 90, "not 90 days with words")
        want(text.count('<dl class="runs">') == 5, "days are not told in words")
    text = (folder / "index.html").read_text(encoding="utf-8")
    login = re.search(r"Login</span></summary>.*?</dl>", text, re.S).group()
    for told in ("Major outage&nbsp;7&nbsp;h", "Degraded performance&nbsp;40&nbsp;min",
                 "Major outage&nbsp;35&nbsp;min"):
        want(told in login, f"'{told}' is not told")


def languages_are_apart(folder):
    english = (folder / "index.html").read_text(encoding="utf-8")
    french = (folder / "fr/index.html").read_text(encoding="utf-8")
    want('<html lang="en">' in english and '<html lang="fr">' in french, "the languages are not said")
    want("Panne majeure" in french and "Panne" not in english, "languages are mixed")
    month = (folder / "fr/history/2026-10.html").read_text(encoding="utf-8")
    want('<p lang="en">A change of ours' in month, "what was not translated is not marked")


def golden(folder, site):
    for name in KEPT:
        if not name.startswith(site + "/"):
            continue
        said = STYLE.sub("<style></style>", (folder / name[len(site) + 1:]).read_text(encoding="utf-8"))
        said = re.sub(r"([Hh])oldfast \d+\.\d+\.\d+", r"\1oldfast VERSION", said)
        path = GOLDEN / name
        if os.environ.get("HOLDFAST_GOLDEN") == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(said, encoding="utf-8")
        want(path.exists(), f"no {path}; HOLDFAST_GOLDEN=write makes it")
        want(path.read_text(encoding="utf-8") == said, f"{name} is another; HOLDFAST_GOLDEN=write, and read its diff")


def main():
    fixture = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        folders = {site: pathlib.Path(scratch) / site for site in SITES}
        tests = []
        for site, folder in folders.items():
            folder.mkdir()
            subprocess.run([fixture, site, folder], check=True, timeout=60)
            tests += [(f"{site}: JSON has Statuspage's fields", lambda f=folder: json_is_statuspage(f)),
                      (f"{site}: Atom and RSS", lambda f=folder: feeds_are_feeds(f)),
                      (f"{site}: pages are whole, links lead somewhere", lambda f=folder: pages_are_whole(f)),
                      (f"{site}: golden", lambda f=folder, s=site: golden(f, s))]
        tests += [("every day is told", lambda: every_day_is_told(folders["outage"])),
                  ("languages are apart", lambda: languages_are_apart(folders["outage"]))]
        print(f"1..{len(tests)}")
        failed = False
        for number, (name, run) in enumerate(tests, 1):
            try:
                run()
                print(f"ok {number} - {name}")
            except (Wrong, OSError, ValueError, KeyError, xml.etree.ElementTree.ParseError) as error:
                failed = True
                print(f"not ok {number} - {name}\n# {error}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
