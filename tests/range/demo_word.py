# SPDX-License-Identifier: Apache-2.0
"""The demo's official word: what people reported, a notice in French and in English, and that it is over. Nobody but
the person who approves (an example) says anything; what is said is filled from the record of the minute before.
"""
import json
import textwrap
import time

from demo_status import PAGE
from topology import RangeError

BUCKET = 300
PAUSE_S = 2.0  # to read
PEOPLE = {"SUDO_USER": "Camille Martin"}
WAIT_S = 15
SITE = "www.example.net"


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Word:
    """`stage` says, `daemon` is asked, `status` is who publishes."""

    def __init__(self, stage, daemon, status):
        self.stage, self.daemon, self.status = stage, daemon, status

    def do(self, *words):
        """A command that is shown as it is typed, and what it has said."""
        self.stage.say(f"$ holdfast {' '.join(words)}")
        return self.quietly(*words)

    def quietly(self, *words):
        status, out, error = self.daemon.ask(*words, environment=PEOPLE)
        if status not in (0, 4):
            raise RangeError(f"holdfast {' '.join(words)}: exit {status}: {error.strip()}")
        return out

    def updates(self):
        """How many words of ours the page has."""
        try:
            incidents = json.loads(self.status.get("/api/v2/incidents.json") or "{}").get("incidents", ())
        except ValueError:
            return 0
        return sum(len(incident["incident_updates"]) for incident in incidents)

    def say_it(self, *words, page=True):
        """Drafts, and publishes what a person has read; `page`: it is a word of its own there."""
        one = json.loads(self.quietly("statement", "draft", *words, "--json"))["statements"][0]
        self.stage.say(f"$ holdfast statement draft {' '.join(words)}")
        for line in self.quietly("statement", "show", one["id"], "--public").strip().split("\n"):
            print("\n".join(f"  │ {part}" for part in textwrap.wrap(line, 96) or [""]), flush=True)
        before, began = self.updates(), time.monotonic()
        self.do("statement", "approve", one["id"], "--hash", one["sha256"][:12])
        self.do("statement", "publish", one["id"])
        while page and self.updates() <= before and time.monotonic() < began + WAIT_S:
            time.sleep(0.2)
        if page and self.updates() > before:
            self.stage.say(f"  on {PAGE}/fr/ {time.monotonic() - began:.0f} s later", "green")
        return one["id"]

    def tell(self, began, until):
        """`began`: when the flood did that nobody stopped, `until`: when it ended."""
        print("\n".join(f"  {line}" for line in self.do("outage", "reports", "--from", stamp(began - BUCKET))
                        .strip().split("\n")))
        print("\n  Five minutes of reports are no alarm yet, by design: it was the three places' checks that turned"
              f" the\n  page. Words are a person's: {PEOPLE['SUDO_USER']} (an example) reads a draft, and approves.\n",
              flush=True)
        time.sleep(PAUSE_S)
        notice = self.say_it("latest", "--kind", "first_notice", "--since", stamp(began), "--component", SITE,
                             "--lang", "fr")
        time.sleep(PAUSE_S)
        print("\n  The same in English, of the same facts:\n")
        self.say_it("--translates", notice, "--lang", "en", page=False)
        time.sleep(PAUSE_S)
        print("\n  And that it is over, with what the shield saw when the flood came again (times are to the minute;\n"
              "  here all of it was within one or two):\n")
        self.say_it("--after", notice, "--kind", "resolution", "--until", stamp(until), "--lang", "fr")
        print(flush=True)
