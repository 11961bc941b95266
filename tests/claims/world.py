# SPDX-License-Identifier: Apache-2.0
"""Fictional incidents of which the truth is known: world(seed) makes one.

It shares no code with what judges claims; it has a world of its own, with true places, senders and clocks, and looks at
that world through instruments that err: country databases that misplace whole networks and single addresses, some
errors being copied from one to the other; counters that estimate; outages that are measured to the minute. What comes
out is a trace ("holdfast.trace/1"), a context of outages and events, and predicates, each with what is true.

A claim is (predicate, truth, clear): `truth` True, False, or None where nobody could know; `clear` says that the
evidence is meant to decide it, so that only one verdict is right; else only the wrong side is wrong.
"""
import math
import random

COUNTRIES = ["AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH", "II", "JJ", "KK", "LL", "MM", "NN", "OO", "PP"]
ABSENT = "ZZ"  # a country from which nobody sent
BEGAN = 1773135900  # 2026-03-10T09:45:00Z
DAY = 86400
MARKED = ["mirai", "loic", "hoic"]


def rfc3339(seconds):
    """Whole and milliseconds."""
    whole = int(math.floor(seconds))
    days, rest = divmod(whole, DAY)
    # Howard Hinnant's civil_from_days, by its published description.
    z = days + 719468
    era, doe = divmod(z, 146097)
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    day, month = doy - (153 * mp + 2) // 5 + 1, mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (month <= 2)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z" % (year, month, day, rest // 3600, rest // 60 % 60, rest % 60,
                                                       int((seconds - whole) * 1000))


class World:
    def __init__(self, seed, kind):
        self.r = random.Random(seed)
        self.seed = seed
        self.kind = kind
        self.claims = []
        self.intervals = []  # (predicate, true value): the interval is to cover it
        self.make()

    # ---- senders and where they are ----

    def make_networks(self):
        """Networks of all sizes, most in one country; one country has more than the others."""
        r = self.r
        main, second = r.sample(COUNTRIES, 2)
        share = r.uniform(0.05, 0.85)
        others = [c for c in COUNTRIES if c not in (main, second)]
        self.main, self.second = main, second
        self.networks = []
        for i in range(r.randrange(40, 300)):
            size = max(1, int(math.exp(r.gauss(2.2, 1.2))))
            home = main if r.random() < share else second if r.random() < 0.4 else r.choice(others)
            abroad = r.choice(COUNTRIES) if r.random() < 0.1 else None  # one in ten stands in two countries
            members = [abroad if abroad and r.random() < 0.2 else home for _ in range(size)]
            self.networks.append((64512 + i, members))

    def make_databases(self):
        r = self.r
        self.databases = [{"name": "fictional-%s" % chr(97 + d), "right": r.uniform(0.90, 0.99),
                           "unknown": r.uniform(0, 0.02)} for d in range(r.choice([1, 2, 2, 3]))]
        self.copied = r.choice([0.3, 0.3, 0.8])  # of a database's mistakes, what the next one repeats

    def wrong(self, true):
        return self.r.choice([c for c in COUNTRIES if c != true])

    def look_up(self):
        """What each database says of each sender: list of (network, true country, [answers])."""
        r = self.r
        self.senders = []
        for number, members in self.networks:
            # Half of a database's mistakes are of whole networks; some are copied from the one before.
            whole = []
            for d, base in enumerate(self.databases):
                miss = self.wrong(members[0]) if r.random() < (1 - base["right"]) / 2 else None
                if d and whole[d - 1] and r.random() < self.copied:
                    miss = whole[d - 1]
                whole.append(miss)
            for true in members:
                answers = []
                for d, base in enumerate(self.databases):
                    if r.random() < base["unknown"]:
                        answers.append("")
                    elif whole[d]:
                        answers.append(whole[d])
                    elif d and answers[d - 1] not in ("", true) and not whole[d - 1] and r.random() < self.copied:
                        answers.append(answers[d - 1])
                    else:
                        answers.append(self.wrong(true) if r.random() < (1 - base["right"]) / 2 else true)
                self.senders.append((number, true, answers, max(1, int(math.exp(r.gauss(3, 1))))))

    def rows(self, relays):
        rows = {}
        for number, _, answers, packets in self.senders:
            row = rows.setdefault((number, tuple(answers)), [0, 0])
            row[0] += 1
            row[1] += packets
        out = [{"network": n, "name": "Fictional network %d" % n, "reflectors": relays, "countries": list(a),
                "held": c, "sources": c, "packets": p, "octets": p * 500} for (n, a), (c, p) in rows.items()]
        out.sort(key=lambda x: (-x["sources"], x["network"], x["countries"]))
        return out

    def true_share(self, country, packets=False):
        weigh = (lambda s: s[3]) if packets else (lambda s: 1)
        return sum(weigh(s) for s in self.senders if s[1] == country) / sum(weigh(s) for s in self.senders)

    # ---- claims ----

    def claim(self, predicate, truth, clear=True):
        self.claims.append((predicate, truth, clear))

    def claim_places(self):
        largest = max(len(members) for _, members in self.networks)
        for country in (self.main, self.second, ABSENT, self.r.choice(COUNTRIES)):
            for packets in (False, True) if country == self.main else (False,):
                by = ", by=packets" if packets else ""
                share = self.true_share(country, packets)
                term = "share(country=%s%s)" % (country, by)
                self.intervals.append(("%s >= 0.5" % term, share))
                # Far from the truth, near it, and hardly beside it.
                for factor in (0.3, 0.8, 0.98, 1.02, 1.3, 3) if country == self.main else (0.7, 1.02, 3):
                    threshold = share * factor
                    if 0.005 < threshold < 0.995:
                        far = factor <= 0.3 or factor >= 3
                        self.claim("%s >= %.6f" % (term, threshold), share >= round(threshold, 6), far and
                                   share > 0.25 and not packets and len(self.networks) > 100 and
                                   largest < 0.08 * len(self.senders))
                        if factor in (0.98, 1.3):
                            self.claim("%s < %.6f" % (term, threshold), share < round(threshold, 6), False)
        self.claim("share(country=%s) >= 0.5" % ABSENT, False)
        self.claim("share(country=%s) < 0.4" % ABSENT, True)
        number, members = max(self.networks, key=lambda n: len(n[1]))
        share = len(members) / len(self.senders)
        self.intervals.append(("share(network=%d) >= 0.5" % number, share))
        self.claim("share(network=AS%d) >= %.6f" % (number, share * 0.5), True, len(members) > 50)
        self.claim("share(network=%d) >= %.6f" % (number, min(0.99, share * 2)), False, len(members) > 50)
        self.claim("share(network=65000) >= 0.2", False)
        countries = len({s[1] for s in self.senders})
        self.claim("count(countries) >= 40", False)
        self.claim("count(countries) > %d" % (countries // 4), True)
        self.claim("count(networks) = %d" % len(self.networks), True)
        self.claim("count(networks) >= %d" % (2 * len(self.networks)), False)

    def claim_no_places(self):
        for country in (self.main, self.second, ABSENT):
            self.claim("share(country=%s) >= 0.1" % country, None)
            self.claim("share(country=%s) < 0.1" % country, None)
        self.claim("share(network=64512) >= 0.01", None)
        self.claim("count(countries) >= 1", None)
        self.claim("count(sources) >= 1000", None)
        self.claim("coordinated", None)
        self.claim("spoofed or share(country=%s) >= 0.1" % self.main, None)
        self.claim("not (share(country=%s) >= 0.1 and amplified)" % self.main, None)

    # ---- forged or not ----

    def make_spoofing(self):
        r = self.r
        forged = self.kind == "forged"
        relays = self.kind == "relays"
        left = r.uniform(0, 0.1)
        shares = {"spoofed": 0.0, "verified": 0.0, "reflectors": 0.0, "undetermined": left}
        shares["spoofed" if forged else "reflectors" if relays else "verified"] = 1 - left
        says = "spoofed" if forged else "reflectors" if relays else "verified"
        tests = [{"name": n, "value": 1.0, "expected": 0.0, "says": says, "text": "%s say so, in this fiction" % n}
                 for n in (["uniformity", "repeats"] if forged else ["handshakes", "resets"])]
        self.spoofing = {"verdict": says, "packets": shares, "sources": dict(shares), "tests": tests,
                         "reasons": ["so it was made up"]}
        self.claim("spoofed", forged)
        self.claim("not spoofed", not forged)
        self.claim("amplified", relays)

    # ---- how many, how large, how long ----

    def make_size(self):
        r = self.r
        n = len(self.senders)
        seen = [[r.random() < 0.7 for _ in range(2)] for _ in range(n)]  # two waves, each with seven in ten
        first, second = (sum(s[w] for s in seen) for w in range(2))
        both, any_ = sum(all(s) for s in seen), sum(any(s) for s in seen)
        chapman = (first + 1) * (second + 1) / (both + 1) - 1
        spread = math.sqrt((first + 1) * (second + 1) * (first - both) * (second - both) /
                           ((both + 1) ** 2 * (both + 2)))
        estimate = int(any_ * r.gauss(1, 0.008))
        self.in_all = estimate
        self.size = {"known": self.kind != "forged", "at_once": first, "in_all": estimate, "chapman": chapman,
                     "chapman_low": chapman - 1.96 * spread, "chapman_high": chapman + 1.96 * spread, "chao1": None,
                     "devices": 0}
        if self.kind == "forged":
            self.size = {"known": False, "at_once": 0, "in_all": 0, "chapman": None, "chapman_low": None,
                         "chapman_high": None, "chao1": None, "devices": 0}
            return
        if r.random() < 0.5:
            self.size["devices"] = max(1, int(n * r.gauss(1, 0.05)))
            self.claim("count(devices) >= %d" % (n // 2), True)
            self.claim("count(devices) > %d" % (2 * n), False)
        else:
            self.claim("count(devices) >= 10", None)
        self.intervals.append(("count(sources) >= 5", n))
        for factor, clear in ((0.4, True), (0.8, False), (1.02, False), (1.3, False), (2.5, True)):
            self.claim("count(sources) >= %d" % (n * factor), n >= int(n * factor), clear)
        self.claim("count(sources) = %d" % (4 * n), False)

    def make_course(self):
        r = self.r
        self.seconds = r.choice([300, 1200, 3600, 4 * 3600])
        self.packets = sum(s[3] for s in self.senders)
        pps, bps = r.uniform(1e4, 5e6), r.uniform(1e7, 5e11)
        self.peak_pps, self.peak_bps = int(pps * r.gauss(1, 0.01)), int(bps * r.gauss(1, 0.01))
        for factor, clear in ((0.5, True), (0.97, False), (1.03, False), (2, True)):
            self.claim("size >= %d bps" % (bps * factor), factor <= 1, clear)
            self.claim("size < %d pps" % (pps * factor), factor > 1, clear)
            self.claim("duration >= %ds" % (self.seconds * factor), factor <= 1, clear)
        self.claim("duration = %ds" % self.seconds, True, self.seconds >= 1200)
        self.intervals.append(("size >= 1 bps", bps))
        self.intervals.append(("duration >= 1s", self.seconds))
        self.waves = r.randrange(1, 9)
        self.claim("count(waves) = %d" % self.waves, True)
        self.claim("count(waves) > %d" % self.waves, False)
        self.claim("count(packets) >= %d" % self.packets, True)
        self.claim("count(packets) > %d" % self.packets, False)
        # A price that was paid, of those that are asked.
        mid = math.exp(r.uniform(1, 9))
        self.cost = {"known": True, "hours": self.seconds / 3600, "gbps": bps / 1e9, "low": mid / 3, "mid": mid,
                     "high": mid * 3, "basis": "fictional prices"}
        paid = mid * math.exp(r.gauss(0, math.log(3) / 1.96))
        self.claim("cost >= %.2f" % (mid / 20), paid >= mid / 20)
        self.claim("cost >= %.2f" % (mid * 20), paid >= mid * 20)
        self.claim("cost >= %.2f" % mid, paid >= mid, False)
        self.intervals.append(("cost >= 1", paid))

    def make_vectors(self):
        r = self.r
        names = (["ntp_reflection", "dns_reflection"] if self.kind == "relays" else
                 ["syn_flood", "udp_flood"] if self.kind == "forged" else ["http_flood", "tcp_connection_flood"])
        part = r.uniform(0.55, 0.95)
        n = len(self.senders)
        self.vectors = [{"name": name, "packets": int(self.packets * p), "octets": int(self.packets * p * 500),
                         "sources": int(n * p), "spoofing": self.spoofing}
                        for name, p in zip(names, (part, 1 - part))]
        self.claim("share(vector=%s) >= %.4f" % (names[0], part * 0.8), True)
        self.claim("share(vector=%s) >= %.4f" % (names[1], part), False)
        self.claim("count(vectors) = 2", True)
        self.claim("count(vectors) < 2", False)
        # A tool, its marks in half of its packets or more.
        tool = r.choice(MARKED + [None])
        self.families = []
        if tool and self.kind != "relays":
            marked = r.uniform(0.5, 1)
            self.families = [{"name": tool, "mark": "a mark", "packets": int(self.packets * marked), "devices": 0}]
            other = [m for m in MARKED if m != tool][0]
            self.claim("family(%s)" % tool, True)
            self.claim("family(%s)" % other, False, self.packets > 200)
            self.claim("share(family=%s) >= %.4f" % (tool, marked * 0.8), True)
            self.claim("share(family=%s) >= 0.5" % other, False)
        elif self.kind == "relays":
            self.claim("family(mirai)", None)
            self.claim("share(family=mirai) >= 0.1", None)
        else:
            self.claim("family(mirai)", False, False)
        self.claim("family(a-tool-of-fiction)", None)

    # ---- together or one by one ----

    def make_coordination(self):
        r = self.r
        known = self.kind != "forged"
        commanded = r.random() < 0.5
        n = max(60, min(len(self.senders), 2000))
        if commanded:
            begins = [abs(r.gauss(0, 1.5)) for _ in range(n)]
            ends = [self.seconds + abs(r.gauss(0, 0.4)) for _ in range(n)]
        else:
            begins = [r.uniform(0, max(600, self.seconds)) for _ in range(n)]
            ends = [b + r.expovariate(1 / 90) for b in begins]

        def within(times, width):
            times, best, low = sorted(times), 0, 0
            for high, t in enumerate(times):
                while t - times[low] > width:
                    low += 1
                best = max(best, high - low + 1)
            return best / len(times)

        over = max(max(begins), 600.0)

        def expected(width):
            mean = n * width / over
            return min(1.0, (mean + 4 * math.sqrt(mean)) / n)

        quartile = sorted(begins)[3 * n // 4] - sorted(begins)[n // 4]
        lengths = [e - b for b, e in zip(begins, ends)]
        even = {"hhi": 0.01, "gini": 0.5, "top": 0.05}
        self.coordination = {
            "known": known, "onset": "unknown" if not known else "command" if quartile < 10 else "crowd",
            "sources": n if known else 0,
            "within_1s": within(begins, 1), "within_5s": within(begins, 5), "within_30s": within(begins, 30),
            "expected_1s": expected(1), "expected_5s": expected(5), "expected_30s": expected(30),
            "quartile_s": quartile, "ends_1s": within(ends, 1),
            "round_duration": sum(any(abs(x - t) < 0.02 * t for t in (60, 120, 300, 600)) for x in lengths) / n,
            "likeness": r.uniform(0.8, 1) if commanded else r.uniform(0.1, 0.3),
            "top_signature": r.uniform(0.6, 1) if commanded else r.uniform(0.05, 0.3), "overlaps": [],
            "by_network_sources": even, "by_network_packets": even, "by_country_sources": even,
            "by_country_packets": even}
        if known:
            self.claim("coordinated", commanded)
            self.claim("not coordinated", not commanded)

    # ---- outages ----

    def make_outage(self):
        r = self.r
        cause = r.choice(["attack", "change", "provider", "unknown", "none", "unmeasured"])
        ended = BEGAN + self.seconds
        outages, events = [], []
        at = {"attack": BEGAN + r.uniform(0, 300), "change": BEGAN - 4 * 3600, "provider": ended + 3 * 3600,
              "unknown": BEGAN - 6 * 3600}
        length = r.uniform(1500, 3000)
        if cause == "attack":
            length = min(length, self.seconds + 900)
        if cause in at:
            begins, ends = at[cause], at[cause] + length
            # Measured minute by minute.
            outages.append({"began": rfc3339(begins + r.uniform(0, 50)), "ended": rfc3339(ends + r.uniform(-50, 50)),
                            "lost": r.uniform(0.3, 1)})
        if cause in ("change", "provider"):
            events.append({"kind": cause, "began": rfc3339(at[cause] - r.uniform(0, 200)),
                           "ended": rfc3339(at[cause] + length - 60)})
        if cause == "attack" and r.random() < 0.5:  # something else, on another day
            other = BEGAN - 2 * DAY
            events.append({"kind": "change", "began": rfc3339(other), "ended": rfc3339(other + 600)})
        for named in ("attack", "change", "provider", "unknown"):
            if cause in at:
                self.claim("cause = %s" % named, named == cause)
            else:
                self.claim("cause = %s" % named, "open")
        if cause in at:
            begins, ends = at[cause], at[cause] + length
            before, behind, later = (rfc3339(t)[:16] + "Z" for t in (begins - 600, ends + 600, ends + 7200))
            self.claim("outage within %s..%s" % (before, behind), True)
            self.claim("outage within %s..%s" % (behind, later), False)
        if cause == "attack":
            self.claim("outage", True)
            self.claim("outage >= %ds" % (length * 0.5), True)
            self.claim("outage >= %ds" % (length * 2), False)
        elif cause == "none":
            self.claim("outage", False)
        elif cause == "unmeasured":
            self.claim("outage", "open")
        self.context = {"watched": cause != "unmeasured", "outages": outages, "events": events,
                        "attack_passing": r.uniform(0.2, 0.9) if cause == "attack" else r.choice([None, 0.001])}

    # ---- all of it ----

    def make(self):
        r = self.r
        self.make_networks()
        self.make_databases()
        self.look_up()
        self.make_spoofing()
        self.make_size()
        self.make_course()
        self.make_vectors()
        self.make_coordination()
        self.make_outage()
        rows = [] if self.kind == "forged" else self.rows(self.kind == "relays")
        if self.kind == "forged":
            self.claim_no_places()
            if r.random() < 0.5:  # whoever made this trace was mistaken: what was forged stands in rows
                rows = self.rows(False)
        else:
            self.claim_places()
            self.claim("spoofed and share(country=%s) >= 0.5" % ABSENT, False)
            self.claim("spoofed or share(country=%s) < 0.4" % ABSENT, True)
        for truth in ("spoofed", "not spoofed", "count(waves) = %d" % self.waves):
            self.claim("actor = nobody-in-particular and %s" % truth, None)
            self.claim("actor = \"Nobody in particular\" or %s" % truth, None)
        self.claim("actor = nobody", None)
        self.claim("not actor = nobody", None)
        n = len(self.senders)
        self.trace = {
            "schema": "holdfast.trace/1", "incident": "%016x" % (self.seed + 1), "began": rfc3339(BEGAN),
            "ended": rfc3339(BEGAN + self.seconds), "made": rfc3339(BEGAN + self.seconds + 60),
            "packets": self.packets, "octets": self.packets * 500, "sources": n, "peak_pps": self.peak_pps,
            "peak_bps": self.peak_bps, "waves": self.waves, "held": n, "observed": 1.0, "sources_sampled": False,
            "spoofing": self.spoofing, "vectors": self.vectors, "families": self.families,
            "coordination": self.coordination, "size": self.size, "cost": self.cost,
            "rank": {"of": 0, "pps": None, "bps": None, "duration": None, "sources": None},
            "databases": [{"kind": "countries", "name": d["name"], "licence": "CC0-1.0", "version": "1",
                           "sha256": "00" * 32, "built": rfc3339(BEGAN - 20 * DAY), "ipv4_only": False}
                          for d in self.databases] +
                         [{"kind": "networks", "name": "fictional-networks", "licence": "CC0-1.0", "version": "1",
                           "sha256": "11" * 32, "built": rfc3339(BEGAN - 20 * DAY), "ipv4_only": False}],
            "located_sources": sum(x["sources"] for x in rows), "located_packets": sum(x["packets"] for x in rows),
            "rows": rows}


def world(seed):
    return World(seed, ["botnet", "botnet", "relays", "forged"][seed % 4])
