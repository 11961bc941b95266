#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""prices.py PRICES.json OUT.c: the table of prices (src/trace/cost.h) as C. What is wrong with a row ends the build; the same
is asked of a file that a configuration names (cost_price_wrong())."""
import json
import re
import sys

PER = {"gbps_hour": "COST_PER_GBPS_HOUR", "hour": "COST_PER_HOUR", "day": "COST_PER_DAY", "attack": "COST_PER_ATTACK"}
MEMBERS = {"what", "per", "low", "mid", "high", "up_to_gbps", "date", "source"}


def row(price: dict) -> str:
    assert set(price) == MEMBERS, f"members are {sorted(MEMBERS)}"
    assert 0 < price["low"] <= price["mid"] <= price["high"], "0 < low <= mid <= high"
    assert price["up_to_gbps"] >= 0, "up_to_gbps is not below 0"
    assert price["source"].startswith("https://"), "the source is an address"
    assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", price["date"]), "the date is a year, month or day"
    for member, size in ("what", 160), ("source", 160), ("date", 16):
        assert 0 < len(price[member].encode()) < size, f"{member} is empty or too long"
    text = {m: json.dumps(price[m], ensure_ascii=True) for m in ("what", "source", "date")}
    return (f"\t{{ {PER[price['per']]}, {price['low']!r}, {price['mid']!r}, {price['high']!r}, {price['up_to_gbps']!r}, "
            f"{text['what']}, {text['source']}, {text['date']} }},\n")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        prices = json.load(file)
    assert prices["schema"] == "holdfast.prices/1" and 1 <= len(prices["prices"]) <= 32
    rows = []
    for at, price in enumerate(prices["prices"], 1):
        try:
            rows.append(row(price))
        except (AssertionError, KeyError, TypeError) as wrong:
            sys.exit(f"{sys.argv[1]}: price {at}: {wrong}")
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by data/prices.py. */\n"
                  '#include "trace/cost.h"\n\nstatic const struct cost_price prices[] = {\n' + "".join(rows) +
                  "};\n\nconst struct cost_price *cost_prices(uint32_t *count)\n{\n"
                  "\t*count = sizeof(prices) / sizeof(prices[0]);\n\treturn prices;\n}\n")


main()
