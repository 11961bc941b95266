# SPDX-License-Identifier: Apache-2.0
"""The demo's last scene: what users report is put on record, the status page turns, the word goes out in two languages.

People's names are examples. Of the counts one in PART of the users who were not served is taken to report it, and four
weeks before that, in which hardly anybody did, are made up; all else is what was measured a minute before.
"""
import datetime
import json
import random
import shutil
import textwrap
import time

from topology import RangeError

BUCKET = 300
WEEKS, USUAL = 4, 0.4  # a report or two in a quarter of an hour
PART = 4
PAUSE_S = 2.5  # to read
PEOPLE = {"SUDO_USER": "Camille Martin"}
WORDS = {"operational": "operational", "major_outage": "major outage", "partial_outage": "partial outage"}


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def counts(began, failed):
    """Four weeks of hardly anything, and what comes in now: by the bucket, as CSV."""
    rng = random.Random(1)
    first = int(began) // BUCKET * BUCKET
    lines = ["time,component,symptom,count"]
    for at in range(first - WEEKS * 7 * 86400, first, BUCKET):
        many = sum(rng.random() < USUAL / 4 for _ in range(4))
        lines += [f"{stamp(at)},web,cannot_reach,{many}"] if many else []
    for at, many in sorted(failed.items()):
        lines.append(f"{stamp(at)},web,cannot_reach,{max(1, many // PART)}")
    return "\n".join(lines) + "\n"


class Word:
    """`stage` says, `daemon` is asked, `page` is the folder that the public sees."""

    def __init__(self, stage, daemon, scratch, page):
        self.stage, self.daemon, self.scratch, self.page = stage, daemon, scratch, page

    def do(self, *words):
        """A command that is shown as it is typed, and what it has said."""
        self.stage.say(f"$ holdfast {' '.join(words)}")
        return self.quietly(*words)

    def quietly(self, *words):
        status, out, error = self.daemon.ask(*words, environment=PEOPLE)
        if status not in (0, 4):
            raise RangeError(f"holdfast {' '.join(words)}: exit {status}: {error.strip()}")
        return out

    def publish(self):
        self.quietly("page", "publish", "-o", str(self.page))
        with open(self.page / "api/v2/summary.json", encoding="utf-8") as read:
            summary = json.load(read)
        fares = WORDS.get(summary["components"][0]["status"], summary["components"][0]["status"])
        style = "green" if fares == "operational" else "red"
        self.stage.say(f"  the status page now says: {summary['status']['description']} (Website: {fares})", style)

    def set(self, status):
        self.do("page", "component", "set", "web", "--status", status,
                *(["--cause", "attack"] if status != "operational" else []))
        self.publish()

    def say_it(self, *words):
        """Drafts, and publishes what a person has read."""
        one = json.loads(self.quietly("statement", "draft", *words, "--json"))["statements"][0]
        self.stage.say(f"$ holdfast statement draft {' '.join(words)}")
        for line in self.quietly("statement", "show", one["id"], "--public").strip().split("\n"):
            print("\n".join(f"  │ {part}" for part in textwrap.wrap(line, 96) or [""]), flush=True)
        self.do("statement", "approve", one["id"], "--hash", one["sha256"][:12])
        self.do("statement", "publish", one["id"])
        return one["id"]

    def begin(self):
        shutil.rmtree(self.page, ignore_errors=True)
        self.quietly("page", "component", "add", "web", "--name", "Website", "--name-fr", "Site web")
        self.publish()

    def tell(self, began, failed):
        """`began`: when the first flood did; `failed`: users who were not served, by the five minutes."""
        time.sleep(PAUSE_S)
        (self.scratch / "reports.csv").write_text(counts(began, failed), encoding="utf-8")
        print(f"\n  Of the users who were not served, one in {PART} is taken to say so; weeks before are made up.\n",
              flush=True)
        self.do("outage", "import", str(self.scratch / "reports.csv"))
        print("\n".join(f"  {line}" for line in self.quietly("outage", "reports", "--from", stamp(began - 2 * BUCKET))
                        .strip().split("\n")))
        print("\n  Five minutes of reports alone are no alarm yet: the first notice needs the operator's word only.\n",
              flush=True)
        time.sleep(PAUSE_S)
        self.set("major_outage")
        time.sleep(PAUSE_S)
        print("\n  A draft in French, each sentence from the record; "
              f"{PEOPLE['SUDO_USER']} (an example) reads and approves.\n")
        notice = self.say_it("latest", "--kind", "first_notice", "--since", stamp(began), "--component", "web",
                             "--lang", "fr")
        time.sleep(PAUSE_S)
        print("\n  The same in English, of the same facts:\n")
        self.say_it("--translates", notice, "--lang", "en")
        self.publish()
        time.sleep(PAUSE_S)
        print("\n  Users are served again; that is said, too.\n")
        self.set("operational")
        self.say_it("--after", notice, "--kind", "resolution", "--until", stamp(time.time()), "--lang", "fr")
        self.publish()
        time.sleep(PAUSE_S)
        print()
