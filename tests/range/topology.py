#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The range's hosts: network namespaces, the links between them, their addresses; see the drawing in range.py.

Nothing leads out: every link is a veth pair with both ends in these namespaces, and what the router has no network for
falls into a black hole. Topology.sealed() looks whether that is so; nobody sends before it has.
"""
import ipaddress
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

USERS4, USERS6 = "198.51.100.0/24", "2001:db8:100::/64"
USER4, USER6, USER_SOURCES = "198.51.100.16", "2001:db8:100::16", 32
RESOLVER4 = "198.51.100.53"
OPERATOR4 = "198.51.100.200"
GUESTS4, GUEST4, GUEST_SOURCES = "198.51.100.160/29", "198.51.100.160", 8  # users too, but they get blocked
ROUTER4, ROUTER6 = "192.0.2.1", "2001:db8:1::1"
PLATFORM4, PLATFORM6 = "192.0.2.10", "2001:db8:1::10"
BOX4, BOX6 = "192.0.2.130", "2001:db8:2::2"
CARPET4 = "192.0.2.192/26"
# Others than users, for who asks for them (Topology(others=True)): where the public word lives, two places that probe,
# and people at home, each in a network of their own.
STATUS4, PARIS4, OSLO4 = "198.19.0.2", "198.19.0.10", "198.19.0.18"
OTHERS4, HOMES4, HOMES = "198.19.0.0/24", "198.18.128.0/18", 48
ATTACK_MAC, ROUTER_MAC = "02:00:00:00:01:02", "02:00:00:00:01:01"

os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"  # where su has not put it

HOSTS = ["users", "attack", "router", "platform", "box"]

# host, its interface, its addresses; and the same of the other end
LINKS = [
    ("users", "u0", ["198.51.100.2/24", "2001:db8:100::2/64"],
     "router", "r-users", ["198.51.100.1/24", "2001:db8:100::1/64"]),
    ("attack", "a0", ["203.0.113.2/24", "2001:db8:bad::2/64"],
     "router", "r-attack", ["203.0.113.1/24", "2001:db8:bad::1/64"]),
    ("router", "r-up", [ROUTER4 + "/25", ROUTER6 + "/64"],
     "platform", "up0", [PLATFORM4 + "/25", PLATFORM6 + "/64"]),
    ("platform", "box0", ["192.0.2.129/25", "2001:db8:2::1/64"],
     "box", "b0", [BOX4 + "/25", BOX6 + "/64"]),
]

OTHER_LINKS = [
    ("status", "s0", [STATUS4 + "/29"], "router", "r-status", ["198.19.0.1/29"]),
    ("paris", "p0", [PARIS4 + "/29"], "router", "r-paris", ["198.19.0.9/29"]),
    ("oslo", "o0", [OSLO4 + "/29"], "router", "r-oslo", ["198.19.0.17/29"]),
]

# host, what `ip` is told
ROUTES = [
    ("users", "route add default via 198.51.100.1"), ("users", "route add default via 2001:db8:100::1"),
    ("attack", "route add default via 203.0.113.1"), ("attack", "route add default via 2001:db8:bad::1"),
    ("router", f"route add 192.0.2.128/25 via {PLATFORM4}"), ("router", f"route add 2001:db8:2::/64 via {PLATFORM6}"),
    ("router", "route add blackhole default"), ("router", "route add blackhole ::/0"),
    ("platform", f"route add default via {ROUTER4}"), ("platform", f"route add default via {ROUTER6}"),
    ("box", "route add default via 192.0.2.129"), ("box", "route add default via 2001:db8:2::1"),
    # The box is at home on half of its network: a carpet is to reach somebody.
    ("box", f"route add local {CARPET4} dev lo"),
]

OTHER_ROUTES = [
    ("status", "route add default via 198.19.0.1"), ("paris", "route add default via 198.19.0.9"),
    ("oslo", "route add default via 198.19.0.17"), ("router", f"route add {HOMES4} via 198.51.100.2"),
    *(("users", f"addr add {home}/32 dev u0") for home in
      (str(ipaddress.ip_network(HOMES4)[256 * i + 10]) for i in range(HOMES))),
]

# host, file under /proc/sys/net, value. None of them reaches beyond the namespace.
SETTINGS = [(host, f"ipv4/conf/{name}/rp_filter", "0") for host in HOSTS for name in ("all", "default")] + [
    ("router", "ipv4/ip_forward", "1"), ("router", "ipv6/conf/all/forwarding", "1"),
    ("platform", "ipv4/ip_forward", "1"), ("platform", "ipv6/conf/all/forwarding", "1"),
    # As small as a server that nobody has tuned; whoever was here before is nobody special.
    ("platform", "ipv4/tcp_syncookies", "0"), ("platform", "ipv4/tcp_max_syn_backlog", "128"),
    ("platform", "core/somaxconn", "128"), ("platform", "ipv4/tcp_no_metrics_save", "1"),
    # Echo replies to whoever asks; the flood is to cost what it costs.
    ("platform", "ipv4/icmp_echo_ignore_all", "0"),
]

# Tags what goes to the platform, and takes the tags off behind the hook, where its VLAN interface would stand. Two
# programs for tc, since many kernels have VLAN interfaces and tc's own action as modules only, or not at all.
TAGGER = """
static long (*const vlan_push)(void *packet, unsigned short protocol, unsigned short tag) = (void *)18;
static long (*const vlan_pop)(void *packet) = (void *)19;
__attribute__((section("push"), used)) int tag(void *packet) { return vlan_push(packet, 0x0081, 7) ? 2 : 0; }
__attribute__((section("pop"), used)) int untag(void *packet) { return vlan_pop(packet) ? 2 : 0; }
__attribute__((section("license"), used)) char terms[] = "Apache-2.0";
"""

RECEIVER = """
__attribute__((section("xdp"), used)) int receive(void *frame) { return frame ? 2 : 0; }
__attribute__((section("license"), used)) char terms[] = "Apache-2.0";
"""

ASIDE = "HOLDFAST_RANGE_ASIDE"  # set in the environment of who has stepped aside

# Interfaces that Linux puts into every namespace by itself; they are down, and lead nowhere.
BUILTIN = re.compile(r"(lo|sit0|tunl0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0|ip6_vti0|ip_vti0)$")


class RangeError(Exception):
    """What is not as it must be for the range to say anything."""


def call(*command, text=None, seconds=20):
    """Standard output; a failure says what the command said."""
    try:
        done = subprocess.run([str(word) for word in command], input=text, check=False, capture_output=True, text=True,
                              timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise RangeError(f"{' '.join(map(str, command))}: not done after {seconds} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise RangeError(f"{' '.join(map(str, command))}: exit {done.returncode}: {said}")
    return done.stdout


class Topology:
    """The namespaces of one run, their names led by its process id. A context: whatever was begun ends with it."""

    def __init__(self, others=False):
        self.hosts = HOSTS + ([link[0] for link in OTHER_LINKS] if others else [])
        self.links, self.routes = (LINKS + OTHER_LINKS, ROUTES + OTHER_ROUTES) if others else (LINKS, ROUTES)
        self.prefix = f"hf{os.getpid()}-"
        self.processes = []
        self.outside = []

    def name(self, host):
        return self.prefix + host

    def inside(self, host):
        """What stands before a command that is to run there. Only the network changes: bpffs stays in sight."""
        return ["nsenter", f"--net=/run/netns/{self.name(host)}"]

    def run(self, host, *command, text=None, seconds=20):
        return call(*self.inside(host), *command, text=text, seconds=seconds)

    def begin(self, host, *command, tree=True, **options):
        """A process there that ends with us, however we end; `tree`: with all that it begins, as it is alone with them
        in a process namespace."""
        lead = ["unshare", "--fork", "--pid", "--kill-child=KILL"] if tree else []
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *lead, *self.inside(host), *map(str, command)],
            stdin=subprocess.DEVNULL, **options,
        )
        self.processes.append(process)
        return process

    def end(self, process, how=signal.SIGKILL, seconds=5):
        """Sends the signal, waits, and insists."""
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def set(self, host, file, value):
        self.run(host, "sh", "-c", 'printf %s "$1" >"/proc/sys/net/$0"', file, value)

    def __enter__(self):
        remove_orphans()
        self.outside = links()
        try:
            self.build()
            self.sealed()
            wait_for("IPv6 to have found its addresses its own", 5, lambda: not any(
                "tentative" in self.run(host, "ip", "-6", "addr") for host in self.hosts))
        except BaseException:
            self.close()
            raise
        return self

    def build(self):
        batch = "".join(f"netns add {self.name(host)}\n" for host in self.hosts)
        for left, left_end, _, right, right_end, _ in self.links:
            batch += (f"link add {left_end} netns {self.name(left)} type veth "
                      f"peer name {right_end} netns {self.name(right)}\n")
        call("ip", "-batch", "-", text=batch)
        for host in self.hosts:
            self.run(host, "sh", "-c", 'while read -r file value; do printf %s "$value" >"/proc/sys/net/$file"; done',
                     text="".join(f"{file} {value}\n" for where, file, value in SETTINGS if where == host))
        for host in self.hosts:
            batch = "link set lo up\n"
            for left, left_end, left_at, right, right_end, right_at in self.links:
                for where, end, at in ((left, left_end, left_at), (right, right_end, right_at)):
                    if where == host:
                        batch += "".join(f"addr add {address} dev {end}{' nodad' if ':' in address else ''}\n"
                                         for address in at)
                        mac = {"a0": ATTACK_MAC, "r-attack": ROUTER_MAC}.get(end)
                        batch += f"link set {end} address {mac}\n" if mac else ""
                        batch += f"link set {end} up\n"
            if host == "users":
                head4, last4 = USER4.rsplit(".", 1)
                head6, last6 = USER6.rsplit("::", 1)
                for i in range(USER_SOURCES):
                    batch += f"addr add {head4}.{int(last4) + i}/24 dev u0\n"
                    batch += f"addr add {head6}::{int(last6, 16) + i:x}/64 dev u0 nodad\n"
                others = [RESOLVER4, OPERATOR4, *map(str, ipaddress.ip_network(GUESTS4))]
                batch += "".join(f"addr add {address}/24 dev u0\n" for address in others)
            batch += "".join(f"{line}\n" for where, line in self.routes if where == host)
            self.run(host, "ip", "-batch", "-", text=batch)
        self.receive()

    def receive(self):
        """What a program for XDP sends back by a veth pair's end, as by a card, arrives only where another stands at
        the other end; polling for GRO's sake is not enough, for nobody wakes it."""
        with tempfile.TemporaryDirectory(prefix="holdfast-range-") as scratch:
            program = pathlib.Path(scratch, "receiver.o")
            call("clang", "-O2", "-target", "bpf", "-x", "c", "-c", "-", "-o", program, text=RECEIVER)
            self.run("router", "ip", "link", "set", "r-up", "xdpdrv", "obj", program, "sec", "xdp")

    def tag(self, scratch):
        """From now on the platform's link carries frames with a VLAN tag, in both directions."""
        program = scratch / "tagger.o"
        if not program.exists():
            call("clang", "-O2", "-target", "bpf", "-x", "c", "-c", "-", "-o", program, text=TAGGER)
        for host, end in (("router", "r-up"), ("platform", "up0")):
            # In the frame, where a driver without VLAN offload leaves it, not beside it.
            self.run(host, "ethtool", "-K", end, "txvlan", "off")
            self.run(host, "tc", "qdisc", "add", "dev", end, "clsact")
            for way, section in (("egress", "push"), ("ingress", "pop")):
                self.run(host, "tc", "filter", "add", "dev", end, way, "prio", "9", "bpf", "direct-action",
                         "object-file", program, "section", section)

    def untag(self):
        """Raises RangeError where somebody has taken away what was not his."""
        for host, end in (("router", "r-up"), ("platform", "up0")):
            for way in ("ingress", "egress"):
                if "tagger.o" not in self.run(host, "tc", "filter", "show", "dev", end, way):
                    raise RangeError(f"{host}: the range's own classifier on {end} {way} is gone")
            self.run(host, "tc", "qdisc", "del", "dev", end, "clsact")

    def sealed(self):
        """Raises RangeError where a packet could get out, or another in."""
        if links() != self.outside:
            raise RangeError("the range changed the machine's own interfaces")
        ends = 0
        for host in self.hosts:
            for link in json.loads(self.run(host, "ip", "-j", "-d", "link")):
                name, kind = link["ifname"], link.get("linkinfo", {}).get("info_kind")
                if kind == "veth":
                    ends += 1
                elif not BUILTIN.match(name):
                    raise RangeError(f"{host} has {name}, which the range did not make")
            for family in ("-4", "-6"):
                for route in json.loads(self.run(host, "ip", "-j", family, "route", "show", "default")):
                    if (route.get("type") == "blackhole") != (host == "router"):
                        raise RangeError(f"{host} has the default route {route}")
        if ends != 2 * len(self.links):
            raise RangeError(f"{ends} ends of veth pairs where there should be {2 * len(self.links)}: one is elsewhere")

    def close(self):
        for process in list(self.processes):
            self.end(process)
        for host in self.hosts:
            subprocess.run(["ip", "netns", "delete", self.name(host)], check=False, capture_output=True)

    def __exit__(self, *_):
        self.close()


def step_aside():
    """Goes on in a mount namespace of its own: namespaces and bpf file systems, which are mounts, end with the process
    even where it is killed. Asked to end, it ends in order."""
    if os.environ.get(ASIDE) != "1":
        os.environ[ASIDE] = "1"
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        os.execvp(command[0], command)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def links():
    return sorted(link["ifname"] for link in json.loads(call("ip", "-j", "link")))


def remove_orphans():
    """Names of a run that was killed."""
    for path in pathlib.Path("/run/netns").glob("hf*-*"):
        match = re.match(r"hf(\d+)-\w+$", path.name)
        if match and not pathlib.Path("/proc", match[1]).exists():
            subprocess.run(["ip", "netns", "delete", path.name], check=False, capture_output=True)


def wait_for(what, seconds, test):
    """Until test() is true."""
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise RangeError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
