#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands.py HOLDFAST: what 'holdfast claim' and 'holdfast event' put on record, print and refuse. TAP."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world  # noqa: E402

HOLDFAST = os.path.abspath(sys.argv[1])
tests = []


def test(function):
    tests.append(function)
    return function


class Place:
    """A folder with a record, a fictional incident's trace, alone and in an analysis, and a context."""

    def __init__(self, folder):
        self.world = world.world(4)
        self.incident = self.world.trace["incident"]
        self.folder = folder
        self.record = os.path.join(folder, "record.db")
        self.write("trace.json", self.world.trace)
        self.write("report.json", {"schema": "holdfast.analysis/1", "incidents": [
            {"id": "00000000000000ff"}, {"id": self.incident, "trace": self.world.trace}]})
        self.write("context.json", {"watched": True, "attack_passing": 0.5, "baseline": [
            {"country": self.world.main, "share": 0.02}], "outages": [
            {"began": "2026-03-10T09:47:00Z", "ended": "2026-03-10T10:00:00Z", "lost": 0.8}]})

    def write(self, name, what):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
            out.write(what if isinstance(what, str) else json.dumps(what))

    def run(self, *words, status=0, record=True, text=None):
        command = [HOLDFAST, *words] + (["--record", self.record] if record else [])
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, input=text, timeout=120)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        return done.stderr if status else done.stdout

    def add(self, predicate, **more):
        words = ["claim", "add", self.incident, "--by", more.get("by", "the minister of Examplia"), "--text",
                 more.get("text", "It came from Elbonia"), "--predicate", predicate, "--json"]
        for key in ("at", "url"):
            if key in more:
                words += ["--" + key, more[key]]
        return json.loads(self.run(*words))["claims"][0]


@test
def a_claim_stands_as_it_was_said(p):
    added = p.add("SHARE(country=zz)>= 50%", at="2026-03-10T17:00:00Z", url="https://example.org/said")
    assert added["id"] == "c1" and added["predicate"] == "share(country=ZZ) >= 0.5", added
    assert added["by"] == "the minister of Examplia" and added["at"] == "2026-03-10T17:00:00.000000Z", added
    assert added["incident"] == p.incident and added["url"] == "https://example.org/said"
    p.run("claim", "test", "c1", "--report", "report.json")
    shown = json.loads(p.run("claim", "show", "c1", "--json"))["claims"][0]
    assert {k: v for k, v in shown.items() if k != "verdicts"} == added
    assert p.add("actor = nobody")["id"] == "c2"
    listed = json.loads(p.run("claim", "list", "--json"))["claims"]
    assert [(c["id"], c["verdict"]) for c in listed] == [("c1", "contradicted"), ("c2", None)], listed
    assert "not tested" in p.run("claim", "list", p.incident[:6])
    assert p.run("claim", "list", "ffff") == "no claims\n"


@test
def tests_are_added_and_come_out_the_same(p):
    p.add("share(country=ZZ) >= 0.5")
    p.add("actor = \"The Example Group\" and spoofed")
    first = json.loads(p.run("claim", "test", p.incident, "--report", "report.json", "--json"))["verdicts"]
    # Without the report: by the trace that the first test put on record.
    second = json.loads(p.run("claim", "test", p.incident, "--json"))["verdicts"]
    assert first == second
    assert [v["verdict"] for v in first] == ["contradicted", "untestable"]
    assert first[0]["claim"] == "c1" and len(first[0]["trace_sha256"]) == 64
    history = json.loads(p.run("claim", "show", "c1", "--json"))["claims"][0]["verdicts"]
    assert len(history) == 2 and history[0]["whole"] == history[1]["whole"], history
    whole = history[0]["whole"]
    assert whole["seed"] == p.incident and whole["schema"] == "holdfast.verdict/1"
    # Another seed: other draws, the same verdict.
    other = json.loads(p.run("claim", "test", "c1", "--seed", "7", "--json"))["verdicts"][0]
    assert other["seed"] == "%016x" % 7 and other["verdict"] == "contradicted" and other["high"] != whole["high"]
    page = p.run("claim", "show", "c1")
    assert "TESTS" in page and page.count("contradicted  trace") == 3, page


@test
def the_page_says_the_verdict_first_and_what_cannot_be_known(p):
    page = p.run("claim", "test", "--report", "report.json", "--context", "context.json", "--predicate",
                 "share(country=%s) >= 0.01" % p.world.main, record=False)
    lines = [line for line in page.splitlines() if line.strip()]
    assert lines[1].startswith("SUPPORTED  The traffic bears this out."), page
    for words in ("it says nothing about who", "HOW SURE", "almost certain", "WHAT WEIGHS", "database fictional-a",
                  "WHAT ELSE IT COULD BE", "WHAT CANNOT BE KNOWN FROM PACKETS", "Against the baseline"):
        assert words in " ".join(page.split()), (words, page)
    page = p.run("claim", "test", "--report", "trace.json", "--predicate", "actor = nobody", record=False)
    assert "UNTESTABLE" in page and "HOW SURE" not in page and "nobody's signature" in " ".join(page.split()), page
    assert "\x1b" not in page


@test
def what_does_not_parse_is_pointed_at(p):
    said = p.run("claim", "add", p.incident, "--by", "x", "--text", "y", "--predicate",
                 "spoofed and share(land=ZZ) > 0", status=2)
    assert said == ("holdfast: predicate: expected country, network, vector or family, found 'land'; "
                    "doc/claims.md has the language\n"
                    "  spoofed and share(land=ZZ) > 0\n"
                    "                    ^\n"), said
    assert not os.path.exists(p.record)


@test
def many_predicates_at_a_time(p):
    p.write("many", "# a comment\nspoofed\n\nnot spoofed\ncount(waves) > 0\n")
    verdicts = json.loads(p.run("claim", "test", "--report", "trace.json", "--predicates", "many", "--json",
                                record=False))["verdicts"]
    assert [v["verdict"] for v in verdicts] == ["contradicted", "supported", "supported"], verdicts
    again = json.loads(p.run("claim", "test", "--report", "trace.json", "--predicates", "-", "--json", record=False,
                             text="spoofed\n"))["verdicts"]
    assert again == verdicts[:1]
    assert "SUPPORTED" in p.run("claim", "test", "--report", "-", "--predicate", "not spoofed", record=False,
                                text=json.dumps(p.world.trace))


@test
def events_compete_as_causes(p):
    outage = {"watched": True, "outages": [{"began": "2026-03-10T05:00:00Z", "ended": "2026-03-10T05:40:00Z"}]}
    p.write("early.json", outage)
    p.add("cause = change")
    args = ("claim", "test", "c1", "--context", "early.json", "--json")
    before = json.loads(p.run(*args, "--report", "trace.json"))["verdicts"][0]
    assert before["verdict"] == "contradicted", before
    p.run("event", "add", "--kind", "change", "--from", "2026-03-10T04:59:00Z", "--to", "2026-03-10T05:35:00Z",
          "--text", "a new balancer")
    after = json.loads(p.run(*args))["verdicts"][0]
    assert after["verdict"] == "supported" and after["context"]["events"][0]["kind"] == "change", after
    assert after["hypotheses"][0]["what"].startswith("cause: changes of one's own"), after
    assert json.loads(p.run("claim", "test", "c1", "--json"))["verdicts"][0]["verdict"] == "unsupported"


@test
def events_are_listed(p):
    assert json.loads(p.run("event", "add", "--kind", "provider", "--from", "2026-03-10T04:59:00Z", "--text",
                            "no power", "--url", "https://example.org/", "--json"))["events"][0]["id"] == "e1"
    p.run("event", "add", "--kind", "maintenance", "--from", "2026-03-11T00:00:00Z", "--to", "2026-03-11T01:00:00Z",
          "--text", "disks")
    listed = json.loads(p.run("event", "list", "--json"))["events"]
    assert [(e["id"], e["kind"], e["ended"]) for e in listed] == [
        ("e1", "provider", None), ("e2", "maintenance", "2026-03-11T01:00:00.000000Z")], listed
    assert "2026-03-10 04:59:00 to now" in p.run("event", "list")


@test
def wrong_usage_is_refused(p):
    good = ["claim", "add", p.incident, "--by", "x", "--text", "y", "--predicate", "spoofed"]
    for words, said in (
            (["claim"], "say what to do"), (["claim", "sue"], "'sue' is none of"), (["claim", "add"], "no incident"),
            (good[:3] + good[5:], "--by"), (good[:5] + good[7:], "--text"), (good[:7], "--predicate"),
            (good + ["--at", "yesterday"], "--at wants"), (["claim", "show"], "no claim to show"),
            (["claim", "test"], "nothing to test"), (["event", "add"], "--kind"), (["event"], "say what to do"),
            (["event", "sue"], "neither add nor list"),
            (["event", "add", "--kind", "change", "--from", "noon", "--text", "x"], "--from"),
            (["event", "add", "--kind", "change", "--from", "2026-03-10T04:59:00Z", "--to", "2026-03-10T04:58:00Z",
              "--text", "x"], "--to"),
            (["event", "add", "--kind", "change", "--from", "2026-03-10T04:59:00Z"], "--text"),
            (["claim", "test", "--report", "trace.json", "--predicate", "spoofed", "--seed", "-1"], "--seed")):
        assert said in p.run(*words, status=2), words


@test
def what_is_not_there_or_broken_is_said(p):
    assert "nothing is on record" in p.run("claim", "list", status=1)
    assert "nothing is on record" in p.run("event", "list", status=1)
    p.add("spoofed")
    assert "no claim c9" in p.run("claim", "show", "c9", status=1)
    assert "there is no claim" in p.run("claim", "test", "c9", status=1)
    assert "no trace of it is at hand" in p.run("claim", "test", "c1", status=1)
    p.write("broken.json", "{")
    p.write("empty.json", {"schema": "holdfast.analysis/1", "incidents": []})
    p.write("wrong.json", dict(p.world.trace, waves="many"))
    p.write("other.json", dict(p.world.trace, incident="00000000000000aa"))
    for name, said in (("broken.json", "as JSON"), ("none.json", "as JSON"), ("empty.json", "no trace in it"),
                       ("wrong.json", "waves"), ("other.json", "another incident")):
        assert said in p.run("claim", "test", "c1", "--report", name, status=1), name
    for number, (context, said) in enumerate((
            ([], "no object"), ({"outages": 1}, "outages: no list"), ({"outages": [{}]}, "outages[0]: wants \"began\""),
            ({"outages": [{"began": "2026-03-10T05:00:00Z", "lost": 2}]}, "lost"), ({"watched": 1}, "watched"),
            ({"events": [{"kind": "magic"}]}, "kind"), ({"events": [{"kind": "change"}]}, "began"),
            ({"baseline": [{"country": "Z"}]}, "country"), ({"baseline": [{"country": "ZZ"}]}, "share"),
            ({"attack_passing": 7}, "attack_passing"),
            ({"outages": [{"began": "2026-03-10T05:00:00Z"}] * 257}, "more than 256"))):
        p.write("context%d" % number, context if not isinstance(context, list) else "[]")
        assert said in p.run("claim", "test", "--report", "trace.json", "--predicate", "spoofed", "--context",
                             "context%d" % number, status=1, record=False), context
    assert "cannot be read" in p.run("claim", "test", "--report", "trace.json", "--predicates", ".", status=1,
                                     record=False)
    assert "cannot be read" in p.run("claim", "test", "--report", "trace.json", "--predicates", "none", status=1,
                                     record=False)
    p.add("amplified")
    assert "several claims" in p.run("claim", "show", p.incident, status=1)


def main():
    failed = False
    print("1..%d" % len(tests))
    for number, function in enumerate(tests, 1):
        try:
            with tempfile.TemporaryDirectory() as folder:
                function(Place(folder))
            print("ok %d - %s" % (number, function.__name__.replace("_", " ")))
        except Exception as e:  # pylint: disable=broad-except
            failed = True
            print("not ok %d - %s" % (number, function.__name__.replace("_", " ")))
            for line in ("%s: %s" % (type(e).__name__, e)).splitlines():
                print("#", line)
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
