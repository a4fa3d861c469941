"""Connections that are slow or senseless are ended, and others go on."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
import uvicorn

from facesort.serve import connection
from facesort.serve.connection import settings

LARGE = b"x" * 50_000_000


async def app(scope, receive, send):
    """Answers with much; or, to a form, once its body is there."""
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    body = LARGE if scope["path"] == "/large" else b"answer"
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port(monkeypatch):
    for name, seconds in (("HEAD", 0.6), ("UNREAD", 0.6), ("LINGER", 0.6)):
        monkeypatch.setattr(connection, name, seconds)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", **settings()))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


@contextmanager
def client(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connected:
        yield connected


def rest(connected):
    """All that comes until the other side ends."""
    found = b""
    while part := connected.recv(65536):
        found += part
    return found


@pytest.mark.parametrize("head", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(port, head):
    with client(port) as slow:
        slow.sendall(head)
        began = time.monotonic()
        assert rest(slow).startswith(b"HTTP/1.1 408 ")
        assert 0.3 < time.monotonic() - began < 5


def test_a_head_byte_by_byte_is_not_waited_for_either(port):
    with client(port) as slow:
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ":
            try:
                slow.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
        assert rest(slow).startswith(b"HTTP/1.1 408 ")


def test_a_connection_is_used_again_and_again(port):
    with client(port) as quick:
        for _ in range(4):
            quick.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while b"answer" not in answer:
                answer += quick.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            time.sleep(0.3)


def test_a_body_may_take_longer_than_a_head(port):
    with client(port) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        time.sleep(1.2)
        slow.sendall(b"ab")
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_who_does_not_read_is_cut_off(port):
    with client(port) as deaf:
        deaf.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(2)
        size = 0
        with suppress(ConnectionResetError):
            size = len(rest(deaf))
        assert size < len(LARGE)


def test_who_reads_slowly_gets_all(port):
    with client(port) as reader:
        reader.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        size = 0
        while part := reader.recv(2_000_000):
            size += len(part)
            time.sleep(0.05)
        assert size > len(LARGE)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"\x16\x03\x01" * 9 + b"\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"x" * 10**6, 431)],
)
def test_what_is_no_request_is_answered_though_more_of_it_comes(port, sent, status):
    with client(port) as other:
        other.sendall(sent)
        time.sleep(0.2)
        other.sendall(b"more" * 1000)
        assert rest(other).startswith(f"HTTP/1.1 {status} ".encode())


def test_senseless_bytes_behind_a_request_end_the_connection(port):
    with client(port) as other:
        other.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert rest(other).startswith(b"HTTP/1.1 400 ")
