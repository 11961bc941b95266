#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How an attack goes, in slots of 10 ms: what the router sent to the platform, and what came out behind the shield's
hook, as two meters saw it (meter.c); and when FastNetMon, looking at the same packets, gave notice.

    reaction     from the slot of the attack's first packet to the first one from which on, for 100 ms, less than 5 %
                 of it passes; as long as that never happens there is none
    residual     the share that passes from then on until the wave ends, relapses with it
"""
import json
import shutil
import signal
import subprocess
import time

from topology import ROUTER4, ROUTER6, USERS4, USERS6, RangeError

SLOT_MS = 10
SETTLED_SLOTS = 10
PASSING = 0.05
WAVE_GAP_SLOTS = 20  # with so many empty slots between them two packets belong to two waves
METER_BEGINS_S = 0.1


class Meters:
    """Both, running."""

    WHERE = [("sent", "router", "r-up", "out"), ("arrived", "platform", "up0", "in")]

    def __init__(self, topology, program):
        self.topology, self.running = topology, {}
        for name, host, end, way in self.WHERE:
            self.running[name] = topology.begin(
                host, program, end, way, f"normal={USERS4}", f"normal={USERS6}", f"ignore={ROUTER4}/32",
                f"ignore={ROUTER6}/128", "ignore=fe80::/10", tree=False, stdout=subprocess.PIPE, text=True)
        time.sleep(METER_BEGINS_S)

    def stop(self):
        """A Course."""
        said = {}
        for name, process in self.running.items():
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=10)
            self.topology.end(process)
            if process.returncode:
                raise RangeError(f"meter: exit {process.returncode}")
            said[name] = json.loads(out)
        return Course(said)


class Course:
    """Packets of each slot from `first` on: sent, arrived, of users (normal_), and of these SYNs (opening_); as long as
    each other."""

    def __init__(self, said):
        self.lost = sum(one["lost"] for one in said.values())
        begun = [one["first"] for one in said.values() if one["first"]]
        self.first = min(begun, default=0)
        end = max((one["first"] + len(one["other"]) for one in said.values() if one["first"]), default=0)
        columns = {}
        for name, one in said.items():
            lead = one["first"] - self.first if one["first"] else 0
            for kind in ("other", "normal", "opening"):
                counts = [0] * lead + one[kind]
                columns[name, kind] = counts + [0] * (end - self.first - len(counts))
        self.sent, self.arrived = columns["sent", "other"], columns["arrived", "other"]
        self.normal_sent, self.normal_arrived = columns["sent", "normal"], columns["arrived", "normal"]
        self.opening_sent, self.opening_arrived = columns["sent", "opening"], columns["arrived", "opening"]

    def waves(self):
        """(first slot, the one behind the last) of each."""
        found = []
        for at, count in enumerate(self.sent):
            if not count:
                continue
            if found and at - found[-1][1] < WAVE_GAP_SLOTS:
                found[-1][1] = at + 1
            else:
                found.append([at, at + 1])
        return found

    def reaction(self, wave):
        """Slots, or None."""
        first, end = wave
        for at in range(first, end):
            until = min(at + SETTLED_SLOTS, end)
            sent, arrived = sum(self.sent[at:until]), sum(self.arrived[at:until])
            if arrived < PASSING * sent and self.arrived[at] < PASSING * max(1, self.sent[at]):
                return at - first
        return None

    def told(self):
        """Of each wave: packets, how long it lasted, the reaction in ms, the residual as a share."""
        out = []
        for first, end in self.waves():
            slots = self.reaction((first, end))
            wave = {"began": (self.first + first) * SLOT_MS / 1000, "sent": sum(self.sent[first:end]),
                    "arrived": sum(self.arrived[first:end + 1]), "seconds": (end - first) * SLOT_MS / 1000,
                    "reaction_ms": None, "residual": None}
            if slots is not None:
                # In the slot of the first packet: within 10 ms.
                wave["reaction_ms"] = max(slots, 1) * SLOT_MS
                sent = sum(self.sent[first + slots:end])
                wave["residual"] = sum(self.arrived[first + slots:end + 1]) / sent
            out.append(wave)
        return out

    def normal_lost(self, first, end, cookies):
        """Share of normal packets sent in these slots that never arrived. Where the shield has answered SYNs with
        cookies, those that are missing are not lost; what became of their users is counted elsewhere."""
        sent, arrived = sum(self.normal_sent[first:end]), sum(self.normal_arrived[first:end])
        if cookies:
            sent -= sum(self.opening_sent[first:end])
            arrived -= sum(self.opening_arrived[first:end])
        return max(0, 1 - arrived / sent) if sent else 0.0


FASTNETMON = """
interfaces = up0
mirror_afpacket = on
networks_list_path = {scratch}/networks
white_list_path = {scratch}/none
threshold_pps = {threshold}
threshold_mbps = 100000
ban_for_pps = on
ban_for_bandwidth = off
ban_for_flows = off
enable_ban = on
enable_ban_ipv6 = on
process_incoming_traffic = on
process_outgoing_traffic = off
notify_script_path = {scratch}/notify
pid_path = {scratch}/pid
cli_stats_file_path = {scratch}/stats
cli_stats_ipv6_file_path = {scratch}/stats6
monitor_local_ip_addresses = off
enable_api = off
enable_connection_tracking = off
disable_usage_report = on
logging_level = info
check_period = 1
speed_calculation_delay = 1
average_calculation_time = 5
"""
FASTNETMON_NETWORKS = "192.0.2.0/24\n2001:db8:1::/64\n2001:db8:2::/64\n"
FASTNETMON_PPS = 20000   # its own preset
FASTNETMON_SHARE = 2     # and never more than such a part of the attack: an operator sets it above the largest crowd
FASTNETMON_READY_S = 10


class FastNetMon:
    """The peer that only looks: how soon it says so. A context; it stands where Holdfast would."""

    def __init__(self, topology, scratch, pps):
        """`pps`: of the attack that it will see."""
        self.topology, self.scratch = topology, scratch / "fastnetmon"
        self.threshold = min(FASTNETMON_PPS, pps // FASTNETMON_SHARE)
        self.stamps, self.process = self.scratch / "stamps", None

    @staticmethod
    def is_there():
        return shutil.which("fastnetmon") is not None

    def __enter__(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        (self.scratch / "networks").write_text(FASTNETMON_NETWORKS, encoding="utf-8")
        (self.scratch / "none").write_text("", encoding="utf-8")
        notify = self.scratch / "notify"
        notify.write_text(f'#!/bin/sh\necho "$(date +%s.%N) $*" >>{self.stamps}\ncat >/dev/null\n', encoding="utf-8")
        notify.chmod(0o755)
        config = self.scratch / "config"
        config.write_text(FASTNETMON.format(scratch=self.scratch, threshold=self.threshold), encoding="utf-8")
        self.process = self.topology.begin(
            "platform", "fastnetmon", f"--configuration_file={config}", f"--log_file={self.scratch / 'log'}",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)  # it counts from then on
        if self.process.poll() is not None:
            raise RangeError(f"fastnetmon: exit {self.process.returncode}: {self.said()}")
        return self

    def __exit__(self, *_):
        self.topology.end(self.process)

    def said(self):
        log = self.scratch / "log"
        return log.read_text(encoding="utf-8", errors="replace")[-400:] if log.exists() else ""

    def notified(self):
        """Wall times at which it gave notice."""
        if not self.stamps.exists():
            return []
        return [float(line.split()[0]) for line in self.stamps.read_text(encoding="utf-8").splitlines()]

