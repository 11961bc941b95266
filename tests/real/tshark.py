#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tshark.py DUMP: what the decoder makes of every packet of the real captures is what tshark makes of it.

DUMP (tests/tools/dump.c) reads a folder's captures, prints each packet's observation and writes the same packets into
one batch; tshark reads that and prints its fields; the two are compared packet by packet, field by field, down to the
innermost IP header. Speaks TAP, a case a folder of HOLDFAST_DATA (default ../shared/data). A difference fails its case
unless a row of EXPLAINED covers it: each row says of which field, why, and is as narrow as we can make it. How often
each was needed is printed. Skipped, and said to be, without tshark or the folder.

tshark prints all values that a field has in a packet, in order, not knowing which header each is of; frame.protocols
names the headers. What stands behind the first ICMP header is what an ICMP error quotes.
"""
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

DATA = pathlib.Path(os.environ.get("HOLDFAST_DATA", "../shared/data"))
JOBS = int(os.environ.get("HOLDFAST_JOBS", "2"))
FOLDERS = ["benign", "malformed", "scans", "attacks", "attacks-http"]
SUFFIXES = {".pcap", ".pcapng", ".cap"}
SHOWN = 100  # unexplained differences shown of a folder

DECODE_AS = ["udp.port==8472,vxlan"]  # Linux's port for it
# As each packet stands, without those before it.
PREFERENCES = ["ip.defragment:FALSE", "ipv6.defragment:FALSE", "ip.tso_support:TRUE",
               "tcp.desegment_tcp_streams:FALSE", "tcp.analyze_sequence_numbers:FALSE"]
FIELDS = """
frame.number frame.protocols
ip.src ip.dst ip.cur_rt ip.proto ip.ttl ip.len ip.hdr_len ip.id ip.flags.df ip.flags.mf ip.frag_offset
ipv6.src ipv6.dst ipv6.nxt ipv6.hlim ipv6.plen ipv6.hopopts.nxt ipv6.hopopts.len_oct ipv6.routing.nxt
ipv6.routing.len_oct ipv6.dstopts.nxt ipv6.dstopts.len_oct ipv6.fraghdr.nxt ipv6.fraghdr.offset ipv6.fraghdr.more
ah.next_header ah.length
tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.flags tcp.window_size_value tcp.hdr_len tcp.option_kind
tcp.options.mss_val tcp.options.wscale.shift tcp.options.timestamp.tsval tcp.payload
udp.srcport udp.dstport udp.length udp.payload sctp.srcport sctp.dstport dccp.srcport dccp.dstport
icmp.type icmp.code icmpv6.type icmpv6.code
""".split()

TCP_READ, FRAGMENT, LATER, DF, TUNNELLED, QUOTE, BAD_OPTIONS, CUT = 2, 8, 16, 32, 128, 256, 512, 1024  # OBSERVATION_*
HITS = {"ok", "transport_short", "transport_header", "extension", "tunnel_deep"}  # an observation is there
TCP, UDP = 6, 17
KEPT = 32  # octets of payload that an observation keeps
OPTION_KINDS = {0: "1", 1: "2", 2: "3", 3: "4", 4: "5", 5: "6", 8: "7"}  # the others are "f"
OPTIONS_KEPT = 16
EXTENSIONS = {  # header: the fields of what follows and of its length
    "ipv6.hopopts": ("ipv6.hopopts.nxt", "ipv6.hopopts.len_oct"),
    "ipv6.routing": ("ipv6.routing.nxt", "ipv6.routing.len_oct"),
    "ipv6.dstopts": ("ipv6.dstopts.nxt", "ipv6.dstopts.len_oct"),
    "ipv6.fraghdr": ("ipv6.fraghdr.nxt", None),
    "ah": ("ah.next_header", "ah.length"),
}
PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udp"}
TRANSPORT_HEADER = {1: 8, 17: 8, 58: 8}


class Theirs:
    """A packet as tshark has it: the IP layers from the outermost, each a dict; the rest by field and occurrence."""

    def __init__(self, values):
        self.values = dict(zip(FIELDS, values))
        self.split = {}
        self.protocols = self.values["frame.protocols"].split(":")
        self.quotes_at = next((i for i, p in enumerate(self.protocols) if p in ("icmp", "icmpv6")), len(self.protocols))
        self.layers, self.quoted = [], []
        used = collections.Counter()
        for i, name in enumerate(self.protocols):
            if name in ("ip", "ipv6"):
                layer = self.ipv4(used["ip"], i) if name == "ip" else self.ipv6(used, i)
                if layer:
                    (self.layers if i <= self.quotes_at else self.quoted).append(layer)
            used[name] += 1

    def all(self, field):
        if field not in self.split:
            value = self.values[field]
            self.split[field] = value.split(",") if value else []
        return self.split[field]

    def one(self, field, which=0):
        """The occurrence of a field, or None."""
        there = self.all(field)
        return there[which] if which < len(there) else None

    def number(self, field, which=0):
        text = self.one(field, which)
        if text is None:
            return None
        if text in ("True", "False"):
            return int(text == "True")
        return int(text, 0)

    def count(self, name, before):
        return self.protocols[:before].count(name)

    def ipv4(self, which, at):
        src = self.one("ip.src", which)
        if src is None:
            return None
        offset, more = self.number("ip.frag_offset", which), self.number("ip.flags.mf", which)
        offset = None if offset is None else offset * 8
        length, header = self.number("ip.len", which), self.number("ip.hdr_len", which)
        return {
            "at": at, "version": 4, "src": src, "dst": self.one("ip.dst", which), "ttl": self.number("ip.ttl", which),
            "length": length, "protocol": self.number("ip.proto", which), "ip_id": self.number("ip.id", which),
            "df": self.number("ip.flags.df", which), "fragment_offset": offset,
            "fragment": None if offset is None else int(bool(offset or more)), "header": header,
        }

    def ipv6(self, used, at):
        which = used["ipv6"]
        src = self.one("ipv6.src", which)
        if src is None:
            return None
        payload, protocol = self.number("ipv6.plen", which), self.number("ipv6.nxt", which)
        header, offset, more, i = 40, 0, 0, at + 1
        seen = collections.Counter(used)
        while offset == 0 and i < len(self.protocols) and self.protocols[i] in EXTENSIONS:
            name = self.protocols[i]
            following, length = EXTENSIONS[name]
            this, seen[name] = seen[name], seen[name] + 1
            if name == "ipv6.fraghdr":
                header += 8
                offset = (self.number("ipv6.fraghdr.offset", this) or 0) * 8
                more = self.number("ipv6.fraghdr.more", this)
            elif name == "ah":
                header += ((self.number(length, this) or 0) + 2) * 4
            else:
                header += self.number(length, this) or 0
            protocol = self.number(following, this)
            i += 1
        return {
            "at": at, "version": 6, "src": src, "dst": self.one("ipv6.dst", which),
            "ttl": self.number("ipv6.hlim", which), "length": None if payload is None else 40 + payload,
            "protocol": protocol, "ip_id": 0, "df": 0, "fragment_offset": offset,
            "fragment": int(bool(offset or more)), "header": header,
        }


class Ours(dict):
    """A packet as the decoder has it."""

    def __init__(self, names, values):
        super().__init__(zip(names, values))
        self.result = self["result"]
        self.flags = int(self["flags"])

    def number(self, name):
        return int(self[name])


def compare_tcp(ours, theirs, layer, say):
    which = theirs.count("tcp", layer["at"])
    say("tcp", bool(ours.flags & TCP_READ), theirs.one("tcp.window_size_value", which) is not None)
    if not ours.flags & TCP_READ:
        return
    for name, field in (("tcp.seq", "tcp.seq_raw"), ("tcp.ack", "tcp.ack_raw"), ("tcp.flags", "tcp.flags"),
                        ("tcp.window", "tcp.window_size_value")):
        value = theirs.number(field, which)
        say(name, ours.number(name), value & 0xff if name == "tcp.flags" and value is not None else value)
    if theirs.count("tcp", theirs.quotes_at) != 1:
        return  # which of them an option is of is not said
    options = "".join(OPTION_KINDS.get(int(kind), "f") for kind in theirs.all("tcp.option_kind"))
    if "1" in options:
        options = options[: options.index("1") + 1]
    say("tcp.options", ours["tcp.options"], options[:OPTIONS_KEPT])
    for name, field, absent in (("tcp.mss", "tcp.options.mss_val", 0), ("tcp.wscale", "tcp.options.wscale.shift", 255),
                                ("tcp.tsval", "tcp.options.timestamp.tsval", 0)):
        there = theirs.all(field)
        say(name, ours.number(name), int(there[-1], 0) if there else absent)


def compare_quote(ours, theirs, say):
    quote = theirs.quoted[0] if theirs.quoted else None
    if not ours.flags & QUOTE:
        say("quote", None, quote and (quote["src"], quote["dst"]))
        return
    say("quote", (ours["quote.src"], ours["quote.dst"], ours.number("quote.protocol")),
        quote and (quote["src"], quote["dst"], quote["protocol"]))
    if quote and ours.number("quote.src_port"):
        transport = PORTS[ours.number("quote.protocol")]
        name = "udplite" if ours.number("quote.protocol") == 136 else transport
        which = theirs.count(name, quote["at"])
        say("quote", (ours.number("quote.src_port"), ours.number("quote.dst_port")),
            (theirs.number(transport + ".srcport", which), theirs.number(transport + ".dstport", which)))


def compare_transport(ours, theirs, layer, say):
    protocol = ours.number("protocol")
    header = TRANSPORT_HEADER.get(protocol, 0)
    payload = None
    if ours.flags & LATER:
        header = 0
    elif protocol in PORTS:
        name = PORTS[protocol]
        which = theirs.count("udplite" if protocol == 136 else name, layer["at"])
        for end in ("src", "dst"):
            say(f"{end}_port", ours.number(f"{end}_port"), theirs.number(f"{name}.{end}port", which))
        if protocol == TCP:
            compare_tcp(ours, theirs, layer, say)
            header = theirs.number("tcp.hdr_len", which) or 20
        if protocol in (TCP, UDP) and theirs.count(name, theirs.quotes_at) == 1:
            payload = theirs.one(name + ".payload") or ""
    elif protocol in (1, 58):
        name = "icmp" if protocol == 1 else "icmpv6"
        for what in ("type", "code"):
            say(f"icmp_{what}", ours.number(f"icmp_{what}"), theirs.number(f"{name}.{what}"))
        compare_quote(ours, theirs, say)
    if layer["length"] is not None and layer["header"] is not None:
        say("payload_length", ours.number("payload_length"),
            min(max(ours.number("length") - layer["header"] - header, 0), 0xffff))
    if payload is not None:
        say("payload", ours["payload"], payload[: 2 * KEPT])


def is_outer(ours, layer):
    """Whether the layer is the tunnel in which the decoder goes on."""
    return bool(ours.flags & TUNNELLED) and layer["src"] == ours["outer.src"] and layer["dst"] == ours["outer.dst"]


def compare(ours, theirs, differs):
    """Calls differs(name, ours, theirs) for each field in which the two differ; returns how many were compared."""
    compared = 0

    def say(name, mine, their):
        nonlocal compared
        compared += 1
        if mine != their:
            differs(name, mine, their)

    say("result", ours.result in HITS, bool(theirs.layers))
    if ours.result not in HITS or not theirs.layers:
        return compared
    if ours.result != "ok":
        differs("result", ours.result, "ok")
    key = ("src", "dst", "ttl", "length", "ip_id")
    mine = (ours["src"], ours["dst"], ours.number("ttl"), ours.number("length"), ours.number("ip_id"))
    matching = [i for i, layer in enumerate(theirs.layers) if tuple(layer[name] for name in key) == mine]
    alike = [i for i, layer in enumerate(theirs.layers) if (layer["src"], layer["dst"]) == mine[:2]]
    deepest = len(theirs.layers) - 1
    if not matching and not alike and is_outer(ours, theirs.layers[deepest]):
        differs("deeper", (ours["src"], ours["dst"]), ":".join(theirs.protocols[theirs.layers[deepest]["at"] :]))
        return compared
    which = (matching or alike or [deepest])[-1]
    layer = theirs.layers[which]
    if which != deepest:
        differs("depth", which, ":".join(theirs.protocols[layer["at"] + 1 : theirs.layers[which + 1]["at"]]))
    for name, value in zip(key, mine):
        say(name, value, layer[name])
    say("tunnelled", bool(ours.flags & TUNNELLED), which > 0)
    if ours.flags & TUNNELLED:
        outer = theirs.layers[0]
        names = ("src", "dst", "ttl", "length", "ip_id", "protocol")
        say("outer", tuple(str(ours["outer." + name]) for name in names), tuple(str(outer[name]) for name in names))
    say("protocol", ours.number("protocol"), layer["protocol"])
    say("df", int(bool(ours.flags & DF)), layer["df"])
    say("fragment", int(bool(ours.flags & FRAGMENT)), layer["fragment"])
    say("fragment_offset", ours.number("fragment_offset"), layer["fragment_offset"])
    if ours.result == "ok":
        compare_transport(ours, theirs, layer, say)
    return compared


class Difference:
    def __init__(self, ours, theirs, name, mine, their):
        self.ours, self.theirs, self.name, self.mine, self.their = ours, theirs, name, mine, their

    def result(self, result, *above):
        """The decoder's result, and, where named, headers that tshark passed before IP."""
        first_ip = next((i for i, name in enumerate(self.theirs.protocols) if name in ("ip", "ipv6")), 0)
        return self.ours.result == result and set(above) <= set(self.theirs.protocols[:first_ip])

    def last(self):
        return self.theirs.layers[-1]

    def jumbo(self):
        """Longer than IPv6's length field can say."""
        return self.last()["version"] == 6 and self.last()["length"] == 40 and self.ours.number("length") > 40

    def room(self):
        """For what IP carries, by its own length."""
        return self.last()["length"] - self.last()["header"]


def between(*headers):
    return lambda d: d.their in headers


SHORTEST = {1: 8, 6: 20, 17: 8, 58: 8}
TCP_NAMES = "tcp tcp.seq tcp.ack tcp.flags tcp.window tcp.options tcp.mss tcp.wscale tcp.tsval"

# Fields, why, and of which differences. "depth" is where the decoder stops before tshark does; tshark's value is what
# stands between there and the next IP header. "deeper" is where it goes on after tshark stopped.
EXPLAINED = [
    # Not seen through
    ("depth", "GTP-U towards another port than its own is not seen through",
     lambda d: d.their == "udp:gtp" and d.theirs.number("udp.dstport") != 2152),
    ("depth", "VXLAN with reserved bits set is not seen through",
     lambda d: d.their == "udp:vxlan:eth:ethertype" and d.theirs.one("udp.payload")[:8] != "08000000"),
    ("depth", "a Teredo bubble has nothing in it", lambda d: d.their == "udp:teredo" and d.last()["protocol"] == 59),
    ("depth", "NSH is not seen through", between("udp:nsh")),
    ("depth", "CAPWAP, wireless frames between access point and controller, is not seen through",
     between("udp:capwap.data:wlan:llc")),
    ("depth", "what a PIM register holds is a router's, not sent to anybody", between("pim")),
    ("depth", "AH over IPv4 is left as what it is", between("ah")),
    ("depth", "Ethernet in IPv6 (143) is not seen through", between("ipv6.routing:eth:ethertype")),
    ("depth", "what a router redirects by WCCP (GRE 0x883e) is not seen through", between("gre")),
    ("result", "Cisco HDLC under a link type for PPP", lambda d: d.result("not_ip", "ppp", "chdlc")),
    ("result", "CFP, Ethernet's other length", lambda d: d.result("not_ip", "cfp")),
    ("result", "MACsec without encryption", lambda d: d.result("not_ip", "macsec")),
    ("result", "the link says IPv4, the packet IPv6", lambda d: d.result("ip_version") and d.ours["link"] == "228"),
    # Broken packets, of which tshark shows what there is
    ("result", "the IP header is not all there",
     lambda d: d.result("ip_short") and d.ours.number("captured") - 14 < (d.last()["header"] or 40)),
    ("result protocol", "the chain of IPv6 headers ends within one",
     lambda d: d.result("extension") and d.theirs.protocols[-1] in EXTENSIONS),
    ("result", "TCP's header length is impossible",
     lambda d: d.result("transport_header") and d.ours.number("protocol") == TCP
     and not 20 <= d.theirs.number("tcp.hdr_len") <= d.room()),
    ("result", "no room for the transport header",
     lambda d: d.result("transport_short")
     and (d.room() < SHORTEST[d.ours.number("protocol")] or d.ours.number("captured") - d.last()["header"] < 14 + 4)),
    # What tshark does otherwise
    ("result", "after MPLS labels tshark takes for Ethernet what begins like IP",
     lambda d: d.ours.result == "ok" and "pwethnocw" in d.theirs.protocols),
    ("deeper", "in what is longer than IP's length field can say tshark sees no tunnel",
     lambda d: d.last()["length"] > 0xffff or d.ours.number("length") > 0xffff),
    ("dst", "a source route's last stop is the destination to tshark",
     lambda d: d.last()["version"] == 4 and d.last()["header"] > 20 and d.theirs.one("ip.cur_rt") == d.mine),
    ("length", "a length of 0 is not made good by tshark", lambda d: d.jumbo() and d.their == 40),
    (f"src_port dst_port payload {TCP_NAMES}", "nor is what IPv6 carries then looked at, without a jumbo option",
     lambda d: d.jumbo() and "ipv6.hopopts" not in d.theirs.protocols and d.their in (None, "", 0, 255, False)),
    ("payload", "a UDP length that IP's does not bear out",
     lambda d: d.their == "" and d.ours.number("protocol") == UDP and d.theirs.number("udp.length") != d.room()),
    ("payload", "what a reset says is its cause to tshark, not payload",
     lambda d: d.their == "" and d.ours.number("protocol") == TCP and d.ours.number("tcp.flags") & 4),
    ("tcp.options", "tshark names an option of which the capture has but the kind",
     lambda d: d.ours.flags & CUT and d.their == d.mine + "f"),
    ("tcp.options", "tshark breaks off at an impossible MPTCP option",
     lambda d: "mptcp" in d.theirs.protocols and d.mine.startswith(d.their) and d.their[-1:] == "f"),
]
EXPLAINED = [(set(names.split()), why, covers) for names, why, covers in EXPLAINED]


class Folder:
    """What one folder came to."""

    def __init__(self, name):
        self.name, self.packets, self.fields, self.unexplained = name, 0, 0, 0
        self.why, self.shown, self.left_out, self.error = collections.Counter(), [], collections.Counter(), ""

    def differs(self, path, difference):
        for row in EXPLAINED:
            if difference.name in row[0] and row[2](difference):
                self.why[row[1]] += 1
                return
        self.unexplained += 1
        if len(self.shown) < SHOWN:
            self.shown.append(
                f"{path}#{difference.ours['packet']}: {difference.name} is {difference.mine}, "
                f"tshark's {difference.their}; result {difference.ours.result}, flags {difference.ours.flags:#x}, "
                f"{difference.theirs.values['frame.protocols'][:120]}"
            )

    def run(self, dump, scratch):
        paths = sorted(path for path in (DATA / self.name).rglob("*") if path.suffix in SUFFIXES and path.is_file())
        batch, table, fields = (scratch / f"{self.name}.{end}" for end in ("pcapng", "ours", "theirs"))
        with open(table, "wb") as out:
            subprocess.run([dump, batch, *paths], stdout=out, check=True)
        command = ["tshark", "-n", "-r", batch, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]
        for preference in PREFERENCES:
            command += ["-o", preference]
        for decode_as in DECODE_AS:
            command += ["-d", decode_as]
        for field in FIELDS:
            command += ["-e", field]
        with open(fields, "wb") as out:  # and nobody's own preferences
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False,
                                  env=dict(os.environ, WIRESHARK_CONFIG_DIR=str(scratch / "none")))
        if done.returncode:
            raise RuntimeError(f"tshark exits {done.returncode}: {done.stderr.decode(errors='replace')[-200:]}")
        self.read(paths, table, fields)
        return self

    def read(self, paths, table, fields):
        with open(table, encoding="utf-8", errors="replace") as ours_lines, \
                open(fields, encoding="utf-8", errors="replace") as their_lines:
            names = next(ours_lines).rstrip("\n").split("\t")
            for line in ours_lines:
                values = line.rstrip("\n").split("\t")
                if line.startswith("#"):
                    self.left_out[values[0][1:]] += int(values[2]) if values[2].isdigit() else 1
                    continue
                self.packets += 1
                theirs = Theirs(next(their_lines, "").rstrip("\n").split("\t"))
                if theirs.values["frame.number"] != str(self.packets):
                    raise RuntimeError(f"tshark has packet {theirs.values['frame.number']} where {self.packets} is")
                ours = Ours(names, values)
                path = paths[int(ours["file"])].relative_to(DATA)
                self.fields += compare(
                    ours, theirs, lambda *what: self.differs(path, Difference(ours, theirs, *what))
                )
            if next(their_lines, None) is not None:
                raise RuntimeError("tshark has more packets than were written")


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    dump = os.path.abspath(sys.argv[1])
    missing = "no tshark" if not shutil.which("tshark") else ""
    failed, needed = 0, collections.Counter()
    print(f"1..{len(FOLDERS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-tshark-") as scratch, ThreadPoolExecutor(JOBS) as pool:
        running = {}
        for name in FOLDERS:
            if not missing and (DATA / name).is_dir():
                running[name] = pool.submit(Folder(name).run, dump, pathlib.Path(scratch))
        for number, name in enumerate(FOLDERS, 1):
            if name not in running:
                print(f"ok {number} - {name} # SKIP {missing or f'no {DATA / name} (HOLDFAST_DATA)'}", flush=True)
                continue
            try:
                folder = running[name].result()
            except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
                failed += 1
                print(f"not ok {number} - {name}: {error}", flush=True)
                continue
            needed += folder.why
            for said in folder.shown:
                print(f"# {said}")
            good = folder.packets and not folder.unexplained
            failed += not good
            left_out = ", ".join(f"{count} {what}" for what, count in sorted(folder.left_out.items()))
            print(f"{'ok' if good else 'not ok'} {number} - {name}: {folder.packets} packets, {folder.fields} fields, "
                  f"{folder.unexplained} differences unexplained, {sum(folder.why.values())} explained"
                  f"{'; left out: ' + left_out if left_out else ''}", flush=True)
    for why, count in needed.most_common():
        print(f"# {count} explained: {why}")
    if len(running) == len(FOLDERS):
        for _, why, _ in EXPLAINED:
            if why not in needed:
                print(f"# not needed any more: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
