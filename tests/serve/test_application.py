"""From a request to its answer: what is told, what is refused, and that the server lives."""

import asyncio
import io
import json
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from served import BYTES, ONE, PHOTOS, PLACES, TOKEN, TWO, Server, form
from small_run import ROOT
from starlette.requests import Request

from facesort.serve import form as form_module
from facesort.serve.form import PATIENCE, Forms
from facesort.serve.guard import HEADERS
from facesort.serve.keeping import keep
from facesort.serve.limits import Limits, Refused
from facesort.serve.openapi import description


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    server = Server(folder)
    yield server
    said = server.stop()
    assert "Traceback" not in said
    # Nothing is kept: not in the folder where it was started, which is that of temporary files too.
    assert [*folder.rglob("*")] == []


def check(answer, schema="Answer"):
    """That an answer is as the description has it."""
    components = description(Limits())["components"]
    Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": components}
    ).validate(answer)


def error_of(answered, status):
    got, answer = answered
    assert got == status, answer
    check(answer, "Error")
    return answer["error"]


def test_photos_are_tagged_in_the_order_in_which_they_were_sent(server):
    hostile = "../../<b>&\u202e\n.jpg".replace("\n", "%0A")
    status, answer = server.send(("two.jpg", TWO), (hostile, ONE), ("note", b"no photo"))
    assert status == 200
    check(answer)
    two, one, note = answer["photos"]
    assert [len(each["faces"]) for each in (two, one)] == [2, 1]
    assert (two["width"], two["height"], two["problem"]) == (640, 480, "")
    assert one["name"] == "../../<b>&\\u202e%0A.jpg"
    assert note == {
        "name": "note",
        "status": 415,
        "refused": "not an image: text that begins with 'no photo'",
    }
    for face, (left, top, side) in zip(two["faces"], PLACES, strict=True):
        box = face["box"]
        middle = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
        assert left < middle[0] < left + side and top < middle[1] < top + side
        assert face["state"] == "answered" and len(face["probabilities"]) == 13
        assert face["probabilities"]["smiling"] > 0.5


def test_a_picture_comes_back_if_it_is_asked_for(server):
    _, plain = server.send(("one.jpg", ONE))
    _, answer = server.send(("one.jpg", ONE), picture="true")
    check(answer)
    kind, _, data = answer["photos"][0].pop("picture").partition(",")
    assert kind == "data:image/jpeg;base64" and data and answer == plain


def bomb():
    """A PNG of few bytes and 400 megapixels."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("photos", "status", "words"),
    {
        "no photo": ([], 422, "no photo"),
        "text": ([("a.jpg", b"hello")], 415, "not an image"),
        "an empty file": ([("a.jpg", b"")], 415, "empty"),
        "cut short": ([("a.jpg", TWO[: len(TWO) // 2])], 422, "image"),
        "a bomb": ([("a.png", bomb())], 413, "too many pixels"),
        "too many": ([("a.jpg", ONE)] * (PHOTOS + 1), 413, "more than 3 photos"),
        "too large": ([("a.jpg", bytes(BYTES))], 413, "more than 3,000,000 bytes"),
    }.values(),
)
def test_what_is_no_photo_is_refused_in_one_line(server, photos, status, words):
    said = error_of(server.send(*photos), status)
    assert words in said and "\n" not in said
    # A page that is answered in the midst of a body, and a body in the midst of an answer.
    assert server.send(("one.jpg", ONE))[0] == 200


def test_several_photos_that_are_all_refused_are_told_one_by_one(server):
    status, answer = server.send(("a", b"x"), ("b.png", bomb()))
    assert status == 415 and [each["status"] for each in answer["photos"]] == [415, 413]
    check(answer)


def test_other_requests_are_refused_by_the_right_status(server):
    assert server.ask("GET", "/nothing")[0] == 404
    assert server.ask("GET", "/v1/tags")[0] == 405
    for kind in ("application/json", "image/jpeg", "multipart/form-data-not"):
        assert server.ask("POST", "/v1/tags", b"{}", {"Content-Type": kind})[0] == 415
    kind, body = form([("a.jpg", ONE)])
    packed = {"Content-Type": kind, "Content-Encoding": "gzip"}
    assert server.ask("POST", "/v1/tags", body, packed)[0] == 415
    for wrong in ("multipart/form-data", "multipart/form-data; boundary=other"):
        assert server.ask("POST", "/v1/tags", body, {"Content-Type": wrong})[0] == 400
    many = {f"field{number}": "x" for number in range(20)}
    assert server.send(("a.jpg", ONE), **many)[0] == 400
    # Of unknown length, in chunks.
    chunks = (part for part in (body[:300], *[b"x" * 100_000] * 100))
    assert server.ask("POST", "/v1/tags", chunks, {"Content-Type": kind})[0] == 413


def test_a_body_that_is_too_large_is_told_before_it_is_sent(server):
    head = "POST /v1/tags HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99000000000\r\n"
    head += "Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head.encode() + b"--edge\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("sent", "status"),
    {
        "random bytes": (bytes(range(256)) * 40, 400),
        "no version": (b"GET /\r\n\r\n", 400),
        "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
        "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        "a huge head": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 500_000, 431),
        "two lengths": (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        "a websocket": (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade, close\r\n"
            b"Upgrade: websocket\r\n\r\n",
            200,
        ),
    }.values(),
)
def test_what_is_no_http_gets_an_answer(server, sent, status):
    assert server.raw(sent).startswith(f"HTTP/1.1 {status} ".encode())
    assert server.ask("GET", "/")[0] == 200


def test_pages_of_other_sites_are_refused(server):
    """By what browsers send, and by the name that this machine is called (DNS rebinding)."""
    own = f"127.0.0.1:{server.port}"
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{server.port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        error_of(server.send(("a.jpg", ONE), headers=headers), 403)
    for headers in (
        {"Origin": f"http://{own}", "Sec-Fetch-Site": "same-origin"},
        {"Host": f"localhost:{server.port}", "Origin": f"http://localhost:{server.port}"},
    ):
        assert server.send(("a.jpg", ONE), headers=headers)[0] == 200
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example", ""):
        assert server.ask("GET", "/", headers={"Host": host})[0] == 421, host


def test_every_answer_has_the_headers_that_keep_browsers_apart(server):
    for path in ("/", "/openapi.json", "/nothing"):
        _, headers, _ = server.ask("GET", path)
        assert {name: headers[name] for name in HEADERS} == HEADERS
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers and "Server" not in headers


def test_the_description_is_served_and_tells_the_limits(server):
    _, _, body = server.ask("GET", "/openapi.json")
    told = json.loads(body)
    assert told["openapi"] == "3.1.0" and set(told["paths"]) == {"/v1/tags", "/v1/xmp"}
    assert "3,000,000 bytes and 3 photos, a photo 1,000,000 pixels and 5 seconds" in " ".join(
        told["info"]["description"].split()
    )
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_a_process_that_dies_or_hangs_costs_its_photo_alone(server):
    for stopping, words in ((signal.SIGKILL, "died"), (signal.SIGSTOP, "longer than 5 seconds")):
        before = {worker.pid for worker in server.workers()}
        assert len(before) == 2
        for worker in server.workers():
            worker.send_signal(stopping)
        with ThreadPoolExecutor(2) as clients:
            answers = list(clients.map(lambda _: server.send(("one.jpg", ONE)), range(2)))
        assert all(words in error_of(answered, 422) for answered in answers), answers
        assert server.send(("one.jpg", ONE))[0] == 200
        after = {worker.pid for worker in server.workers()}
        assert len(after) == 2 and not after & before


def test_slow_clients_harm_nobody(server):
    """200 that send a head, or a body, byte by byte, or read no answer: others are served."""
    kind, body = form([("one.jpg", ONE)])
    head = f"POST /v1/tags HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n"
    slow = []
    for number in range(200):
        client = socket.create_connection(("127.0.0.1", server.port))
        if number % 2:
            client.sendall(b"GET / HTTP/1.1\r\nHos")
        else:
            host = head.replace("Host: a", "Host: localhost")
            client.sendall(f"{host}Content-Length: {len(body)}\r\n\r\n".encode() + body[:99])
        slow.append(client)
    began = time.monotonic()
    assert server.send(("one.jpg", ONE))[0] == 200
    assert time.monotonic() - began < 5
    answers = []
    for number, client in enumerate(slow):
        client.settimeout(PATIENCE + 15)
        answers.append((number % 2, client.recv(65536)[:13]))
        client.close()
    assert set(answers) == {(0, b"HTTP/1.1 408 "), (1, b"HTTP/1.1 408 ")}


def read_form(forms, *parts, wait=0.0):
    """The form of a body that comes in parts."""
    kind, _ = form([])
    left = list(parts)

    async def receive():
        await asyncio.sleep(wait)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def read():
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
        async with forms.read(Request(scope, receive)) as found:
            return found, forms.held

    return asyncio.run(read())


def test_bodies_take_so_much_memory_together_and_no_more():
    _, body = form([("a.jpg", ONE), ("b.jpg", b"")], {"picture": "true"})
    forms = Forms(Limits(held=len(body)))
    found, held = read_form(forms, body[:50], body[50:])
    assert found.photos == [("a.jpg", ONE), ("b.jpg", b"")] and found.fields == {"picture": "true"}
    assert held == len(body) and forms.held == 0
    forms.held = 1
    with pytest.raises(Refused, match="busy") as refused:
        read_form(forms, body[:50], body[50:])
    assert refused.value.status == 503 and forms.held == 1


def test_a_body_that_comes_slowly_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(form_module, "PATIENCE", 0.3)
    with pytest.raises(Refused, match="slower than") as refused:
        read_form(Forms(Limits()), *[b"-"] * 2, *[b"e"] * 2, wait=0.2)
    assert refused.value.status == 408


def test_no_path_of_this_machine_is_in_any_answer(server):
    """Asked for all that goes wrong."""
    found = []
    for name in ("/etc/passwd", "..\\..\\x.jpg", "x" * 5000, "a\x00b.jpg"):
        for data in (b"", b"II*\x00" + bytes(100), TWO[:3000], ONE[:-2] + b"\xff\xd9" * 9):
            found.append(json.dumps(server.send((name, data))[1]))
    for path in ("/../../etc/passwd", "/%2e%2e/", "/v1/../..", "/static/x", "/" + "a" * 3000):
        status, _, body = server.ask("GET", path)
        assert status == 404
        found.append(body.decode())
    every = "\n".join(found)
    for secret in (str(ROOT), sys.prefix, "site-packages", ".py", "Traceback", "root:"):
        assert secret not in every


def test_photos_are_kept_where_it_is_asked_for(tmp_path):
    kept = tmp_path / "kept"
    server = Server(tmp_path, "--workers", 1, "--keep", kept)
    try:
        _, answer = server.send(("../../one.JPG", ONE), ("note", b"x"), picture="true")
        digest = answer["photos"][0]["sha256"]
        assert {path.name for path in kept.iterdir()} == {f"{digest}.jpg", f"{digest}.json"}
        assert (kept / f"{digest}.jpg").read_bytes() == ONE
        told = json.loads((kept / f"{digest}.json").read_text())
        assert told["name"] == "../../one.JPG" and "picture" not in told
        assert b"This server <strong>keeps</strong>" in server.ask("GET", "/")[2]
    finally:
        server.stop()


def test_a_disk_that_takes_no_photo_is_told_without_its_path(tmp_path):
    (tmp_path / "kept").write_text("no folder")
    with pytest.raises(Refused) as refused:
        keep(tmp_path / "kept", "a.jpg", ONE, {"sha256": "0" * 64})
    assert refused.value.status == 507 and str(tmp_path) not in refused.value.why


def test_a_token_is_asked_for(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "token").chmod(0o600)
    server = Server(tmp_path, "--workers", 1, "--token-file", tmp_path / "token")
    try:
        assert TOKEN not in server.address
        for given in ("", TOKEN, f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer ünï"):
            headers = {"Authorization": given.encode("latin-1")} if given else {}
            assert server.send(("one.jpg", ONE), headers=headers)[0] == 401, given
        assert server.ask("GET", "/")[0] == server.ask("GET", "/openapi.json")[0] == 200
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert server.send(("one.jpg", ONE), headers=right)[0] == 200
    finally:
        server.stop()
