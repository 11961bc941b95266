#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands.py HOLDFAST SYNTH: what commands answer to each way of asking: exit status, what stands where, complaints.

Speaks TAP, a case a row. Arguments are as typed, in a scratch folder that holds: attack.pcap (synth's ntp_reflection)
and report.json of it, syn.pcap (syn_flood_spoofed), text, and the services files of SERVICES. {host} is the target of
the first, {net} its network; {syn} that of the other, at {port}. Each complaint is held to be one line that begins with
"holdfast: ", so a row says only what must be in it.
"""
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from rows import BAD, DONE, USAGE, fault, run, tell

# file: what it holds
SERVICES = {
    "good.yaml": "services: [{ name: clocks, addresses: [{host}], udp: [123], path: local }]\n",
    "whole.yaml": "mode: observe\nshield: { interfaces: [eth0, eth1] }\ntrusted_proxies: [192.0.2.0/24]\n"
                  "services:\n  - { name: clocks, addresses: ['{net}'] }\n",
    # All that a daemon's configuration may hold
    "daemon.yaml": "mode: enforce\nuser: nobody\nstate_dir: /srv/s\nrun_dir: /srv/r\nbpffs_dir: /sys/fs/bpf/x\n"
                   "record: { incidents_max: 5, streams_max: 6, stream_mib: 7, streams_mib: 8 }\n"
                   "shield: { interfaces: [eth0], generic: true, nftables: no, block_capacity: 4096, sample_budget: 0, "
                   "block_for: 1h, management: { ports: [22], from: [192.0.2.0/24] } }\n"
                   "services:\n  - { name: clocks, addresses: [{host}], udp: [123], path: local, syn_cookies: auto, "
                   "per_source_pps: 500 }\n"
                   "allow: [198.51.100.0/24]\nallow_files: [/etc/a]\nblock_files: [/etc/c]\ntrusted_proxies: []\n"
                   "geo: off\nprices: /etc/holdfast/prices.json\n"
                   "alerts: [{ name: pager, type: pagerduty, key_file: /etc/k, min_pps: 5000 }]\n",
    "key.yaml": "services: []\nallow_list: [198.51.100.0/24]\n",
    "two.yaml": "services:\n  - { name: a, addresses: [{syn}], tcp: [9] }\n"
                "  - { name: b, addresses: [{syn}], tcp: [{port}] }\n",
    "neither.yaml": "services:\n  - { name: a, addresses: [{host}] }\n  - { name: b, addresses: [{host}] }\n",
    "other.yaml": "services: [{ name: elsewhere, addresses: ['2001:db8:ffff::1'] }]\n",
    "none.yaml": "services: []\n",
    "empty.yaml": "",
    "syntax.yaml": "services: [{ name: a,\n",
    "unknown.yaml": "services: [{ name: a, addresses: [192.0.2.1], colour: red }]\n",
    "nameless.yaml": "services: [{ addresses: [192.0.2.1] }]\n",
    "homeless.yaml": "services: [{ name: a, addresses: [] }]\n",
    "address.yaml": "services: [{ name: a, addresses: [192.0.2.300] }]\n",
    "terminal.yaml": 'services: [{ name: "a\\e[2Jb", addresses: [nowhere] }]\n',
    "port.yaml": "services: [{ name: a, addresses: [192.0.2.1], tcp: [0] }]\n",
    "ports.yaml": "services: [{ name: a, addresses: [192.0.2.1], udp: [65536] }]\n",
    "mode.yaml": "mode: fight\nrun_dir: /nonexistent/holdfast  # nobody's\n",
    "path.yaml": "services: [{ name: a, addresses: [192.0.2.1], path: winding }]\n",
    "documents.yaml": "services: []\n---\nservices: []\n",
    "alias.yaml": "services: [{ name: &a x, addresses: [192.0.2.1] }, { name: *a, addresses: [192.0.2.2] }]\n",
    "large.yaml": "services: []\n" + "#" * (1 << 20) + "\n",
    "octets.yaml": "services: [{ name: '\x01\x02', addresses: [192.0.2.1] }]\n",
}

OFFER = {"what": "a test's", "per": "attack", "low": 7001, "mid": 7002.5, "high": 7003, "up_to_gbps": 0, "date": "2031",
         "source": "https://offers.example/"}


def prices(**changes):
    """A table of one price that is right but for this; None: without it."""
    offer = {name: value for name, value in (OFFER | changes).items() if value is not None}
    return json.dumps({"schema": "holdfast.prices/1", "prices": [offer]})


SERVICES |= {
    "good.prices": prices(),
    "number.prices": prices(mid="7002"),
    "order.prices": prices(low=7004),
    "member.prices": prices(**{"co\x1blour": "red"}),
    "large.prices": prices() + " " * 65536,
}

# commands of the shield
SHIELD = ["run", "doctor", "status", "rules", "block", "allow", "release", "observe", "enforce", "off", "reload",
          "config check"]

# what is typed behind `holdfast`, exit status, a pattern of standard output, a pattern of the line on standard error
ROWS = [
    ("", USAGE, None, "Usage: holdfast COMMAND"),
    ("--help", DONE, "Usage: holdfast COMMAND", None),
    ("-h", DONE, "Usage: holdfast COMMAND", None),
    ("help", DONE, "Usage: holdfast COMMAND", None),
    ("help --help", DONE, "Usage: holdfast COMMAND", None),
    ("help analyze", DONE, "Usage: holdfast analyze .*Example:", None),
    ("help try", DONE, "Usage: holdfast try .*Example:", None),
    *[(f"{words} --help", DONE, f"Usage: holdfast {words}[ \n].*Exit status: .*Example:\n  [^\n]*holdfast", None)
      for words in SHIELD],
    *[(f"help {word}", DONE, f"Usage: holdfast {word}", None)
      for word in (*SHIELD[:-1], "config")],
    *[(f"{words} --wrong", USAGE, None, f"{words}: no option '--wrong'; see 'holdfast {words} --help'")
      for words in SHIELD],
    *[(f"{words} too many words", USAGE, None, "one too many|one argument too many")
      for words in SHIELD if words != "doctor"],
    ("help version", DONE, "Usage: holdfast version", None),
    ("help help", DONE, "Usage: holdfast help", None),
    ("help analyse", USAGE, None, "no command 'analyse'; did you mean 'analyze'"),
    ("version", DONE, r"holdfast \d+\.\d+\.\d+$", None),
    ("--version", DONE, r"holdfast \d+\.\d+\.\d+$", None),
    ("analyse", USAGE, None, "no command 'analyse'; did you mean 'analyze'"),
    ("tyr", USAGE, None, "did you mean 'try'"),
    ("defenestrate", USAGE, None, "no command 'defenestrate'; 'holdfast --help' lists"),
    ("a-word-that-is-longer-than-any-command-could-ever-be", USAGE, None, "no command 'a-word"),
    ("--wrong", USAGE, None, "no option '--wrong'"),
    ("\x1b[2J", USAGE, None, r"no command '\?\[2J'"),
    ("statsu", USAGE, None, "did you mean 'status'"),
    ("bolck 198.51.100.7", USAGE, None, "did you mean 'block'"),
    # the shield: the way of asking. What the daemon makes of it, tests/cli/client.py tells.
    ("block", USAGE, None, "block: nothing to block"),
    ("block 198.51.100.7/24", USAGE, None, "has bits behind its length; write 198.51.100.0/24 for the .* 198.51.100.7"),
    ("block 198.51.100.0/33", USAGE, None, "the length is a number from 0 to 32"),
    ("block 2001:db8::/129", USAGE, None, "the length is a number from 0 to 128"),
    ("block 2001:db8::1/32", USAGE, None, "write 2001:db8::/32 for the network"),
    ("block somewhere.example", USAGE, None, "'somewhere.example' is no address or prefix"),
    ("block \x1b[2J", USAGE, None, r"'\?\[2J' is no address"),
    ("block " + "1" * 500, USAGE, None, "is no address or prefix"),
    ("block 198.51.100.7 --for soon", USAGE, None, "--for soon is no time from 1s to 90d"),
    ("block 198.51.100.7 --for 91d", USAGE, None, "--for 91d is no time from 1s to 90d"),
    ("block 198.51.100.7 --for 0s", USAGE, None, "--for 0s is no time"),
    ("block 198.51.100.7 --reason " + "x" * 160, USAGE, None, "--reason is longer than 159 octets"),
    ("block 198.51.100.7 --file text", USAGE, None, "one at a time"),
    ("block 198.51.100.7 --match udp", USAGE, None, "one at a time"),
    ("block 198.51.100.7 --to 192.0.2.10", USAGE, None, "go with --match"),
    ("block 198.51.100.7 --rate 10", USAGE, None, "go with --match"),
    ("block 198.51.100.7 --observe", USAGE, None, "go with --match"),
    ("block --match udp --observe --rate 10", USAGE, None, "--observe drops nothing"),
    ("block --match udp --rate 0", USAGE, None, "--rate 0 is no number from 1 to"),
    ("block --match nonsense", USAGE, None, "--match, character 1: "),
    ("block --match udp --to nowhere", USAGE, None, "--to 'nowhere' is no address"),
    ("block --file nowhere", BAD, None, "nowhere.*No such file"),
    ("block --file text", BAD, None, "text:1: "),
    ("block --file empty.yaml", BAD, None, "empty.yaml: there is no prefix in it"),
    ("allow", USAGE, None, "allow: nothing to allow"),
    ("allow 198.51.100.7 --match udp", USAGE, None, "no option '--match'"),
    ("allow nowhere", USAGE, None, "allow: 'nowhere' is no address"),
    ("release", USAGE, None, "release: nothing to release"),
    ("release r", USAGE, None, "'r' is no address or prefix"),
    ("release r3x", USAGE, None, "'r3x' is no address or prefix.*or a rule's name"),
    ("release r3 --file text", USAGE, None, "one at a time"),
    ("enforce --confirm", USAGE, None, "--confirm wants a value"),
    ("enforce --confirm 2d", USAGE, None, "--confirm 2d is no time from 1s to 1d"),
    ("rules --limit 1001", USAGE, None, "--limit 1001 is no number from 0 to 1000"),
    ("status --json --watch", USAGE, None, "--json is one reading"),
    ("config", USAGE, None, "what of the configuration"),
    ("config --help", DONE, "Usage: holdfast config check", None),
    ("config sing", USAGE, None, "no command 'config sing'; there is 'config check'"),
    ("config check nowhere.yaml", BAD, None, "nowhere.yaml"),
    ("config check mode.yaml", BAD, None, "mode.yaml:1:7: .*fight"),
    ("config check whole.yaml", DONE, "whole.yaml: good: mode observe, 2 interfaces, 1 services", None),
    ("doctor --config mode.yaml", BAD, None, "mode.yaml:1:7: "),
    ("run --config mode.yaml", BAD, None, "mode.yaml:1:7: |only root"),
    ("doctor nowhere0", BAD, "bad +nowhere0 link +there is no such interface", None),
    ("doctor --json nowhere0", BAD, '"holdfast.doctor/1".*"interface": "nowhere0"', None),
    # analyze: the way of asking
    ("analyze", USAGE, None, "no capture to read; see"),
    ("analyze --help", DONE, "Usage: holdfast analyze", None),
    ("analyze -h", DONE, "Usage: holdfast analyze", None),
    ("analyze --wrong attack.pcap", USAGE, None, "no option '--wrong'"),
    ("analyze -x attack.pcap", USAGE, None, "no option '-x'"),
    ("analyze --services", USAGE, None, "--services wants a value"),
    ("analyze --width wide attack.pcap", USAGE, None, "--width wide is no number"),
    ("analyze --width 80x attack.pcap", USAGE, None, "--width 80x is no number"),
    ("analyze --width -1 attack.pcap", USAGE, None, "--width -1 is no number"),
    ("analyze --width \x07 attack.pcap", USAGE, None, r"--width \? is no number"),
    # analyze: what it reads
    ("analyze attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --width 160 dns.pcap", DONE,
     "DNS query flood: [0-9,]+ questions were put to .*, answered or not; hardly any name begins like another", None),
    ("analyze --no-color --width 60 attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --width 99999 attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --width 1 attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --width 0 attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --json attack.pcap", DONE, "holdfast.analysis/1", None),
    ("analyze --json - <attack.pcap", DONE, '"-"', None),
    ("analyze attack.pcap --json", DONE, "holdfast.analysis/1", None),
    ("analyze nowhere.pcap", BAD, None, "nowhere.pcap: cannot open: No such file"),
    ("analyze .", BAD, None, ": a directory"),
    ("analyze text", BAD, None, "text: text, not a capture"),
    ("analyze empty.yaml", BAD, None, "empty.yaml: empty"),
    ("analyze - </dev/null", BAD, None, "standard input: empty"),
    ("analyze --json attack.pcap nowhere.pcap", BAD, "holdfast.analysis/1", "nowhere.pcap: cannot open"),
    ("analyze attack.pcap ./attack.pcap", USAGE, None, r"\./attack.pcap is named twice"),
    ("analyze --json --html - attack.pcap", USAGE, None, "--json and --html - both want standard output"),
    ("analyze --html - attack.pcap", DONE, "^<!DOCTYPE html>", None),
    ("analyze attack.pcap >/dev/full", BAD, None, "standard output: No space left"),
    ("analyze --json attack.pcap >/dev/full", BAD, None, "standard output: No space left"),
    ("analyze --html page.html attack.pcap >/dev/full", BAD, None, "standard output: No space left"),
    ("analyze page.html", BAD, None, "page.html: text, not a capture"),
    ("analyze --html /dev/full attack.pcap", BAD, "{host}.*NTP", "/dev/full: cannot write the report: No space left"),
    ("analyze --html nowhere/page.html attack.pcap", BAD, None, "cannot write the report: No such file"),
    ("analyze --html attack.pcap attack.pcap", USAGE, None, "attack.pcap: is a capture that is read"),
    ("analyze --html good.yaml --services good.yaml attack.pcap", USAGE, None, "good.yaml: is the file of services"),
    ("analyze --fingerprint text attack.pcap", BAD, None, "cannot write fingerprints there: Not a directory"),
    ("analyze --fingerprint prints attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --threads 1 attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --threads 2 attack.pcap", DONE, "{host}.*NTP", None),
    ("analyze --threads 3 attack.pcap", USAGE, None, "--threads 3 is neither 1 nor 2"),
    ("version >/dev/full", BAD, None, "standard output: No space left"),
    ("help >/dev/full", BAD, None, "standard output: No space left"),
    # services: the name that a target gets
    ("analyze --json --services good.yaml attack.pcap", DONE, '"service": *"clocks"', None),
    ("analyze --json --services whole.yaml attack.pcap", DONE, '"service": *"clocks"', None),
    ("analyze --json --services two.yaml syn.pcap", DONE, '"service": *"b"', None),
    ("analyze --json --services neither.yaml attack.pcap", DONE, '"service": *null', None),
    ("analyze --json --services other.yaml attack.pcap", DONE, '"service": *null', None),
    ("analyze --json --services none.yaml attack.pcap", DONE, '"service": *null', None),
    ("analyze --services good.yaml attack.pcap", DONE, "clocks", None),
    ("analyze --services daemon.yaml attack.pcap", DONE, "clocks", None),
    ("analyze --services key.yaml attack.pcap", BAD, None, "key.yaml: line .*allow_list"),
    # services: what is wrong with the file
    ("analyze --services nowhere.yaml attack.pcap", BAD, None, "nowhere.yaml: No such file"),
    ("analyze --services . attack.pcap", BAD, None, ": Is a directory"),
    ("analyze --services empty.yaml attack.pcap", BAD, None, "empty.yaml: "),
    ("analyze --services syntax.yaml attack.pcap", BAD, None, "syntax.yaml: "),
    ("analyze --services unknown.yaml attack.pcap", BAD, None, "line 1, column .*colour"),
    ("analyze --services nameless.yaml attack.pcap", BAD, None, "name"),
    ("analyze --services homeless.yaml attack.pcap", BAD, None, "homeless.yaml: "),
    ("analyze --services address.yaml attack.pcap", BAD, None, "service 'a': '192.0.2.300' is no address"),
    ("analyze --services terminal.yaml attack.pcap", BAD, None, r"service 'a\?\[2Jb'"),
    ("analyze --services port.yaml attack.pcap", BAD, None, "service 'a': 0 is no port"),
    ("analyze --services ports.yaml attack.pcap", BAD, None, "line 1, column "),
    ("analyze --services mode.yaml attack.pcap", BAD, None, "mode.yaml: .*fight"),
    ("analyze --services path.yaml attack.pcap", BAD, None, "path.yaml: .*winding"),
    ("analyze --services documents.yaml attack.pcap", BAD, None, "more than one YAML document"),
    ("analyze --services alias.yaml attack.pcap", BAD, None, "alias.yaml: "),
    ("analyze --services large.yaml attack.pcap", BAD, None, "larger than 1048576 octets"),
    ("analyze --services octets.yaml attack.pcap", BAD, None, "octets.yaml: "),
    ("analyze --services text attack.pcap", BAD, None, "text: "),
    # prices: what is reckoned with, and what is wrong with the file
    ("analyze --json --prices good.prices attack.pcap", DONE,
     '"low": *7001.*"mid": *7002.5.*"high": *7003.*"1 of 1 published offers, of 2031 to 2031', None),
    ("analyze --prices good.prices attack.pcap", DONE, r"\$7,00[0-9]", None),
    ("analyze --prices attack.pcap", USAGE, None, "no capture to read"),
    ("analyze --prices nowhere.prices attack.pcap", BAD, None, "nowhere.prices: No such file.*; name another"),
    ("analyze --prices . attack.pcap", BAD, None, ": it is no regular file; name another"),
    ("analyze --prices text attack.pcap", BAD, None, "text: line 1, column "),
    ("analyze --prices large.prices attack.pcap", BAD, None, "large.prices: it is larger than 65536 octets"),
    ("analyze --prices number.prices attack.pcap", BAD, None, "number.prices: price 1: mid is no number"),
    ("analyze --prices order.prices attack.pcap", BAD, None, "price 1: prices are not 0 < low <= mid <= high"),
    ("analyze --prices member.prices attack.pcap", BAD, None, r"price 1: there is no member 'co\?lour'"),
    ("analyze --html good.prices --prices good.prices attack.pcap", USAGE, None, "is the file of prices"),
    # try: the way of asking
    ("try", USAGE, None, "see 'holdfast try --help'"),
    ("try --help", DONE, "Usage: holdfast try", None),
    ("try -h", DONE, "Usage: holdfast try", None),
    ("try --wrong", USAGE, None, "--wrong"),
    ("try --rules", USAGE, None, "--rules"),
    ("try attack.pcap -w out.pcap", USAGE, None, "--rules"),
    ("report report.json --stix -", DONE, '"type": "bundle".*"type": "observed-data".*"type": "report"', None),
    ("report - --misp - <report.json", DONE, '"template_uuid": "e2f124d6-f57c-4f93-99e6-8450545fa05d"', None),
    ("report report.json --csv -", DONE, "^kind,country,network,", None),
    ("report report.json", USAGE, None, "of REPORT.json --stix, --misp and --csv can be written"),
    ("report report.json --html -", USAGE, None, "of REPORT.json --stix, --misp and --csv can be written"),
    ("report report.json --csv - --incident zz", BAD, None, "report.json: it has no such incident"),
    ("report report.json --xarf x --organisation X --contact a@b.example", BAD, None, "has no sources one by one"),
    ("report ./nowhere.json --csv -", BAD, None, "nowhere.json: cannot open"),
    ("report ./text --csv -", BAD, None, "text: line 1"),
    ("try --rules report.json attack.pcap", USAGE, None, "-w|--write"),
    ("try --rules report.json -w out.pcap", USAGE, None, "capture"),
    ("try --rules report.json attack.pcap attack.pcap -w out.pcap", USAGE, None, "one capture"),
    ("try --rules - - -w out.pcap </dev/null", USAGE, None, "standard input"),
    # try: what it reads and writes
    ("try --rules report.json attack.pcap -w out.pcap", DONE, "pass", None),
    ("try --rules report.json attack.pcap -w out.pcap --json", DONE, "holdfast.try/1", None),
    ("try --rules - attack.pcap -w out.pcap <report.json", DONE, "pass", None),
    ("try --rules report.json - -w out.pcap <attack.pcap", DONE, "pass", None),
    ("try --rules nowhere.json attack.pcap -w out.pcap", BAD, None, "nowhere.json: .*No such file"),
    ("try --rules text attack.pcap -w out.pcap", BAD, None, "text: "),
    ("try --rules report.json nowhere.pcap -w out.pcap", BAD, None, "nowhere.pcap: cannot open"),
    ("try --rules report.json text -w out.pcap", BAD, None, "text: text, not a capture"),
    ("try --rules report.json attack.pcap -w nowhere/out.pcap", BAD, None, "nowhere/out.pcap: .*No such file"),
    ("try --rules report.json attack.pcap -w attack.pcap", USAGE, None, "attack.pcap: is the capture that is read"),
    ("try --rules report.json attack.pcap -w /dev/full", BAD, None, "/dev/full: .*No space left"),
    ("try --rules report.json attack.pcap -w out.pcap >/dev/full", BAD, None, "standard output: cannot write"),
]


def targets(report):
    """Of the first incident: scope, ports."""
    target = json.loads(report)["incidents"][0]["target"]
    return target["scope"], target["ports"]


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast, synth = map(os.path.abspath, sys.argv[1:])
    failed = 0
    print(f"1..{len(ROWS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-cli-") as scratch:
        folder = pathlib.Path(scratch)
        subprocess.run([synth, "ntp_reflection", "-o", folder / "attack.pcap"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([synth, "syn_flood_spoofed", "-o", folder / "syn.pcap"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([synth, "dns_query_flood", "-o", folder / "dns.pcap"], check=True, stdout=subprocess.DEVNULL)
        _, said, _ = run(holdfast, folder, "analyze --json attack.pcap")
        (folder / "report.json").write_text(said, encoding="utf-8")
        scope, ports = targets(said)
        host = scope.split("/")[0]
        known = {"{host}": host, "{net}": str(ipaddress.ip_interface(host + "/24").network)}
        scope, ports = targets(run(holdfast, folder, "analyze --json syn.pcap")[1])
        known |= {"{syn}": scope.split("/")[0], "{port}": str(ports[0])}
        (folder / "text").write_text("nothing of interest\n", encoding="utf-8")
        for name, text in SERVICES.items():
            for word, stands_for in known.items():
                text = text.replace(word, stands_for)
            (folder / name).write_text(text, encoding="utf-8")
        for number, row in enumerate(ROWS, 1):
            row = (*row[:2], *(said and said.replace("{host}", re.escape(host)) for said in row[2:]))
            failed += tell(number, row, fault(row, run(holdfast, folder, row[0])))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
