# SPDX-License-Identifier: Apache-2.0
"""A small reader of captures, for tests: it shares nothing with what it tests.

Reads what synth writes and `holdfast try` copies: pcap and pcapng, little endian, Ethernet. Anything else is a
ValueError. Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""
import ipaddress
import struct

PCAP = 0xA1B2C3D4  # microseconds
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
PCAP_HEADER, PCAP_RECORD, PACKET_BLOCK = 24, 16, 28

ETHERTYPE_VLAN, ETHERTYPE_V4, ETHERTYPE_V6 = 0x8100, 0x0800, 0x86DD
ETHERTYPE_MPLS = 0x8847
TCP, UDP, GRE, FRAGMENT = 6, 17, 47, 44
MIRROR = bytes((10, 255, 255, 1))  # from whom comes what synth --wrap has wrapped
# By protocol and port, or what GRE announces: octets behind IP up to what is inside.
WRAPPINGS = {(GRE, 0x88BE): 16, (GRE, 0x22EB): 20, (UDP, 4789): 16, (UDP, 6081): 20, (UDP, 2152): 20}
RESET = 4  # among TCP's flags
EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options: length in the second octet


class Capture:
    """The octets of a file and where its packets lie: `records` are (start, frame, end), the record's own header and
    padding included between start and end, the frame between frame and the length that precedes it."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.octets = file.read()
        (magic,) = struct.unpack_from("<I", self.octets)
        self.records = list(self._pcap() if magic == PCAP else self._pcapng(magic))

    def _pcap(self):
        at, end = PCAP_HEADER, len(self.octets)
        lengths = struct.Struct("<8xI4x")
        while at < end:
            (captured,) = lengths.unpack_from(self.octets, at)
            behind = at + PCAP_RECORD + captured
            if behind > end:
                raise ValueError("a record is cut")
            yield at, at + PCAP_RECORD, behind
            at = behind

    def _pcapng(self, magic):
        if magic != SECTION:
            raise ValueError("neither pcap nor pcapng")
        at, end = 0, len(self.octets)
        block = struct.Struct("<II")
        while at < end:
            kind, length = block.unpack_from(self.octets, at)
            if length < 12 or at + length > end:
                raise ValueError("a block is cut")
            if kind == PACKET:
                yield at, at + PACKET_BLOCK, at + length
            elif kind not in (SECTION, INTERFACE):
                raise ValueError(f"a block of type {kind}")
            at += length

    def network(self, index):
        """Where the IP header of a record begins, and its version; (None, None) where there is none."""
        return self._behind_ethernet(self.records[index][1])

    def _behind_ethernet(self, at):
        at += 12
        (kind,) = struct.unpack_from("!H", self.octets, at)
        while kind == ETHERTYPE_VLAN:
            at += 4
            (kind,) = struct.unpack_from("!H", self.octets, at)
        at += 2
        if kind == ETHERTYPE_MPLS:
            return self._behind_ethernet(at + 8)
        if kind == ETHERTYPE_V4:
            return self._unwrapped(at) if self.octets[at + 12 : at + 16] == MIRROR else (at, 4)
        return (at, 6) if kind == ETHERTYPE_V6 else (None, None)

    def _unwrapped(self, at):
        """Where the inner IP header begins in what synth --wrap makes."""
        wrapping = self.octets[at + 9], struct.unpack_from("!H", self.octets, at + 22)[0]
        at += 20 + WRAPPINGS[wrapping]
        return (at, self.octets[at] >> 4) if wrapping == (UDP, 2152) else self._behind_ethernet(at)

    def destination(self, index):
        """As packed octets, or None."""
        at, version = self.network(index)
        if version is None:
            return None
        return self.octets[at + 16 : at + 20] if version == 4 else self.octets[at + 24 : at + 40]

    def transport(self, index):
        """Where what the IP header announces begins, and its protocol; (None, None) for a later fragment."""
        at, version = self.network(index)
        if version == 4:
            fragment, _, protocol = struct.unpack_from("!HBB", self.octets, at + 6)
            if fragment & 0x1FFF:
                return None, None
            at += (self.octets[at] & 15) * 4
        elif version == 6:
            protocol = self.octets[at + 6]
            at += 40
            while protocol in EXTENSIONS or protocol == FRAGMENT:
                if protocol == FRAGMENT and struct.unpack_from("!H", self.octets, at + 2)[0] & 0xFFF8:
                    return None, None
                protocol, length = self.octets[at], 8 if protocol == FRAGMENT else self.octets[at + 1] * 8 + 8
                at += length
        else:
            return None, None
        return at, protocol

    def destination_port(self, index):
        """Of TCP and UDP; else None."""
        at, protocol = self.transport(index)
        return struct.unpack_from("!H", self.octets, at + 2)[0] if protocol in (TCP, UDP) else None

    def resets(self, index):
        """Whether it is a TCP reset."""
        at, protocol = self.transport(index)
        return protocol == TCP and bool(self.octets[at + 13] & RESET)


def within(prefix):
    """A function that says of packed octets whether they are an address in the prefix."""
    network = ipaddress.ip_network(prefix)
    size, shift = network.max_prefixlen // 8, network.max_prefixlen - network.prefixlen
    wanted = int(network.network_address) >> shift
    return lambda octets: octets and len(octets) == size and int.from_bytes(octets, "big") >> shift == wanted


def passed(given, left):
    """Of each record of `given` whether `left` has it, which must hold some of them, unchanged and in order."""
    fates, at = bytearray(len(given.records)), 0
    goal = len(left.records)
    for index, (start, _, end) in enumerate(given.records):
        if at == goal:
            break
        begin, _, behind = left.records[at]
        if behind - begin == end - start and given.octets[start:end] == left.octets[begin:behind]:
            fates[index] = 1
            at += 1
    if at != goal:
        raise ValueError(f"record {at} of the output is none of the input")
    return fates
