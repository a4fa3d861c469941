"""The application in a process of its own, and what tests ask of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection

import psutil
from made_photos import encoded, photo
from small_run import ROOT

PLACES = ((40, 60, 200), (400, 200, 160))
TWO, ONE = (encoded(photo(PLACES[:count])) for count in (2, 1))
BYTES, PHOTOS, PIXELS, SECONDS = 3_000_000, 3, 1_000_000, 5
LIMITS = ("--max-bytes", BYTES, "--max-photos", PHOTOS, "--max-pixels", PIXELS)
TOKEN = "a-token-of-20-signs."
# What would keep a library from telling its maker that it is in use.
HUSHED = ("CI", "ORT_DISABLE_TELEMETRY")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in HUSHED}
ENVIRONMENT["PYTHONPATH"] = str(ROOT / "workflow_scripts")


class Server:
    """The application in a process of its own, as ``./run serve`` starts it."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "facesort.serve.command", "serve", "--port", "0"]
        options = ("--workers", 2, "--max-seconds", SECONDS, *LIMITS, *options)
        self.process = subprocess.Popen(
            [*command, *map(str, options)],
            cwd=folder,
            env=ENVIRONMENT | {"TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError(self.process.stderr.read())
        self.port = int(re.search(r":(\d+)/", self.address)[1])

    def ask(self, method, path, body=None, headers=()):
        """Status, headers and body of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def send(self, *photos, path="/v1/tags", headers=(), **fields):
        """Status and JSON of an answer to a form of photos, (name, bytes) each."""
        kind, body = form(photos, fields)
        status, _, answer = self.ask("POST", path, body, {"Content-Type": kind, **dict(headers)})
        return status, json.loads(answer) if answer.startswith(b"{") else answer

    def workers(self):
        """The processes that read photos."""
        (fork,) = (
            child
            for child in psutil.Process(self.process.pid).children()
            if "forkserver" in " ".join(child.cmdline())
        )
        return fork.children()

    def raw(self, *parts, wait=0.0, seconds=30.0):
        """What is answered to bytes that are sent as they are, up to the connection's end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as client:
            for part in parts:
                client.sendall(part)
                time.sleep(wait)
            answer = b""
            try:
                while part := client.recv(65536):
                    answer += part
            except ConnectionResetError:
                pass
        return answer

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=30)
        return out + errors


def form(photos, fields=()):
    """Content type and body of a form."""
    parts = [
        b'Content-Disposition: form-data; name="photos"; filename="%s"\r\n\r\n%s'
        % (name.encode(), data)
        for name, data in photos
    ]
    parts += [
        b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (name.encode(), value.encode())
        for name, value in dict(fields).items()
    ]
    body = b"".join(b"--edge\r\n%s\r\n" % part for part in parts) + b"--edge--\r\n"
    return "multipart/form-data; boundary=edge", body
