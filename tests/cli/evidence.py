#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""evidence.py HOLDFAST SYNTH SIMULATE: an incident as a bundle, checked, erased, and the record beside it. Speaks TAP.

In a scratch folder as incidents.py furnishes it. minisign is asked too, where it is there.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile

sys.path[:0] = [str(folder) for folder in pathlib.Path(__file__).resolve().parents[:2]]
import cases  # noqa: E402  pylint: disable=wrong-import-position
import incidents  # noqa: E402  pylint: disable=wrong-import-position
import rows  # noqa: E402  pylint: disable=wrong-import-position

CONF = "--config conf.yaml"
LARGE_STRIDE = 4099  # octets: a prime, so that all places in a block are met
FLIPS_MAX = 200      # of one bundle, evenly: each is a run; test_bundle changes every octet of one


class Stage(cases.Cases):
    """Runs commands, counts what is asked of them."""

    def __init__(self, holdfast, folder):
        super().__init__()
        self.holdfast, self.folder = holdfast, folder

    def run(self, typed):
        return rows.run(self.holdfast, self.folder, typed)

    def row(self, typed, status, out=None, error=None):
        """Like a row of incidents.py, but standard error may have lines that are no complaint."""
        answer = self.run(typed)
        good = answer[0] == status and all(wanted is None or re.search(wanted, text, re.DOTALL)
                                           for text, wanted in ((answer[1], out), (answer[2], error)))
        self.expect(f"holdfast {typed}", good, answer)


def members(path):
    with tarfile.open(path) as bundle:
        return {member.name: bundle.extractfile(member).read() for member in bundle}


def numbers(value):
    """Every number in it, as a page tells them, to twelve digits; booleans are none."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(numbers, value))
    return {f"{value:.12g}"} if isinstance(value, (int, float)) and not isinstance(value, bool) else set()


def check_chain(stage, name):
    """The chain, by other code than holdfast's."""
    held = members(stage.folder / name)
    manifest = json.loads(held["manifest.json"])
    link = bytes(32)
    for segment in manifest["segments"]:
        octets = held[segment["name"]]
        link = hashlib.sha256(link + hashlib.sha256(octets).digest()).digest()
        stage.expect(f"{name}: {segment['name']} is chained as the manifest says",
                     segment["sha256"] == hashlib.sha256(octets).hexdigest() and segment["chain"] == link.hex()
                     and segment["octets"] == len(octets))
    head = hashlib.sha256(link + hashlib.sha256(held["manifest.json"]).digest()).hexdigest()
    stage.expect(f"{name}: head.txt is the head", held["head.txt"].decode() == head + "\n")
    return held, manifest


def check_numbers(stage, held):
    """Each number that a report could tell of the incident is in the bundle, where a reader finds it."""
    whole = json.loads(stage.run(f"incident latest --json {CONF}")[1])
    told = json.loads(held["analysis.json"])
    missing = numbers(whole["analysis"]) - numbers(told)
    stage.expect("each number of the incident's JSON is in analysis.json", not missing, missing)
    trace = whole["analysis"]["incidents"][0].get("trace")
    if trace:
        missing = numbers(trace) - numbers(json.loads(held["trace.json"]))
        stage.expect("each number of its trace is in trace.json", not missing, missing)
    page = stage.run(f"incident latest {CONF}")[1]
    stage.expect("the page's incident is the bundle's", told["incidents"][0]["id"][:8] in page, page)


def check_flips(stage, name, named):
    """One octet changed: verify exits 1 and names the member that it is in. `named`: (end, member) in order."""
    path = stage.folder / name
    octets = path.read_bytes()
    places = sorted(set(range(0, 12 * 512, 29)) | set(range(0, len(octets), LARGE_STRIDE)) | {len(octets) - 1})
    if len(places) > FLIPS_MAX:
        places = places[::len(places) // FLIPS_MAX + 1]
    wrong = []
    for at in places:
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(bytes([octets[at] ^ 1 << at % 8]))
        status, _, said = stage.run(f"verify {name}")
        where = next((member for end, member in named if at < end), "")
        if status != 1 or not re.search(where, said):
            wrong.append((at, where, status, said))
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(octets[at:at + 1])
    stage.expect(f"{name}: each of {len(places)} octets that were changed is noticed and named", not wrong, wrong[:3])
    stage.row(f"verify {name}", 0, "whole: ")


def spans(path):
    """Where members end, with what may be named there."""
    with tarfile.open(path) as bundle:
        found = [(member.offset_data + (member.size + 511) // 512 * 512, member.name) for member in bundle]
    # What is in the manifest may make it another's that is wrong, and head.txt is held against it.
    return [(end, "manifest.json|head.txt" if name in ("manifest.json", "head.txt") else re.escape(name))
            for end, name in found]


def check_signatures(stage):
    stage.row("verify b.tar", 0, "signature: there, and not checked")
    stage.row("verify b.tar --public-key key.pub", 0, "signature: good; key [0-9A-F]{16}\n")
    stage.row("verify b.tar --public-key other.pub", 1, None, "is of key [0-9A-F]{16}, not of key")
    stage.row("verify b.tar --public-key conf.yaml", 1, None, "no public key")
    stage.row("verify b.tar --signature conf.yaml", 1, None, "no signature")
    stage.row("verify p.tar --public-key key.pub", 1, None, "p.tar.minisig: No such file")
    stage.row("verify p.tar --public-key key.pub --signature b.tar.minisig", 1, None, "signs another head")
    if not shutil.which("minisign"):
        return
    said = subprocess.run(["minisign", "-Vm", "b.tar", "-p", "key.pub"], cwd=stage.folder, capture_output=True,
                          check=False, text=True)
    stage.expect("minisign takes the signature", said.returncode == 0 and "head=" in said.stdout, said)
    # The other way: what minisign signs with our key we take.
    for key, password in (("key", None), ("locked", "open sesame")):
        shutil.copy(stage.folder / "b.tar", stage.folder / "m.tar")
        head = members(stage.folder / "b.tar")["head.txt"].decode().strip()
        said = subprocess.run(["minisign", "-Sm", "m.tar", "-s", key, "-t", f"x head={head}"], cwd=stage.folder,
                              check=False, input=f"{password}\n" if password else "", capture_output=True, text=True)
        stage.expect(f"minisign signs with {key}", said.returncode == 0, said)
        stage.row(f"verify m.tar --public-key {key}.pub", 0, "signature: good")


def check_claims(stage, name):
    """Verdicts are in the bundle, and computed anew; one that was changed before it was wrapped is named."""
    stage.row(f"claim add {name[:8]} --by someone --text words --predicate count(sources)>=10 {CONF}", 0)
    stage.row(f"claim add {name[:8]} --by someone --text words --predicate amplified {CONF}", 0)
    stage.row(f"claim test c1 {CONF}", 0)
    stage.row(f"claim test c2 {CONF}", 0)
    stage.row(f"evidence {name} -o v.tar {CONF}", 0)
    stage.row("verify v.tar", 0, "verdicts: 2 computed anew")
    held = members(stage.folder / "v.tar")
    line = next(line for line in held["claims.jsonl"].decode().splitlines() if '"verdict":' in line)
    verdict = json.loads(line)
    verdict["result"]["log10_bayes_factor"] = 1.5
    rewrap(stage.folder / "v.tar", "claims.jsonl",
           held["claims.jsonl"].decode().replace(line, json.dumps(verdict)).encode())
    stage.row("verify v.tar", 1, None, r"claims.jsonl, line \d+: member log10_bayes_factor is 1.5 and comes out as")
    told = json.loads(held["analysis.json"])
    told["incidents"][0]["packets"] += 1
    rewrap(stage.folder / "v.tar", "analysis.json", json.dumps(told).encode(), held)
    stage.row("verify v.tar", 1, None, "analysis.json, packets of (waves|vectors): they add up to")
    # What was left out as noise the waves still hold; that is never most of them.
    wave = json.loads(held["analysis.json"])
    wave["incidents"][0]["waves"][0]["packets"] += 1
    rewrap(stage.folder / "v.tar", "analysis.json", json.dumps(wave).encode(), held)
    stage.row("verify v.tar", 0, None, None)
    wave["incidents"][0]["waves"][0]["packets"] *= 3
    rewrap(stage.folder / "v.tar", "analysis.json", json.dumps(wave).encode(), held)
    stage.row("verify v.tar", 1, None, "analysis.json, packets of waves: they add up to")


def check_statements(stage, name):
    """What was published is in the bundle with what it rests on; a sentence, link or document that differs is named."""
    def one(typed):
        return json.loads(stage.run(f"statement {typed} --json {CONF}")[1])["statements"][0]

    notice = one("draft --since 2026-01-01T09:40:00Z --component web")["id"]  # before there was an incident
    other = one("draft --since 2026-01-01T09:40:00Z")["id"]  # another matter
    told = one(f"draft {name[:8]} --after {notice} --kind resolution --until 2026-01-01T10:00:00Z")["id"]
    for statement in (notice, other, told):
        stage.row(f"statement approve {statement} --hash {one(f'show {statement}')['sha256']} {CONF}", 0)
        stage.row(f"statement publish {statement} {CONF}", 0)
    stage.row(f"evidence {name} -o s.tar {CONF}", 0)
    stage.row("verify s.tar", 0, r"statements: \d+ published sentences, each as its evidence says")
    held = members(stage.folder / "s.tar")
    lines = [json.loads(line) for line in held["statements.jsonl"].decode().splitlines()]
    stage.expect("the matter's statements, and each document once",
                 [line["id"] for line in lines if line["kind"] == "statement"] == [notice, told] and
                 len({line["sha256"] for line in lines}) == len(lines), lines)

    def changed(wanted, change):
        new = json.loads(json.dumps(lines))
        change(new)
        text = "".join(json.dumps(line) + "\n" for line in new if line)
        rewrap(stage.folder / "s.tar", "statements.jsonl", text.encode(), held)
        stage.row("verify s.tar", 1, None, r"statements.jsonl, line \d+: .*" + wanted)

    last = len(lines) - 1
    first = next(i for i, line in enumerate(lines) if line["kind"] == "source")
    changed("not what its sentences say", lambda new: new[last].update(text="All was well."))
    changed("another sum than it says", lambda new: new[last].update(sha256="0" * 64))
    changed("not what", lambda new: new[last]["statement"]["sentences"][0].update(text="All was well."))
    changed("has another sum", lambda new: new[first].update(text=new[first]["text"] + " "))
    changed("is not in the bundle", lambda new: new.__setitem__(first, None))
    changed("it is no statement", lambda new: new[last].update(statement={}))
    changed("of no kind", lambda new: new[last].update(kind="rumour"))

    def move(new):
        for sentence in new[last]["statement"]["sentences"]:
            for link in sentence["evidence"]:
                link["at"] += "/0"
    changed("sentence \\d+:", move)


def rewrap(path, name, octets, held=None):
    """The bundle with another segment, chained anew: what somebody does who knows how it is made."""
    held = dict(held or members(path))
    held[name] = octets
    manifest, link = json.loads(held["manifest.json"]), bytes(32)
    for segment in manifest["segments"]:
        digest = hashlib.sha256(held[segment["name"]])
        link = hashlib.sha256(link + digest.digest()).digest()
        segment.update(octets=len(held[segment["name"]]), sha256=digest.hexdigest(), chain=link.hex())
    with tarfile.open(path) as bundle:
        time = bundle.getmember("manifest.json").mtime
    held["manifest.json"] = json.dumps(manifest).encode()
    last = hashlib.sha256(held["manifest.json"]).digest()
    held["head.txt"] = (hashlib.sha256(link + last).hexdigest() + "\n").encode()
    written = b""
    for member, text in held.items():
        info = tarfile.TarInfo(member)
        info.size, info.mode, info.mtime = len(text), 0o444, time
        header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        header[329:345] = bytes(16)  # of devices, which there are none
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        written += bytes(header) + text + bytes(-len(text) % 512)
    path.write_bytes(written + bytes(1024))


def check_record(stage):
    stage.row(f"record check {CONF}", 0, "whole")
    stage.row(f"record backup copy.db {CONF}", 0, "copy.db: a copy of")
    stage.row(f"record backup copy.db {CONF}", 1, None, "there already")
    stage.row("record check --record copy.db", 0, "whole")
    with sqlite3.connect(stage.folder / "copy.db") as base:
        base.execute("DROP TRIGGER evidence_delete")
    stage.row("record check --record copy.db", 1, "broken", "trigger evidence_delete is missing")
    stage.row("record check --record nowhere.db", 1, None, "nothing has been recorded there")
    stage.row("record mend", 2, None, "no command 'record mend'")
    stage.row("record backup", 2, None, "where is the copy")
    stage.row("record check x", 2, None, "--record names one")


def check_capture(stage, name):
    """A capture that is analysed and recorded is an incident like any other, with no daemon."""
    (stage.folder / "kept.yaml").write_text(f"state_dir: {stage.folder / 'kept'}\n", encoding="utf-8")
    conf = "--config kept.yaml"
    stage.row("analyze attack.pcap --record kept", 0, "ATTACK")
    stage.row(f"incidents {conf}", 0, f"{name[:8]} .*ntp_reflection")
    stage.row(f"incident latest {conf}", 0, "ATTACK")
    stage.row(f"claim add latest --by someone --text words --predicate amplified {conf}", 0)
    stage.row(f"claim test c1 {conf}", 0)
    stage.row(f"evidence latest -o k.tar --capture attack.pcap {conf}", 0)
    stage.row("verify k.tar", 0, "verdicts: 1 computed anew")
    held = members(stage.folder / "k.tar")
    stage.expect("it has trace and packets", {"trace.json", "packets.pcapng"} <= set(held), list(held))
    stage.row("analyze attack.pcap --record conf.yaml/x", 1, "ATTACK", "cannot be recorded there")


def check_erasure(stage, name):
    stage.row(f"evidence --erase b.tar {CONF}", 0, "their sums stay")
    stage.row(f"evidence --erase b.tar {CONF}", 0, "their sums stay", "no bundle at that path is on record here as one")
    shutil.copy(stage.folder / "p.tar", stage.folder / "foreign.tar")
    stage.row(f"evidence --erase foreign.tar {CONF}", 0, "their sums stay", "the erasure stands in the bundle alone")
    stage.row("verify foreign.tar", 0, "packets.pcapng: erased by policy")
    stage.row(f"evidence --erase conf.yaml {CONF}", 1, None, "nothing is erased in what is no whole bundle")
    stage.row(f"evidence --erase nowhere.tar {CONF}", 1, None, "nowhere.tar: No such file")
    stage.row("verify b.tar --public-key key.pub", 0,
              r"good for the head.*packets.pcapng: erased by policy, \d{4}-\d\d-\d\d \(asked for\)")
    stage.row("verify b.tar --json", 0, '"segment": "packets.pcapng".*"date": ')
    held = members(stage.folder / "b.tar")
    stage.expect("packets, addresses and decisions are gone, the rest is there",
                 not {"packets.pcapng", "sources.jsonl", "decisions.jsonl"} & set(held)
                 and {"analysis.json", "rules.jsonl", "erased.json"} <= set(held), list(held))
    stage.row(f"evidence {CONF}", 0, "b1 .*erased ")
    stage.row(f"evidence {name} -o r.tar --retain 60s {CONF}", 0)
    with sqlite3.connect(stage.folder / "state" / "holdfast.db") as base:  # as if its time were over
        base.execute("DROP TRIGGER evidence_update")
        base.execute("UPDATE evidence SET until_ns = 1 WHERE path LIKE '%/r.tar'")
    stream = stage.folder / "state" / "streams" / f"{name}.hfs"
    stage.row(f"evidence --expire {CONF}", 0, "1 bundles and 1 streams erased")
    stage.expect("the stream is gone", not stream.exists())
    stage.row("verify r.tar", 0, "packets.pcapng: erased by policy, .*kept as long as was set")
    stage.row(f"evidence --expire {CONF}", 0, "0 bundles and 0 streams erased")
    stage.row(f"evidence {name} -o s.tar {CONF}", 0)
    stage.row("verify s.tar", 0, "whole")


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, synth, simulate = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="holdfast-evidence-") as scratch:
        folder = pathlib.Path(scratch)
        name, _ = incidents.furnish(folder, holdfast, synth, simulate)
        (folder / "word").write_text("open sesame\n", encoding="ascii")
        stage = Stage(holdfast, folder)
        for word in ("evidence", "verify", "record"):
            stage.row(f"{word} --help", 0, f"Usage: holdfast {word} .*Example:\n  holdfast {word}")
        stage.row("evidence latest", 2, None, "-o BUNDLE")
        stage.row("evidence -o x", 2, None, "of which incident")
        stage.row("evidence latest -o - ", 2, None, "a bundle has a file")
        stage.row("evidence latest -o x --tlp white", 2, None, "no label 'white'")
        stage.row("evidence latest --expire", 2, None, "things apart")
        stage.row("verify", 2, None, "no bundle")
        stage.row("verify nowhere", 1, None, "No such file")
        stage.row("verify attack.pcap", 1, None, "manifest.json: .*it is not as it was made")
        stage.row("evidence --new-key key", 0, "key [0-9A-F]{16}: secret in key")
        stage.row("evidence --new-key key", 1, None, "File exists")
        stage.row("evidence --new-key other", 0)
        stage.row("evidence --new-key locked --password-file word", 0)
        stage.expect("the secret key is for its owner", (folder / "key").stat().st_mode & 0o777 == 0o600)
        stage.row(f"evidence {name[:8]} -o b.tar --key key --tlp green {CONF}", 0, "signed by key")
        stage.row(f"evidence {name} -o l.tar --key locked {CONF}", 1, None, "has a password")
        stage.row(f"evidence {name} -o l.tar --key locked --password-file conf.yaml {CONF}", 1, None, "not the key's")
        stage.row(f"evidence {name} -o l.tar --key locked --password-file word {CONF}", 0, "signed")
        stage.row(f"evidence latest -o p.tar --payload {CONF}", 0, None, "not signed")
        stage.row("verify p.tar", 0, r"numbers: (2\d|3\d) computed anew")
        stage.row(f"evidence latest -o c.tar --capture attack.pcap {CONF}", 0)
        stage.row("verify c.tar", 0)
        held, manifest = check_chain(stage, "b.tar")
        stage.expect("its label is in the manifest", manifest["tlp"] == "TLP:GREEN")
        check_numbers(stage, held)
        stage.expect("packets have no payload", b"\x00\x06\x00\x48" not in held["packets.pcapng"])
        check_signatures(stage)
        check_flips(stage, "b.tar", spans(folder / "b.tar"))
        check_record(stage)
        check_claims(stage, name)
        check_statements(stage, name)
        check_capture(stage, name)
        check_erasure(stage, name)
        return stage.close()


if __name__ == "__main__":
    sys.exit(main())
