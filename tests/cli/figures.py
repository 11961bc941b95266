# SPDX-License-Identifier: Apache-2.0
"""Where the figures on a page come from: each number that people read is looked for in a bundle of evidence.

A number is told when it stands in the bundle's JSON (as a number, or in a text that is told as it stands), or is
derived from what stands there by one of RULES. What is left over is returned.
"""
import datetime
import html
import json
import re

# A number with its unit, a date or a time. A figure within a word (r1, c1, UTF-8, AS64508, an address) is its name.
TOKEN = re.compile(r"(?<![\w.:/-])(\d[\d,]*(?:\.\d+)?)(?:[ \u00a0]?(%|[kMGT]?(?:pps|bit/s|B)\b|µs|ms|s\b|min|h\b|d\b))?"
                   r"(?![\w:-]|\.\d|/\d)")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
SCALES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
TIMES = {"µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}
# Fixed words: the confidence of all intervals, what a peak and a network are, steps of the map's legend.
WORDS = {"95", "100", "1", "5", "20", "50", "24", "48", "10"}


def page_text(page):
    """
    What is told by a page in HTML; the scales beside its plots are rulers, which round numbers are on. The lanes of the
    picture are means over its points, which tests/unit/test_picture.c and tests/outage hold to what went in.
    """
    page = re.sub(r"<details>\s*<summary>The numbers behind the picture.*?</details>|"
                  r"<p class=\"lane-(?:top|name)\".*?</p>|<div class=\"lane times\".*?</div>", " ", page,
                  flags=re.DOTALL)
    page = re.sub(r"<style.*?</style>|<svg.*?</svg>|<div class=\"axis-[xy]\".*?</div>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def seconds(time):
    return datetime.datetime.fromisoformat(time[:26].rstrip("Z")).timestamp()


class Source:
    """All numbers and durations of a bundle, and sums of its trace's rows."""

    def __init__(self, members):
        self.numbers, self.durations, self.lists, self.shares = set(), set(), set(), set()
        self.texts = []
        for name, octets in members.items():
            lines = octets.decode().splitlines() if name.endswith(".jsonl") else [octets.decode()] \
                if name.endswith(".json") else []
            for line in lines:
                self.take(json.loads(line))
        trace = json.loads(members["trace.json"])
        self.numbers.add(trace["cost"]["gbps"] * 1e9)
        self.rounded = {n for n in self.numbers if n != int(n)}
        self.take_rows(trace)
        self.words = " ".join(self.texts)

    def take(self, value):
        if isinstance(value, dict):
            for each in value.values():
                self.take(each)
            self.take_durations(value)
        elif isinstance(value, list):
            self.lists.add(len(value))
            for each in value:
                self.take(each)
        elif isinstance(value, str):
            self.texts.append(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.numbers.add(float(value))

    def take_durations(self, members):
        """What an object says of how long something lasted: two times, or a number with its unit in its name."""
        for first, last in (("began", "ended"), ("first", "last"), ("began", "detected")):
            if TIME.fullmatch(str(members.get(first))) and TIME.fullmatch(str(members.get(last))):
                self.durations.add(seconds(members[last]) - seconds(members[first]))
        for name, unit in (("detection_delay_ms", 1e-3), ("quartile_s", 1), ("hours", 3600)):
            if isinstance(members.get(name), (int, float)):
                self.durations.add(members[name] * unit)

    def take_rows(self, trace):
        """Shares of places by the rows, added up anew: what all databases say, and what any does."""
        for of in ("sources", "packets"):
            whole = trace["located_" + of]
            rows = trace["rows"]
            for code in {code for row in rows for code in row["countries"]} - {""}:
                for agree in (all, any):
                    part = sum(row[of] for row in rows
                               if any(row["countries"]) and agree(code == said for said in row["countries"] if said))
                    self.shares.add(part / whole)
            for number in {row["network"] for row in rows} - {None, "others"}:
                self.shares.add(sum(row[of] for row in rows if row["network"] == number) / whole)
            self.shares.add(whole / trace[of] if trace[of] else 0)


def near(value, shown, sources):
    """Whether one of them is told so: to the last digit that is shown, up or down."""
    step = 10.0 ** -(len(shown.split(".")[1]) if "." in shown else 0)
    return any(abs(value - source) < step * 1.000001 for source in sources)


def is_told(shown, unit, text, source):
    value = float(shown.replace(",", ""))
    if text.replace("\u00a0", " ") in source.words:
        return True
    if unit == "%":
        return near(value, shown, [100 * n for n in source.numbers if 0 <= n <= 1]) or \
            near(value, shown, [100 * n for n in source.shares])
    if unit in TIMES:
        return near(value, shown, [n / TIMES[unit] for n in source.durations])
    if unit:
        scale = SCALES.get(unit[0], 1)
        return near(value, shown, [n / scale for n in source.numbers])
    if "." in shown:
        return near(value, shown, source.numbers)
    return value in source.numbers or value in source.lists or near(value, shown, source.rounded)


# What is derived, and from what; is_told() and Source do it.
RULES = (
    "a share in per cent: of a member from 0 to 1, or of the trace's rows added up by country or network",
    "a time that something lasted: between the two times of an object, or a member with its unit in its name",
    "a rate or size in k, M, G: of a member, to the digits that are shown; cost.gbps is in Gbit/s",
    "how many there are: the length of a list",
    "a text that is told as it stands, and the numbers in it",
    "fixed words: WORDS",
    "of a whole report, rates over time and what else only the stream has: what 'analyze stream.hfs' tells anew",
)


def untold(page, members, replayed=""):
    """
    Numbers on the page that come from nowhere, with what stands around them. `replayed`: a page that was made of the
    bundle's own stream.
    """
    source = Source(members)
    again = {match.group(0) for match in TOKEN.finditer(replayed)}
    dates = {time[:10] for time in source.texts if TIME.fullmatch(time)}
    clocks = {time[11:19] for time in source.texts if TIME.fullmatch(time)}
    found = []
    text = page
    for date in dates:
        text = text.replace(date, " ")
    for clock in sorted(clocks | {clock[:5] for clock in clocks}, key=len, reverse=True):
        text = text.replace(clock, " ")
    for match in TOKEN.finditer(text):
        shown, unit = match.groups()
        around = text[max(0, match.start() - 60):match.end() + 30].replace("\n", " ")
        if shown in WORDS or match.group(0) in again or is_told(shown, unit, match.group(0), source):
            continue
        found.append(f"{match.group(0)!r} in {around!r}")
    return found
