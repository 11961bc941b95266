#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the range's hosts offer: nginx, dnsmasq, an echo; each with a configuration of its own in the scratch folder."""
import subprocess

from topology import PLATFORM4, PLATFORM6, RESOLVER4, wait_for

ECHO_PORT = 7
HERE_NAME, ELSEWHERE_NAME = "www.example.net", "up.example.net"

NGINX = """
worker_processes 1;
daemon off;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx.log;
events {{ worker_connections 512; }}
http {{
	log_format timed '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "-" "-" $request_time';
	access_log {log};
	client_body_temp_path {scratch}/body;
	proxy_temp_path {scratch}/proxy;
	fastcgi_temp_path {scratch}/fastcgi;
	uwsgi_temp_path {scratch}/uwsgi;
	scgi_temp_path {scratch}/scgi;
	server {{
		listen {platform4}:80 backlog=128;
		listen [{platform6}]:80 backlog=128;
		location / {{ return 200 "open\\n"; }}
	}}
}}
"""

# What is asked for by the one name is known here; the other has to be asked of a resolver on the users' side, whose
# answers come in as those of a reflection do: from port 53. Nothing is remembered, so that each question is asked.
DNS = """
no-resolv
no-hosts
no-daemon
bind-interfaces
cache-size=0
user=root
listen-address={platform4}
listen-address={platform6}
address=/{here}/{platform4}
server=/{elsewhere}/{resolver}
pid-file={scratch}/dns.pid
"""

RESOLVER = """
no-resolv
no-hosts
no-daemon
bind-interfaces
user=root
listen-address={resolver}
address=/{elsewhere}/{platform4}
pid-file={scratch}/resolver.pid
"""


class Services:
    """All of them, begun and heard of."""

    def __init__(self, topology, scratch, echo, log=""):
        self.topology, self.scratch = topology, scratch
        self.public = []  # what the platform offers to all
        known = {"scratch": scratch, "platform4": PLATFORM4, "platform6": PLATFORM6, "resolver": RESOLVER4,
                 "here": HERE_NAME, "elsewhere": ELSEWHERE_NAME, "log": f"{log} timed" if log else "off"}
        for name, text in (("nginx.conf", NGINX), ("dns.conf", DNS), ("resolver.conf", RESOLVER)):
            (scratch / name).write_text(text.format(**known), encoding="utf-8")
        self.begin("users", "dnsmasq", f"--conf-file={scratch / 'resolver.conf'}")
        self.begin("box", echo, ECHO_PORT)
        self.begin_public()
        for host, port in (("users", 53), ("box", ECHO_PORT)):
            wait_for(f"port {port} of {host}", 5, lambda host=host, port=port: self.listens(host, port))

    def begin(self, host, *command):
        return self.topology.begin(host, *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens(self, host, port):
        return f":{port} " in self.topology.run(host, "ss", "-Hltn")

    def begin_public(self):
        self.public = [
            self.begin("platform", "nginx", "-c", self.scratch / "nginx.conf"),
            self.begin("platform", "dnsmasq", f"--conf-file={self.scratch / 'dns.conf'}"),
        ]
        wait_for("nginx and dnsmasq", 5, lambda: self.listens("platform", 80) and self.listens("platform", 53))

    def again(self):
        """Servers without a past: half-open connections of the last flood would hold nginx's queue for a minute, and
        questions whose answers it took along are not asked again by dnsmasq for ten seconds."""
        for process in self.public:
            self.topology.end(process)
        wait_for("their end", 5, lambda: not (self.listens("platform", 80) or self.listens("platform", 53)))
        self.begin_public()
