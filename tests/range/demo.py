#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo.py HOLDFAST SYNTH CLIENT ECHO METER [--report FILE] [--page DIR] [--day FILE]: a site on the range's platform is
flooded before your eyes, without Holdfast and then with it. Exits 77 where this host does not permit it, and says why.

A line a second: how many of the users whose fate was decided in it were served, as they say themselves; how many
packets of the attack came and how many came through, as counters of router and platform say; what the status page says,
as a user reads it; and what Holdfast says.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import typing

import attack
import demo_status
import demo_word
import measure
import range as field
import shield
import unaided
from course import Meters
from range import DNS4, ELSEWHERE, WEB4
from services import Services
from topology import PLATFORM4, USER4, USER_SOURCES, RangeError, Topology, step_aside

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "outage"))
import day  # noqa: E402  pylint: disable=wrong-import-position

UNABLE = 77
PPS = 20000
CALM_S, FLOOD_S, LEARN_S, SHIELDED_S, PAUSE_S, AGAIN_S = 5, 20, 12, 8, 4, 6
PEOPLE_S, SEEN_S, BACK_S = 8, 3, 10  # people come; a page that has turned is seen; it turns back, at most
ASKS = (WEB4, DNS4, ELSEWHERE)
ATTACK = field.Scenario("demo", PLATFORM4, ASKS, (), (), synth="ntp_reflection", rate=PPS)
NEW_USERS = sum(ask.rate for ask in ASKS)
BAR = 10
PLAIN = {"bold": "", "dim": "", "red": "", "green": "", "yellow": "", "end": ""}
COLOURS = {"bold": "\x1b[1m", "dim": "\x1b[2m", "red": "\x1b[31m", "green": "\x1b[32m", "yellow": "\x1b[33m",
           "end": "\x1b[0m"}
LEVELS = " ▁▂▃▄▅▆▇█"
LEFT_OUT = ("WHERE", "HOW SURE THAT IS", "WHAT IS NOT KNOWN")  # of what is said of a day
STATES = {"operational": "─", "degraded_performance": "▒", "partial_outage": "▓", "major_outage": "█"}
INTRODUCTION = f"""
  A site (nginx) and its name service (dnsmasq), some {NEW_USERS} new users a second who want something of
  them, four who stay (wrk), and somebody who sends {PPS:,} packets a second of an NTP reflection, from
  a capture. All are on this machine, in network namespaces that lead nowhere. Between them there is no
  line to fill, so the site is small on purpose: it takes {measure.BUDGET_PPS:,} packets a second, whoever's they are.
  The flood is twenty times that.

  The status page is on a host of its own ({demo_status.PAGE}, holdfast serve). Three places, in three
  networks, look at the site, every {demo_status.EVERY_S} s instead of the usual minute; people who cannot get in say so
  by the page's form. Nobody tells the page anything by hand.
"""


class Act(typing.NamedTuple):
    served: float
    wrk_rps: float


class Second(typing.NamedTuple):
    """What a line told."""
    at: float  # since the beginning
    came: int
    through: int
    served: float
    page: str


class Users:
    """Everybody who comes, told of as they are served."""

    def __init__(self, topology, client, seconds):
        self.topology, self.lock, self.answered, self.failed = topology, threading.Lock(), 0, 0
        self.running = [topology.begin(
            "users", client, ask.kind, ask.to, ask.port, f"rate={ask.rate}", f"ms={int(seconds * 1000)}", "tell=250",
            f"from={USER4}", f"sources={USER_SOURCES}", *([f"name={ask.name}"] if ask.name else []), tree=False,
            stdout=subprocess.PIPE, text=True) for ask in ASKS]
        for process in self.running:
            threading.Thread(target=self.listen, args=(process,), daemon=True).start()

    def listen(self, process):
        for line in process.stdout:
            said = json.loads(line)
            if "kind" not in said:
                with self.lock:
                    self.answered += said["answered"]
                    self.failed += said["failed"]

    def since_last(self):
        with self.lock:
            counts = self.answered, self.failed
            self.answered = self.failed = 0
        return counts

    def leave(self):
        for process in self.running:
            self.topology.end(process)


class Show:
    def __init__(self, topology, scratch, arguments):
        self.topology, self.scratch, self.arguments = topology, scratch, arguments
        self.colour = COLOURS if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else PLAIN
        self.width = shutil.get_terminal_size((120, 40)).columns
        self.began = time.monotonic()
        self.users, self.watch, self.known = None, None, {}
        self.status, self.page = None, "operational"  # who publishes; what the page said last
        self.seconds = []

    def say(self, text="", style="bold"):
        print(f"{self.colour[style]}{text}{self.colour['end']}" if text else "", flush=True)

    def heading(self, text):
        self.say()
        self.say(f"── {text} " + "─" * max(0, min(self.width, 100) - len(text) - 4))
        print(f"{self.colour['dim']}   time   users served        attack, packets/s          status page     Holdfast"
              f"{self.colour['end']}", flush=True)

    def clock(self):
        passed = time.monotonic() - self.began
        return f"{int(passed) // 60:02}:{int(passed) % 60:02}"

    def second(self, before, took):
        """A line; what it is made of."""
        now = measure.counters(self.topology)
        counted = measure.since(before, now)
        came, through = (round(counted[f"attack_{what}"] / took) for what in ("sent", "arrived"))
        through = min(came, through)  # one counter is read a moment after the other
        answered, failed = self.users.since_last()
        part = answered / (answered + failed) if answered + failed else 0.0
        full = round(part * BAR)
        style = "green" if part > 0.98 else "yellow" if part > 0.6 else "red"
        text = f"{came:>6,} come {through:>6,} pass" if came else f"{'–':>6}"
        colour = self.colour
        line = f"{colour[style]}{'█' * full}{'░' * (BAR - full)} {100 * part:5.1f} %{colour['end']}"
        passing = "red" if came and through > 0.05 * came else "green" if came else "dim"
        page = demo_status.WORDS[self.page]
        print(f"  {self.clock()}  {line}   {colour[passing]}{text:<25}{colour['end']}  "
              f"{colour['green' if page == 'operational' else 'red']}{page:<14}{colour['end']}  {self.word()}",
              flush=True)
        self.seconds.append(Second(time.monotonic() - self.began, came, through, part, self.page))
        return now, (answered, failed)

    def word(self):
        if not self.watch:
            return f"{self.colour['dim']}not there{self.colour['end']}"
        status = self.watch.latest or {}
        under = [found for found in status.get("attacks", ()) if not found["over"]]
        if not under:
            rules = sum(len(found["rules"]) for found in status.get("attacks", ()))
            return "watches" + (", its rules stay armed" if rules else "")
        acting = [rule for found in under for rule in found["rules"] if rule["state"] in ("enforced", "armed")]
        what = ", ".join(sorted({spoken(found["vector"]) for found in under}))
        dropped = (status.get("rates") or {}).get("dropped", 0)
        many = f"{what}: {len(acting)} rule{'' if len(acting) == 1 else 's'}"
        return f"{many}, drops {dropped:,}/s" if dropped else f"{many}, nothing to drop"

    def event(self, text):
        print(f"{self.colour['bold']}         ▸ {text}{self.colour['end']}", flush=True)

    def events(self):
        """What the page has come to say, and what Holdfast has found, since it was last asked."""
        if self.status.latest != self.page:
            self.page = self.status.latest
            self.event(f"the status page turns by itself: {demo_status.WORDS[self.page]}")
        for found in list(self.watch.attacks.values()) if self.watch else ():
            if found["id"] not in self.known:
                self.known[found["id"]] = set()
                self.event(f"sees an attack: {spoken(found['vector'])} on {found['target']}")
            for rule in found["rules"]:
                key = rule["id"], rule["state"]
                if rule["id"] and rule["state"] == "enforced" and key not in self.known[found["id"]]:
                    self.known[found["id"]].add(key)
                    bound = rule.get("bound_ppm")
                    cost = "" if bound is None else f"; costs at most {bound / 10000:.2f} % of normal packets"
                    self.event(f"{rule['action']}s  {rule['match']}{cost}")

    def act(self, seconds, capture=None, enough=None):
        """So many lines; users answered and failed in it, and requests a second of those who stay. `enough`: what the
        page is waited for to say, and SEEN_S more."""
        regulars = measure.Regulars(self.topology, self.scratch, PLATFORM4)
        flood = attack.replay(self.topology, capture, PPS, seconds, steady=True) if capture else None
        total = [0, 0]
        before, since = measure.counters(self.topology), time.monotonic()
        end = since + seconds
        while since < end - 0.5:
            while time.monotonic() < min(since + 1, end):
                time.sleep(0.05)
                self.events()
            now = time.monotonic()
            before, counts = self.second(before, now - since)
            since = now
            if enough and enough(self.page):
                enough, end = None, min(end, now + SEEN_S)
            total = [total[0] + counts[0], total[1] + counts[1]]
        if flood:
            self.topology.end(flood)
        return Act(total[0] / max(1, sum(total)), regulars.leave())


def spoken(vector):
    """As one says it: "NTP reflection"."""
    words = vector.split("_")
    known = {"ntp", "dns", "udp", "tcp", "syn", "ack", "icmp"}
    return " ".join(word.upper() if word in known else word for word in words)


def show(arguments, scratch, topology):
    stage = Show(topology, scratch, arguments)
    measure.install(topology)
    topology.set("platform", "ipv4/tcp_syncookies", "1")
    services = Services(topology, scratch, arguments.echo,
                        log=f"syslog:server={demo_status.STATUS4}:{demo_status.LOG_PORT}")
    capture = attack.prepare(ATTACK, arguments.synth, scratch)
    stage.say("\nHoldfast: a site under attack, in about a minute and a half")
    print(INTRODUCTION)
    seconds = CALM_S + FLOOD_S + LEARN_S + BACK_S + SHIELDED_S + PAUSE_S + AGAIN_S + 60
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(shield.Daemon(topology, scratch, arguments.holdfast))
        unaided.Live(daemon)  # enforces
        stage.status = stack.enter_context(demo_status.Status(topology, scratch, daemon))
        stage.users = Users(topology, arguments.client, seconds)
        stage.began = time.monotonic()

        stage.heading("An ordinary day")
        calm = stage.act(CALM_S)
        stage.heading("A flood, and nobody to stop it")
        flooded = time.time()
        people = demo_status.People(topology)
        people.come_for(PEOPLE_S)
        without = stage.act(FLOOD_S, capture, lambda page: page != "operational")
        over = time.time()
        services.again()

        status = daemon.start()
        stage.watch = unaided.Watch(scratch / "run/control.sock")
        stage.watch.start()
        hook = status["interfaces"][0]["hook"]
        stage.heading(f"holdfast run, in mode enforce; nobody tells it anything (hook: {hook})")
        stage.act(LEARN_S)
        if stage.page != "operational":
            stage.act(BACK_S, enough=lambda page: page == "operational")
        people.leave()
        stage.heading("The same flood")
        meters = Meters(topology, arguments.meter)
        told = threading.Timer(SHIELDED_S - 2, lambda: screens.append(daemon.tell("status")))
        screens = []
        told.start()
        shielded = stage.act(SHIELDED_S, capture)
        told.join()
        stage.heading("It ends, and comes back")
        stage.act(PAUSE_S)
        again = stage.act(AGAIN_S, capture)
        course = meters.stop()
        stage.act(2)
        stage.users.leave()
        stage.watch.stop()
        daemon.stop()  # which ends what it has found; commands that ask for it need no daemon
        draw(stage)
        stage.say("── What the public is told " + "─" * 50 + "\n")
        print(f"  Of {people.tried} people who tried from home while nobody stopped the flood {people.failed} could "
              f"not get in; {people.reported} have said so by the form.\n", flush=True)
        demo_word.Word(stage, daemon, stage.status).tell(flooded, over)
        keep(scratch / "web/page", arguments.page)
        epilogue(stage, daemon, screens, (calm, without, shielded, again), course)


def level(value, most):
    """A column's eighths; what is not nothing can be seen."""
    return LEVELS[0] if value <= 0 else LEVELS[max(1, min(8, round(8 * value / most)))]


def draw(stage):
    """Attack, defence, users and page on one axis: a column is one of the lines above."""
    seconds = stage.seconds
    axis, at = "", 0
    while at < len(seconds):
        label = f"{int(seconds[at].at) // 60:02}:{int(seconds[at].at) % 60:02}"
        axis += f"{label:<10}"
        at += 10
    stage.say("\n── All of it on one axis, a column a second " + "─" * 33 + "\n")
    for name, style, cells in (
            ("flood that came", "dim", (level(second.came, PPS) for second in seconds)),
            ("flood that passed", "red", (level(second.through if second.came else 0, PPS) for second in seconds)),
            ("users served", "green", (level(second.served, 1) for second in seconds)),
            ("status page", "bold", (STATES.get(second.page, "?") for second in seconds))):
        print(f"  {name:<18} {stage.colour[style]}{''.join(cells)}{stage.colour['end']}")
    print(f"  {'':18} {axis.rstrip()}")
    print(f"  {'':18} the page: ─ operational, ▒ degraded, ▓ partial outage, █ major outage\n", flush=True)


def keep(page, place):
    """The page as it was published, for who wants to open it."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(page, place)


def epilogue(stage, daemon, screens, acts, course):
    print()
    stage.say("$ holdfast status        # as it stood in the middle of the flood")
    print(indented(screens[0] if screens else ""))
    for words, why in ((["incident", "latest"], "# what it was"),
                       (["report", "latest", "--html", str(stage.arguments.report)], "# the same, to forward")):
        stage.say(f"$ holdfast {' '.join(words)}        {why}")
        status, out, error = daemon.ask(*words)
        print(indented(out if status == 0 else f"exit {status}: {error}"))
    waves = [wave for wave in course.told() if wave["sent"] > PPS]
    stage.say("What came of it")
    print(f"  {'':31}{'peace':>10}{'without':>12}{'Holdfast':>12}{'once more':>12}")
    for name, values in (("new users served, %", [f"{100 * act.served:.1f}" for act in acts]),
                         ("wrk, requests a second", [f"{act.wrk_rps:.0f}" for act in acts])):
        print(f"  {name:31}{values[0]:>10}{values[1]:>12}{values[2]:>12}{values[3]:>12}")
    print()
    for wave, name in zip(waves, ("The first time", "When it came back")):
        reaction = wave["reaction_ms"]
        if reaction is None:
            print(f"  {name} more than 5 % of the flood passed all the time.")
        else:
            print(f"  {name} it took {reaction / 1000:.2f} s from the first packet until less than 5 % of the flood "
                  f"passed; then {wave['residual']:.2%}.")
    replay(stage)
    for what, path in (("The report of the flood", stage.arguments.report),
                       ("The status page", stage.arguments.page / "index.html"),
                       ("The same in French", stage.arguments.page / "fr/index.html"),
                       ("The day that was replayed", stage.arguments.day)):
        if path.exists():
            print(f"  {what + ':':27}{path.resolve()}")
    print()


def replay(stage):
    """What five minutes cannot show: an outage of a whole day, measured."""
    stage.say("\n── A whole day, replayed " + "─" * 53 + "\n")
    print("  An outage is measured by the five minutes and against weeks before, for which there was no time here.\n"
          "  So a day that never was is replayed, by the same commands: five weeks of users' reports, of which the\n"
          "  last day has trouble from 09:30 to 18:00, in three waves; attacks, the site's access log, and what\n"
          "  else happened. All of it is made up, and labelled by its date.\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-day-") as folder:
        told = True
        for line in day.replay(stage.arguments.holdfast, pathlib.Path(folder), stage.arguments.day):
            told = line not in LEFT_OUT and (told or line.startswith("$") or line.isupper())
            if line.startswith("$"):
                stage.say(line)
            elif told:
                print(f"  {line}" if line else "", flush=True)
    print()


def indented(text):
    return "\n".join(f"  {line}" if line else "" for line in text.rstrip().split("\n")) + "\n"


def unable(holdfast):
    """Why it cannot be shown here, or None."""
    why = field.unable()
    if not why and subprocess.run([holdfast, "help", "run"], check=False, capture_output=True).returncode:
        why = "this holdfast was built without the shield"
    if not why and subprocess.run(["unshare", "--mount", "--net", "mount", "-t", "bpf", "none", "/sys/fs/bpf"],
                                  check=False, capture_output=True).returncode:
        why = "this host permits no network namespaces, or no bpf file system (a container?)"
    return why


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("holdfast", "synth", "client", "echo", "meter"):
        parser.add_argument(name, type=os.path.abspath)
    parser.add_argument("--report", type=pathlib.Path, default="holdfast-demo.html")
    parser.add_argument("--page", type=pathlib.Path, default="holdfast-demo-status")
    parser.add_argument("--day", type=pathlib.Path, default="holdfast-demo-day.html")
    arguments = parser.parse_args()
    arguments.page, arguments.day = arguments.page.resolve(), arguments.day.resolve()
    why = unable(arguments.holdfast)
    if why:
        print(f"demo: {why}.", flush=True)
        return UNABLE
    step_aside()
    for path in (arguments.report, arguments.day):
        path.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-demo-")))
        scratch.chmod(0o755)
        show(arguments, scratch, stack.enter_context(Topology(others=True)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ndemo: interrupted; what it made is gone.")
        sys.exit(130)
    except RangeError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(1)
