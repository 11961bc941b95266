#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands.py HOLDFAST: what 'holdfast outage' makes of days that never were (days.py), and of files that are wrong.

TAP.
"""
import datetime
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import days  # noqa: E402

HOLDFAST = os.path.abspath(sys.argv[1])
BUCKET = datetime.timedelta(minutes=5)
tests = []


def test(function):
    tests.append(function)
    return function


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.record = os.path.join(folder, "record.db")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.path(name)

    def run(self, *words, status=0, text=None):
        done = subprocess.run([HOLDFAST, *words, "--record", self.record], cwd=self.folder, capture_output=True,
                              text=True, input=text, timeout=120, check=False)
        assert done.returncode == status, (words, done.returncode, done.stdout[-500:], done.stderr[-500:])
        return done

    def json(self, *words, **more):
        return json.loads(self.run(*words, "--json", **more).stdout)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def near(text, wanted):
    return abs(moment(text) - wanted) <= BUCKET


def outages_of(place, rows, seed, regions=0):
    days.write(place.path("rows.csv"), rows, seed, regions)
    place.run("outage", "import", "rows.csv")
    return place.json("outage", "list")["outages"]


def truth(rows, day):
    """Of the generator's own counts: the worst quarter of an hour, and the shortest time with 80 % of the excess."""
    began = [day + datetime.timedelta(minutes=m[0]) for m in days.WAVES]
    ended = [day + datetime.timedelta(minutes=m[1]) for m in days.WAVES]
    within = [(t, n) for t, n in rows if began[0] <= t < ended[-1]]
    peak = max(range(len(within) - 2), key=lambda i: sum(n for _, n in within[i:i + 3]))
    excess = [max(0, n - days.usual(t, MEAN)) if any(a <= t < b for a, b in zip(began, ended)) else 0
              for t, n in within]
    wanted, best = 0.8 * sum(excess), None
    for i in range(len(excess)):
        total = 0
        for k in range(i, len(excess)):
            total += excess[k]
            if total >= wanted:
                if best is None or k - i < best[1] - best[0]:
                    best = (i, k)
                break
    half = datetime.timedelta(minutes=30)
    first, last = within[best[0]][0], within[best[1]][0] + BUCKET
    return {"began": began[0], "ended": ended[-1], "peak": within[peak][0],
            "from": day + (first - day) // half * half, "to": day - (day - last) // half * half}


MEAN = 6.0


def check_day(place, seed, before):
    rows = days.series(before + 1, seed, MEAN, days.WAVES)
    day = days.START + datetime.timedelta(days=before)
    found = outages_of(place, rows, seed, 8)
    wanted = truth(rows, day)
    assert len(found) == 1, (seed, before, [o["outage"]["began"] for o in found])
    outage = found[0]["outage"]
    assert near(outage["began"], wanted["began"]) and near(outage["ended"], wanted["ended"]), (outage, wanted)
    assert near(outage["peak_began"], wanted["peak"]), (outage["peak_began"], wanted)
    # Half hours: what is usual is not known to the report, so that an end on the edge may fall on the other side.
    half = datetime.timedelta(minutes=30)
    assert abs(moment(outage["pronounced_from"]) - wanted["from"]) <= half, (outage, wanted)
    assert abs(moment(outage["pronounced_to"]) - wanted["to"]) <= half, (outage, wanted)
    assert len(outage["waves"]) == 3, outage["waves"]
    for wave, (began, ended, _) in zip(outage["waves"], days.WAVES):
        assert near(wave["began"], day + datetime.timedelta(minutes=began)), wave
        assert near(wave["ended"], day + datetime.timedelta(minutes=ended)), wave
    return outage


@test
def a_day_in_three_waves(p):
    """With two months before it: each hour of the week is known."""
    outage = check_day(p, 1, 56)
    assert outage["basis"] == "weeks" and outage["global"], outage


@test
def a_day_after_ten(p):
    assert check_day(p, 2, 10)["basis"] == "days"


@test
def a_day_alone(p):
    assert check_day(p, 3, 0)["basis"] == "hours"


@test
def what_explains_it(p):
    rows = days.series(30, 4, MEAN, days.WAVES)
    day = (days.START + datetime.timedelta(days=29)).strftime("%Y-%m-%d")
    p.run("event", "add", "--kind", "change", "--from", f"{day}T12:40:00Z", "--to", f"{day}T14:50:00Z",
          "--text", "move")
    os.makedirs(p.path("state/incidents"))
    began = int((days.START + datetime.timedelta(days=29, hours=9, minutes=26)).timestamp()) * 10**9
    head = {"schema": "holdfast.incident/1", "id": "00000000000000a1", "state": "final", "service": None,
            "target": "192.0.2.10/32", "vector": "syn_flood", "began_ns": began, "ended_ns": began + 7140 * 10**9,
            "peak_pps": 1, "peak_bps": 1, "generation": "0000000000000001"}
    series = {"from": f"{day}T09:25:00Z", "step_s": 60, "arrived_pps": [90000] * 120, "dropped_pps": [80000] * 120,
              "answered_pps": [500] * 120, "lost_pps": [5] * 120, "handshakes_pps": [9] * 120}
    analysis = json.dumps({"live": {"series": series}})
    line = json.dumps(head, separators=(",", ":"))[:-1] + ',"analysis":\n' + analysis + "\n}\n"
    p.write("state/incidents/00000000000000a1.json", line)
    days.write(p.path("rows.csv"), rows, 4)
    p.run("outage", "import", "rows.csv", "--archive", p.path("state"))
    shown = p.json("outage", "show", "latest")
    causes = shown["causes"]
    assert [i["cause"] for i in causes["intervals"]] == ["attack", "own_change", "unknown"], causes
    assert shown["incident"] == "00000000000000a1" and shown["delay_ns"] in (-60 * 10**9, 240 * 10**9), shown
    assert causes["intervals"][1]["reference"] == "0000000000000001", causes
    assert sum(i["share"] for i in causes["intervals"]) in range(9990, 10001), causes
    page = p.run("outage", "show", "o1").stdout
    for said in ("WHAT EXPLAINS IT", "an own change e1", "elevated user reports", "00000000000000a1 goes with it"):
        assert said in page, page
    p.run("outage", "show", "o1", "--html", "o.html", "--archive", p.path("state"))
    with open(p.path("o.html"), encoding="utf-8") as read:
        page = read.read()
    after = "4&nbsp;min after the attack" if shown["delay_ns"] > 0 else "in the same five minutes"
    for said in (after, "What came", "90&nbsp;k", "User reports", "Own change e1", "move", "None of its", "Unknown"):
        assert said in page, said
    assert "<script" not in page and "http" not in page.replace("http-equiv", ""), page
    alone = p.run("outage", "show", "o1", "--html", "-").stdout  # without an archive there are no packets
    assert "What came" not in alone and "User reports" in alone, alone
    p.run("outage", "list", "--html", "o.html", status=2)
    p.run("outage", "show", "o1", "--html", "/nowhere/o.html", status=1)
    p.write("holdfast.yaml", f"state_dir: {p.path('state')}\n")
    os.rename(p.record, p.path("state/holdfast.db"))
    told = subprocess.run([HOLDFAST, "incident", "latest", "--config", p.path("holdfast.yaml")], capture_output=True,
                          text=True, check=True).stdout
    assert "HARM login: outage o1 from" in told and "the attack began" in told, told


@test
def wrong_lines_are_named_and_kept(p):
    p.write("mixed.csv", "time,component,count\n2026-03-10T09:35:00Z,login,4\nyesterday,login,9\n"
                         "2026-03-10T09:40:00Z,login,5\n2026-03-10T09:40:00Z,Log In,5\n")
    done = p.run("outage", "import", "mixed.csv", "--rejects", "bad.csv", status=1)
    assert "mixed.csv:3: the time is none" in done.stderr and "mixed.csv:5: the component" in done.stderr, done.stderr
    assert "9 reports in 2 counts are on record; 2 lines were left out" in done.stdout, done.stdout
    with open(p.path("bad.csv"), encoding="utf-8") as bad:
        assert bad.read() == "time,component,count\nyesterday,login,9\n2026-03-10T09:40:00Z,Log In,5\n"
    assert "has been put in before" in p.run("outage", "import", "mixed.csv", status=1).stderr
    counts = p.json("outage", "reports")["counts"]
    assert [c["count"] for c in counts] == [4, 5], counts


@test
def what_is_listed_can_be_imported(p):
    p.write("counts.json", json.dumps({"counts": [
        {"time": "2026-03-10T09:35:00Z", "component": "login", "symptom": "slow", "region": "FR-IDF",
         "network": 64500, "count": 12, "accepted": 10, "shielded": 2},
        {"time": 1773135420, "component": "api", "count": 3}]}))
    p.run("outage", "import", "counts.json")
    listed = p.run("outage", "reports", "--json").stdout
    other = Place(tempfile.mkdtemp(dir=p.folder))
    other.run("outage", "import", "-", text=listed)
    assert other.run("outage", "reports", "--json").stdout == listed
    assert "login" in p.run("outage", "reports", "--component", "login").stdout
    assert "no reports" in p.run("outage", "reports", "--from", "2027-01-01T00:00:00Z").stdout


@test
def broken_files_leave_nothing(p):
    for name, text, said in (("a.json", '[{"time": 1, "count": 1}, {"time"', "does not end"),
                             ("b.csv", "when,what\n1,2\n", "has to name the columns"), ("c.csv", "", "nothing is in"),
                             ("d.json", '{"reports": 3}x', "between objects")):
        p.write(name, text)
        done = p.run("outage", "import", name, status=1)
        assert said in done.stderr and "nothing of it is on record" in done.stderr, (name, done.stderr)
    assert p.json("outage", "reports")["counts"] == []
    p.run("outage", "import", "nowhere.csv", status=1)
    p.run("outage", "import", status=2)
    p.run("outage", "import", "a.json", "--component", "No", status=2)
    p.run("outage", "show", "x1", status=2)
    p.run("outage", "show", "o9", status=1)
    p.run("outage", "mend", status=2)


@test
def a_claim_rests_on_outages_on_record(p):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "claims"))
    import world
    trace = world.world(4).trace
    p.write("trace.json", json.dumps(trace))
    day = datetime.datetime.fromisoformat(trace["began"].replace("Z", "+00:00")).replace(hour=0, minute=0, second=0,
                                                                                          microsecond=0)
    rows = days.series(3, 5, MEAN, days.WAVES, start=day - datetime.timedelta(days=2))
    days.write(p.path("rows.csv"), rows, 5)
    p.run("outage", "import", "rows.csv")
    p.run("claim", "add", trace["incident"], "--by", "somebody", "--text", "it was out", "--predicate", "outage")
    verdict = p.json("claim", "test", "c1", "--report", "trace.json")["verdicts"][0]
    assert len(verdict["context"]["outages"]) == 3, verdict["context"]
    assert verdict["verdict"] == "supported", verdict


DATA = os.path.abspath(os.environ.get("HOLDFAST_DATA", "../shared/data"))
ZONES = ("+0000", "+0200")


def access_line(time, status, seconds, number, zone="+0000"):
    hours = int(zone[:3])
    local = (time + datetime.timedelta(hours=hours)).strftime("%d/%b/%Y:%H:%M:%S")
    return (f'192.0.2.{number % 200 + 1} - - [{local} {zone}] "GET /{number} HTTP/1.1" {status} 512 "-" "made" '
            f'{seconds:.3f}\n')


def access_days(path, day, share, seconds=0.05, count=30):
    """Three days of a log, the last with what the waves show: that share of 5xx, so many seconds for an answer."""
    with open(path, "w", encoding="utf-8") as out:
        for bucket in range(3 * 288):
            time = day - datetime.timedelta(days=2) + datetime.timedelta(seconds=300 * bucket)
            minute = (bucket - 576) * 5
            out_now = any(began <= minute < ended for began, ended, _ in days.WAVES)
            for n in range(count):
                bad = out_now and n < share * count
                out.write(access_line(time + datetime.timedelta(seconds=n * 9), 503 if bad else 200,
                                      seconds if out_now else 0.05, n))


def outage_with(p, seed, **shown):
    rows = days.series(30, seed, MEAN, days.WAVES)
    if shown:
        access_days(p.path("access.log"), days.START + datetime.timedelta(days=29), **shown)
        logs = p.json("outage", "logs", "access.log", "--component", "login", "--import")
        assert logs["imported"] and len(logs["buckets"]) == 864 and not logs["left_out"], logs["left_out"]
    found = outages_of(p, rows, seed)
    assert len(found) == 1, found
    return found[0]


@test
def reports_and_errors_at_the_edge(p):
    assert outage_with(p, 6, share=0.6)["belief"]["published"] == "major_outage"


@test
def reports_and_some_errors(p):
    outage = outage_with(p, 7, share=0.47)
    assert outage["belief"]["published"] == "partial_outage" and outage["belief"]["fault"] == "down", outage["belief"]


@test
def reports_where_the_log_is_as_usual(p):
    assert outage_with(p, 8, share=0.0)["belief"]["published"] == "elevated_user_reports"


@test
def reports_where_answers_take_long(p):
    belief = outage_with(p, 9, share=0.0, seconds=2.0)["belief"]
    assert belief["published"] == "investigating" and belief["fault"] == "slow", belief


@test
def reports_alone(p):
    assert outage_with(p, 10)["belief"]["published"] == "elevated_user_reports"


@test
def a_log_is_read(p):
    import gzip
    time = datetime.datetime(2026, 3, 10, 9, 35, tzinfo=datetime.timezone.utc)
    text = "".join(access_line(time + datetime.timedelta(seconds=n * 4), 500 if n < 20 else 200, 0.01 * n, n,
                               ZONES[n % 2]) for n in range(100)) + "no line\n\n" + "x" * 40000 + "\n"
    p.write("a.log", text + access_line(time, 200, 1, 1))
    with gzip.open(p.path("a.log.1.gz"), "wt") as out:
        out.write(access_line(time - datetime.timedelta(minutes=5), 200, 1, 1))
    found = p.json("outage", "logs", "a.log", "a.log.1.gz")
    assert [b["bucket"] for b in found["buckets"]] == ["2026-03-10T09:30:00.000000Z", "2026-03-10T09:35:00.000000Z",
                                                       "2026-03-10T09:40:00.000000Z"], found["buckets"]
    full = found["buckets"][1]
    assert (full["answers"], full["status_5xx"], full["clients"]) == (76, 20, 76), full
    assert 660 <= full["latency_p90_ms"] <= 760, full
    assert [(f["lines"], f["read"], f["left_out"], f["format"]) for f in found["files"]] == [
        (104, 101, 2, "combined"), (1, 1, 0, "auto")], found["files"]
    assert [(x["line"], x["what"]) for x in found["left_out"]] == [
        (101, "there is no [time]"), (103, "it is too long")], found["left_out"]
    shown = p.run("outage", "logs", "a.log")
    assert "26.3 %" in shown.stdout and "With --import" in shown.stdout, shown.stdout
    assert "a.log:101: this is no line of an access log" in shown.stderr, shown.stderr
    assert "100" in p.run("outage", "logs", "-", text=text).stdout


@test
def a_log_counts_once(p):
    time = datetime.datetime(2026, 3, 10, 9, 35, tzinfo=datetime.timezone.utc)
    p.write("a.log", access_line(time, 200, 0.1, 1))
    assert p.run("outage", "logs", "a.log", "--import").stderr == ""
    assert "counts once" in p.run("outage", "logs", "a.log", "--import", status=1).stderr
    p.write("b.log", "nothing of the kind\n")
    assert "no line of an access log in it" in p.run("outage", "logs", "b.log", "--import", status=1).stderr
    assert "no line of an access log in it" in p.run("outage", "logs", "b.log", "--import", status=1).stderr
    with sqlite3.connect(p.record) as record:
        signals = record.execute("SELECT kind, good, bad, value FROM signal ORDER BY kind").fetchall()
        assert [s[:3] for s in signals] == [("edge_5xx", 1, 0), ("latency", 1, 0)], signals
        assert record.execute("SELECT count(*) FROM report_import").fetchone() == (1,)


@test
def what_serve_has_counted_is_not_put_in_again(p):
    time = datetime.datetime(2026, 3, 10, 9, 35, tzinfo=datetime.timezone.utc)
    p.write("a.log", "".join(access_line(time + datetime.timedelta(minutes=n), 200, 0.1, 1) for n in range(20)))
    p.write("first.log", access_line(time - datetime.timedelta(days=1), 200, 0.1, 1))
    p.run("outage", "logs", "first.log", "--import")
    signals = "SELECT bucket_ns / 300000000000, vantage, good FROM signal WHERE kind = 'edge_5xx' AND good <> 1" \
              " ORDER BY bucket_ns, vantage"
    bucket = int(time.timestamp()) // 300
    with sqlite3.connect(p.record) as record:  # as the reader of serve would have it
        for n in (1, 2):
            record.execute("INSERT INTO signal VALUES(?, 'site', 'edge_5xx', 'serve', 0, 7, 0, 0)",
                           ((bucket + n) * 300 * 10**9,))
    said = p.run("outage", "logs", "a.log", "--import", status=1).stderr
    assert "has counted lines of site between 2026-03-10 09:40:00 and 2026-03-10 09:50:00 UTC" in said, said
    assert "--missing" in said and "--beside" in said, said
    with sqlite3.connect(p.record) as record:
        assert record.execute(signals).fetchall() == [(bucket + 1, "serve", 7), (bucket + 2, "serve", 7)]
        assert record.execute("SELECT count(*) FROM report_import").fetchone() == (1,)
    assert p.json("outage", "logs", "a.log", "--import", "--component", "api")["counted_by_serve"] == 0
    p.write("a.log", "".join(access_line(time + datetime.timedelta(minutes=n), 200, 0.1, 2) for n in range(20)))
    # latency is a signal of its own, of which nobody has counted any
    assert p.json("outage", "logs", "a.log", "--import", "--missing")["counted_by_serve"] == 2
    with sqlite3.connect(p.record) as record:
        assert record.execute(signals + ", component").fetchall() == [
            (bucket, "", 5), (bucket, "", 5), (bucket + 1, "", 5), (bucket + 1, "serve", 7), (bucket + 2, "", 5),
            (bucket + 2, "serve", 7), (bucket + 3, "", 5), (bucket + 3, "", 5)]
    p.write("other.log", "".join(access_line(time + datetime.timedelta(minutes=n), 200, 0.1, 3) for n in range(20)))
    assert p.json("outage", "logs", "other.log", "--import", "--beside")["counted_by_serve"] == 0
    with sqlite3.connect(p.record) as record:
        assert record.execute("SELECT count(*), sum(good) FROM signal WHERE vantage = 'beside' AND kind = 'edge_5xx'"
                              ).fetchone() == (4, 20)


@test
def what_is_asked_wrongly_of_logs(p):
    p.run("outage", "logs", status=2)
    p.run("outage", "logs", "a", "--component", "No", status=2)
    p.run("outage", "logs", "a", "--format", "squid", status=2)
    p.run("outage", "logs", "a", "--zone", "CET", status=2)
    p.run("outage", "logs", "a", "--beside", status=2)
    p.run("outage", "logs", "a", "--import", "--beside", "--missing", status=2)
    p.run("outage", "import", "a", "b", status=2)
    p.run("outage", "logs", "nowhere.log", status=1)
    assert "cannot be read" in p.run("outage", "logs", ".", status=1).stderr
    p.write("cut.gz", "\x1f\x8b\x08\x00cut")
    p.write("h.log", "192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/13 200 512 - - ---- 1/1/0/0/0 0/0 "
            '"GET / HTTP/1.1"\n')
    bucket = p.json("outage", "logs", "h.log", "--zone", "+02:00")["buckets"][0]
    assert bucket["bucket"].startswith("2026-03-10T07:35") and bucket["latency_p90_ms"] == 14, bucket


@test
def real_logs(p):
    """What other programs count in them (a regular expression)."""
    for name in ("elastic+examples/apache_logs", "AparnaKale+cs257_log_analyzer/access_log_Aug95",
                 "ocatak+apache-http-logs/w3af.txt"):
        path = os.path.join(DATA, "weblogs", name)
        if not os.path.exists(path):
            print(f"# real_logs: skipped, {path} is not there")
            continue
        with open(path, encoding="utf-8", errors="replace") as lines:
            states = [found.group(1) for found in (re.search(r'" (\d{3}) (\d+|-)', line) for line in lines) if found]
        buckets = p.json("outage", "logs", path)["buckets"]
        assert sum(b["answers"] for b in buckets) == len(states), name
        assert sum(b["status_5xx"] for b in buckets) == sum(s[0] == "5" for s in states), name


def main():
    print(f"1..{len(tests)}")
    for number, function in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(Place(folder))
            except (AssertionError, KeyError, ValueError, subprocess.SubprocessError) as error:
                print(f"# {function.__name__}: {error!r}")
                print("not ", end="")
        print(f"ok {number} - {function.__name__}", flush=True)


if __name__ == "__main__":
    main()
