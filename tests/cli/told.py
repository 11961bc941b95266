#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""told.py HOLDFAST SYNTH SIMULATE: who is told what of public claims about an incident that was recorded. Speaks TAP.

In a scratch folder as incidents.py furnishes it, with databases that put each half of all addresses into one of two
fictional countries' places.
"""
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "geo"))
import evidence  # noqa: E402  pylint: disable=wrong-import-position
import figures  # noqa: E402  pylint: disable=wrong-import-position
import incidents  # noqa: E402  pylint: disable=wrong-import-position
import rows  # noqa: E402  pylint: disable=wrong-import-position
import mmdb  # noqa: E402  pylint: disable=wrong-import-position

CONF = "--config conf.yaml"
INTERNAL = "claims are left out of what others read: no second person has approved"


def database(rows):
    made = mmdb.Database(32)
    records = {code: made.record(mmdb.country(code)) for code in sorted({code for _, code in rows})}
    for prefix, code in rows:
        made.put(prefix, records[code])
    return made.finish()


def furnish_places(folder):
    """Two databases of countries that differ of a quarter of all addresses, and one of networks."""
    (folder / "geo").mkdir()
    (folder / "geo/one-country.mmdb").write_bytes(database([("0.0.0.0/1", "SE"), ("128.0.0.0/1", "BR")]))
    (folder / "geo/two-country.mmdb").write_bytes(
        database([("0.0.0.0/1", "SE"), ("128.0.0.0/2", "BR"), ("192.0.0.0/2", "SE")]))
    (folder / "geo/asn.csv").write_text(
        "".join(f"{i}.0.0.0,{i}.255.255.255,{64496 + i % 16},Network {i % 16}\n" for i in range(256)), encoding="utf-8")
    with (folder / "conf.yaml").open("a", encoding="utf-8") as conf:
        conf.write(f"geo: {folder / 'geo'}\n")


def claims_of_report(stage):
    """Of the report as JSON, of its page in HTML, of STIX and MISP: which claims they have."""
    told = json.loads(stage.run(f"report latest --json --include-claims {CONF}")[1])["incidents"][0]["claims"]
    page = stage.run(f"report latest --html - --include-claims {CONF}")[1]
    stix = json.loads(stage.run(f"report latest --stix - --include-claims {CONF}")[1])["objects"]
    misp = json.loads(stage.run(f"report latest --misp - --include-claims {CONF}")[1])["Event"]["Object"]
    return ([claim["id"] for claim in told],
            [word for word in ("first", "second", "third") if f"the_{word}_words" in page],
            sorted(item["content"].split("_")[1] for item in stix if item["type"] == "note"),
            sum(item["type"] == "opinion" for item in stix), sum(item["name"] == "ddos-claim" for item in misp))


def check_approvals(stage):
    claims = (("first", "amplified"), ("second", "spoofed"), ("third", "actor=x"))
    for number, (word, predicate) in enumerate(claims, 1):
        stage.row(f"SUDO_USER=ann claim add latest --by somebody --text the_{word}_words --predicate {predicate} "
                  f"{CONF}", 0, f"c{number} is on record")
    stage.row(f"SUDO_USER=bob claim approve c1 {CONF}", 1, None, "c1: the claim has not been tested")
    stage.row(f"claim test latest {CONF}", 0, "SUPPORTED.*CONTRADICTED.*UNTESTABLE")
    stage.row(f"SUDO_USER=ann claim approve c1 {CONF}", 1, None, "c1: it takes a second person")
    stage.row(f"SUDO_USER=bob claim approve c9 {CONF}", 1, None, "c9: there is no such claim")
    stage.row(f"claim approve {CONF}", 2, None, "no claim to approve of")
    stage.row(f"claim show c1 {CONF}", 0, "Internal: others are not told")
    stage.expect("nobody is told what nobody approved", claims_of_report(stage) == ([], [], [], 0, 0),
                 claims_of_report(stage))
    stage.row(f"report latest --html out.html --include-claims {CONF}", 0, None, f"3 of the {INTERNAL}")
    stage.row(f"SUDO_USER=bob claim approve c1 {CONF}", 0, "c1 and its latest verdict may be told to others, says bob")
    stage.row(f"SUDO_USER=bob claim approve c1 {CONF}", 1, None, "c1: it is approved already")
    stage.row(f"SUDO_USER=eve claim approve c3 {CONF}", 0)
    stage.row(f"claim show c1 {CONF}", 0, "bob approved of telling others, 20")
    stage.expect("others are told what was approved",
                 claims_of_report(stage) == (["c1", "c3"], ["first", "third"], ["first", "third"], 1, 2),
                 claims_of_report(stage))
    for typed in ("incident latest", "report latest --text"):
        stage.row(f"{typed} --include-claims {CONF}", 0,
                  "(?i)what was claimed, and what the traffic says.*the_first_words.*"
                  "supported +The traffic bears this out.*the_third_words.*untestable +Nothing in traffic could show.*"
                  "the_second_words.*contradicted +internal +The traffic speaks against.*nothing about who")
        said = stage.run(f"{typed} {CONF}")[1]
        stage.expect(f"{typed} has no claims where they are not asked for", "_words" not in said, said)
    page = stage.run(f"report latest --html - {CONF}")[1]
    stage.expect("nor has the report", "_words" not in page and "What was claimed" not in page)
    stage.row(f"claim test c1 {CONF}", 0)
    stage.row(f"claim show c1 {CONF}", 0, "Internal: others")
    stage.row(f"report latest --stix out.json --include-claims {CONF}", 0, None, f"2 of the {INTERNAL}")
    stage.row(f"SUDO_USER=bob claim approve c1 {CONF}", 0)


def course(served):
    """As the daemon writes it of a host, from a minute before the attack to a minute after: users so many a second."""
    seconds = range(135)
    return {"from": "2025-06-01T09:59:30.000000Z", "step_s": 1, "arrived_pps": [9000] * 135, "dropped_pps": [0] * 135,
            "answered_pps": [served(second) for second in seconds], "lost_pps": [0] * 135,
            "handshakes_pps": [4] * 135}


def check_outages(stage, name):
    """Of an incident that was watched live, claims of an outage are tested on what the host saw of its users."""
    file = stage.folder / "state/incidents" / f"{name}.json"
    head, analysis = file.read_text(encoding="utf-8").split("\n", 1)
    analysis = json.loads(analysis[:analysis.rindex("}")])

    def test(predicate, served, extra="", status=0):
        whole = analysis | {"live": {"rules": [], "series": course(served)}} if served else analysis
        file.write_text(f"{head}\n{json.dumps(whole)}}}\n", encoding="utf-8")
        said = stage.run(f"claim test latest --predicate {predicate} {extra} --json {CONF}")
        return json.loads(said[1])["verdicts"][0] if said[0] == status == 0 else said

    def down(second):
        return 5 if 65 <= second < 100 else 500

    stage.expect("without a series nobody measured", "nobody measured" in test("outage", None)["reason"])
    found = test("outage", down)
    seen = [{"began": "2025-06-01T10:00:35.000000Z", "ended": "2025-06-01T10:01:10.000000Z", "lost": 0.99}]
    stage.expect("an outage that the host saw is one",
                 found["verdict"] == "supported" and found["context"]["outages"] == seen, found)
    stage.expect("and says from when to when was looked", found["context"]["measured"] ==
                 {"began": "2025-06-01T09:59:30.000000Z", "ended": "2025-06-01T10:01:45.000000Z"}, found)
    for predicate, verdict in (("cause=attack", "supported"), ("outage<=10m", "supported"),
                               ("outage>=10m", "unsupported")):
        found = test(predicate, down)
        stage.expect(f"{predicate} is {verdict}", found["verdict"] == verdict, found)
    found = test("outage", lambda second: 500)
    stage.expect("where users were served as before that is said",
                 found["verdict"] == "unsupported" and "answered as before" in found["reason"], found)
    (stage.folder / "context.json").write_text(json.dumps({"outages": [
        {"began": "2025-06-01T09:00:00Z", "ended": "2025-06-01T09:30:00Z"}]}), encoding="utf-8")
    found = test("cause=attack", down, "--context context.json")
    stage.expect("what is put in by hand stands in its place",
                 found["verdict"] == "contradicted" and len(found["context"]["outages"]) == 1, found)
    # On record: the same, with events of the ledger, and computed anew from a bundle.
    test("outage", down)
    stage.row(f"claim add latest --by somebody --text words --predicate cause=attack {CONF}", 0)
    found = json.loads(stage.run(f"claim test c4 --json {CONF}")[1])["verdicts"][0]
    stage.expect("a claim on record is tested on the archived trace and series", found["verdict"] == "supported"
                 and len(found["context"]["outages"]) == 1 and len(found["trace_sha256"]) == 64, found)
    stage.row("event add --kind change --from 2025-06-01T10:00:30Z --to 2025-06-01T10:01:10Z --text deploy " + CONF, 0)
    found = json.loads(stage.run(f"claim test c4 --json {CONF}")[1])["verdicts"][0]
    stage.expect("an own change at the same time competes", found["verdict"] == "unsupported", found)
    stage.row(f"evidence {name} -o v.tar {CONF}", 0, None, "not signed")
    stage.row("verify v.tar", 0, "verdicts: 6 computed anew")


def check_elsewhere(stage):
    """A bundle verifies where there is nothing else: another home, no configuration, no databases."""
    with tempfile.TemporaryDirectory(prefix="holdfast-elsewhere-") as home:
        copy = pathlib.Path(home) / "v.tar"
        copy.write_bytes((stage.folder / "v.tar").read_bytes())
        environment = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        done = subprocess.run([stage.holdfast, "verify", "v.tar"], cwd=home, env=environment | {"HOME": home},
                              check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=rows.SECONDS)
        stage.expect("a bundle verifies in a clean place", done.returncode == 0 and "verdicts: 6 computed anew" in
                     done.stdout and not done.stderr, done)
        stage.expect("and leaves nothing there", [file.name for file in pathlib.Path(home).iterdir()] == ["v.tar"])


def check_figures(stage, name):
    """Each number on the pages is in a bundle, or derived from what is in it (figures.RULES)."""
    file = stage.folder / "state/incidents" / f"{name}.json"
    head = file.read_text(encoding="utf-8").split("\n", 1)[0]
    file.write_text(f"{head}\n{stage.run(f'report latest --json {CONF}')[1]}}}\n", encoding="utf-8")  # with places
    stage.row(f"claim add latest --by somebody --text words --predicate share(country=SE)>=0.3 {CONF}", 0)
    stage.row(f"claim test latest {CONF}", 0)
    stage.row(f"SUDO_USER=bob claim approve c5 {CONF}", 0)
    stage.row(f"evidence {name} -o n.tar --payload {CONF}", 0, None, "not signed")
    held = evidence.members(stage.folder / "n.tar")
    (stage.folder / "again.hfs").write_bytes(held["stream.hfs"])
    stage.row("analyze again.hfs --html again.html --geo geo", 0, "ATTACK")
    again = figures.page_text((stage.folder / "again.html").read_text(encoding="utf-8"))
    pages = [stage.run(f"{typed} --include-claims {CONF}")[1]
             for typed in ("incident latest", "report latest --text", "report latest --html -")]
    for what, page in (("incident", pages[0]), ("report --text", pages[1])):
        left = figures.untold(page, held)
        stage.expect(f"{what}: each number is in the bundle's JSON, or derived from it", not left, "\n".join(left))
    left = figures.untold(figures.page_text(pages[2]), held, again)
    stage.expect("report --html: each number is in the bundle's JSON or comes of its stream", not left, "\n".join(left))
    # That it would be noticed:
    for was, wrong in (("59,080", "59,081"), ("6.3 kpps", "6.8 kpps"), ("lasted 15 s", "lasted 18 s"),
                       ("$2,500", "$2,501")):
        left = figures.untold(pages[0].replace(was, wrong), held)
        stage.expect(f"{wrong} in place of {was} is noticed", was in pages[0] and len(left) >= 1, (was, left))


def check_prices(stage):
    """By whose prices an incident is reckoned, and what becomes of a table that is wrong."""
    offer = {"what": "a test's", "per": "attack", "up_to_gbps": 0, "date": "2031", "source": "https://offers.example/"}
    for name, low in (("here.json", 7001), ("there.json", 8001), ("wrong.json", 0)):
        table = {"schema": "holdfast.prices/1", "prices": [offer | {"low": low, "mid": 8002, "high": 8003}]}
        (stage.folder / name).write_text(json.dumps(table), encoding="utf-8")
    conf = (stage.folder / "conf.yaml").read_text(encoding="utf-8")
    for name in ("here", "wrong"):
        (stage.folder / f"{name}.yaml").write_text(f"{conf}prices: {stage.folder}/{name}.json\n", encoding="utf-8")

    def lowest(typed, complaint):
        status, out, error = stage.run(f"report latest --json {typed}")
        low = json.loads(out)["incidents"][0]["trace"]["cost"]["low"] if out else None
        stage.expect(f"report {typed}: what it says of prices", re.search(f"^{complaint}$", error), error)
        return status, low

    said = ("holdfast: [^\n]*wrong.json: price 1: prices are not 0 < low <= mid <= high < 1e12; "
            "{}\n".format)
    built_in = lowest(CONF, "")
    for typed, wanted, complaint in (
            ("--config here.yaml", (0, 7001), ""),
            ("--config here.yaml --prices there.json", (0, 8001), ""),
            (f"--prices there.json {CONF}", (0, 8001), ""),
            ("--config wrong.yaml", built_in, said("going on with the prices that are built in")),
            ("--config wrong.yaml --prices there.json", (0, 8001), ""),
            (f"--prices wrong.json {CONF}", (1, None), said("name another with --prices, or none"))):
        got = lowest(typed, complaint)
        stage.expect(f"report {typed}: {wanted}", got == wanted, got)
    stage.expect("those built in are others", built_in[0] == 0 and 0 < built_in[1] < 7001, built_in)
    stage.row("config check here.yaml", 0)
    stage.row("config check wrong.yaml", 1, None, "wrong.json: price 1: prices are not")


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


def check_proxies(stage, synth):
    """Proxies that users come through are no attackers, have no place, and are in no list: of bots, of relays."""
    subprocess.run([synth, "tcp_connection_flood", "-o", stage.folder / "bots.pcap"], check=True,
                   stdout=subprocess.DEVNULL)
    places = stage.folder / "halves"
    places.mkdir()
    (places / "x-country.mmdb").write_bytes(database([("198.18.0.0/16", "SE"), ("198.19.0.0/16", "BR")]))
    (places / "asn.csv").write_text("198.18.0.0,198.18.255.255,64510,Proxy house\n"
                                    "198.19.0.0,198.19.255.255,64511,Others\n", encoding="utf-8")
    proxies = "trusted_proxies: [{}]\n".format
    (stage.folder / "services.yaml").write_text("services: []\n" + proxies("198.18.0.0/16"), encoding="utf-8")
    found = {}
    for name, typed in (("all", ""), ("some", "--services services.yaml")):
        told = stage.run(f"analyze --json --geo halves {typed} --html {name}.html bots.pcap")[1]
        (stage.folder / f"{name}.json").write_text(told, encoding="utf-8")
        trace = json.loads(told)["incidents"][0]["trace"]
        rows = {row["network"]: row for row in trace["rows"]}
        table = rows_of(stage.run(f"report ./{name}.json --csv -")[1])
        html = (stage.folder / f"{name}.html").read_text(encoding="utf-8")
        page = stage.run(f"analyze --geo halves {typed} bots.pcap")[1]
        found[name] = {"held": trace["held"], "located": trace["located_sources"], "in all": trace["size"]["in_all"],
                       "rows": {number: (row["sources"], row["packets"]) for number, row in rows.items()},
                       "countries": sorted(row["country"] for row in table if row["kind"] == "country"),
                       "networks": sorted(row["network"] for row in table if row["kind"] == "network"),
                       "told": [[word in text for word in ("Sweden", "Proxy house", "Brazil", "Others")]
                                for text in (page, figures.page_text(html))]}
    both, others = found["all"], found["some"]
    stage.expect("where no proxies are named all are attackers", both["countries"] == ["BR", "SE"] and
                 both["networks"] == ["64510", "64511"] and both["told"] == [[True] * 4] * 2 and
                 min(count for counts in both["rows"].values() for count in counts) > 100, found)
    left = both["rows"][64511]
    stage.expect("analyze: proxies are no attackers",
                 others["held"] == others["in all"] == left[0] == both["held"] - both["rows"][64510][0], found)
    stage.expect("analyze: nor have they a place", others["located"] == left[0] and others["rows"] == {64511: left} and
                 others["told"] == [[False, False, True, True]] * 2, found)
    stage.expect("analyze: nor are they in the table", others["countries"] == ["BR"] and
                 others["networks"] == ["64511"], found)
    # One by one, of a stream
    conf = (stage.folder / "conf.yaml").read_text(encoding="utf-8")
    (stage.folder / "proxies.yaml").write_text(conf + proxies("128.0.0.0/1"), encoding="utf-8")
    lists = [{row["address"] for row in rows_of(stage.run(f"report latest --csv - --config {name}.yaml")[1])
              if row["kind"] == "source"} for name in ("conf", "proxies")]
    stage.expect("report: sources one by one are the others", lists[1] and lists[1] ==
                 {address for address in lists[0] if int(address.split(".")[0]) < 128} < lists[0], lists)


def check_mistakes(stage):
    """What is wrong with a configuration is said once, and the incident is told all the same."""
    (stage.folder / "mistaken.yaml").write_text(
        f"state_dir: {stage.folder}/state\nmode: fight\ngeo: here\n", encoding="utf-8")
    for typed in ("report latest", "report latest --include-claims", "report latest --csv -",
                  "incident latest --include-claims", "claim test latest"):
        status, out, error = stage.run(f"{typed} --config mistaken.yaml")
        stage.expect(f"{typed}: each mistake is said once",
                     status == 0 and out and [error.count(part) for part in (
                         "mistaken.yaml:2:7: mode is 'fight'", "mistaken.yaml:3:6: geo is 'here'", "mistaken.yaml:",
                         "goes by run_dir")] == [1, 1, 2, 1], (status, error))


def check_ages(stage):
    said = " ".join(stage.run(f"report latest --text {CONF}")[1].split())
    stage.expect("databases of another year are said to be so",
                 re.search("one-country is from another time, 36[0-9] days after the attack", said), said)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, synth, simulate = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="holdfast-told-") as scratch:
        folder = pathlib.Path(scratch)
        name, _ = incidents.furnish(folder, holdfast, synth, simulate)
        furnish_places(folder)
        stage = evidence.Stage(holdfast, folder)
        check_approvals(stage)
        check_outages(stage, name)
        check_elsewhere(stage)
        check_ages(stage)
        check_prices(stage)
        check_proxies(stage, synth)
        check_mistakes(stage)
        check_figures(stage, name)
        print(f"1..{stage.count}")
    return 1 if stage.failed else 0


if __name__ == "__main__":
    sys.exit(main())
