#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""incidents.py HOLDFAST SYNTH SIMULATE: what was recorded, listed, shown and told anew, with no daemon. Speaks TAP.

In a scratch folder: state/, as the recorder leaves it, with two incidents of which the later has its stream, made of
synth's ntp_reflection by SIMULATE; a broken one; conf.yaml that names the folder. A case is a row as in commands.py:
what is typed, exit status, a pattern of standard output and one of the line on standard error. {id} is the later's ID.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from rows import BAD, DONE, USAGE, fault, run, tell

EARLIER = "00000000000000a1"
RULE = {"id": "r3", "handle": 1, "state": "enforced", "why": "0 of 9 normal packets match",
        "match": "udp and src port 123", "scope": "192.0.2.10/32", "action": "drop", "rate_pps": None,
        "packets": {"matched": 900, "dropped": 880, "spared": 5, "answered": 7, "probes": 20, "completed": 1}}

FALLBACK = {"id": "r4", "handle": 2, "state": "gone", "why": "the attack is over", "match": "udp",
            "scope": "192.0.2.10/32", "reason": "no safe signature: sources known from peace pass",
            "action": "rate_limit", "rate_pps": 50, "fallback": True, "unless_known": True, "each_source": False,
            "source_pps": 20, "packets": {"matched": 90, "dropped": 60, "spared": 0, "answered": 0, "probes": 0,
                                          "completed": 0, "known": 30, "known_lost": 4}}

ROWS = [
    *[(f"{word} --help", DONE, f"Usage: holdfast {word}[ \n].*Exit status: .*Example:\n  [^\n]*holdfast", None)
      for word in ("incidents", "incident", "report")],
    *[(f"{word} --wrong", USAGE, None, f"{word}: no option '--wrong'") for word in ("incidents", "incident", "report")],
    ("incident", USAGE, None, "no incident to show"),
    ("report", USAGE, None, "no incident to report"),
    ("report latest --json --text", USAGE, None, "only one can have standard output"),
    ("report latest --json --html -", USAGE, None, "only one can have standard output"),
    ("report latest --csv - --stix -", USAGE, None, "only one can have standard output"),
    ("report latest --stix - --tlp white", USAGE, None, "--tlp is clear, green, amber, amber\\+strict or red"),
    ("report latest --xarf out", USAGE, None, "--xarf needs --organisation and --contact"),
    ("report latest --xarf out --organisation X --contact nobody", USAGE, None, "--contact is an address of mail"),
    # the list
    ("incidents {conf}", DONE,
     "ID .*BEGAN.*\n{short} .*ntp_reflection on 192.0.2.10/32\n00000000 [^\n]*going on\n", None),
    ("incidents --limit 1 {conf}", DONE, "\n{short} [^\n]*\n$", None),
    ("incidents --since 1h {conf}", DONE, "^[^\n]*\n00000000 [^\n]*going on\n$", None),
    ("incidents --json {conf}", DONE, '"holdfast.incidents/1".*"id": "{id}".*"state": "final".*"state": "open"', None),
    ("incidents --limit 0 {conf}", USAGE, None, "--limit 0 is no number from 1 to"),
    ("incidents --config none.yaml", BAD, None, "no incidents are recorded there"),
    ("incidents --config empty.yaml", DONE, "^no incidents\n$", None),
    # one
    ("incident latest {conf}", DONE,
     "ATTACK  192.0.2.10/32  NTP reflection.*Began 2025-06-01 10:00:30 UTC.*WHAT IT IS.*"
     "SOURCES.*WHAT STOPS IT.*drop  udp and src port 123.*holdfast report {id} --html", None),
    ("incident {short} {conf}", DONE, "ATTACK", None),
    ("incident 00000000000000a1 {conf}", DONE, "ATTACK  web 192.0.2.10/32  .*going on.*r3  drop, enforced: 0 of 9.*"
     "matched 900, dropped 880.*hit 7 and spared 5.*r4  rate_limit, gone: the attack is over.*"
     "udp to 192.0.2.10/32, unless the source is known and sends no more than 20/s.*no safe signature: sources.*"
     "of\\s+known\\s+sources\\s+30\\s+passed\\s+and\\s+4\\s+did\\s+not.*"
     "2 packets of answered conversations were dropped.*"
     "1 of those let\\s+through.*UNDO  holdfast release r3.*stream is not kept", None),
    ("incident {id} --json {conf}", DONE, '"schema": "holdfast.incident/1".*"analysis": {', None),
    ("incident 0 {conf}", BAD, None, "several incidents' IDs begin with 0"),
    ("incident 7 {conf}", BAD, None, "there is no incident 7"),
    ("incident ../x {conf}", BAD, None, "'../x' is no incident's ID"),
    ("incident 00000000000000a2 {conf}", BAD, None, "00000000000000a2.json is broken"),
    ("incident latest {conf}", DONE, "SOURCES.*WHERE IT CAME FROM.*relays.*HOW IT WAS RUN.*"
     "WHAT CANNOT BE KNOWN FROM PACKETS.*WHAT STOPS IT", None),
    ("incident latest --include-claims --config empty.yaml", BAD, None, "there is no incident latest"),
    ("incident latest --include-claims {conf}", BAD, None, "nothing is on record there"),
    ("incident latest --include-claims --json {conf}", USAGE, None, "--json is as it was recorded"),
    ("report latest --include-claims {conf}", BAD, None, "nothing is on record there"),
    ("report report.json --include-claims --csv -", USAGE, None, "without claims"),
    ("incident latest --config empty.yaml", BAD, None, "there is no incident latest"),
    ("incident latest --config none.yaml", BAD, None, "no incidents are recorded there"),
    # told anew
    ("report latest {conf}", DONE, "^ATTACK  192.0.2.10  NTP reflection", None),
    ("report latest --text {conf}", DONE, "^ATTACK  192.0.2.10  NTP reflection", None),
    ("report {short} --html - {conf}", DONE, "^<!DOCTYPE html>.*NTP reflection", None),
    ("report latest --fingerprint - {conf}", DONE, '"service": "NTP"', None),
    ("report latest --html out.html --fingerprint out.json {conf}", DONE, None, None),
    ("report latest --stix - {conf}", DONE, '"type": "bundle".*"tlp_2_0": "amber\\+strict".*"amplification"', None),
    ("report latest --misp - --tlp green {conf}", DONE, '"tlp:green".*a relay, not an attacker.*"ddos"', None),
    ("report latest --csv - {conf}", DONE, "^kind,country,.*source,.*,relay,", None),
    ("report latest --stix nowhere/out.json {conf}", BAD, None, "nowhere/out.json: cannot write"),
    ("report latest --xarf out --organisation X --contact a@b.example {conf}", BAD, None, "no source is verified"),
    ("report latest --html nowhere/out.html {conf}", BAD, None, "nowhere/out.html: cannot write"),
    ("report latest >/dev/full {conf}", BAD, None, "standard output: "),
    ("report 00000000000000a1 {conf}", BAD, None, "stream of that incident is not kept"),
    # streams by their files
    ("analyze state/streams/{id}.hfs", DONE, "^ATTACK  192.0.2.10  NTP reflection", None),
    ("analyze first.part second.part", DONE, "^ATTACK  192.0.2.10  NTP reflection", None),
    ("analyze first.part", BAD, "ATTACK", "first.part: the stream ends within a frame; reporting what came before"),
    ("analyze state/streams/{id}.hfs --html out.html --fingerprint prints", DONE, "ATTACK", None),
    ("analyze attack.pcap state/streams/{id}.hfs", USAGE, None, "captures and streams cannot be read as one"),
    ("analyze state/streams/{id}.hfs attack.pcap", BAD, "ATTACK", "attack.pcap: .*; reporting what came before"),
    ("analyze state/streams/{id}.hfs nowhere", BAD, "ATTACK", "nowhere: No such file"),
    ("analyze mark.hfs", BAD, None, "mark.hfs: .*; name a stream from its first part on"),
]


def put(place, analysis, **head):
    """As the recorder does."""
    head = {"schema": "holdfast.incident/1", "id": "", "state": "final", "service": None, "target": "192.0.2.10/32",
            "vector": "ntp_reflection", "began_ns": 0, "ended_ns": 0, "peak_pps": 6300, "peak_bps": 24000000,
            "generation": "0000000000000001"} | head
    line = json.dumps(head, separators=(",", ":"))[:-1] + ',"analysis":\n'
    (place / "incidents" / f"{head['id']}.json").write_text(line + analysis + "}\n", encoding="utf-8")


def furnish(folder, holdfast, synth, simulate):
    """The later's ID, and its analysis."""
    state = folder / "state"
    for name in ("state/incidents", "state/streams", "empty/incidents"):
        (folder / name).mkdir(parents=True)
    for name in ("state", "empty", "none"):
        file = folder / f"{'conf' if name == 'state' else name}.yaml"
        file.write_text(f"state_dir: {folder / name}\n", encoding="utf-8")
    subprocess.run([synth, "ntp_reflection", "-o", folder / "attack.pcap", "--labels", folder / "labels"], check=True,
                   stdout=subprocess.DEVNULL)
    said = subprocess.run([simulate, folder / "attack.pcap", folder / "labels", "--stream", folder / "stream"],
                          check=True, stdout=subprocess.PIPE).stdout
    name = json.loads(said)["incidents"][0]["id"]
    stream = (folder / "stream").rename(state / "streams" / f"{name}.hfs")
    octets = stream.read_bytes()
    (folder / "first.part").write_bytes(octets[:len(octets) * 3 // 4])
    (folder / "second.part").write_bytes(octets[len(octets) * 3 // 4:])
    (folder / "mark.hfs").write_bytes(octets[:30])
    analysis = run(holdfast, folder, f"analyze --json {stream}")[1]
    began = 1748772030 * 10**9
    put(state, analysis, id=name, began_ns=began, ended_ns=began + 15 * 10**9)
    put(state, json.dumps(json.loads(analysis) | {"live": {"rules": [RULE, FALLBACK]}}), id=EARLIER, state="open",
        service="web",
        began_ns=began - 10**9)
    put(state, "[1", id="00000000000000a2", began_ns=1)
    (state / "incidents" / "00000000000000a3.json").write_text("{}\n", encoding="utf-8")
    return name, analysis


def without_rank(text):
    """The analysis but for the comparison with earlier incidents: a stream alone knows none."""
    analysis = json.loads(text)
    for incident in analysis["incidents"]:
        del incident["trace"]["rank"]
    return analysis


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, synth, simulate = map(os.path.abspath, sys.argv[1:])
    failed = 0
    print(f"1..{len(ROWS) + 1}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-incidents-") as scratch:
        folder = pathlib.Path(scratch)
        name, analysis = furnish(folder, holdfast, synth, simulate)
        for number, row in enumerate(ROWS, 1):
            row = [value.replace("{id}", name).replace("{short}", name[:8]).replace("{conf}", "--config conf.yaml")
                   if isinstance(value, str) else value for value in row]
            failed += tell(number, row, fault(row, run(holdfast, folder, row[0])))
        said = run(holdfast, folder, "report latest --json --config conf.yaml")[1]
        same = without_rank(said) == without_rank(analysis) and '"of": 1,' in said and '"of": 0,' in analysis
        failed += not same
        print(f"{'' if same else 'not '}ok {len(ROWS) + 1} - report says what analyze says of the stream", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
