#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""geo.py HOLDFAST: databases of countries are brought, listed and asked. Speaks TAP.

A registry of our own listens on loopback, and what it serves is right or wrong in one way each. Hostile databases, made
by tests/geo/mmdb.py, must each be refused or answered within SECONDS and MEMORY. MaxMind's own test databases, in
HOLDFAST_DATA, must say what their sources say; and the addresses of two captures what the golden lists beside them say,
by the iptoasn-country database in HOLDFAST_GEO, a folder that `holdfast geo update` filled. Where one of these is
missing, that is said and skipped.
"""
import base64
import csv
import gzip
import hashlib
import http.server
import io
import ipaddress
import json
import os
import pathlib
import re
import resource
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "geo"))
import mmdb  # noqa: E402

DONE, BAD, USAGE = 0, 1, 2
SECONDS = 60
MEMORY = 1 << 30  # octets of address space, where no sanitizer wants more
DATA = pathlib.Path(os.environ.get("HOLDFAST_DATA", ROOT.parent / "shared" / "data"))
GEO = os.environ.get("HOLDFAST_GEO", "/var/lib/holdfast/geo")
SCOPE = "@ip-location-db/"
HOLDFAST = sys.argv[1]
SANITIZED = any(name.endswith("SAN_OPTIONS") for name in os.environ)


def bound():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


# Whom this host trusts, as curl finds them; a test's mount namespace has others there.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def run(*words, trusting=None):
    """Exit status, standard output, standard error; `trusting`: a file of authorities in place of this host's."""
    before = [] if not trusting else [
        "unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount", "--propagation", "private",
        "sh", "-c", f'mount --bind "$1" {AUTHORITIES} && shift && exec "$@"', "sh", str(trusting)]
    environment = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS") or name == "PATH"}
    done = subprocess.run([*before, HOLDFAST, "geo", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, env=environment, timeout=SECONDS, preexec_fn=bound)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def demand(condition, what):
    if not condition:
        raise AssertionError(what)


def expect(answer, status, out=None, error=None):
    """Patterns of all that is written; None: nothing is."""
    demand(answer[0] == status, f"exit {answer[0]}, wanted {status}: {answer[2][:500]}")
    for name, text, wanted in (("output", answer[1], out), ("error", answer[2], error)):
        demand(wanted is not None or not text, f"standard {name} has {text[:500]!r}")
        demand(not wanted or re.search(wanted, text, re.DOTALL),
               f"standard {name} has {text[:500]!r}, wanted {wanted!r}")
    return answer


def look_up(folder, addresses):
    """{address: (countries, network, name)}, {database's name: its place among countries}."""
    status, out, error = run("look-up", "--json", "--geo", folder, *addresses)
    demand(status == DONE, f"exit {status}: {error}")
    answer = json.loads(out)
    demand(answer["schema"] == "holdfast.geo_look_up/1", answer["schema"])
    names = [d["name"] for d in answer["databases"] if d["kind"] == "countries"]
    found = [(tuple(a["countries"]), a["network"], a["network_name"]) for a in answer["addresses"]]
    return dict(zip(addresses, found)), names


# ---- a registry ----

def packed(files, cut=None):
    """A package's archive; `files` are names and octets, or members as tarfile has them."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, octets in files:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(octets)
            archive.addfile(member, io.BytesIO(octets))
    return whole.getvalue()[:cut]


def link(name, to):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, to
    return member


def country_database(code):
    made = mmdb.Database(128)
    made.put("192.0.2.0/24", made.record({"country_code": code}))
    made.put("2001:db8::/32", made.record({"country_code": code}))
    return made.finish()


def integrity(octets):
    return "sha512-" + base64.b64encode(hashlib.sha512(octets).digest()).decode()


ENDLESS = 256 << 20


class Registry(http.server.BaseHTTPRequestHandler):
    """`answers`: {path: (status, headers, octets)}; octets None: without end, of which `sent` were."""
    answers, asked, sent = {}, [], 0

    def do_GET(self):
        self.asked.append(self.path)
        status, headers, octets = self.answers.get(self.path, (404, {}, b"none"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and octets is not None:
            self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        try:
            while octets is None and Registry.sent < ENDLESS:
                self.wfile.write(b" " * 65536)
                Registry.sent += 65536
            self.wfile.write(octets or b"")
        except OSError:
            pass  # who asked has heard enough

    def log_message(self, *_):
        pass


class Server:
    def __init__(self, certificate=None):
        """`certificate`: a file of one of localhost, its key beside it; then by https."""
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{certificate}.crt", certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            self.server.handle_error = lambda *_: None  # that hands are not shaken is part of the test
            self.url = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, package, archive, version="1.0.0", sum_of=None, **changes):
        path = f"/{package}-{version}.tgz"
        described = {"name": SCOPE + package, "version": version, "license": "CC0-1.0",
                     "dist": {"integrity": integrity(archive if sum_of is None else sum_of),
                              "tarball": self.url + path}}
        dist = changes.pop("dist", {})
        described = described | changes
        described["dist"] = described["dist"] | dist
        octets = json.dumps(described).encode()
        for word in (version, "latest"):
            Registry.answers[f"/@ip-location-db%2f{package}/{word}"] = (200, {}, octets)
        Registry.answers[path] = (200, {}, archive)


SERVER = Server()


def update(folder, *packages):
    return run("update", "--to", folder, "--from", SERVER.url, *packages)


def right_ones(folder):
    SERVER.publish("first-country-mmdb", packed([("package/package.json", b"{}"), ("package/README.md", b"x" * 70000),
                                                 ("package/first-country.mmdb", country_database("UA"))]))
    SERVER.publish("second-country-mmdb", packed([("package/second-country.mmdb", country_database("US"))]))
    SERVER.publish("asn", packed([("package/asn-ipv4.csv", b'192.0.2.0,192.0.2.255,64496,"Example, Inc."\n'),
                                  ("package/asn-ipv6.csv", b"2001:db8::,2001:db8::ff,64497,Second\n")]))
    place = folder / "new" / "geo"
    expect(update(place, "first-country-mmdb", "second-country-mmdb", "asn@1.0.0"), DONE,
           "first-country.mmdb: brought, version 1.0.0\nsecond-country.mmdb: brought.*\nasn.csv: brought")
    demand(sorted(p.name for p in place.iterdir()) == ["asn.csv", "first-country.mmdb", "manifest.json",
                                                       "second-country.mmdb"], list(place.iterdir()))
    demand((place / "asn.csv").stat().st_mode & 0o777 == 0o644, "the engine could not read it")
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    demand(manifest["schema"] == "holdfast.geo/1" and len(manifest["databases"]) == 3, manifest)
    for entry in manifest["databases"]:
        octets = (place / entry["file"]).read_bytes()
        demand(entry["sha256"] == hashlib.sha256(octets).hexdigest() and entry["octets"] == len(octets), entry)
    found, names = look_up(place, ["192.0.2.1", "2001:db8::1", "198.51.100.1"])
    demand(names == ["first-country", "second-country"], names)
    demand(found == {"192.0.2.1": (("UA", "US"), 64496, "Example, Inc."),
                     "2001:db8::1": (("UA", "US"), 64497, "Second"),
                     "198.51.100.1": ((None, None), None, None)}, found)
    expect(run("look-up", "--geo", place, "192.0.2.1"), DONE,
           "^192.0.2.1\n  first-country   UA\n  second-country  US\n  asn             AS64496 Example, Inc.\n$")
    expect(run("look-up", "--geo", place, "198.51.100.1"), DONE, "first-country   unknown.*asn             unknown\n$")
    expect(run("list", "--geo", place), DONE, "first-country\n  says       countries\n  built      2026-05-28\n"
           "  version    1.0.0\n  licence    CC0-1.0\n  SHA-256    [0-9a-f]{64}\n.*asn\n  says       networks\n")
    expect(run("list", "--json", "--geo", place), DONE, '"holdfast.geo_list/1".*"licence": "CC0-1.0"')


def newer_ones_and_those_that_are_there(folder):
    right_ones(folder)
    place = folder / "new" / "geo"
    del Registry.asked[:]
    expect(update(place, "first-country-mmdb"), DONE, "^first-country.mmdb: version 1.0.0 is there\n$")
    demand(len(Registry.asked) == 1, Registry.asked)
    SERVER.publish("first-country-mmdb", packed([("package/first-country.mmdb", country_database("BR"))]), "1.1.0")
    expect(update(place, "first-country-mmdb"), DONE, "brought, version 1.1.0")
    # Of lines, the version's last part says when they were made.
    SERVER.publish("asn", packed([("package/asn-ipv4.csv", b"192.0.2.0,192.0.2.255,64496,x\n"),
                                  ("package/asn-ipv6.csv", b"")]), "2.3.2026061719")
    expect(update(place, "asn"), DONE, "brought")
    expect(run("list", "--geo", place), DONE, "asn\n  says       networks, of IPv4 only\n  built      2026-06-17\n")
    demand(look_up(place, ["192.0.2.1"])[0]["192.0.2.1"][0] == ("BR", "US"), "the older one is asked")
    # What was changed behind its back is brought again, and is not called what it no longer is.
    (place / "first-country.mmdb").write_bytes(country_database("MX"))
    answer = expect(run("list", "--json", "--geo", place), DONE, "first-country")
    demand([d["version"] for d in json.loads(answer[1])["databases"]] == [None, "1.0.0", "2.3.2026061719"], answer)
    expect(update(place, "first-country-mmdb"), DONE, "brought, version 1.1.0")
    (place / "manifest.json").write_text("[", encoding="utf-8")
    expect(run("list", "--geo", place), BAD, "first-country", "manifest.json: cannot be read as JSON")
    expect(update(place, "first-country-mmdb"), DONE, "brought")


def wrong_packages(folder):
    """Each is refused, and what is there stays."""
    good = packed([("package/first-country.mmdb", country_database("UA"))])
    SERVER.publish("first-country-mmdb", good)
    expect(update(folder, "first-country-mmdb"), DONE, "brought")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    cases = [
        ("the archive is refused: it does not have the hash", {"archive": good, "sum_of": good + b"x"}),
        ("the registry names no SHA-512", {"archive": good, "dist": {"integrity": "sha1-AAAA"}}),
        ("no description of this package", {"archive": good, "dist": {"integrity": None}}),
        ("no description of this package", {"archive": good, "name": "@ip-location-db/other"}),
        ("no description of this package", {"archive": good, "version_said": "../../x"}),
        ("is no place that is fetched from", {"archive": good, "dist": {"tarball": "http://192.0.2.1/x.tgz"}}),
        ("is no place that is fetched from", {"archive": good, "dist": {"tarball": "file:///etc/passwd"}}),
        ("is no place that is fetched from", {"archive": good, "dist": {"tarball": "https://a@192.0.2.1/x"}}),
        ("cannot fetch .*: HTTP 404", {"archive": good, "dist": {"tarball": SERVER.url + "/none"}}),
        ("it is not packed with gzip", {"archive": b"PK" + good}),
        ("gzip data end too early|ends too early", {"archive": good[:-20]}),
        ("gzip", {"archive": good[:60] + b"\0" * 60 + good[120:]}),
        ("there is no package/first-country.mmdb in it", {"archive": packed([("package/other.mmdb", b"x")])}),
        ("there is no package/first-country.mmdb in it",
         {"archive": packed([("../first-country.mmdb", b"x"), ("/package/first-country.mmdb", b"x"),
                             ("package/../../evil", b"x"), (link("package/first-country.mmdb", "/etc/passwd"), b"")])}),
        ("it has a file twice", {"archive": packed([("package/first-country.mmdb", b"x")] * 2)}),
        ("what is in it is refused: first-country.mmdb: it has no metadata",
         {"archive": packed([("package/first-country.mmdb", b"not a database")])}),
        ("says nothing of countries", {"archive": packed([("package/first-country.mmdb", mmdb.of({}))])}),
        ("a file in it is larger than is taken",
         {"archive": packed([("package/first-country.mmdb", b"\0" * (129 << 20))])}),
        ("it has too many files", {"archive": packed([(f"package/{i}", b"") for i in range(1100)])}),
        ("it is no tar archive", {"archive": gzip.compress(b"x" * 2000)}),
    ]
    for wanted, made in cases:
        made = dict(made)
        archive = made.pop("archive")
        if "version_said" in made:
            SERVER.publish("first-country-mmdb", archive, version="9.9.9", **{"name": "x"})
            described = json.loads(Registry.answers["/@ip-location-db%2ffirst-country-mmdb/latest"][2])
            described |= {"name": SCOPE + "first-country-mmdb", "version": made["version_said"]}
            Registry.answers["/@ip-location-db%2ffirst-country-mmdb/latest"] = (200, {}, json.dumps(described).encode())
        else:
            SERVER.publish("first-country-mmdb", archive, "2.0.0", **made)
        expect(update(folder, "first-country-mmdb"), BAD, None, wanted)
        demand({p.name: p.read_bytes() for p in folder.iterdir()} == before, f"{wanted}: something has changed")


def wrong_registries(folder):
    path = "/@ip-location-db%2ffirst-country-mmdb/latest"
    for wanted, answer in [
            ("HTTP 302", (302, {"Location": SERVER.url + path}, b"")),
            ("HTTP 302", (302, {"Location": "file:///etc/passwd"}, b"")),
            ("HTTP 500", (500, {}, b"no")),
            ("no description", (200, {}, b"")),
            ("no description", (200, {}, b"[" * 100000)),
            ("no description", (200, {}, b'{"name": "@ip-location-db/first-country-mmdb", "dist": 5}')),
            ("is larger than is taken", (200, {}, b" " * (2 << 20))),
            ("cannot fetch", (200, {"Content-Length": "5000"}, b"short")),
    ]:
        Registry.answers[path] = answer
        expect(update(folder, "first-country-mmdb"), BAD, None, wanted)
        demand(not list(folder.iterdir()), "there is something")
    expect(run("update", "--to", folder, "--from", "http://127.0.0.1:1", "asn"), BAD, None, "asn: cannot fetch")
    # The others are brought all the same.
    SERVER.publish("second-country-mmdb", packed([("package/second-country.mmdb", country_database("US"))]))
    expect(update(folder, "first-country-mmdb", "second-country-mmdb"), BAD, "second-country.mmdb: brought",
           "cannot fetch")


def certificate(folder, name, authority=None):
    """A key and a certificate of localhost, its own or of an authority."""
    by = ["-CA", f"{authority}.crt", "-CAkey", authority] if authority else []
    file = folder / name
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", *by, "-addext", "basicConstraints=critical,CA:FALSE",
                    "-keyout", file, "-out", f"{file}.crt"], check=True, stderr=subprocess.DEVNULL)
    return file


def redirects(folder):
    """Of a server that an authority vouches for, made for this test; only who is told to trusts it."""
    authority = folder / "authority"
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=made for a test", "-keyout", authority, "-out", f"{authority}.crt"], check=True,
                       stderr=subprocess.DEVNULL)
        vouched, own = Server(certificate(folder, "vouched", authority)), Server(certificate(folder, "own"))
    except FileNotFoundError as error:
        return f"there is no {error.filename}"
    trusted = f"{authority}.crt"
    if not os.path.exists(AUTHORITIES):
        return f"there is no {AUTHORITIES}"
    if run("--help", trusting=trusted)[0] != DONE:
        return "there are no mount namespaces to be had"
    package, latest = "first-country-mmdb", "/@ip-location-db%2ffirst-country-mmdb/latest"

    def bring(server=vouched, trusting=trusted):
        """What comes of it, and which of all paths were asked for."""
        del Registry.asked[:]
        Registry.sent = 0
        place = folder / "new"
        answer = run("update", "--to", place, "--from", server.url, package, trusting=trusting)
        there = sorted(file.name for file in place.iterdir()) if place.is_dir() else []
        shutil.rmtree(place, ignore_errors=True)
        demand((answer[0] == DONE) == ("first-country.mmdb" in there) and (there or answer[0]), (answer, there))
        return answer, list(Registry.asked)

    archive = packed([("package/first-country.mmdb", country_database("UA"))])
    vouched.publish(package, archive)
    described, tarball = Registry.answers[latest], f"/{package}-1.0.0.tgz"
    answer, asked = bring()
    expect(answer, DONE, "brought, version 1.0.0")
    demand(asked == [latest, tarball], asked)
    for server, trusting in ((vouched, None), (own, None), (own, trusted)):
        answer, asked = bring(server, trusting)
        expect(answer, BAD, None, "cannot fetch .*certificate")
        demand(not asked, asked)

    # So many are followed, each with a body that is not the answer's; one more is not.
    for last in (5, 6):
        for hop in range(last):
            to = f"/{hop + 1}" if hop % 2 else f"{vouched.url}/{hop + 1}"  # to the same place, and to one in full
            Registry.answers[f"/{hop}" if hop else latest] = (302, {"Location": to}, b"x" * 70000)
        Registry.answers[f"/{last}"] = described
        answer, asked = bring()
        expect(answer, *((DONE, "brought") if last == 5 else (BAD, None, "cannot fetch .*redirects hit maximum")))
        demand(asked == [latest, "/1", "/2", "/3", "/4", "/5"] + ([tarball] if last == 5 else []), asked)

    # Of what is described, of what it names; to where nothing is followed.
    for path, first in ((latest, []), (tarball, [latest])):
        for to, wanted in ((f"{SERVER.url}/plain", "cannot fetch .*rotocol"),
                           (f"http://localhost:{SERVER.server.server_port}/plain", "cannot fetch .*rotocol"),
                           (f"file://{folder}/vouched.crt", "cannot fetch .*rotocol"),
                           ("ftp://localhost/x", "cannot fetch .*rotocol"),
                           (f"{own.url}/own", "cannot fetch .*certificate")):
            vouched.publish(package, archive)
            good = described if path == latest else (200, {}, archive)
            Registry.answers |= {"/plain": good, "/own": good}
            Registry.answers[path] = (302, {"Location": to}, b"")
            answer, asked = bring()
            expect(answer, BAD, None, wanted)
            demand(asked == [*first, path], (to, asked))
    vouched.publish(package, archive)
    Registry.answers |= {tarball: (307, {"Location": f"{vouched.url}/archive"}, b""), "/archive": (200, {}, archive)}
    expect(bring()[0], DONE, "brought")

    # Behind a redirect no more is taken than before it, whether its length is said or not.
    for octets in (b" " * ((1 << 20) + 1), None):
        Registry.answers |= {latest: (301, {"Location": "/large"}, b""), "/large": (200, {}, octets)}
        answer, asked = bring()
        expect(answer, BAD, None, "is larger than is taken")
        demand(asked == [latest, "/large"] and Registry.sent < 32 << 20, (asked, Registry.sent))
    Registry.answers["/large"] = (200, {}, described[2] + b" " * ((1 << 20) - len(described[2])))
    Registry.answers[tarball] = (200, {}, archive)
    expect(bring()[0], DONE, "brought")
    return None


def ways_of_asking(folder):
    for typed, status, out, error in [
            ("", USAGE, None, "what of the databases"), ("nothing", USAGE, None, "no command 'geo nothing'"),
            ("--help", DONE, "Usage: holdfast geo.*Example:\n  holdfast geo update", None),
            ("list --help", DONE, "Usage: holdfast geo list .*Exit status: .*Example:\n  holdfast", None),
            ("look-up --help", DONE, "Usage: holdfast geo look-up .*Exit status: .*Example:\n  holdfast", None),
            ("update --help", DONE, "Usage: holdfast geo update .*Exit status: .*Example:\n  holdfast", None),
            ("look-up", USAGE, None, "no address to look up"),
            ("update --from ftp://192.0.2.1", USAGE, None, "is no registry"),
            ("update --from http://192.0.2.1", USAGE, None, "is no registry"),
            ("update ../x", USAGE, None, "'../x' is no package"), ("update x@", USAGE, None, "'x@' is no package"),
            (f"list --geo {folder}/none", BAD, None, "no databases of countries are there; 'holdfast geo update'"),
            (f"update --to {folder}/off.yaml/x --from {SERVER.url} asn", BAD, None, "cannot make this folder"),
            (f"list --config {folder}/off.yaml", BAD, None, "geo is off"),
            (f"list --config {folder}/on.yaml", DONE, "good", None),
            (f"look-up --geo {folder}/one 192.0.2.0/24", USAGE, None, "'192.0.2.0/24' is no address"),
            (f"look-up --json --geo {folder}/one ::1 x", USAGE, None, "'x' is no address")]:
        if not (folder / "one").exists():
            (folder / "one").mkdir()
            (folder / "one" / "good.mmdb").write_bytes(country_database("UA"))
            (folder / "off.yaml").write_text("geo: off\n", encoding="utf-8")
            (folder / "on.yaml").write_text(f"geo: {folder}/one\n", encoding="utf-8")
        expect(run(*typed.split()), status, out, error)


# ---- databases ----

def hostile_ones(folder):
    """Each beside a good one, which is asked all the same."""
    (folder / "good.mmdb").write_bytes(country_database("UA"))
    for name, octets in mmdb.hostile().items():
        file = folder / "bad.mmdb"
        file.write_bytes(octets)
        status, out, error = run("look-up", "--json", "--geo", folder, "192.0.2.1", "2001:db8::1", "255.255.255.255")
        demand(status in (DONE, BAD), f"{name}: exit {status}: {error}")
        answer = json.loads(out)
        at = [d["name"] for d in answer["databases"]].index("good")
        demand(answer["addresses"][0]["countries"][at] == "UA", f"{name}: {out}")
        text = answer["addresses"][0]["network_name"] or ""
        demand(len(text.encode()) < 64 and text.isprintable(), f"{name}: {text!r}")
        demand((status == BAD) == bool(error) and (not error or "bad.mmdb: " in error), f"{name}: {error}")
    shown = run("look-up", "--geo", folder, "192.0.2.1")[1]
    demand("\x1b" not in shown and "\u202e" not in shown, shown)


def every_schema(folder):
    for name, octets in mmdb.small().items():
        for old in folder.iterdir():
            old.unlink()
        (folder / f"{name}.mmdb").write_bytes(octets)
        if name == "registered-only":
            expect(run("list", "--geo", folder), BAD, None, "says nothing of countries")
            continue
        found = look_up(folder, ["192.0.2.1", "192.0.3.1", "198.51.100.1", "2001:db8::1", "2002:c000:201::1",
                                 "::192.0.2.1", "::ffff:192.0.2.1"])[0]
        if name == "good-strings":
            demand(found["192.0.2.1"] == ((), 64496, "Example"), found)
        elif name == "good-pointers":
            demand(found["192.0.2.1"][0] == ("UA",), found)
        else:
            six = name.startswith("good-128")
            others = ["MX", "UA", "UA"] if six else [None] * 3
            demand([found[a][0][0] for a in found] == ["UA", "US", "BR", *others, "UA"], (name, found))
            demand(found["198.51.100.1"][1:] == (64496, "Example"), found)


def maxmind_test_databases(folder):
    """Every prefix that the source of one names, at its first and last address that no longer one covers."""
    data = DATA / "mmdb" / "maxmind+MaxMind-DB"
    if not data.is_dir():
        return f"there is no {data}"
    compared = 0
    for source in sorted((data / "source-data").glob("*.json")):
        database = data / "test-data" / f"{source.stem}.mmdb"
        if not database.is_file():
            continue
        wanted = {}
        for record in json.loads(source.read_text(encoding="utf-8")):
            for prefix, values in record.items():
                wanted[ipaddress.ip_network(prefix, strict=False)] = values
        if not any("iso_code" in v.get("country", {}) or "autonomous_system_number" in v for v in wanted.values()):
            continue
        (folder / "database.mmdb").write_bytes(database.read_bytes())
        addresses = {}
        for network, values in wanted.items():
            for address in (network[0], network[-1]):
                if not any(n.prefixlen > network.prefixlen and address in n for n in wanted):
                    addresses[str(address)] = values
        found = {}
        words = list(addresses)
        for i in range(0, len(words), 500):
            found |= look_up(folder, words[i:i + 500])[0]
        for address, values in addresses.items():
            code = values.get("country", {}).get("iso_code")
            got = found[address]
            demand(not got[0] or got[0][0] == code, f"{source.stem}: {address}: {got}, wanted {code}")
            demand(got[0] or code is None, f"{source.stem}: {address} has no country, wanted {code}")
            demand(got[1] == values.get("autonomous_system_number"),
                   f"{source.stem}: {address}: {got}, wanted {values}")
            # Of several names of one number the first one stays.
            named = {v.get("autonomous_system_organization") for v in wanted.values()
                     if v.get("autonomous_system_number") == got[1]} if got[1] else {None}
            demand(got[2] in named, f"{source.stem}: {address}: {got}, wanted one of {named}")
            compared += 1
    demand(compared > 500, f"only {compared} addresses were compared")
    print(f"# {compared} addresses")
    return None


def golden_countries(_):
    lists = sorted((DATA / "geo-golden" / "geo-golden").glob("*.csv"))
    database = pathlib.Path(GEO) / "iptoasn-country.mmdb"
    if not lists:
        return f"there are no golden lists in {DATA}"
    if not database.is_file():
        return f"there is no {database}; 'holdfast geo update --to DIR' and HOLDFAST_GEO=DIR bring it"
    shares = {}
    for golden in lists:
        wanted = {row[0]: row[1] for row in csv.reader(golden.open(encoding="utf-8"))}
        found, words, place = {}, list(wanted), None
        for i in range(0, len(words), 2000):
            more, names = look_up(GEO, words[i:i + 2000])
            place = names.index("iptoasn-country")
            found |= more
        other = {a: (wanted[a], found[a][0][place]) for a in wanted if (found[a][0][place] or "-") != wanted[a]}
        version = [d["version"] for d in json.loads(run("list", "--json", "--geo", GEO)[1])["databases"]
                   if d["name"] == "iptoasn-country"]
        shares[golden.name] = f"{len(wanted) - len(other)} of {len(wanted)}"
        demand(not other, f"{golden.name}: {len(other)} of {len(wanted)} differ with version {version}, among them "
                          f"{list(other.items())[:5]}; the list is from 2.3.2026061719: "
                          "'holdfast geo update iptoasn-country-mmdb@2.3.2026061719'")
    print(f"# {shares}")
    return None


TESTS = [right_ones, newer_ones_and_those_that_are_there, wrong_packages, wrong_registries, redirects, ways_of_asking,
         hostile_ones, every_schema, maxmind_test_databases, golden_countries]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        Registry.answers.clear()
        try:
            with tempfile.TemporaryDirectory() as folder:
                skipped = test(pathlib.Path(folder))
            print(f"ok {number} {test.__name__}" + (f" # SKIP {skipped}" if skipped else ""))
        except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"not ok {number} {test.__name__}")
            print("# " + str(error)[:3000].replace("\n", "\n# "))
        sys.stdout.flush()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
