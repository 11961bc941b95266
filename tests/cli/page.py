#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page.py HOLDFAST: what is on the status page, how it is published, copied to another host and checked. Speaks TAP.

minisign checks what was signed, where it is there; sshd and rsync take a copy on loopback, with keys made for that.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cases  # noqa: E402  pylint: disable=wrong-import-position

CONFIG = """state_dir: {folder}
page:
  title: Example <&>
  title_fr: Exemple
  url: "https://status.example.org/"
  stale_after: 15m
{more}"""
WAIT_S = 20


class Stage(cases.Cases):
    """Runs commands, counts what is asked of them."""

    def __init__(self, holdfast, folder):
        super().__init__()
        self.holdfast, self.folder = holdfast, pathlib.Path(folder)
        self.configure("")

    def configure(self, more):
        (self.folder / "c.yaml").write_text(CONFIG.format(folder=self.folder, more=more), encoding="utf-8")

    def run(self, *words, path=None, seconds=120):
        environment = dict(os.environ, SUDO_USER="alice")
        if path:
            environment["PATH"] = path
        done = subprocess.run([self.holdfast, "page", *words, "--config", "c.yaml"], cwd=self.folder, check=False,
                              capture_output=True, text=True, timeout=seconds, env=environment)
        return done.returncode, done.stdout, done.stderr

    def row(self, words, status, out=None, error=None):
        answer = self.run(*words)
        good = answer[0] == status and all(wanted is None or re.search(wanted, text, re.DOTALL)
                                           for text, wanted in ((answer[1], out), (answer[2], error)))
        self.expect("page " + " ".join(words), good, answer)


# What is typed; exit status; in standard output; in standard error
ROWS = [
    ([], 2, None, "say what to do"),
    (["dance"], 2, None, "no command 'page dance'"),
    (["component"], 2, None, "no command 'page component'"),
    (["component", "add"], 2, None, "wants to know of what"),
    (["component", "list", "web"], 2, None, "one argument too many"),
    (["show"], 1, None, "nothing is on record"),
    (["component", "add", "Web", "--name", "x"], 2, None, "cannot be an ID"),
    (["component", "add", "web"], 2, None, "--name says"),
    (["component", "add", "core", "--name", "Core", "--is-group"], 0, "core is on the page", None),
    (["component", "add", "web", "--name", "Website", "--name-fr", "Site web", "--group", "core"], 0, None, None),
    (["component", "add", "web", "--name", "Website"], 1, None, "is or was a component"),
    (["component", "add", "api", "--name", "API", "--group", "none"], 1, None, "no such group"),
    (["component", "add", "api", "--name", "API", "--position", "0"], 2, None, "from 1 to 256"),
    (["component", "add", "api", "--name", "API", "--hidden"], 0, None, None),
    (["component", "set", "web"], 2, None, "what of it shall change"),
    (["component", "set", "web", "--status", "broken"], 2, None, "--status wants"),
    (["component", "set", "web", "--status", "operational", "--since", "2999-01-01T00:00:00Z"], 2, None,
     "--since wants a time"),
    (["component", "set", "web", "--status", "operational", "--since", "2200-01-01T00:00:00Z"], 2, None, "lies ahead"),
    (["component", "set", "web", "--status", "operational", "--since", "yesterday"], 2, None, "--since wants a time"),
    (["component", "set", "web", "--status", "operational", "--cause", "bears"], 2, None,
     "no such cause; there are attack"),
    (["component", "set", "core", "--status", "operational"], 1, None, "no such component"),
    (["component", "set", "none", "--name", "x"], 1, None, "no such component"),
    (["component", "set", "web", "--status", "partial_outage", "--since", "2026-01-02T03:04:05Z", "--cause", "attack"],
     0, "web: partial_outage since 2026-01-02 03:04:05 UTC", None),
    (["component", "set", "api", "--shown", "--name", "Interface", "--group", "core"], 0, "api is changed", None),
    (["component", "remove", "core"], 1, None, "components in that group"),
    (["component", "list"], 0, "web +partial_outage +Website +in core\n.*api .* no French name, in core\n", None),
    (["works", "add", "--name", "Routers", "--from", "2200-01-01T00:00:00Z", "--to", "2200-01-01T00:00:00Z",
      "--components", "web"], 2, None, "end before they begin"),
    (["works", "add", "--name", "Routers", "--from", "2200-01-01T00:00:00Z", "--to", "2200-01-02T00:00:00Z",
      "--components", "web,none"], 1, None, "not all of these components are on the page"),
    (["works", "add", "--name", "Routers", "--from", "2200-01-01T00:00:00Z", "--to", "2200-01-02T00:00:00Z",
      "--components", "web,api", "--text", "short <b>"], 0, "m1 is planned", None),
    (["works", "list"], 0, "m1 .*web,api +Routers", None),
    (["works", "cancel", "m7"], 1, None, "no such works"),
    (["show"], 0, "web +partial_outage.*m1 +Routers, 1 update", None),
    (["publish"], 2, None, "where to"),
    (["publish", "-o", "none/out"], 1, None, "its parent has to be there"),
    (["publish", "-o", "/".join(["a" * 100] * 4)], 1, None, "longer than 384 octets"),
    (["verify", "/".join(["a" * 100] * 4)], 1, None, "longer than 384 octets"),
    (["publish", "-o", "out", "--rsync", "host:relative"], 2, None, "user@host:/path"),
    (["publish", "-o", "out", "--rsync", "-oProxyCommand=x:/y"], 2, None, "user@host:/path"),
    (["publish", "-o", "out", "--rsync", "host:/a b"], 2, None, "user@host:/path"),
    (["publish", "-o", "out", "--rsync", "host:/a", "--ssh-key", "a b"], 2, None, "letters, digits"),
    (["publish", "-o", "out"], 0, "out: 16 files, not signed, holds until", None),
    (["verify", "out"], 0, "whole, 16 files; whose it is was not checked", None),
    (["verify", "none"], 1, None, "SHA256SUMS cannot be read"),
    (["headers"], 0, "https://status.example.org/nel", None),
    (["headers", "https://" + "a" * 504], 2, None, "more than 511 octets"),
    (["headers", "http://example.org"], 2, None, "https alone"),
]


def jsons(stage):
    _, said, _ = stage.run("component", "list", "--json")
    listed = json.loads(said)
    stage.expect("components as JSON", listed["schema"] == "holdfast.page/1" and
                 [c["id"] for c in listed["components"]] == ["core", "web", "api"] and
                 listed["components"][1]["status"] == "partial_outage", said)
    _, said, _ = stage.run("works", "list", "--json")
    stage.expect("works as JSON", json.loads(said)["works"][0]["components"] == "web,api", said)
    _, said, _ = stage.run("show", "--json")
    shown = json.loads(said)
    stage.expect("what stands as JSON", shown["incidents"][0] == {
        "id": "m1", "name": "Routers", "name_fr": "", "open": True, "planned": True, "updates": 1} and
        shown["url"] == "https://status.example.org", said)


def replaced(stage):
    """Only a page takes a page's place."""
    out = stage.folder / "out"
    first = (out / "index.html").stat().st_ino
    stage.row(["publish", "-o", "out/"], 0, "out: 16 files")
    stage.expect("it is another file", (out / "index.html").stat().st_ino != first)
    stage.expect("nothing is left beside it", not list(stage.folder.glob("out.*")), os.listdir(stage.folder))
    stage.expect("all may read it", all((p.stat().st_mode & 0o777) == (0o755 if p.is_dir() else 0o644)
                                        for p in [out, *out.rglob("*")]))
    page = (out / "index.html").read_text(encoding="utf-8")
    stage.expect("what was typed is escaped",
                 "Example &lt;&amp;&gt;" in page and "short &lt;b&gt;" in page and "<b>" not in page)
    mine = stage.folder / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear", encoding="utf-8")
    stage.row(["publish", "-o", "mine"], 1, None, "holds other things than a page")
    (out / "letter.txt").write_text("dear", encoding="utf-8")
    stage.row(["publish", "-o", "out"], 1, None, "letter.txt, which is of no page")
    stage.row(["verify", "out"], 1, None, "letter.txt is in no list")
    stage.expect("and it is there still", (mine / "letter.txt").exists() and (out / "letter.txt").exists())
    (out / "letter.txt").unlink()
    empty = stage.folder / "empty"
    empty.mkdir()
    stage.row(["publish", "-o", "empty"], 0, "16 files")


def never_torn(stage):
    """Who reads while it is replaced, finds a page whole: its sums are those of its files."""
    out, stop, torn, reads = stage.folder / "out", threading.Event(), [], [0]

    def read():
        while not stop.is_set():
            folder = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with os.fdopen(os.open("SHA256SUMS", os.O_RDONLY, dir_fd=folder)) as file:
                    count = len(file.read().splitlines())
                if count != 16:
                    torn.append(count)
                reads[0] += 1
            except FileNotFoundError:
                pass  # the folder that was opened is the old one, and gone by now; the name has a new one
            finally:
                os.close(folder)
            if not (out / "index.html").exists():
                torn.append("no index")

    reader = threading.Thread(target=read)
    reader.start()
    good = all(stage.run("publish", "-o", "out")[0] == 0 for _ in range(10))
    stop.set()
    reader.join()
    stage.expect("a reader never finds half a page", good and not torn and reads[0] > 0, (torn[:5], reads))


def signed(stage):
    for name in ("page.key", "other.key"):
        subprocess.run([stage.holdfast, "evidence", "--new-key", name], cwd=stage.folder, check=True,
                       capture_output=True)
    stage.row(["publish", "-o", "out"], 0, "out: 16 files, signed")
    stage.row(["verify", "out", "--public-key", "page.key.pub"], 0, "whole, 16 files; holdfast.page/1 generated_at=")
    stage.row(["verify", "out", "--public-key", "other.key.pub"], 1, None, "is of another key")
    stage.row(["publish", "-o", "out", "--key", "other.key"], 0, "signed")
    stage.row(["verify", "out", "--public-key", "other.key.pub"], 0, "whole")
    stage.row(["publish", "-o", "out", "--key", "none.key"], 1, None, "none.key")
    stage.row(["publish", "-o", "out"], 0, "signed")
    if shutil.which("minisign"):
        done = subprocess.run(["minisign", "-Vm", "SHA256SUMS", "-p", "../page.key.pub"], cwd=stage.folder / "out",
                              check=False, capture_output=True, text=True)
        stage.expect("minisign says so too", done.returncode == 0, done)
    else:
        stage.skip("minisign says so too", "there is no minisign")
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=stage.folder / "out", check=False,
                          capture_output=True)
    stage.expect("and sha256sum", done.returncode == 0, done)
    page = stage.folder / "out/index.html"
    whole = page.read_bytes()
    page.write_bytes(whole.replace(b"Website", b"Website!"))
    stage.row(["verify", "out"], 1, None, "index.html: is another file than was signed")
    page.unlink()
    stage.row(["verify", "out"], 1, None, "index.html: No such file")
    page.write_bytes(whole)
    sums = stage.folder / "out/SHA256SUMS"
    text = sums.read_text(encoding="utf-8")
    sums.write_text(text + "0" * 64 + "  ../../etc/passwd\n", encoding="utf-8")
    stage.row(["verify", "out"], 1, None, "is no line of SHA256SUMS")
    sums.write_text(text.replace("  ", " "), encoding="utf-8")
    stage.row(["verify", "out"], 1, None, "is no line of SHA256SUMS")
    sums.write_text(text + "\n", encoding="utf-8")
    stage.row(["verify", "out", "--public-key", "page.key.pub"], 1, None, "is not of this page")
    sums.write_text(text, encoding="utf-8")
    stage.row(["verify", "out", "--public-key", "page.key.pub"], 0, "whole")


def find(program):
    """sshd is not in everybody's PATH."""
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_sshd(folder, port):
    """A server of its own on loopback, with keys that were made for it; None where it does not come up."""
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True,
                       capture_output=True)
    shutil.copy(folder / "client.pub", folder / "authorized")
    known = (folder / "host.pub").read_text(encoding="ascii").split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {known[0]} {known[1]}\n", encoding="ascii")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"PermitRootLogin prohibit-password\n", encoding="ascii")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    server = subprocess.Popen([find("sshd"), "-D", "-e", "-f",
                               folder / "sshd_config"], stderr=(folder / "sshd.log").open("w"))
    for _ in range(WAIT_S * 10):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        if server.poll() is not None:
            return None
        time.sleep(0.1)
    return server


def copied(stage):
    """To another host, which is this one, by a real rsync and a real sshd."""
    whats = ["copied by rsync", "and whole there", "by the configuration", "a host that is not known is refused",
             "what was there stands"]
    missing = [name for name in ("rsync", "sshd", "ssh", "ssh-keygen") if not find(name)]
    server, port = None, free_port()
    folder = stage.folder / "ssh"
    folder.mkdir()
    if not missing:
        server = start_sshd(folder, port)
    if not server:
        why = f"{', '.join(missing)} missing: scripts/deps check" if missing else "sshd does not come up here"
        print(f"# NOT TRIED: copies by rsync: {why}", flush=True)
        for what in whats:
            stage.skip(what, why)
        return
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
    ssh = ["--ssh-port", str(port), "--ssh-key", str(folder / "client")]
    try:
        answer = stage.run("publish", "-o", "out", "--rsync", f"{user}@127.0.0.1:{folder}/www", *ssh, "--known-hosts",
                           str(folder / "known_hosts"))
        stage.expect(whats[0], answer[0] == 0 and "copied to" in answer[1],
                     (answer, (folder / "sshd.log").read_text(encoding="utf-8")))
        answer = stage.run("verify", str(folder / "www"), "--public-key", "page.key.pub")
        stage.expect(whats[1], answer[0] == 0, answer)
        stage.configure(f"  directory: {stage.folder}/out\n  targets:\n"
                        f"    - {{ name: here, rsync: '{user}@127.0.0.1:{folder}/two', "
                        f"ssh_key: {folder}/client, known_hosts: {folder}/known_hosts, ssh_port: {port} }}\n")
        answer = stage.run("publish")
        stage.expect(whats[2], answer[0] == 0 and (folder / "two/fr/index.html").exists(), answer)
        stage.configure("")
        (folder / "nobody").write_text("", encoding="ascii")
        before = (folder / "www/SHA256SUMS").read_bytes()
        answer = stage.run("publish", "-o", "out", "--rsync", f"{user}@127.0.0.1:{folder}/www", *ssh, "--known-hosts",
                           str(folder / "nobody"))
        stage.expect(whats[3], answer[0] == 1 and "rsync could not copy it" in answer[2], answer)
        stage.expect(whats[4], (folder / "www/SHA256SUMS").read_bytes() == before)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(WAIT_S)


def without_rsync(stage):
    answer = stage.run("publish", "-o", "out", "--rsync", "nobody@127.0.0.1:/nowhere", path="/nonexistent")
    stage.expect("without rsync it is said, and the page is published here",
                 answer[0] == 1 and "install it" in answer[2] and "16 files" in answer[1], answer)


def nowhere_to_write(stage):
    """Headers that went nowhere were not told."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([stage.holdfast, "page", "headers", "https://example.org"], check=False, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=WAIT_S)
    stage.expect("headers that cannot be written are no success", done.returncode == 1, (done.returncode, done.stderr))


def those_that_are_gone(stage):
    """As many components as a page can have, and all of them gone: what is there is told as it is."""
    with sqlite3.connect(stage.folder / "holdfast.db") as record:
        for i in range(256):
            record.execute("INSERT INTO component VALUES(?, '', 1, 0, 1, 'x', '', '', '', 1, 1, 2)", (f"gone{i}",))
            record.execute("INSERT INTO component_state(component, status, since_ns, cause, source, outage, added_ns,"
                           " added_by) VALUES(?, 'major_outage', 1, '', 'said', 0, 1, 'x')", (f"gone{i}",))
    stage.row(["component", "add", "late", "--name", "Late"], 0, None, None)
    stage.row(["component", "set", "late", "--status", "partial_outage"], 0, None, None)
    stage.row(["component", "list"], 0, "late +partial_outage", None)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        stage = Stage(os.path.abspath(sys.argv[1]), scratch)
        for row in ROWS:
            stage.row(*row)
        for part in (jsons, replaced, never_torn, signed, copied, without_rsync, nowhere_to_write, those_that_are_gone):
            part(stage)
        stage.row(["works", "cancel", "m1"], 0, "m1 is cancelled", None)
        stage.row(["component", "remove", "api"], 0, "no longer on the page", None)
        return stage.close()


if __name__ == "__main__":
    sys.exit(main())
