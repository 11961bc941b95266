#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What may stand at the platform's interface: nothing, a line for nftables, Holdfast; each told by hand what to drop.

begin() sets the rule, end() removes every trace, dropped() is the shield's own word on how much it dropped, None where
it has none.
"""
import json

# Where Holdfast attaches and its own files are. It knows the operator's port, as it should on any host.
CONFIG = """
mode: observe
user: nobody
state_dir: {scratch}/state
run_dir: {scratch}/run
bpffs_dir: {bpffs}
shield:
  interfaces: [up0]
  block_capacity: 4096
  management: {{ ports: [22], from: [{operator}/32] }}
services:
  - {{ name: web, addresses: [192.0.2.10, "2001:db8:1::10"], tcp: [80], udp: [53], path: local }}
  - {{ name: box, addresses: [192.0.2.128/25, "2001:db8:2::2"], tcp: [7], udp: [7], path: forwarded }}
"""


class Nothing:
    name = "without"

    def begin(self, scenario):
        pass

    def dropped(self):
        return None

    def end(self):
        pass


class Nftables:
    """The peer: what one would type instead, at the earliest hook that nftables has."""

    name = "nftables"
    TABLE = """
table netdev peer {{
	counter dropped {{ }}
	chain every {{
		type filter hook ingress device "up0" priority -500;
		{rules}
	}}
}}
"""

    def __init__(self, topology):
        self.topology = topology

    def begin(self, scenario):
        self.topology.run("platform", "nft", "-f", "-", text=self.TABLE.format(
            rules="\n".join(f"{match} counter name dropped drop" for match in scenario.nft)))

    def dropped(self):
        said = json.loads(self.topology.run("platform", "nft", "-j", "list", "counters", "table", "netdev", "peer"))
        return sum(entry["counter"]["packets"] for entry in said["nftables"] if "counter" in entry)

    def end(self):
        self.topology.run("platform", "nft", "delete", "table", "netdev", "peer")
