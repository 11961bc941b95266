# SPDX-License-Identifier: Apache-2.0
"""Makes MaxMind DBs, right ones and wrong ones. Shares no code with what reads them.

As a command: mmdb.py FOLDER writes all of hostile() there; --corpus writes small ones of every kind for the fuzzer,
with the octet in front by which it tells databases from lines.
"""
import ipaddress
import pathlib
import struct
import sys

MARKER = b"\xab\xcd\xefMaxMind.com"
EMPTY = "empty"


class Raw(bytes):
    """Octets of the data as they are."""


class Pointer(int):
    pass


class U16(int):
    pass


class U64(int):
    pass


def control(kind, length):
    head = kind << 5 if kind < 8 else 0
    more = b"" if kind < 8 else bytes([kind - 7])
    if length < 29:
        return bytes([head | length]) + more
    if length < 285:
        return bytes([head | 29]) + more + bytes([length - 29])
    if length < 65821:
        return bytes([head | 30]) + more + struct.pack(">H", length - 285)
    return bytes([head | 31]) + more + struct.pack(">I", length - 65821)[1:]


def number(kind, value, octets):
    return control(kind, octets) + value.to_bytes(octets, "big")


def encode(value):
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, Pointer):
        return b"\x38" + struct.pack(">I", value)
    if isinstance(value, bool):
        return control(14, int(value))
    if isinstance(value, U16):
        return number(5, value, 2)
    if isinstance(value, U64):
        return number(9, value, 8)
    if isinstance(value, int):
        return number(6, value, 4)
    if isinstance(value, float):
        return control(3, 8) + struct.pack(">d", value)
    if isinstance(value, str):
        value = value.encode()
        return control(2, len(value)) + value
    if isinstance(value, bytes):  # a text that is none
        return control(2, len(value)) + value
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    raise TypeError(value)


class Database:
    """Nodes are pairs of records: the number of a node, EMPTY, or ("data", place)."""

    def __init__(self, bits=128, record_bits=24):
        self.bits, self.record_bits = bits, record_bits
        self.nodes = [[EMPTY, EMPTY]]
        self.data = bytearray()

    def record(self, value):
        place = len(self.data)
        self.data += encode(value)
        return ("data", place)

    def put(self, prefix, record):
        """Longer prefixes after shorter ones. IPv4 in an IPv6 tree lies in ::/96."""
        network = ipaddress.ip_network(prefix)
        shift = 96 if self.bits == 128 and network.version == 4 else 0
        length = network.prefixlen + shift
        address = int(network.network_address)
        node = 0
        for depth in range(length):
            side = address >> (self.bits - 1 - depth) & 1
            if depth + 1 == length:
                self.nodes[node][side] = record
                return
            child = self.nodes[node][side]
            if not isinstance(child, int):
                self.nodes.append([child, child])
                child = self.nodes[node][side] = len(self.nodes) - 1
            node = child

    def node_at(self, prefix):
        """The node that a prefix leads to; the tree must be that deep."""
        network = ipaddress.ip_network(prefix)
        node = 0
        for depth in range(network.prefixlen):
            node = self.nodes[node][int(network.network_address) >> (self.bits - 1 - depth) & 1]
        return node

    def alias(self, prefix):
        """Hangs the IPv4 tree there, too."""
        self.put(prefix, self.node_at("::/96"))

    def final(self, record, count):
        if record == EMPTY:
            return count
        if isinstance(record, tuple):
            return count + 16 + record[1]
        return record

    def finish(self, metadata=None, **changes):
        count = len(self.nodes)
        tree = bytearray()
        for left, right in self.nodes:
            left, right = self.final(left, count), self.final(right, count)
            if self.record_bits == 28:
                tree += (left & 0xffffff).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24])
                tree += (right & 0xffffff).to_bytes(3, "big")
            else:
                tree += left.to_bytes(self.record_bits // 8, "big") + right.to_bytes(self.record_bits // 8, "big")
        said = {"node_count": count, "record_size": U16(self.record_bits),
                "ip_version": U16(6 if self.bits == 128 else 4), "database_type": "Test",
                "languages": ["en"], "binary_format_major_version": U16(2), "binary_format_minor_version": U16(0),
                "build_epoch": U64(1780000000), "description": {"en": "Test"}}
        said.update(changes)
        said = {k: v for k, v in said.items() if v is not None}
        return bytes(tree) + bytes(16) + bytes(self.data) + MARKER + (encode(said) if metadata is None else metadata)


def of(record, bits=32, prefix="192.0.2.0/24", **changes):
    """A database with one prefix."""
    made = Database(bits)
    made.put(prefix, made.record(record))
    return made.finish(**changes)


def country(code):
    return {"country": {"iso_code": code, "geoname_id": 1}, "registered_country": {"iso_code": "ZW"}}


def network(asn, name):
    return {"autonomous_system_number": asn, "autonomous_system_organization": name}


def small():
    """Right ones, of every schema and shape."""
    made = {}
    for bits in (32, 128):
        for record_bits in (24, 28, 32):
            database = Database(bits, record_bits)
            database.put("192.0.0.0/16", database.record(country("US")))
            database.put("192.0.2.0/24", database.record({"country_code": "UA"}))
            database.put("198.51.100.0/24", database.record({**network(64496, "Example"), "country": "BR"}))
            if bits == 128:
                database.put("2001:db8::/32", database.record(country("MX")))
                database.alias("2002::/16")
                database.alias("::ffff:0:0/96")
            made[f"good-{bits}-{record_bits}"] = database.finish()
    database = Database(32)
    place = database.record("country_code")[1]
    text = database.record("UA")[1]
    database.put("192.0.2.0/24", database.record({Pointer(place): Pointer(text)}))
    made["good-pointers"] = database.finish()
    made["good-strings"] = of({"asn": "AS64496", "as_name": "Example"})
    made["registered-only"] = of({"registered_country": {"iso_code": "UA"}})
    return made


def hostile_trees():
    made = {}
    database = Database(32)
    database.nodes[0] = [database.record({"country_code": "UA"}), 0]
    made["loop-right"] = database.finish()
    database = Database(128)
    database.nodes[0] = [0, 0]
    made["loop-both"] = database.finish()
    for bits in (32, 128):
        database = Database(bits)
        a, b = database.record({"country_code": "UA"}), database.record({"country_code": "US"})
        database.nodes = [[i + 1, i + 1] for i in range(bits - 1)] + [[a, b]]
        made[f"all-paths-{bits}"] = database.finish()
    database = Database(128)
    database.nodes = [[i + 1, 0] for i in range(127)] + [[EMPTY, EMPTY]]
    made["loop-to-root"] = database.finish()
    database = Database(32)
    database.nodes[0] = [("data", 1 << 20), ("data", -5)]
    made["outside-data"] = database.finish()
    database = Database(32, 32)
    database.nodes[0] = [0xfffffff0, 0xffffffff]
    database.record("x")
    made["largest-records"] = database.finish()
    return made


def hostile_values():
    deep = 200000
    made = {
        "deep-arrays": of(Raw(b"\xe2\x41x" + b"\x01\x04" * deep + b"\xa0" + encode("country_code") + encode("UA"))),
        "deep-maps": of(Raw(b"\xe2\x41x" + b"\xe1\x41a" * deep + b"\xa0" + encode("country_code") + encode("UA"))),
        "country-is-number": of({"country": 5}),
        "country-is-list": of({"country": ["UA"], "country_code": {"a": "UA"}}),
        "iso-is-map": of({"country": {"iso_code": {"iso_code": "UA"}}}),
        "iso-is-long": of({"country": {"iso_code": "U" * 100000}}),
        "iso-is-octets": of({"country_code": b"\x00\xff"}),
        "iso-is-escape": of({"country_code": "\x1b["}),
        "record-is-text": of("UA"),
        "record-is-number": of(7),
        "number-is-text": of(network("13335", "Example")),
        "number-is-large": of({"autonomous_system_number": U64(1 << 40), "autonomous_system_organization": "x"}),
        "name-is-huge": of(network(64496, "A" * 3000000)),
        "name-is-hostile": of(network(64496, b"\x1b[31mred\x00\xff\xc0\xaf\xe2\x80\xae<script>\r\nx")),
        "name-cut-in-letter": of(network(64496, "x" * 62 + "\u00e4\u00e4")),
        "text-beyond-end": of(Raw(b"\xe1" + encode("country_code") + control(2, 1 << 23) + b"UA")),
        "map-beyond-end": of(Raw(control(7, 1 << 23) + encode("country_code") + encode("UA"))),
        "array-beyond-end": of(Raw(b"\xe2\x41x" + control(11, 1 << 23))),
        "no-such-type": of(Raw(b"\xe1\x41x\x05\x09")),
        "type-255": of(Raw(b"\x1f\xff\xff\xff\xff")),
        "pointer-to-itself": of(Raw(b"\x20\x00")),
        "pointer-to-pointer": of(Raw(b"\x20\x02\x20\x00")),
        "pointer-outside": of(Pointer(0xffffffff)),
        "pointer-in-circle": of(Raw(b"\xe1" + encode("country") + b"\x20\x00")),
        "key-is-number": of(Raw(b"\xe1" + encode(5) + encode("UA"))),
        "key-is-pointer-outside": of({Pointer(1 << 30): "UA"}),
        "empty-map": of({}),
        "data-empty": of(Raw(b"")),
    }
    # Many leaves, each a place in one large map: each would be read from its own place to the end.
    database = Database(32)
    keys = 65536
    database.data += control(7, keys)
    places = []
    for _ in range(keys):
        places.append(len(database.data))
        database.data += b"\xff\x00\x00\x00"  # a map of 65821 pairs, where it is read as a value
    level = [("data", place) for place in places]
    database.nodes = [[EMPTY, EMPTY]]
    while len(level) > 2:
        pairs = [level[i:i + 2] for i in range(0, len(level), 2)]
        first = len(database.nodes)
        database.nodes += pairs
        level = list(range(first, first + len(pairs)))
    database.nodes[0] = level
    made["costly-records"] = database.finish()
    return made


def hostile_files():
    good = of({"country_code": "UA"})
    metadata = {
        "meta-nodes-huge": {"node_count": 0xffffffff},
        "meta-nodes-none": {"node_count": 0},
        "meta-nodes-wrap": {"node_count": U64((1 << 62) + 1)},
        "meta-nodes-text": {"node_count": "24"},
        "meta-record-0": {"record_size": U16(0)},
        "meta-record-26": {"record_size": U16(26)},
        "meta-record-65535": {"record_size": U16(65535)},
        "meta-version-5": {"ip_version": U16(5)},
        "meta-version-6-of-4": {"ip_version": U16(6)},
        "meta-major-3": {"binary_format_major_version": U16(3)},
        "meta-epoch-huge": {"build_epoch": U64((1 << 64) - 1)},
        "meta-epoch-none": {"build_epoch": None},
        "meta-record-none": {"record_size": None},
        "meta-more-nodes": {"node_count": 25},
        "meta-fewer-nodes": {"node_count": 3},
    }
    made = {name: of({"country_code": "UA"}, **changes) for name, changes in metadata.items()}
    made["meta-is-array"] = of({"country_code": "UA"}, metadata=encode([1, 2]))
    made["meta-is-pointer"] = of({"country_code": "UA"}, metadata=b"\x20\x00")
    made["meta-none"] = of({"country_code": "UA"}, metadata=b"")
    made["meta-deep"] = of({"country_code": "UA"}, metadata=b"\xe1\x41x" + b"\x01\x04" * 60000)
    made["empty"] = b""
    made["marker-alone"] = MARKER
    made["marker-twice"] = MARKER + MARKER
    made["markers"] = MARKER * 5000
    made["zeros"] = bytes(1 << 20)
    made["text"] = b"not a database\n" * 100
    for cut in (1, 7, len(good) // 2, len(good) - 200, len(good) - 30, len(good) - 1):
        made[f"cut-{cut}"] = good[:cut]
    made["begin-lost"] = good[50:]
    return made


def hostile():
    return {**hostile_trees(), **hostile_values(), **hostile_files()}


LINES = {
    "lines-network": b'192.0.2.0,192.0.2.255,64496,"Example, Inc."\n2001:db8::,2001:db8::ff,64497,Second\n',
    "lines-country": b"192.0.2.0,192.0.2.255,UA\r\n198.51.100.0,198.51.100.255,US\r\n",
    "lines-tsv": b"192.0.2.0\t192.0.2.255\t64496\tUA\tEXAMPLE\n198.51.100.0\t198.51.100.9\t0\tNone\tNot routed\n",
    "lines-overlap": b"192.0.2.0,192.0.2.99,AS1,a\n192.0.2.50,192.0.2.255,AS2,b\n::,ffff::,3,c\n",
    "lines-all": b'0.0.0.0,255.255.255.255,4294967295,"a""b"\n::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,1,x\n',
}


def main():
    folder = pathlib.Path(sys.argv[-1])
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[1] != "--corpus":
        for name, octets in hostile().items():
            (folder / f"{name}.mmdb").write_bytes(octets)
        return
    for name, octets in {**small(), **hostile()}.items():
        if len(octets) < 4096 and not name.startswith("cut-"):
            (folder / name).write_bytes(b"\x00" + octets)
    for name, octets in LINES.items():
        (folder / name).write_bytes(b"\x01" + octets)


if __name__ == "__main__":
    main()
