#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks as captures that tcpreplay sends: made by synth, or real ones, every destination the range's.

Of synth's captures only what its labels call the attack is taken, of real ones only what goes to the named victim.
tcprewrite then turns destinations into the platform's, and the hardware address is made the router's. Sources stay as
they were captured, for nothing leaves the range; but none may be one of the range's own users, or counters would
mistake the one for the other.
"""
import os
import pathlib
import random
import struct
import subprocess

from topology import ATTACK_MAC, ROUTER_MAC, RangeError, call

DATA = pathlib.Path(os.environ.get("HOLDFAST_DATA", "../shared/data")) / "attacks"

PACKETS_A_SECOND_MAX = 50000
SECONDS_MAX = 60
USERS_PACKETS = 5000  # of an attack that is made of users' own
SCALE = 25  # percent of the packets that synth would make: some thousands are enough, played again and again

# Where sources go that are somebody's here: addresses of users, router, platform; of others and of homes.
OURS4 = ("198.51.100.0/24:198.18.100.0/24,192.0.2.0/24:198.18.2.0/24,198.19.0.0/24:198.18.102.0/24,"
         "198.18.128.0/18:198.18.192.0/18")
OURS6 = "[2001:db8:100::/64]:[2001:db8:f00d::/64],[2001:db8:1::/64]:[2001:db8:f00d::/64]"

HEADER, RECORD = struct.Struct("<IHHiIII"), struct.Struct("<IIII")
MAGICS, ETHERNET = (0xA1B2C3D4, 0xA1B23C4D), 1


def records(capture):
    """Of a pcap in this machine's order: the file's header, then each record's header and frame."""
    octets = capture.read_bytes()
    magic, *_, link = HEADER.unpack_from(octets)
    if magic not in MAGICS or link != ETHERNET:
        raise RangeError(f"{capture}: no pcap of Ethernet frames in this machine's order of octets")
    yield octets[:HEADER.size], b""
    at = HEADER.size
    while at < len(octets):
        end = at + RECORD.size + RECORD.unpack_from(octets, at)[2]
        yield octets[at:at + RECORD.size], octets[at + RECORD.size:end]
        at = end


def select(capture, marks, out, limit):
    """The first packets whose label, if there are labels, is a digit, without what pads short frames: tcprewrite would
    take that for payload. Returns how many."""
    kept, source = [], records(capture)
    kept.append(next(source)[0])
    for number, (head, frame) in enumerate(source):
        if marks and not 0x30 <= marks[number] <= 0x39:
            continue
        if frame[12:14] == b"\x08\x00":
            frame = frame[:14 + int.from_bytes(frame[16:18], "big")]
        seconds, fraction, _, _ = RECORD.unpack(head)
        kept += [RECORD.pack(seconds, fraction, len(frame), len(frame)), frame]
        if len(kept) > 2 * limit:
            break
    out.write_bytes(b"".join(kept))
    return len(kept) // 2


def address(capture):
    """Every frame to the router, from the attacker. tcprewrite would make those of IPv6 multicasts."""
    lead = bytes.fromhex((ROUTER_MAC + ATTACK_MAC).replace(":", ""))
    capture.write_bytes(b"".join(head + (frame and lead + frame[12:]) for head, frame in list(records(capture))))


def prepare(attack, synth, scratch):
    """The capture to be replayed, or None where a real one is not at hand."""
    raw, wanted, ready = (scratch / f"{attack.name}.{end}.pcap" for end in ("raw", "wanted", "ready"))
    marks = b""
    if ready.exists():
        return ready
    if attack.synth:
        labels = scratch / f"{attack.name}.labels"
        call(synth, *attack.synth.split(), "--scale", SCALE, "-o", raw, "--labels", labels)
        marks = labels.read_bytes()
    else:
        if not (DATA / attack.real).exists():
            return None
        call("tcpdump", "-n", "-r", DATA / attack.real, "-w", raw, attack.only)
    if not select(raw, marks, wanted, attack.limit):
        raise RangeError(f"{attack.synth or attack.real}: no attack in it")
    six = ":" in attack.to
    target = attack.to if "/" in attack.to else f"{attack.to}/{128 if six else 32}"
    call("tcprewrite", f"--infile={wanted}", f"--outfile={ready}",
         f"--dstipmap=[::/0]:[{target}]" if six else f"--dstipmap=0.0.0.0/0:{target}",
         f"--srcipmap={attack.sources or (OURS6 if six else OURS4)}",
         *([f"--portmap={attack.ports}"] if attack.ports else []), "--fixcsum", seconds=60)
    address(ready)
    raw.unlink()
    wanted.unlink()
    check(ready, attack)
    return ready


def of_users(name, asked, scratch):
    """What users asked, asked again by others: packets that nothing but their sources tells from users' own. `asked` is
    a capture of IPv4 over Ethernet, made where users send."""
    ready, draw = scratch / f"{name}.ready.pcap", random.Random(7)
    source = records(asked)
    kept, questions = [next(source)[0]], [frame for _, frame in source if frame[12:14] == b"\x08\x00"]
    if len(questions) < 100:
        raise RangeError(f"{asked}: {len(questions)} packets of users are too few")
    for number in range(USERS_PACKETS):
        packet = bytearray(questions[number % len(questions)][14:])
        packet[12:16] = stranger(draw)
        packet[10:12] = bytes(2)
        total = sum(struct.unpack_from(">10H", packet))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        packet[10:12] = struct.pack(">H", 0xFFFF - total)
        packet[26:28] = bytes(2)  # UDP without a checksum
        frame = bytes(14 - 2) + b"\x08\x00" + bytes(packet)
        kept += [RECORD.pack(0, number, len(frame), len(frame)), frame]
    ready.write_bytes(b"".join(kept))
    address(ready)
    return ready


def stranger(draw):
    """A source that is nobody's here."""
    while True:
        octets = bytes((draw.randrange(1, 224), draw.randrange(256), draw.randrange(256), draw.randrange(1, 255)))
        if octets[0] != 127 and octets[:3] not in (bytes((198, 51, 100)), bytes((192, 0, 2))):
            return octets


def check(capture, attack):
    """Nothing in it goes elsewhere, nothing comes from a user."""
    astray = call("tcpdump", "-n", "-r", capture, "-c", 1, f"not dst net {attack.to} or src net 198.51.100.0/24 or "
                  "src net 2001:db8:100::/64")
    if astray:
        raise RangeError(f"{attack.name}: a packet goes astray: {astray.strip()}")


def replay(topology, capture, rate, seconds, steady=False):
    """A running tcpreplay, bounded in packets and in seconds. `steady`: ahead of others, for where a busy machine makes
    it send in bursts, the platform's budget is left to users between two of them."""
    if rate > PACKETS_A_SECOND_MAX or seconds > SECONDS_MAX:
        raise RangeError(f"{rate} packets a second for {seconds} s is more than this machine is asked for")
    topology.sealed()
    return topology.begin(
        "attack", *(["nice", "-n", "-15"] if steady else []), "tcpreplay", "--intf1=a0",
        "--preload-pcap", "--loop=0", f"--pps={rate}",
        f"--limit={int(rate * seconds)}", f"--duration={int(seconds) + 1}", "--no-flow-stats", "--quiet", capture,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )

