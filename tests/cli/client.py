#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client.py HOLDFAST: what commands ask the daemon for, and what they make of its answers, good, bad and none.

Speaks TAP, a case a row. The daemon is played by the script of each row: {command: answer}, where an answer is a result
(a dictionary), Refusal, or what is no answer at all: octets as they are, SILENCE, HANGUP. Without a script nobody
listens. Arguments are as typed; {run} is the folder of the socket. Each complaint is held to be lines that begin with
"holdfast: ".
"""
import collections
import json
import os
import pathlib
import pty
import re
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time

DONE, BAD, USAGE, NO_DAEMON = 0, 1, 2, 3
SECONDS = 60
SILENCE, HANGUP = object(), object()  # no answer, and the connection stays, or ends
Refusal = collections.namedtuple("Refusal", "where what hint exit", defaults=("try again", 1))

RULE = {"id": "r3", "scope": "192.0.2.10/32", "match": "udp and src port 123", "action": "drop", "rate_pps": None,
        "shadow": False, "reason": "clocks", "made": "2025-03-10T09:45:12.000000Z", "made_by": "root",
        "expires": "2025-03-10T10:45:12.000000Z", "left_s": 2520, "matched": {"packets": 31204, "octets": 1},
        "dropped": {"packets": 31000, "octets": 1}, "last_s": 2.5}
LIMITED = {**RULE, "id": "r4", "action": "rate_limit", "rate_pps": 1000, "expires": None, "left_s": None, "reason": ""}


def counts(packets, octets):
    return {"packets": packets, "octets": octets}


def status(mode="observe", **more):
    """The daemon's answer to "status"; twice the same, so that nothing passes in between."""
    return {"version": "0.1.0", "pid": 101, "since": "2025-03-10T09:00:00.000000Z", "uptime_s": 6000, "ready": True,
            "mode": mode, "enforce_until": None, "enforce_left_s": None, "origin": "new",
            "interfaces": [{"name": "eth0", "hook": "native"}],
            "services": [{"name": "web", "enforced": {}, "observed": {}},
                         {"name": None, "enforced": {}, "observed": {}}],
            "totals": {"packets": 31204, "octets": 1, "dropped": 5, "dropped_octets": 1, "would_drop": 1700},
            "blocks": {"ipv4": 0, "ipv6": 0, "capacity": 1024, "listed": 0}, "allowed": 0, "rules": [], "ways_in": [],
            "samples": {"taken": 0, "lost": 0, "interval": 1}, "flows_full": 0,
            "record": {"written": 0, "lost": 0, "state": "ok"}, "roles": {"restarts": 0}, **more}


def traffic(mode, per_reading):
    """Answers in turn, between which so many packets of 100 octets came to service web: {kind: {reason: packets}}"""
    return [status(mode, services=[{"name": "web", **{
        kind: {reason: counts(packets * i, packets * i * 100) for reason, packets in reasons.items()}
        for kind, reasons in {"enforced": {}, "observed": {}, **per_reading}.items()}}]) for i in range(1, 4)]


# what the engine may have met: doc/control.md
ENGINE_LIMITS = ("streams_cut", "rules_refused", "bans_pushed_out", "no_memory", "sources_uncounted", "outbox_lost",
                 "dropped_left_out", "dropped_refused", "attempts_refused", "signals_lost")
OBSERVING, ENFORCING = status(), status("enforce")
EXPIRES = "2025-03-10T10:45:12.000000Z"
BLOCKED = {"blocked": 1, "refused": 0, "expires": EXPIRES, "refusals": []}
ALLOWED = {"allowed": 1, "refused": 0, "expires": EXPIRES, "refusals": []}
PARTLY = {"blocked": 1, "refused": 2, "expires": EXPIRES,
          "refusals": [{"prefix": "203.0.113.0/24", "what": "holds the operator's way in", "hint": "leave it out"}]}
MATCHED = {"rules": ["r3", "r4"], "match": "udp and src port 123", "expires": EXPIRES, "action": "drop"}
RULES = {"rules": [RULE, LIMITED], "blocks": {"ipv4": 3, "ipv6": 0, "capacity": 1024, "listed": 0},
         "blocked": [{"prefix": "198.51.100.0/24", "expires": EXPIRES, "left_s": 90}],
         "allowed": [{"prefix": "203.0.113.0/24", "expires": None, "left_s": None}], "allowed_count": 1,
         "truncated": True}
NOTHING = {"rules": [], "blocks": {"ipv4": 0, "ipv6": 0, "capacity": 1024, "listed": 0}, "blocked": [], "allowed": [],
           "allowed_count": 0, "truncated": False}
UNTIL = {"mode": "enforce", "enforce_until": EXPIRES, "enforce_left_s": 60}
FOREVER = {"mode": "enforce", "enforce_until": None, "enforce_left_s": None}

# file: what it holds
FILES = {
    "good.txt": "# networks\n198.51.100.0/24\n\n  2001:db8::/48  # and a remark\n",
    "broken.txt": "198.51.100.0/24\n198.51.100.7/24\n",
    "empty.txt": "# nothing\n",
    "many.txt": "".join(f"198.18.{i // 256}.{i % 256}\n" for i in range(2500)),
    "holdfast.yaml": "run_dir: {run}\nbpffs_dir: /sys/fs/bpf/holdfast-nowhere\n",
    "bad.yaml": "mode: fight\nshield: { generic: perhaps }\ncolour: red\nrun_dir: '/nonexistent/holdfast'\n",
    "nobody.yaml": "run_dir: {run}/nowhere\nbpffs_dir: /sys/fs/bpf/holdfast-nowhere\n",
}

# what is typed behind `holdfast`; the script; exit status; patterns of standard output and of standard error; requests
# that must have come (only what stands here is compared), or None
Row = collections.namedtuple("Row", "typed script status out error requests environment",
                             defaults=(None, None, None, {}))

ROWS = [
    # nobody there
    *[Row(f"{command} --config nobody.yaml", None, NO_DAEMON, None,
          r"nowhere/control\.sock: the daemon is not running; start it")
      for command in ("status", "status --json", "rules", "block 198.51.100.7", "block --match udp",
                      "block --file good.txt", "allow 198.51.100.7", "release r3", "release --file good.txt", "enforce",
                      "enforce --confirm 60s", "reload")],
    # no answer, and what is none
    Row("rules", {"rules": SILENCE}, BAD, None, "did not answer within 10 s"),
    Row("rules", {"rules": HANGUP}, BAD, None, "ended the connection without an answer"),
    Row("rules", {"rules": b'{"ok":true,"result":{"ru'}, BAD, None, "ended the connection without an answer"),
    Row("rules", {"rules": b"hello\n"}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": b"[1]\n"}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": b"{}\n"}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": b'{"ok":true}\n'}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": b'{"ok":true,"ok":true,"result":{}}\n'}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": b'{"ok":true,"result":{}}\n{"ok":true,"result":{}}\n'}, BAD, None, "no daemon of this"),
    Row("rules", {"rules": b"\xff\xfe\x00\n"}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": b'"' + b"x" * (1 << 21)}, BAD, None, "no daemon of this version"),
    Row("rules", {"rules": Refusal("rules", "it is not a good time", "wait")}, BAD, None,
        "^holdfast: rules: it is not a good time; wait\n$"),
    Row("rules", {"rules": Refusal("rules", "not ready", "", 3)}, NO_DAEMON, None, "^holdfast: rules: not ready\n$"),
    Row("rules", {"rules": Refusal("rules", "no", "x", 77)}, BAD, None, "rules: no; x"),
    Row("rules", {"rules": Refusal("\x1b[2J", "\x1b[2J", "\x1b[2J")}, BAD, None, r"holdfast: \?\[2J: \?\[2J; \?\[2J"),
    Row("rules", {"rules": b'{"ok":false}\n'}, BAD, None, "rules: the daemon refuses"),
    Row("rules", {"rules": {"rules": "?", "blocks": 5, "blocked": {}, "allowed": None}, "status": {"mode": 3}}, DONE,
        "no rules.*observe"),
    # block
    Row("block 198.51.100.0/24", {"block": BLOCKED, "status": OBSERVING}, DONE,
        "^blocked 198.51.100.0/24 until 2025-03-10 10:45:12 UTC\nundo: holdfast release 198.51.100.0/24\n"
        "mode observe: what would be dropped is counted, and passes", None,
        [{"command": "block", "prefixes": ["198.51.100.0/24"]}]),
    Row("block 198.51.100.7 --for 2h --reason why", {"block": BLOCKED, "status": ENFORCING}, DONE,
        "^blocked 198.51.100.7 [^\n]*\nundo[^\n]*\n$", None,
        [{"command": "block", "prefixes": ["198.51.100.7/32"], "for_s": 7200, "reason": "why"}]),
    Row("block --json 2001:db8::/48", {"block": BLOCKED, "status": ENFORCING}, DONE,
        '"holdfast.block/1".*"blocked": 1.*"mode": "enforce"'),
    Row("block 203.0.113.0/24", {"block": Refusal("block", "it holds your way in", "leave it")}, BAD, None,
        "block: it holds your way in; leave it"),
    Row("block --file good.txt", {"block": {**BLOCKED, "blocked": 2}, "status": ENFORCING}, DONE,
        "blocked 2 prefixes .*undo: holdfast release --file good.txt", None,
        [{"command": "block", "prefixes": ["198.51.100.0/24", "2001:db8::/48"]}]),
    Row("block --file - <good.txt", {"block": {**BLOCKED, "blocked": 2}, "status": ENFORCING}, DONE,
        "^blocked 2 prefixes [^\n]*\n$"),
    Row("block --file many.txt", {"block": [{**BLOCKED, "blocked": 1024}, {**BLOCKED, "blocked": 1024},
                                            {**BLOCKED, "blocked": 452}], "status": ENFORCING}, DONE,
        "blocked 2,500 prefixes", None, [{"command": "block"}] * 3),
    Row("block --file many.txt", {"block": [{**BLOCKED, "blocked": 1024}, Refusal("block", "full", "")]}, BAD, None,
        "block: full\nholdfast: block: 1024 of 2500 are blocked; undo with 'holdfast release --file'"),
    Row("block --file good.txt", {"block": PARTLY, "status": ENFORCING}, BAD, "blocked 1 prefix ",
        "203.0.113.0/24: holds the operator's way in; leave it out\nholdfast: block: 1 more are refused"),
    Row("block --file good.txt", {"block": {**PARTLY, "blocked": 0}, "status": ENFORCING}, BAD, "^$", "way in"),
    Row("block --file broken.txt", {}, BAD, None, "broken.txt:2: .*198.51.100.7/24", []),
    Row("block --file empty.txt", {}, BAD, None, "empty.txt: there is no prefix in it", []),
    Row("block --file nowhere.txt", {}, BAD, None, "nowhere.txt: .*No such file", []),
    Row("block --file .", {}, BAD, None, ": Is a directory", []),
    Row("block --match 'udp and src port = 123' --to 192.0.2.10 --rate 1000 --for 10m",
        {"block": MATCHED, "status": OBSERVING}, DONE,
        "limited  udp and src port 123\nrule r3 until .*undo: holdfast release r3\nrule r4 .*mode observe", None,
        [{"command": "block", "match": "udp and src port 123", "scope": "192.0.2.10", "action": "rate_limit",
          "rate_pps": 1000, "for_s": 600}]),
    Row("block --match udp --observe", {"block": MATCHED, "status": ENFORCING}, DONE, "^observed  udp", None,
        [{"command": "block", "match": "udp", "shadow": True}]),
    Row("block --match udp --json", {"block": MATCHED, "status": ENFORCING}, DONE, '"holdfast.block/1".*"r3"'),
    Row("block --match udp", {"block": Refusal("block", "it would hit you", "")}, BAD, None, "it would hit you"),
    Row("block 198.51.100.7", {"block": BLOCKED, "status": HANGUP}, BAD, None, "ended the connection"),
    # who is at the keyboard
    Row("block 198.51.100.7", {"block": BLOCKED, "status": ENFORCING}, DONE, "blocked", None,
        [{"command": "block", "client": "203.0.113.7 50000 22"}],
        {"SSH_CONNECTION": "203.0.113.7 50000 192.0.2.10 22"}),
    Row("observe", {"observe": {"mode": "observe"}}, DONE, "observing", None,
        [{"command": "observe", "client": "fe80::1 50000 2222"}],
        {"SSH_CONNECTION": "fe80::1%eth0 50000 fe80::2%eth0 2222"}),
    # allow, release
    Row("allow 203.0.113.0/24", {"allow": ALLOWED, "status": OBSERVING}, DONE,
        "^allowed 203.0.113.0/24 until 2025-03-10 10:45:12 UTC\nundo: holdfast release 203.0.113.0/24\n$", None,
        [{"command": "allow", "prefixes": ["203.0.113.0/24"]}]),
    Row("allow --file good.txt --for 1d", {"allow": {**ALLOWED, "allowed": 2}, "status": OBSERVING}, DONE,
        "allowed 2 prefixes", None, [{"command": "allow", "for_s": 86400}]),
    Row("allow --json 203.0.113.7", {"allow": ALLOWED, "status": OBSERVING}, DONE, "holdfast.allow/1"),
    Row("release 198.51.100.7", {"release": {"released": ["block"]}}, DONE,
        "^released 198.51.100.7: it was on the block list\n$", None,
        [{"command": "release", "prefix": "198.51.100.7/32"}]),
    Row("release 198.51.100.7", {"release": {"released": ["block", "allow"]}}, DONE,
        "it was on the block and the allow lists\n$"),
    Row("release r3", {"release": {"released": ["rule"]}}, DONE, "^released r3\n$", None,
        [{"command": "release", "rule": "r3"}]),
    Row("release r3 --json", {"release": {"released": ["rule"]}}, DONE, "holdfast.release/1"),
    Row("release r9", {"release": Refusal("release", "there is no rule r9", "see 'holdfast rules'")}, BAD, None,
        "there is no rule r9"),
    Row("release --file good.txt", {"release": {"prefixes": 1, "passed_over": 1}}, DONE,
        "^released 1 prefix; 1 was on no list\n$", None,
        [{"command": "release", "prefixes": ["198.51.100.0/24", "2001:db8::/48"]}]),
    Row("release --file good.txt", {"release": {"prefixes": 0, "passed_over": 2}}, BAD, None,
        "^holdfast: release: none of them is blocked or allowed; "),
    Row("release --file many.txt",
        {"release": [{"prefixes": 1024, "passed_over": 0}, Refusal("release", "not now", "look")]}, BAD, None,
        "^holdfast: release: not now; look\nholdfast: release: 1024 are released all the same\n$"),
    Row("release --file good.txt --json", {"release": {"prefixes": 2, "passed_over": 0}}, DONE,
        '"prefixes": 2.*"passed_over": 0'),
    Row("release --file good.txt", {"release": HANGUP}, BAD, None, "ended the connection"),
    Row("release --file broken.txt", {}, BAD, None, "broken.txt:2: ", []),
    # mode
    Row("enforce", {"enforce": FOREVER}, DONE, "^enforcing: ", None, [{"command": "enforce", "confirm_s": None}]),
    Row("enforce --confirm 60s", {"enforce": UNTIL}, DONE,
        "^enforcing until 10:45:12 UTC, unless confirmed\nkeep it: holdfast enforce\nend it now: holdfast observe\n$",
        None, [{"command": "enforce", "confirm_s": 60}]),
    Row("enforce --confirm 60s --json", {"enforce": UNTIL}, DONE, '"holdfast.mode/1".*"enforce_left_s": 60'),
    Row("enforce", {"enforce": Refusal("enforce", "only the group holdfast may", "")}, BAD, None, "only the group"),
    Row("observe", {"observe": {"mode": "observe"}}, DONE, "^observing: ", None, [{"command": "observe"}]),
    Row("observe --json", {"observe": {"mode": "observe"}}, DONE, "holdfast.mode/1"),
    # rules, status
    Row("rules", {"rules": RULES, "status": OBSERVING}, DONE,
        "WOULD DROP.*r3 +drop +31,204 +31,000 +42 min\n +udp and src port 123 to 192.0.2.10/32\n +made .* by root: "
        "clocks; last matched 2.5 s ago\n +UNDO  holdfast release r3.*r4 +1,000/s .* never.*BLOCKED.*198.51.100.0/24 "
        "+1 min 30 s\nand 2 more.*ALLOWED.*203.0.113.0/24 +never.*Mode observe: nothing is dropped", None,
        [{"command": "rules", "limit": 100}]),
    Row("rules --limit 0", {"rules": RULES, "status": ENFORCING}, DONE, " DROPPED .*Mode enforce", None,
        [{"command": "rules", "limit": 0}]),
    Row("rules", {"rules": NOTHING, "status": OBSERVING}, DONE, "^no rules\n\nMode observe"),
    Row("rules --json", {"rules": RULES}, DONE, '"holdfast.rules/1".*"r4"'),
    Row("status --json", {"status": OBSERVING}, DONE, '"holdfast.status/1".*"pid": 101'),
    Row("status", {"status": OBSERVING}, DONE, "^MODE OBSERVE  nothing is dropped.*XDP  eth0 native\nNOW  0 pps.*"
        "ALL  31,204 packets   DROPPED 5   WOULD HAVE DROPPED 1,700\n.*BLOCKS  0 IPv4.*WAYS IN none.*RECORD  ok"),
    Row("status", {"status": status("enforce", rules=[RULE], interfaces=[])}, DONE,
        "^MODE ENFORCE  UNDO  holdfast observe\nXDP  ATTACHED NOWHERE.* DROPPED .*UNDO  holdfast release r3"),
    Row("status", {"status": status("enforce", enforce_until=EXPIRES, enforce_left_s=41)}, DONE,
        "MODE ENFORCE  for another 41 s, until 10:45:12 UTC; 'holdfast enforce' keeps it"),
    Row("status", {"status": status(interfaces=[{"name": "eth0", "hook": "generic (slow)"},
                                                {"name": "eth1", "hook": "nftables"},
                                                {"name": "eth2", "hook": "detached"}])}, DONE,
        "eth0 GENERIC: slow.*eth1 NFTABLES: slow.*eth2 DETACHED: not protected"),
    Row("status", {"status": traffic("enforce", {"enforced": {"pass_clean": 200000, "drop_block": 800000}})}, DONE,
        r"NOW  (9\d\d k|1\.0 M)pps, \d+ Mbit/s   DROPPED [78]\d\d kpps \(80\.0 %\)\n"
        r".*web +(19\d|200) kpps +[78]\d\d kpps  drop_block [78]\d\d kpps"),
    Row("status", {"status": traffic("observe", {"enforced": {"pass_clean": 200000},
                                                 "observed": {"drop_rule": 800000}})}, DONE,
        r"NOW [^\n]*WOULD DROP [78]\d\d kpps \(80\.0 %\)\n.*web +(9\d\d k|1\.0 M)pps +[78]\d\d kpps  drop_rule "),
    Row("status", {"status": [OBSERVING, {**OBSERVING, "pid": 102}]}, DONE, "rates are not known"),
    Row("status", {"status": status(samples={"taken": 1, "lost": 5, "interval": 64}, flows_full=6, cookies_lost=1,
                                    record={"written": 0, "lost": 7, "state": "disk full"},
                                    blocks={"ipv4": 1024, "ipv6": 0, "capacity": 1024, "listed": 0})}, DONE,
        "RECORD  disk full.*LIMITS HIT\n.*samples_lost 5.*flows_full 6.*cookies_lost 1.*record_lost 7"
        ".*shield.block_capacity"),
    Row("status", {"status": status(record={"written": 0, "lost": 0, "state": "ok", "streams_cut": 2},
                                    engine={"limits": {name: 3 + n for n, name in enumerate(ENGINE_LIMITS)}})}, DONE,
        "LIMITS HIT\n" + "".join(rf"(?=.*\b{name}\s+{5 if name == 'streams_cut' else 3 + n}:\s)"
                                for n, name in enumerate(ENGINE_LIMITS))),
    Row("status", {"status": status(ways_in=[{"from": "203.0.113.7/32", "port": 22, "left_s": 3400}],
                                    services=[{"name": "a\x1b[2J", "enforced": {}, "observed": {}}])}, DONE,
        r"a\?\[2J.*WAYS IN 203.0.113.7/32 to port 22 \(56 min 40 s\)"),
    Row("status", {"ping": SILENCE}, NO_DAEMON, None, "the daemon does not answer within 2 s: it hangs, or was"),
    Row("status", {"ping": HANGUP}, BAD, None, "ended the connection"),
    Row("status", {"status": [OBSERVING, HANGUP]}, BAD, None, "ended the connection"),
    Row("status", {"status": {}}, DONE, "MODE OBSERVE"),
    Row("status", {"status": status("enforce", attacks=[], engine={"baseline_s": 60}, links=[
        {"name": "eth0", "full": True, "rx_drops_pps": 5000}], alerts={"sent": 1, "state": "ok"})}, DONE,
        "^QUIET no attack goes on; normal traffic of 1 min is known\nLINK eth0 IS FULL.*ask upstream.*"
        "ALERTS  ok, 1 sent"),
    # alerts
    Row("alerts test pager", {"test_alert": {"sent": True, "said": "HTTP 202"}}, DONE,
        "^sent to pager: HTTP 202\n$", None, [{"command": "test_alert", "target": "pager"}]),
    Row("alerts test --json pager", {"test_alert": {"sent": True, "said": "HTTP 202"}}, DONE, '"holdfast.alerts/1"'),
    Row("alerts test pager", {"test_alert": Refusal("alerts", "HTTP 403", "is its key right?")}, BAD, None,
        "alerts: HTTP 403; is its key right"),
    # configuration
    Row("reload", {"reload": {"reloaded": True, "notes": ["interfaces: after a restart"]}}, DONE,
        "^reloaded\nnote: interfaces: after a restart\n$"),
    Row("reload --json", {"reload": {"reloaded": True, "notes": []}}, DONE, "holdfast.reload/1"),
    Row("reload", {"reload": b'{"ok":false,"where":"reload","what":"a","hint":"","exit":1,'
                             b'"errors":["f:1:2: a","f:3:4: b"]}\n'}, BAD, None,
        "f:1:2: a\nholdfast: f:3:4: b\nholdfast: reload: .*the old one stays"),
    Row("reload", {"reload": Refusal("reload", "not now", "")}, BAD, None, "reload: not now"),
    Row("config check holdfast.yaml", None, DONE, "^holdfast.yaml: good: mode observe, 0 interfaces, 0 services\n"),
    Row("config check --json holdfast.yaml", None, DONE, '"good": true'),
    Row("config check bad.yaml", None, BAD, None,
        r"bad.yaml:1:\d+: .*\nholdfast: bad.yaml:2:\d+: .*\nholdfast: bad.yaml:3:\d+: .*"),
    Row("config check --json bad.yaml", None, BAD, '"good": false.*bad.yaml:3:'),
    Row("config check nowhere.yaml", None, BAD, None, "nowhere.yaml"),
    Row("status --config bad.yaml", None, NO_DAEMON, None, "bad.yaml:1:(.|\n)*/nonexistent/holdfast/control.sock"),
]

# on a terminal: what is typed, the script, what is pressed, exit status, a pattern of what stands there in the end,
# requests
TERMINAL_ROWS = [
    ("enforce --confirm 60s", {"enforce": UNTIL, "confirm": FOREVER}, "\n", DONE,
     "press Enter within 60 s.*confirmed: enforcing until 'holdfast observe'", ["enforce", "confirm"]),
    ("enforce --confirm 2s", {"enforce": {**UNTIL, "enforce_left_s": 2}, "status": OBSERVING}, "", BAD,
     "press Enter within 1 s.*not confirmed: back to observing", ["enforce", "status"]),
    ("enforce --confirm 60s", {"enforce": UNTIL, "status": ENFORCING}, "\x04", BAD, "not confirmed yet",
     ["enforce", "status"]),
    ("enforce --confirm 60s", {"enforce": UNTIL, "confirm": Refusal("confirm", "too late", "")}, "\n", BAD, "too late",
     ["enforce", "confirm"]),
    ("enforce", {"enforce": FOREVER}, "", DONE, "enforcing: ", ["enforce"]),
]


class Daemon:
    """Plays a script at a socket until it is stopped; keeps what was asked."""

    def __init__(self, path, script):
        self.requests = []
        self.script = {command: list(answers) if isinstance(answers, list) else answers
                       for command, answers in script.items()}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.path = path
        self.stopping = False
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            if self.stopping:
                client.close()
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def next_answer(self, command):
        """Of several the next; the last stays."""
        answer = self.script.get(command, {} if command == "ping" else HANGUP)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return answer

    def talk(self, client):
        with client, client.makefile("rb") as lines:
            for line in lines:
                request = json.loads(line)
                self.requests.append(request)
                answer = self.next_answer(request["command"])
                if answer is SILENCE:
                    continue
                if answer is HANGUP:
                    return
                try:
                    client.sendall(self.encode(answer))
                except OSError:
                    return
                if isinstance(answer, bytes):
                    return

    @staticmethod
    def encode(answer):
        if isinstance(answer, bytes):
            return answer
        whole = {"ok": False, **answer._asdict()} if isinstance(answer, Refusal) else {"ok": True, "result": answer}
        return json.dumps(whole).encode() + b"\n"

    def stop(self):
        """Its thread ends before its descriptor is free for the next daemon's, or it would wait there."""
        self.stopping = True
        with socket.socket(socket.AF_UNIX) as waking:
            waking.connect(str(self.path))
            self.server.join()
        self.listener.close()
        self.path.unlink()


def environment_for(folder, more):
    """Pages as they are where nobody looks: in ASCII, 100 columns, no colours."""
    kept = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS") or name == "PATH"}
    return {**kept, "HOLDFAST_CONFIG": str(folder / "holdfast.yaml"), **more}


def run(holdfast, folder, row):
    """Exit status, standard output, standard error; < as in a shell."""
    words, source = [], subprocess.DEVNULL
    for word in shlex.split(row.typed):
        if word[:1] == "<":
            source = open(folder / word[1:], "rb")
        else:
            words.append(word)
    done = subprocess.run([holdfast, *words], cwd=folder, stdin=source, capture_output=True, check=False,
                          env=environment_for(folder, row.environment), timeout=SECONDS)
    if not isinstance(source, int):
        source.close()
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def holds(wanted, got):
    """Whether each wanted request came, in order, with all that is wanted of it."""
    asked = [request for request in got if request["command"] not in ("ping", "status")]
    return len(wanted) == len(asked) and all(
        all(key in request and request[key] == value for key, value in want.items())
        for want, request in zip(wanted, asked))


def fault(row, answer, requests):
    """What is wrong, or ""."""
    got, out, error = answer
    if got != row.status:
        return f"exit {got}, wanted {row.status}: {error.strip()}"
    for name, text, wanted in (("output", out, row.out), ("error", error, row.error)):
        if wanted is None and text:
            return f"standard {name} has {text[:300]!r}"
        if wanted and not re.search(wanted, text, re.DOTALL):
            return f"standard {name} has {text[:1000]!r}, wanted {wanted!r}"
    if any(not line.startswith("holdfast: ") for line in error.splitlines()):
        return f"no line of complaint: {error[:300]!r}"
    if any(character < " " and character != "\n" for character in out + error):
        return f"octets for a terminal to obey: {(out + error)[:300]!r}"
    if row.requests is not None and not holds(row.requests, requests):
        return f"asked {json.dumps(requests)[:500]}"
    return ""


def run_on_terminal(holdfast, folder, typed, pressed):
    """Exit status, and all that stood on the terminal. What is pressed is pressed once something stands there."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execve(holdfast, [holdfast, *shlex.split(typed)], environment_for(folder, {"TERM": "dumb"}))
    seen, until = b"", time.monotonic() + SECONDS
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 1)
        if not ready:
            continue
        try:
            octets = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not octets:
            break
        seen += octets
        if pressed and b"press Enter" in seen:
            os.write(terminal, pressed.encode())
            pressed = ""
    os.close(terminal)
    _, how = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(how), seen.decode(errors="replace")


def terminal_fault(holdfast, folder, row, daemon):
    typed, _, pressed, wanted, pattern, commands = row
    got, seen = run_on_terminal(holdfast, folder, typed, pressed)
    if got != wanted or not re.search(pattern, seen, re.DOTALL):
        return f"exit {got}, wanted {wanted}; {seen!r}"
    asked = [request["command"] for request in daemon.requests]
    return "" if asked == commands else f"asked {asked}"


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    holdfast = os.path.abspath(sys.argv[1])
    failed, number = 0, 0

    def report(name, wrong):
        nonlocal failed, number
        number += 1
        failed += wrong != ""
        name = re.sub(r"[^ -~]|#", "?", name)
        print(f"{'not ' if wrong else ''}ok {number} - holdfast {name}", flush=True)
        for line in wrong.splitlines():
            print(f"# {line}", flush=True)

    print(f"1..{len(ROWS) + len(TERMINAL_ROWS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-client-") as scratch:
        folder = pathlib.Path(scratch)
        for name, text in FILES.items():
            (folder / name).write_text(text.replace("{run}", scratch), encoding="utf-8")
        for row in ROWS:
            daemon = None if row.script is None else Daemon(folder / "control.sock", row.script)
            answer = run(holdfast, folder, row)
            report(row.typed, fault(row, answer, daemon.requests if daemon else []))
            if daemon:
                daemon.stop()
        for row in TERMINAL_ROWS:
            daemon = Daemon(folder / "control.sock", row[1])
            report(f"{row[0]} on a terminal", terminal_fault(holdfast, folder, row, daemon))
            daemon.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
