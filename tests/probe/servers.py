# SPDX-License-Identifier: Apache-2.0
"""What is probed, on loopback: nginx with certificates of an authority made here, dnsmasq, and bad servers."""
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

CHUNK = b"x" * 65536


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nobody listens at {port}")


class Authority:
    """ca.pem, and NAME.pem with NAME.key for each name."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self.folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", "/CN=an authority of the test", "-keyout", "ca.key", "-out", "ca.pem")
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("01\n")
        (self.folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\n"
            "private_key=ca.key\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n"
            "[p]\ncommonName=supplied\n")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, began, ended, host):
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={name}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", f"{name}.key", "-out",
                     f"{name}.csr")
        self.openssl("ca", "-config", "ca.conf", "-batch", "-startdate", began, "-enddate", ended, "-in", f"{name}.csr",
                     "-out", f"{name}.pem", "-notext")


class Nginx:
    """`servers`: blocks of its configuration, with {folder}."""

    def __init__(self, folder, servers, port):
        self.folder = pathlib.Path(folder)
        conf = self.folder / "nginx.conf"
        conf.write_text(
            f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
            "events { worker_connections 64; }\n"
            f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; "
            f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{servers}\n}}\n")
        self.process = subprocess.Popen([find("nginx"), "-e", f"{folder}/nginx.log", "-c", str(conf)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_port(port)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Names:
    """dnsmasq that knows `hosts` (name: addresses), and nobody else."""

    def __init__(self, hosts):
        self.port = free_port(socket.SOCK_DGRAM)
        records = [f"--host-record={name},{','.join(addresses)}" for name, addresses in hosts.items()]
        self.process = subprocess.Popen(
            [find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
             "--no-daemon",
             "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={self.port}", "--local=/test/", "--pid-file=",
             "--user=", *records],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_port(self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Rogue:
    """Listens, reads a request, and lets `behave` do with the connection what it wants."""

    def __init__(self, behave):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.behave, self.sent = behave, 0
        self.over = threading.Event()
        self.threads = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.meet, args=(connection,), daemon=True)
            thread.start()

    def meet(self, connection):
        with connection:
            try:
                self.behave(self, connection)
            except OSError:
                pass

    def stop(self):
        self.over.set()
        self.socket.close()


def read_request(connection):
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(4096)
        if not more:
            raise ConnectionError
        got += more
    return got


def hang(rogue, connection):
    read_request(connection)
    rogue.over.wait(30)


def mute(rogue, connection):
    """Says nothing at all, as a server of TLS that does not answer."""
    del connection
    rogue.over.wait(30)


def gigabytes(rogue, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000000\r\n\r\n")
    while not rogue.over.is_set() and rogue.sent < 8 << 30:
        connection.sendall(CHUNK)
        rogue.sent += len(CHUNK)


def endless_head(rogue, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not rogue.over.is_set() and rogue.sent < 1 << 30:
        connection.sendall(b"X-A: " + b"y" * 1000 + b"\r\n")
        rogue.sent += 1007


def drip(rogue, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not rogue.over.wait(0.1):
        connection.sendall(b".")


def close_early(_, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nnot all")


def close_at_once(_, connection):
    read_request(connection)


def no_http(_, connection):
    read_request(connection)
    connection.sendall(b"220 mail.test ESMTP\r\n")


def answer(connection, status, headers="", body=b""):
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + body)


def good(_, connection):
    read_request(connection)
    answer(connection, "200 OK")


def circle(rogue, connection):
    path = read_request(connection).split(b" ")[1]
    answer(connection, "302 Found", f"Location: /{'b' if path == b'/a' else 'a'}\r\n")


def for_ever(rogue, connection):
    path = read_request(connection).split(b" ")[1]
    answer(connection, "302 Found", f"Location: /{int(path[1:] or b'0') + 1}\r\n")


def to(location):
    def behave(_, connection):
        read_request(connection)
        answer(connection, "302 Found", f"Location: {location}\r\n")
    return behave
