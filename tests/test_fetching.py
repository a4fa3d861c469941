"""Fetching from a hostile host: every URL accounted for, a kill costs nothing."""

import asyncio
import io
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from facesort.fetching import Store, assemble, fetch_all, interleave_hosts
from facesort.http import Client, public, retry_after
from facesort.job import InputError

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["fetch"] | {
    "attempts": 3,
    "backoff": 0.01,
    "read_timeout": 0.5,
    "total_timeout": 2,
}


def jpeg(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


class Host(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[Counter[str]] = Counter()
    agents: ClassVar[set[str]] = set()

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.seen[self.path] += 1
        self.agents.add(self.headers["User-Agent"])
        name = self.path.strip("/").split("?")[0]
        if name == "robots.txt":
            return self.answer(200, b"User-agent: *\nDisallow: /private\n")
        if name.startswith("ok") or name.startswith("private"):
            return self.answer(200, jpeg((int(name[-2:]), 100, 50)))
        if name == "429" or name == "date":
            if self.seen[self.path] < 2:
                when = "1" if name == "429" else formatdate(time.time() + 1, usegmt=True)
                return self.answer(429, Retry_After=when)
            return self.answer(200, jpeg("red"))
        if name == "500":
            return self.answer(200, jpeg("red")) if self.seen[self.path] > 2 else self.answer(500)
        if name in ("404", "410", "503"):
            return self.answer(int(name))
        if name == "html":
            return self.answer(200, b"<html></html>", Content_Type="image/jpeg")
        if name == "truncated":
            self.close_connection = True
            return self.answer(200, jpeg("red")[:300], length=900)
        if name == "short":
            return self.answer(200, jpeg("red")[:-100])
        if name == "big":
            return self.answer(200, b"\0" * 300_000)
        if name == "noai":
            return self.answer(200, jpeg("red"), X_Robots_Tag="noai")
        if name == "loop":
            return self.answer(302, Location=self.path)
        if name == "moved":
            return self.answer(301, Location="/ok07")
        if name == "scheme":
            return self.answer(302, Location="file:///etc/passwd")
        if name == "stall":
            time.sleep(3)
            return None
        raise AssertionError(name)


@pytest.fixture
def host():
    Host.seen, Host.agents = Counter(), set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def sample_of(urls, box=(0.1, 0.9, 0.1, 0.9)):
    rows = [(f"id{n:03}", url, *box, n + 1, 1) for n, url in enumerate(urls)]
    columns = ["face_id", "url", "left", "right", "top", "bottom", "row", "slot"]
    return pd.DataFrame(rows, columns=columns)


def fetch(folder, sample, settings=SETTINGS):
    store = Store(folder / "state", 8)
    asyncio.run(fetch_all(sample, store, settings, 2))
    outputs = [str(folder / name) for name in ("faces.npy", "faces.parquet", "refused.parquet")]
    ledger = assemble(sample, store, *outputs)
    return ledger.set_index("url"), np.load(outputs[0]), *map(pd.read_parquet, outputs[1:])


def test_every_url_has_its_outcome_and_cause(host, tmp_path):
    causes = {
        "ok01": None,
        "ok02?v=1": None,
        "429": None,
        "date": None,
        "500": None,
        "moved": None,
        "404": "HTTP 404",
        "410": "HTTP 410",
        "503": "HTTP 503",
        "html": "no image",
        "truncated": "broken off",
        "short": "no image",
        "big": "more than max_bytes",
        "noai": "its owner forbids",
        "loop": "more than 5 redirects",
        "scheme": "refused: file scheme",
        "stall": "timed out",
        "private01": "robots.txt forbids it",
    }
    settings = SETTINGS | {"max_bytes": 200_000, "contact": "me@example.org"}
    sample = sample_of([host + name for name in causes])
    ledger, faces, index, refused = fetch(tmp_path, sample, settings)
    for name, cause in causes.items():
        entry = ledger.loc[host + name]
        if cause is None:
            assert entry["outcome"] == "fetched", (name, entry["error"])
            assert (entry["width"], entry["height"]) == (60, 40)
        else:
            assert entry["outcome"] == "failed" and cause in entry["error"], (name, entry["error"])
    assert len(faces) == len(index) == 6 and len(refused) == 12
    assert ledger.loc[host + "500", "attempts"] == 3
    assert Host.seen["/404"] == 1 and Host.seen["/private01"] == 0
    assert {"facesort/0.1 (me@example.org)"} == Host.agents
    assert set(refused["cause"]) == set(ledger["error"].dropna())


def test_faces_lie_in_the_samples_order(host, tmp_path):
    sample = sample_of([f"{host}ok{n:02}" for n in (30, 10, 99, 60)])
    _, faces, index, _ = fetch(tmp_path, sample)
    assert list(index["face_id"]) == list(sample["face_id"])
    assert np.abs(faces[:, 4, 4, 0].astype(int) - [30, 10, 99, 60]).max() <= 3


def test_a_second_run_asks_for_what_is_missing_alone(host, tmp_path):
    first = sample_of([f"{host}ok{n:02}" for n in range(5)] + [f"{host}404"])
    fetch(tmp_path, first)
    Host.seen.clear()
    more = sample_of([*first["url"], f"{host}ok77"])
    _, faces, _, _ = fetch(tmp_path, more)
    assert Host.seen == {"/ok77": 1, "/robots.txt": 1} and len(faces) == 6


def test_exclusions_are_not_asked(host, tmp_path):
    (tmp_path / "exclude.txt").write_text(f"# owners who object\n{host}ok01\n")
    settings = SETTINGS | {"exclude": str(tmp_path / "exclude.txt")}
    ledger, *_ = fetch(tmp_path, sample_of([f"{host}ok01", f"{host}ok02"]), settings)
    assert list(ledger["outcome"]) == ["excluded", "fetched"] and "/ok01" not in Host.seen


def test_private_addresses_are_refused_where_connected_to(host, tmp_path):
    settings = SETTINGS | {"allow_private": False}

    async def errors(urls):
        async with Client(settings) as client:
            return [(await client.fetch(url)).error for url in urls]

    port = host.split(":")[2]
    urls = [host + "ok01", f"http://localhost:{port}ok01", f"http://[::ffff:127.0.0.1]:{port}ok01"]
    assert all("private network" in error for error in asyncio.run(errors(urls)))
    assert not Host.seen
    assert not any(map(public, ["10.0.0.1", "169.254.169.254", "::1", "fc00::1", "0.0.0.0"]))
    assert public("93.184.215.14")


def test_nothing_fetched_says_why(host, tmp_path):
    with pytest.raises(InputError, match=r"not one of 2 photos .* HTTP 404 \(2\)"):
        fetch(tmp_path, sample_of([host + "404", host + "404?b"]))


def test_rate_per_host_holds(host, tmp_path):
    began = time.monotonic()
    settings = SETTINGS | {"rate_per_host": 10, "total_timeout": 20}
    fetch(tmp_path, sample_of([f"{host}ok{n:02}" for n in range(8)]), settings)
    assert time.monotonic() - began >= 0.7


def test_a_killed_run_goes_on_to_the_same_arrays(host, tmp_path):
    urls = [f"{host}ok{n:02}" for n in range(60)]
    sample = sample_of(urls)
    sample.to_parquet(tmp_path / "sample.parquet")
    program = f"""
        import asyncio, pandas as pd
        from pathlib import Path
        from facesort.fetching import Store, fetch_all
        sample = pd.read_parquet({str(tmp_path / "sample.parquet")!r})
        settings = {SETTINGS | {"rate_per_host": 30, "total_timeout": 60}!r}
        asyncio.run(fetch_all(sample, Store(Path({str(tmp_path / "state")!r}), 8), settings, 2))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    run = partial(subprocess.Popen, command, cwd=ROOT / "workflow_scripts")
    process = run()
    while sum(Host.seen.values()) < 25:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = Store(tmp_path / "state", 8).ledger(urls)["outcome"].notna().sum()
    assert 0 < stored < 60
    Host.seen.clear()
    _, faces, index, _ = fetch(tmp_path, sample)
    assert sum(Host.seen.values()) == 60 - stored + 1  # and robots.txt
    (tmp_path / "whole").mkdir()
    _, whole, whole_index, _ = fetch(tmp_path / "whole", sample)
    assert np.array_equal(faces, whole) and index.equals(whole_index)


def test_hosts_take_turns():
    urls = ["http://a/1", "http://a/2", "http://a/3", "http://b/1", "http://c/1"]
    order = list(interleave_hosts(urls))
    assert sorted(order) == sorted(urls)
    assert order[:3] == ["http://a/1", "http://b/1", "http://c/1"]


def test_retry_after_is_seconds_or_a_date():
    assert retry_after("7") == 7
    assert retry_after(formatdate(time.time() + 30, usegmt=True)) == pytest.approx(30, abs=2)
    assert retry_after("soon") is None and retry_after(None) is None


SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real faces in ../shared/data")
def test_real_faces_from_a_faulty_host_equal_the_truth(tmp_path):
    import socket

    from facesort.fec import sample_faces

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}/photos/"
    make = [sys.executable, SHARED / "make_fec.py", "--out", tmp_path, "--photos", "120"]
    subprocess.run([*make, "--rows", "300", "--base-url", base], check=True, capture_output=True)
    serve = [sys.executable, SHARED / "photo_host.py", tmp_path, "--port", str(port)]
    log = tmp_path / "requests.tsv"
    faults = ["--fault-rate", "0.3", "--stall", "2", "--log", str(log)]
    server = subprocess.Popen([*serve, *faults], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None and server.stdout.readline()
        sample, _ = sample_faces(tmp_path / "fec.csv", None, 0)
        settings = SETTINGS | {"attempts": 4, "read_timeout": 1, "total_timeout": 10}
        ledger, faces, index, refused = fetch(tmp_path, sample, settings)
    finally:
        server.kill()
    kinds = (
        pd.read_csv(log, sep="\t", names=["time", "path", "kind"]).groupby("path")["kind"].last()
    )
    served = {base.removesuffix("/photos/") + path: kind for path, kind in kinds.items()}
    for url, outcome in ledger["outcome"].items():
        assert (outcome == "fetched") == (served[url] == "ok"), (url, served[url])
    truth = pd.read_csv(tmp_path / "truth.csv").set_index(["url", "left"])
    assert len(index) + len(refused) == len(sample)
    for row, face in enumerate(faces):
        entry = index.iloc[row]
        near = truth.loc[entry["url"]].reset_index()
        name = near.iloc[(near["left"] - entry["left"]).abs().argmin()]["face"]
        real = Image.open(SHARED / "faces" / name).convert("RGB").resize((8, 8), 3)
        assert np.abs(face.astype(int) - np.asarray(real).astype(int)).mean() < 12, name
