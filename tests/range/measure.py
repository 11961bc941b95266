#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is measured: the users, by themselves, and packets, by counters of the hosts that no shield has a hand in.

    sent     what the router hands to the platform's link, by where it came from
    arrived  what comes out behind the hook of the shield: after XDP, traffic control and netfilter's ingress
    kept     what is left of that where a service reads it: behind the budget or the link to the box
    link_lost    what the two ends of the platform's link say they had no room for: a veth pair's ring is short

Users are known by their addresses (attack.py keeps those out of captures), the router's own packets, neighbour
discovery and others who mean well (topology.py) are left out, and whatever else there is, is the attack.

The budget is what the platform has instead of a processor that a flood can wear out: no more than so many packets
a second for itself, whoever's they are. The link to the box carries no more than so many bits a second.
"""
import json
import re
import signal
import subprocess

from topology import (GUEST4, GUEST_SOURCES, HOMES4, OTHERS4, ROUTER4, ROUTER6, USER4, USER6, USER_SOURCES, USERS4,
                      USERS6, RangeError)

BUDGET_PPS, BUDGET_BURST = 1000, 500
BOX_RATE, BOX_QUEUE = "2mbit", 50  # bits a second, packets

PLATFORM_TABLE = f"""
table inet range {{
	counter normal_arrived {{ }}
	counter attack_arrived {{ }}
	counter normal_kept {{ }}
	counter over_budget {{ }}
	limit budget {{ rate over BUDGET/second burst BURST packets }}
	chain every {{
		type filter hook prerouting priority raw;
		iifname != "up0" return
		ip saddr {ROUTER4} return
		ip6 saddr {{ {ROUTER6}, fe80::/10 }} return
		ip saddr {USERS4} counter name normal_arrived goto normal
		ip6 saddr {USERS6} counter name normal_arrived goto normal
		ip saddr {{ {OTHERS4}, {HOMES4} }} goto others
		counter name "attack_arrived"
		fib daddr type local limit name "budget" counter name over_budget drop
	}}
	chain normal {{
		fib daddr type != local return
		limit name "budget" counter name over_budget drop
		counter name normal_kept
	}}
	chain others {{
		fib daddr type local limit name "budget" counter name over_budget drop
	}}
}}
"""

BOX_TABLE = f"""
table inet range {{
	counter normal_kept {{ }}
	chain every {{
		type filter hook prerouting priority raw;
		ip saddr {USERS4} counter name normal_kept
		ip6 saddr {USERS6} counter name normal_kept
	}}
}}
"""

ROUTER_TABLE = """
table inet range {
	counter normal_sent { }
	counter attack_sent { }
	chain every {
		type filter hook forward priority raw;
		iifname "r-users" oifname "r-up" counter name normal_sent
		iifname "r-attack" oifname "r-up" counter name attack_sent
	}
}
"""


def set_budget(topology, pps):
    """What the platform takes from now on; its counters begin anew."""
    table = PLATFORM_TABLE.replace("BUDGET", str(pps)).replace("BURST", str(pps * BUDGET_BURST // BUDGET_PPS))
    topology.run("platform", "nft", "-f", "-", text="table inet range\ndelete table inet range\n" + table)


def install(topology):
    """Counters, budget, link."""
    set_budget(topology, BUDGET_PPS)
    for host, table in (("box", BOX_TABLE), ("router", ROUTER_TABLE)):
        topology.run(host, "nft", "-f", "-", text=table)
    # A queue of packets, as drivers have: one of octets would always have room for the small packets of users.
    topology.run("platform", "tc", "qdisc", "add", "dev", "box0", "root", "handle", "1:", "tbf", "rate", BOX_RATE,
                 "burst", "16kb", "limit", "1mb")
    topology.run("platform", "tc", "qdisc", "add", "dev", "box0", "parent", "1:1", "handle", "2:", "pfifo",
                 "limit", BOX_QUEUE)


def counters(topology):
    """All of them; kept is that of both hosts."""
    total = {}
    for host in ("router", "platform", "box"):
        said = json.loads(topology.run(host, "nft", "-j", "list", "counters", "table", "inet", "range"))
        for entry in said["nftables"]:
            if "counter" in entry:
                name = entry["counter"]["name"]
                total[name] = total.get(name, 0) + entry["counter"]["packets"]
    for host, end, way in (("router", "r-up", "tx"), ("platform", "up0", "rx")):
        said = json.loads(topology.run(host, "ip", "-j", "-s", "link", "show", end))
        total["link_lost"] = total.get("link_lost", 0) + said[0]["stats64"][way]["dropped"]
    return total


def since(before, after):
    return {name: value - before.get(name, 0) for name, value in after.items()}


class Regulars:
    """Those who are connected already and stay: wrk, four connections, each asking anew 40 ms after its answer."""

    def __init__(self, topology, scratch, to):
        pace = scratch / "pace.lua"
        pace.write_text("function delay() return 40 end\n", encoding="utf-8")
        # With the port, or wrk asks /etc/services for it, which a bare Debian does not have.
        url = f"http://[{to}]:80/" if ":" in to else f"http://{to}:80/"
        self.topology = topology
        self.process = topology.begin(
            "users", "wrk", "--threads=1", "--connections=4", "--duration=60s", "--timeout=1s", f"--script={pace}", url,
            tree=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )

    def leave(self):
        """Answers a second so far."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=10)
        self.topology.end(self.process)
        match = re.search(r"Requests/sec:\s+([\d.]+)", said)
        if not match:
            raise RangeError(f"wrk: {said.strip()}")
        return float(match[1])


class Crowd:
    """Those who come once: the range's client, once for each thing that is asked."""

    def __init__(self, topology, client, asks, seconds, guests=False):
        self.topology, self.running = topology, []
        for ask in asks:
            command = [client, ask.kind, ask.to, ask.port, f"rate={ask.rate}", f"ms={int(seconds * 1000)}",
                       *([f"from={GUEST4}", f"sources={GUEST_SOURCES}"] if guests else
                         [f"from={USER6 if ':' in ask.to else USER4}", f"sources={USER_SOURCES}"])]
            command += [f"name={ask.name}"] if ask.name else []
            self.running.append(topology.begin("users", *command, tree=False, stdout=subprocess.PIPE, text=True))

    def results(self, seconds):
        """When all are done: of all together, and of times the worst. "each" has, by the number of 100 ms of wall time,
        how many came and how many of them were answered."""
        total = {"asked": 0, "answered": 0, "late": 0, "refused": 0, "wrong": 0, "p50_ms": 0.0, "p99_ms": 0.0,
                 "each": {}, "kinds": {}}
        for process in self.running:
            said, _ = process.communicate(timeout=seconds + 20)
            self.topology.end(process)
            if process.returncode:
                raise RangeError(f"client: exit {process.returncode}")
            said = json.loads(said)
            for key in ("asked", "answered", "late", "refused", "wrong"):
                total[key] += said[key]
            for key in ("p50", "p99"):
                total[f"{key}_ms"] = max(total[f"{key}_ms"], said["first_ms"][key])
            total["kinds"].setdefault(said["kind"], []).append((said["asked"], said["answered"]))
            for at, (begun, answered) in enumerate(said["each"], said["first"]):
                so_far = total["each"].get(at, (0, 0))
                total["each"][at] = (so_far[0] + begun, so_far[1] + answered)
        total["success"] = total["answered"] / total["asked"]
        return total
