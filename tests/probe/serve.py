#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py HOLDFAST: `holdfast serve` probes, a place elsewhere reports to it, and both are on record.

Speaks TAP; needs root.
"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

import servers

HOLDFAST = os.path.abspath(sys.argv[1])
WAIT = 60
KEY = "a-key-of-the-test-of-enough-octets"


def demand(condition, what):
    if not condition:
        raise AssertionError(what)


def counts(place):
    """By component, place and kind: good, bad, and the networks."""
    path = place / "state" / "holdfast.db"
    if not path.exists():
        return {}
    record = sqlite3.connect(path)
    try:
        rows = record.execute("SELECT component, vantage, kind, sum(good), sum(bad), max(network) FROM signal "
                              "GROUP BY component, vantage, kind").fetchall()
    except sqlite3.OperationalError:
        rows = []
    record.close()
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def told(place):
    """Of which components people have been told that their checks fail from here, and what fails."""
    try:
        known = json.loads((place / "state" / "serve-told.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [(check["component"], check["what"]) for check in known["checks"]]


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    print("1..1")
    with tempfile.TemporaryDirectory(prefix="holdfast-serve-") as folder:
        place = pathlib.Path(folder)
        place.chmod(0o755)
        port, dead = servers.free_port(), servers.free_port()
        site = servers.Rogue(servers.good)
        key = place / "key"
        key.write_text(KEY + "\n")
        key.chmod(0o600)
        checks = f"""
  every: 10s
  canaries: ["http://127.0.0.1:{site.port}/"]
  checks:
    - {{ name: up, component: site, target: "http://127.0.0.1:{site.port}/" }}
    - {{ name: gone, component: login, target: "tcp://127.0.0.1:{dead}" }}
"""
        (place / "home.yaml").write_text(f"""
user: nobody
state_dir: {place}/state
run_dir: {place}/run
public:
  listen: ["127.0.0.1:{port}"]
  vantages: [{{ name: paris-1, network: 64496, key_file: {key} }}]
probes:
  vantage: here
  network: 64500{checks}""")
        (place / "away.yaml").write_text(f"""
probes:
  vantage: paris-1
  network: 1
  home: http://127.0.0.1:{port}
  key_file: {key}{checks}""")
        with open(place / "log", "w+", encoding="utf-8") as log:
            roles = [subprocess.Popen([HOLDFAST, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                     for words in (["serve", "--config", str(place / "home.yaml")],
                                   ["probe", "--run", "--config", str(place / "away.yaml")])]
            try:
                end = time.monotonic() + WAIT
                while time.monotonic() < end and all(role.poll() is None for role in roles):
                    got = counts(place)
                    if told(place) and all((component, vantage, kind) in got for component in ("site", "login")
                                           for vantage in ("here", "paris-1") for kind in ("probe", "canary")):
                        break
                    time.sleep(0.2)
                for role in reversed(roles):
                    role.terminate()
                ended = [role.wait(20) for role in roles]
                said = (place / "log").read_text()
                got = counts(place)
                for vantage, network in (("here", 64500), ("paris-1", 64496)):
                    up, gone = got["site", vantage, "probe"], got["login", vantage, "probe"]
                    demand(up[0] > 0 and up[1] == 0 and gone[0] == 0 and gone[1] > 0, got)
                    demand(up[2] == gone[2] == network, f"the network is not home's: {got}")
                    demand(got["site", vantage, "canary"][0] > 0 and got["site", vantage, "canary"][1] == 0, got)
                demand(ended == [0, 0], (ended, said))
                demand("prober: 1 of 2 checks fails: gone, " in said, said)
                demand(told(place) == [("login", "gone, refused the connection")], told(place))
                print("ok 1 - counts of both places are on record")
                return 0
            except Exception as wrong:  # noqa: BLE001: it is told
                print(f"not ok 1 - counts of both places are on record\n# {type(wrong).__name__}: {wrong}")
                print("# " + (place / "log").read_text().replace("\n", "\n# "))
                print("# " + json.dumps([list(row) for row in counts(place)]))
                return 1
            finally:
                for role in roles:
                    role.kill()
                    role.wait()
                site.stop()


if __name__ == "__main__":
    sys.exit(main())
