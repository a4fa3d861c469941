"""Fetching: what a hostile web does, politeness, and kills at any moment."""

import asyncio
import email.utils
import errno
import gzip
import hashlib
import io
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from PIL import Image

from facesort.common.arrays import write_index
from facesort.common.job import InputError
from facesort.demo.host import serve
from facesort.fetch import download as fetching
from facesort.fetch import queues
from facesort.fetch.download import Fetching
from facesort.fetch.headers import forbids_ai, parse_retry_after
from facesort.fetch.http import Client, Photo
from facesort.fetch.imaging import cut_faces, resize
from facesort.fetch.journal import BUCKETS, Entry, Journal, bucket_of, buckets_of
from facesort.fetch.losses import count_losses
from facesort.fetch.manifest import read_manifest
from facesort.fetch.outputs import write_faces, write_ledger
from facesort.fetch.placeholders import find_placeholders
from facesort.fetch.queues import Frontier
from facesort.fetch.urls import is_public
from facesort.fetch.worklist import WorkList

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
SIZE = 48
SETTINGS = {
    "shards": 1,
    "concurrency": 16,
    "per_host": 4,
    "rate_per_host": None,
    "connect_timeout": 2,
    "read_timeout": 0.6,
    "total_timeout": 1.5,
    "attempts": 3,
    "backoff": 0.02,
    "user_agent": "facesort/0.1",
    "contact": "someone@example.org",
    "allow_private": True,
    "obey_robots": True,
    "obey_noai": True,
    "max_bytes": 200_000,
    "max_pixels": 1_000_000,
    "exclude": None,
    "placeholders": {"allow": [], "forbid": []},
    "retry_failed": False,
    "keep_photos": None,
}


def picture(number: int, kind: str = "JPEG", side: int = 64) -> bytes:
    """Bytes of a noisy image of its own for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


class Server(ThreadingHTTPServer):
    """With a queue for many connections at once: those beyond it wait a second, or are lost."""

    request_queue_size = 128
    daemon_threads = True


class Site:
    """A web server of this test: ``pages`` maps a path to what answers it; all is counted."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.pages: dict = {}
        self.asked: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}
        self.agents: set[str] = set()
        self.active: Counter[str] = Counter()
        self.most_active: Counter[str] = Counter()
        self.lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path
                host = self.headers["Host"].partition(":")[0]
                with site.lock:
                    site.asked[path] += 1
                    site.times.setdefault(path, []).append(time.monotonic())
                    site.agents.add(self.headers["User-Agent"])
                    site.active[host] += path != "/robots.txt"
                    site.most_active |= site.active
                try:
                    page = site.pages.get(path)
                    if page is None:
                        self.say(404, b"no", kind="text/plain")
                    elif isinstance(page, bytes):
                        self.say(200, page)
                    else:
                        page(self)
                except OSError:
                    self.close_connection = True
                finally:
                    with site.lock:
                        site.active[host] -= path != "/robots.txt"

            def say(self, status, body=b"", kind="image/jpeg", length=None, **headers):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def hang_up(self):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *args):
                pass

        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def secure(self, certificate):
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # Shaken hands in the thread of each connection, so that none holds up the others.
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )


@contextmanager
def serving(site):
    threading.Thread(target=site.server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture
def site():
    with serving(Site()) as site:
        yield site


def faces_of(urls, box=(0.0, 1.0, 0.0, 1.0)) -> pd.DataFrame:
    rows = [
        (hashlib.sha256(f"{url}{box}".encode()).hexdigest()[:32], url, *box, i + 1, 1)
        for i, url in enumerate(urls)
    ]
    columns = ["face_id", "url", "left", "right", "top", "bottom", "row", "slot"]
    return pd.DataFrame(rows, columns=columns)


OUTPUTS = ("faces.npy", "faces.parquet", "refused.parquet", "manifest.csv")


def work(sample, folder, settings, loopback=(), buckets=range(BUCKETS)):
    """Ask for a sample's photos of some hosts, as one job does."""
    folder.mkdir(parents=True, exist_ok=True)
    write_index(sample, folder / "sample.parquet")
    with (
        Journal(folder / "state", SIZE, buckets) as journal,
        WorkList(folder / "sample.parquet", buckets) as worklist,
    ):
        fetching = Fetching(worklist, journal, settings, 2, loopback)
        asyncio.run(fetching.run())
    return fetching


def fetch(sample, folder, loopback=(), **changed):
    """Run a whole job; return its ledger by URL, its array, its index and its lost faces."""
    settings = SETTINGS | changed
    work(sample, folder, settings, loopback)
    paths = [folder / name for name in OUTPUTS]
    with Journal(folder / "state", SIZE) as journal:
        with WorkList(folder / "sample.parquet") as worklist:
            placeholders = find_placeholders(worklist, journal, settings["placeholders"])
            counts = write_ledger(worklist, journal, placeholders, folder / "ledger.parquet")
        written = write_faces(folder / "sample.parquet", journal, placeholders, *paths)
    ledger = pd.read_parquet(folder / "ledger.parquet")
    assert len(ledger) == sample["url"].nunique() == counts.total()
    assert ledger["outcome"].value_counts().to_dict() == +counts
    array, index, refused = np.load(paths[0]), *map(pd.read_parquet, paths[1:3])
    assert (len(array), len(refused)) == written
    assert len(array) == len(index) == len(pd.read_csv(paths[3]))
    assert len(index) + len(refused) == len(sample)
    assert refused["cause"].notna().all()
    return ledger.set_index("url"), array, index, refused


def stored(folder, sample):
    """The ``face_id`` of every face of a sample that is stored."""
    with Journal(folder / "state", SIZE) as journal:
        return set(journal.stored(zip(sample["face_id"], sample["url"], strict=True)))


def square(data: bytes) -> np.ndarray:
    return resize(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), SIZE)


def with_good_one(site, *paths):
    """A sample of these paths and of one good photo, so that not all is lost."""
    site.pages["/good.png"] = picture(0, "PNG", 32)
    return faces_of([site.url + path for path in ("/good.png", *paths)])


# What a server may do


def bomb(page):
    out = io.BytesIO()
    Image.new("1", (4000, 4000)).save(out, "PNG")
    page.say(200, out.getvalue())


def endless(page):
    page.send_response(200)
    page.end_headers()
    for _ in range(1000):
        page.wfile.write(b"x" * 10_000)
    page.hang_up()


LASTING = {
    "gone": (lambda page: page.say(410), "status 410", 410),
    "forbidden": (lambda page: page.say(403), "status 403", 403),
    "no content": (lambda page: page.say(204), "status 204", 204),
    "html": (
        b"<html><body>This photo is unavailable</body></html>",
        "HTML in place of an image",
        200,
    ),
    "garbage": (bytes(range(256)) * 40, "not an image", 200),
    "empty": (b"", "empty", 200),
    "half a file": (picture(1)[:700], "truncated image", 200),
    "bomb": (bomb, "too many pixels", 200),
    "large": (lambda page: page.say(200, b"", length=10**12), "too many bytes", 200),
    "endless": (endless, "too many bytes", 200),
    "loop": (lambda page: page.say(302, Location=page.path), "too many redirects", None),
    "to a file": (
        lambda page: page.say(302, Location="file:///etc/passwd"),
        "scheme refused",
        None,
    ),
    "to data": (
        lambda page: page.say(302, Location="data:image/gif;base64,R0"),
        "scheme refused",
        None,
    ),
    "gzip": (
        lambda page: page.say(200, gzip.compress(picture(1)), Content_Encoding="gzip"),
        "not an image",
        200,
    ),
    "to nowhere": (lambda page: page.say(302), "redirect to nowhere", 302),
    "to nonsense": (lambda page: page.say(302, Location="http://[::1/"), "not a URL", None),
}
PASSING = {
    "busy": (lambda page: page.say(503), "status 503", 503),
    "broken": (lambda page: page.say(500), "status 500", 500),
    "many": (lambda page: page.say(429, Retry_After="0"), "status 429", 429),
    "drop": (lambda page: page.hang_up(), "broken off", None),
    "cut": (
        lambda page: (page.say(200, picture(1)[:700], length=len(picture(1))), page.hang_up()),
        "broken off",
        None,
    ),
    "stall": (lambda page: time.sleep(3), "timed out", None),
    "drip": (
        lambda page: (
            page.say(200, b"", length=1000),
            [(page.wfile.write(b"x"), time.sleep(0.2)) for _ in range(20)],
        ),
        "timed out",
        None,
    ),
    "nonsense": (
        lambda page: page.wfile.write(b"\x00\xff\r\n\r\n" * 9),
        "unreadable answer",
        None,
    ),
}


def test_lasting_faults_are_told_and_asked_for_once(site, tmp_path):
    for name, (page, _, _) in LASTING.items():
        site.pages["/" + name.replace(" ", "")] = page
    sample = with_good_one(site, *(p for p in site.pages))
    ledger, array, _, refused = fetch(sample, tmp_path)
    assert np.array_equal(array, [square(site.pages["/good.png"])])
    for name, (_, cause, status) in LASTING.items():
        path = "/" + name.replace(" ", "")
        row = ledger.loc[site.url + path]
        assert (row["outcome"], row["error"].partition(":")[0]) == ("failed", cause), name
        assert row["attempts"] == 1, name
        assert (row["status"] if pd.notna(row["status"]) else None) == status, name
        assert site.asked[path] == (6 if name == "loop" else 1), name
    assert set(refused["url"]) == set(sample["url"]) - {site.url + "/good.png"}
    assert site.agents == {"facesort/0.1 (+someone@example.org)"}


def test_passing_faults_are_tried_again_and_then_told(site, tmp_path):
    for name, (page, _, _) in PASSING.items():
        site.pages["/" + name] = page
    ledger, array, _, _ = fetch(with_good_one(site, *("/" + name for name in PASSING)), tmp_path)
    assert len(array) == 1
    for name, (_, cause, status) in PASSING.items():
        row = ledger.loc[f"{site.url}/{name}"]
        assert (row["outcome"], row["error"].partition(":")[0]) == ("failed", cause), name
        assert row["attempts"] == 3, name
        # A kept connection that the server has closed is opened again at once, uncounted.
        assert site.asked["/" + name] == 3 or (status is None and 3 < site.asked["/" + name] <= 6)
        assert (row["status"] if pd.notna(row["status"]) else None) == status, name


def test_what_passes_is_had(site, tmp_path):
    def twice(fault):
        return lambda page: (
            fault(page) if site.asked[page.path] < 3 else page.say(200, picture(7, "PNG"))
        )

    names = [name for name in PASSING if name != "nonsense"]
    for name in names:
        site.pages["/" + name] = twice(PASSING[name][0])
    sample = faces_of([f"{site.url}/{name}" for name in names])
    ledger, array, _, _ = fetch(sample, tmp_path)
    assert (ledger["outcome"] == "fetched").all()
    assert (ledger["attempts"].drop(site.url + "/drop") == 3).all()
    assert ledger["error"].isna().all()
    assert np.array_equal(array, [square(picture(7, "PNG"))] * len(names))


@pytest.mark.parametrize(
    "value", [lambda: "1", lambda: email.utils.formatdate(time.time() + 2, usegmt=True)]
)
def test_retry_after_is_obeyed_in_seconds_and_as_a_date(site, tmp_path, value):
    def page(page):
        if site.asked[page.path] == 1:
            page.say(429, Retry_After=value())
        else:
            page.say(200, picture(1))

    # One URL alone: two such answers would also hold back the whole host.
    site.pages["/a.jpg"] = page
    ledger, *_ = fetch(faces_of([site.url + "/a.jpg"]), tmp_path)
    first, second = site.times["/a.jpg"]
    # As long as it asks for; the other bound is only there to tell seconds from minutes.
    assert 0.95 < second - first < 40
    assert ledger["outcome"].item() == "fetched"


def test_a_host_that_asks_for_a_day_is_left_alone(site, tmp_path):
    site.pages |= {f"/{i}": lambda page: page.say(429, Retry_After="86400") for i in range(40)}
    with pytest.raises(InputError, match=r"host asks to come back later \(3\d\), status 429"):
        fetch(faces_of([f"{site.url}/{i}" for i in range(40)]), tmp_path)
    assert sum(site.asked.values()) - 1 < 10


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("9" * 400, float("inf")),
        ("soon", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read(value, seconds):
    assert parse_retry_after(value) == seconds


def test_one_url_that_stalls_holds_up_no_other(site, tmp_path, monkeypatch):
    """It answers once all others have been asked for: never, if they waited for it."""
    site.pages |= {f"/{i}.jpg": picture(i) for i in range(30)}
    others_asked = []

    def stall(page):
        end = time.monotonic() + 30
        while len(site.asked) < 32 and time.monotonic() < end:
            time.sleep(0.01)
        others_asked.append(len(site.asked) - 2)
        page.say(200, picture(30))

    site.pages["/stall"] = stall
    urls = [site.url + path for path in ("/stall", *(f"/{i}.jpg" for i in range(30)))]
    monkeypatch.setattr(queues, "SHORTEST_PATIENCE", 60)
    fetch(faces_of(urls), tmp_path, attempts=1, read_timeout=60, total_timeout=60)
    assert others_asked == [30]


def test_photos_that_never_come_wait_until_all_others_are_there(site, tmp_path):
    """As many as the host has places stall: without a queue of their own, they would fill them."""
    good = [f"/{i}.jpg" for i in range(40)]
    site.pages |= {path: picture(i) for i, path in enumerate(good)}
    stalls = [f"/stall{i}" for i in range(4)]
    site.pages |= {path: lambda page: time.sleep(3) for path in stalls}
    sample = faces_of([site.url + path for path in (*stalls, *good)])
    ledger, *_ = fetch(sample, tmp_path, attempts=3, read_timeout=0.6)
    assert ledger["outcome"].value_counts().to_dict() == {"fetched": 40, "failed": 4}
    last_good = max(site.times[path][0] for path in good)
    assert all(len(site.times[path]) == 3 for path in stalls)
    assert all(second > last_good for _, second, _ in (site.times[path] for path in stalls))


def test_patience_grows_with_a_host_that_is_slow(tmp_path):
    frontier = frontier_of(tmp_path, [f"http://a/{i}" for i in range(9)], 9)
    job = frontier.take(0.0)
    given = []
    for _ in range(4):
        given.append(frontier.patience(job, 20.0))
        frontier.doubt(job, given[-1])
    assert given == [3.0, 6.0, 12.0, 20.0]
    for _ in range(30):
        frontier.praise(job, 0.1)
    assert frontier.patience(job, 20.0) == 3.0
    frontier.praise(job, 5.0)
    assert frontier.patience(job, 60.0) == pytest.approx(20 * 1.08, rel=0.1)
    job.attempts = 1
    assert frontier.patience(job, 20.0) == 20.0, "a later try is given all the time"


def test_waiting_for_a_turn_is_no_part_of_the_time_limit(site, tmp_path):
    def slow(page):
        time.sleep(0.2)
        page.say(200, picture(int(page.path[1:])))

    site.pages |= {f"/{i}": slow for i in range(32)}
    sample = faces_of([f"{site.url}/{i}" for i in range(32)])
    # Two at a time, all of them take over three seconds: longer than one may, which takes 0.2.
    ledger, *_ = fetch(sample, tmp_path, per_host=2, attempts=1, total_timeout=3)
    assert (ledger["outcome"] == "fetched").all()


# Politeness


def test_robots_and_noai_and_the_exclusion_list(site, tmp_path):
    site.pages |= {f"/{i}.jpg": picture(i) for i in range(3)}
    site.pages["/robots.txt"] = (
        b"User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private/\n"
    )
    site.pages["/private/a.jpg"] = site.pages["/objects.jpg"] = picture(9)
    site.pages["/noai.jpg"] = lambda page: page.say(200, picture(9), X_Robots_Tag="noindex, noai")
    site.pages["/to-private"] = lambda page: page.say(302, Location="/private/a.jpg")
    site.pages["/to-objector"] = lambda page: page.say(302, Location="/objects.jpg")
    (tmp_path / "no.txt").write_text(f"# owners object\n\nhttps{site.url[4:]}/objects.jpg\n")
    sample = faces_of([site.url + path for path in site.pages if path != "/robots.txt"])
    ledger, array, _, _ = fetch(sample, tmp_path, exclude=str(tmp_path / "no.txt"))
    causes = ledger["error"].dropna().to_dict()
    assert causes == {
        site.url + "/private/a.jpg": "robots.txt forbids",
        site.url + "/to-private": "robots.txt forbids",
        site.url + "/noai.jpg": "noai header",
        site.url + "/objects.jpg": "exclusion list",
        site.url + "/to-objector": "exclusion list",
    }
    assert set(ledger.loc[list(causes), "outcome"]) == {"excluded"}
    assert len(array) == 3
    assert site.asked["/private/a.jpg"] == site.asked["/objects.jpg"] == 0
    assert site.asked["/robots.txt"] == 1
    # The settings decide, and only what was excluded is asked for again.
    before = site.asked.copy()
    ledger, array, _, _ = fetch(sample, tmp_path, obey_robots=False, obey_noai=False)
    assert (ledger["outcome"] == "fetched").all()
    assert all(site.asked[f"/{i}.jpg"] == before[f"/{i}.jpg"] for i in range(3))
    # An owner objects later: the crop goes too.
    ledger, array, index, _ = fetch(sample, tmp_path, exclude=str(tmp_path / "no.txt"))
    assert site.url + "/objects.jpg" not in set(index["url"])
    assert stored(tmp_path, sample) == set(index["face_id"])


@pytest.mark.parametrize("status", [500, 503])
def test_a_host_that_cannot_tell_its_rules_is_not_asked(site, tmp_path, status):
    site.pages["/robots.txt"] = lambda page: page.say(status)
    site.pages["/a.jpg"] = picture(1)
    with pytest.raises(InputError, match=rf"robots\.txt status {status} \(1\)"):
        fetch(faces_of([site.url + "/a.jpg"]), tmp_path)
    assert site.asked["/robots.txt"] == 3
    assert site.asked["/a.jpg"] == 0


def test_retry_after_is_obeyed_for_robots_too(site, tmp_path):
    def robots(page):
        if site.asked[page.path] == 1:
            page.say(503, Retry_After="1")
        else:
            page.say(404)

    site.pages |= {"/robots.txt": robots, "/a.jpg": picture(1)}
    ledger, *_ = fetch(faces_of([site.url + "/a.jpg"]), tmp_path)
    first, second = site.times["/robots.txt"]
    assert 0.95 < second - first < 40
    assert ledger["outcome"].item() == "fetched"


def test_a_host_that_wants_a_request_an_hour_is_not_asked(site, tmp_path):
    site.pages["/robots.txt"] = b"User-agent: *\nCrawl-delay: 3600\n"
    site.pages["/a.jpg"] = picture(1)
    with pytest.raises(InputError, match=r"robots\.txt asks for too few requests"):
        fetch(faces_of([site.url + "/a.jpg"]), tmp_path)
    assert site.asked == {"/robots.txt": 1}


@pytest.mark.parametrize(
    ("values", "forbids"),
    [
        ([], False),
        (["noindex"], False),
        (["NoAI"], True),
        (["noindex, noimageai"], True),
        (["otherbot: noai"], False),
        (["otherbot: noindex, noai"], False),
        (["facesort: noimageai"], True),
        (["otherbot: noai", "noai"], True),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], True),
    ],
)
def test_x_robots_tag(values, forbids):
    headers = CIMultiDictProxy(CIMultiDict([("x-robots-tag", value) for value in values]))
    assert forbids_ai(headers, "facesort") is forbids


def test_limits_per_host(site, tmp_path):
    def slow(page):
        time.sleep(0.03)
        page.say(200, picture(int(page.path[1:])))

    site.pages |= {f"/{i}": slow for i in range(24)}
    sample = faces_of([f"{site.url}/{i}" for i in range(24)])
    fetch(sample, tmp_path / "a", per_host=3)
    assert site.most_active.total() == 3
    site.times.clear()
    fetch(sample.head(8), tmp_path / "b", rate_per_host=20)
    times = sorted(t for path, ts in site.times.items() if path != "/robots.txt" for t in ts)
    assert times[-1] - times[0] > 7 / 20 * 0.9
    site.pages["/robots.txt"] = b"User-agent: *\nCrawl-delay: 0.1\n"
    site.times.clear()
    fetch(sample.head(8), tmp_path / "c")
    times = sorted(t for path, ts in site.times.items() if path != "/robots.txt" for t in ts)
    assert min(np.diff(times)) > 0.05
    assert times[-1] - times[0] > 0.6


def frontier_of(folder, urls, per_host):
    write_index(faces_of(urls), folder / "sample.parquet")
    worklist = WorkList(folder / "sample.parquet")
    worklist.enqueue(urls)
    worklist.sort_hosts()
    return Frontier(worklist, per_host, None)


def test_a_host_that_throttles_is_left_alone(tmp_path):
    frontier = frontier_of(tmp_path, [f"http://a/{i}" for i in range(9)] + ["http://b/1"], 3)
    jobs = [frontier.take(0.0) for _ in range(4)]
    assert [job.url for job in jobs] == ["http://a/0", "http://b/1", "http://a/1", "http://a/2"]
    assert frontier.take(0.0) is None, "three at once to host a, and no more of b"
    frontier.release(jobs[0])
    frontier.scold(jobs[0], until=10.0)
    assert frontier.take(1.0).url == "http://a/3", "one answer is about one URL"
    frontier.release(jobs[2])
    frontier.scold(jobs[2], until=10.0)
    assert frontier.take(2.0) is None
    assert frontier.next_due() == 10.0
    assert frontier.take(10.0).url == "http://a/4"


def test_hosts_take_turns(tmp_path):
    urls = [f"http://big/{i}" for i in range(6)] + ["http://one/", "http://two/"]
    frontier = frontier_of(tmp_path, urls, 2)
    first = [frontier.take(0.0).url for _ in range(4)]
    assert first == ["http://big/0", "http://one/", "http://two/", "http://big/1"]


# Addresses


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses(address, public):
    assert is_public(address) is public


def test_private_addresses_are_refused_where_they_are_connected_to(site, tmp_path):
    other = Site()
    other.pages["/secret.jpg"] = picture(5)
    paths = {
        "/good.jpg": picture(0),
        "/to-ip": lambda page: page.say(302, Location=f"http://127.0.0.1:{other.port}/secret.jpg"),
        "/to-name": lambda page: page.say(
            302, Location=f"http://localhost:{other.port}/secret.jpg"
        ),
        "/to-v6": lambda page: page.say(302, Location=f"http://[::1]:{other.port}/secret.jpg"),
    }
    site.pages |= paths
    direct = [f"http://{h}:{other.port}/secret.jpg" for h in ("localhost", "127.0.0.1", "127.1")]
    sample = faces_of([site.url + path for path in paths] + direct)
    loopback = [("127.0.0.1", site.port)]
    with serving(other):
        for obey in (False, True):
            ledger, array, _, _ = fetch(
                sample, tmp_path / str(obey), loopback, allow_private=False, obey_robots=obey
            )
            assert len(array) == 1, "the loopback port that was allowed"
            lost = ledger["error"].dropna()
            assert len(lost) == 6
            assert lost.str.contains(r"private address refused|not a URL").all(), lost.to_dict()
        assert not other.asked


def test_a_name_that_changes_its_address_is_refused(site, monkeypatch):
    """The name is public when first looked up and private when connected to."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
            | {"proto": 0, "flags": 0}
        ]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    monkeypatch.setattr("aiohttp.resolver.DefaultResolver.resolve", resolve)
    site.pages["/a.jpg"] = picture(1)

    async def ask(**changed):
        async with Client(SETTINGS | {"obey_robots": False} | changed) as client:
            return await client.get(f"http://rebinding.example:{site.port}/a.jpg")

    assert isinstance(asyncio.run(ask()), Photo)
    lost = asyncio.run(ask(allow_private=False))
    assert lost.error == "private address refused"
    assert site.asked["/a.jpg"] == 1


# Accounts


def test_boxes_and_order(site, tmp_path):
    photo = picture(3, "PNG", 128)
    site.pages["/two.png"] = photo
    site.pages["/one.png"] = lambda page: (time.sleep(0.2), page.say(200, picture(4, "PNG")))
    left, right = (0.0, 0.5, 0.0, 1.0), (0.5, 1.0, 0.25, 0.75)
    sample = pd.concat(
        [
            faces_of([site.url + "/one.png"]),
            faces_of([site.url + "/two.png"], right),
            faces_of([site.url + "/gone.png"]),
            faces_of([site.url + "/two.png"], left),
        ],
        ignore_index=True,
    )
    ledger, array, index, refused = fetch(sample, tmp_path, keep_photos=str(tmp_path / "photos"))
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    cuts = [image.crop((64, 32, 128, 96)), image.crop((0, 0, 64, 128))]
    wanted = [square(picture(4, "PNG"))]
    wanted += [resize(np.asarray(cut), SIZE) for cut in cuts]
    assert np.array_equal(array, wanted)
    assert list(index["face_id"]) == list(sample["face_id"].drop(2))
    assert set(index["sha256"]) == {
        hashlib.sha256(photo).hexdigest(),
        hashlib.sha256(picture(4, "PNG")).hexdigest(),
    }
    assert list(index["width"]) == [64, 128, 128]
    assert refused.to_dict("records") == [
        {"face_id": sample["face_id"][2], "url": site.url + "/gone.png", "row": 1, "slot": 1}
        | {"cause": "status 404"}
    ]
    assert site.asked["/two.png"] == 1, "one photo, two faces, one request"
    kept = {path.name: path.read_bytes() for path in (tmp_path / "photos").iterdir()}
    assert kept == {hashlib.sha256(b).hexdigest(): b for b in (photo, picture(4, "PNG"))}
    assert str(ledger["fetched_at"].dtype) == "datetime64[us, UTC]"
    assert count_losses(ledger.reset_index(), refused).to_dict("records") == [
        {"host": "127.0.0.1", "outcome": "failed", "cause": "status 404", "urls": 1, "faces": 1}
    ]


def test_a_second_run_asks_only_for_what_is_missing(site, tmp_path):
    site.pages |= {f"/{i}.png": picture(i, "PNG") for i in range(6)}
    urls = [f"{site.url}/{i}.png" for i in range(6)] + [site.url + "/gone.png"]
    fetch(faces_of([*urls[:3], urls[6]]), tmp_path)
    before = site.asked.copy()
    _, array, _, _ = fetch(faces_of(urls), tmp_path)
    assert {path: n - before[path] for path, n in site.asked.items() if n > before[path]} == {
        "/robots.txt": 1,
        "/3.png": 1,
        "/4.png": 1,
        "/5.png": 1,
    }
    assert np.array_equal(array, [square(picture(i, "PNG")) for i in range(6)])
    # Another face of a photo that was fetched.
    other = faces_of(urls[:1], (0.0, 0.5, 0.0, 0.5))
    _, array, _, _ = fetch(pd.concat([faces_of(urls), other], ignore_index=True), tmp_path)
    assert len(array) == 7
    assert site.asked["/gone.png"] == 1
    fetch(faces_of(urls), tmp_path, retry_failed=True)
    assert site.asked["/gone.png"] == 2
    assert site.asked["/5.png"] == 1
    with Journal(tmp_path / "state", SIZE * 2) as larger:
        assert not larger.entries(urls), "faces of another size do not mix"


def test_nothing_fetched_is_an_error_and_asked_for_again(site, tmp_path):
    sample = faces_of([f"{site.url}/{i}.jpg" for i in range(3)])
    with pytest.raises(InputError, match=r"none of 3 photos could be fetched: status 404 \(3\)"):
        fetch(sample, tmp_path)
    assert not (tmp_path / "faces.npy").exists()
    site.pages |= {f"/{i}.jpg": picture(i) for i in range(3)}
    assert len(fetch(sample, tmp_path)[1]) == 3


def test_a_dead_host_is_given_up_for_all_its_photos_at_once(tmp_path, site, monkeypatch):
    tried: Counter[int] = Counter()
    make_socket = Client._make_socket

    def counted(client, info):
        tried[info[-1][1]] += 1
        return make_socket(client, info)

    monkeypatch.setattr(Client, "_make_socket", counted)
    site.pages["/a.jpg"] = picture(1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        dead = f"http://127.0.0.1:{port}"
        urls = [f"{dead}/{i}.jpg" for i in range(200)] + ["http://nowhere.invalid/a.jpg"]
        ledger, *_ = fetch(faces_of([*urls, site.url + "/a.jpg"]), tmp_path)
    # Its robots.txt is tried as often as any, and none of its photos.
    assert 0 < tried[port] <= SETTINGS["attempts"]
    assert tried[site.port]
    assert set(ledger.loc[urls[:-1], "error"]) == {"connection refused: asked for robots.txt"}
    assert ledger.loc[urls[-1], "error"] in {
        "unknown host: asked for robots.txt",
        "name not looked up: asked for robots.txt",  # where no name can be looked up
    }


def test_every_loss_is_counted_by_what_happened(tmp_path, site):
    """Also where it happened to robots.txt, which is asked for first."""
    other = Site()
    other.pages["/robots.txt"] = lambda page: page.hang_up()
    moved = Site()
    moved.pages["/robots.txt"] = lambda page: page.say(302, Location="ftp://a.org/robots.txt")
    site.pages["/good.jpg"] = picture(1)
    causes = {
        f"{other.url}/1.jpg": r"broken off: .*, asked for robots\.txt",
        f"{moved.url}/1.jpg": r"scheme refused: ftp, asked for robots\.txt",
        "http:///1.jpg": "not a URL",
        f"{site.url}/1.jpg": "status 404",
    }
    with serving(other), serving(moved):
        ledger, *_ = fetch(faces_of([f"{site.url}/good.jpg", *causes]), tmp_path)
    told = ledger["error"].dropna()
    assert set(told.index) == set(causes)
    for url, words in causes.items():
        assert re.fullmatch(words, told[url]), told[url]


@pytest.mark.parametrize("obey", [True, False])
def test_a_bad_certificate_is_called_that(tmp_path, certificate, obey):
    with serving(Site()) as site:
        site.secure(certificate)
        urls = [f"https://127.0.0.1:{site.port}/1.jpg"]
        with pytest.raises(InputError, match=r"bad certificate \(1\); .*SSL_CERT_FILE"):
            fetch(faces_of(urls), tmp_path, obey_robots=obey)
        plain = [f"http://127.0.0.1:{site.port}/1.jpg"]
        with pytest.raises(InputError, match=r"fetched: (broken off|unreadable answer) \(1\)$"):
            fetch(faces_of(plain), tmp_path, obey_robots=obey)
    with serving(Site()) as site:
        site.pages["/1.jpg"] = picture(1)
        urls = [f"https://127.0.0.1:{site.port}/1.jpg"]
        with pytest.raises(InputError, match=r"fetched: no secure connection \(1\)$"):
            fetch(faces_of(urls), tmp_path, obey_robots=obey)


def test_if_all_is_lost_the_key_that_may_help_is_named(tmp_path, site):
    with pytest.raises(InputError, match=r"private address refused \(1\); .*fetch\.allow_private"):
        fetch(faces_of([f"{site.url}/1.jpg"]), tmp_path, allow_private=False)
    with pytest.raises(InputError, match=r"fetched: status 404 \(1\)$"):
        fetch(faces_of([f"{site.url}/1.jpg"]), tmp_path)


@pytest.mark.parametrize("obey", [True, False], ids=["robots.txt first", "at once"])
def test_private_hosts_are_told_how_to_be_had_also_beside_others(tmp_path, site, capsys, obey):
    other = Site()
    urls = [f"http://{host}:{other.port}/1.jpg" for host in ("localhost", "127.0.0.1")]
    settings = {"allow_private": False, "obey_robots": obey}
    with pytest.raises(InputError, match=r"refused \(2\); if .* set fetch\.allow_private to true$"):
        fetch(faces_of(urls), tmp_path, **settings)
    assert "warning" not in capsys.readouterr().out
    site.pages["/1.jpg"] = picture(1)
    urls += [f"{site.url}/1.jpg"]
    fetch(faces_of(urls), tmp_path, [("127.0.0.1", site.port)], **settings)
    assert (
        "warning: 2 of 3 photos are on private hosts, which were not asked; if these hosts are "
        "yours, set fetch.allow_private to true"
    ) in capsys.readouterr().out.splitlines()


def test_a_fault_of_this_machine_is_no_photos_loss(tmp_path, site, monkeypatch):
    def none_left(client, info):
        raise OSError(errno.EMFILE, "Too many open files")

    site.pages["/1.jpg"] = picture(1)
    sample = faces_of([f"{site.url}/1.jpg"])
    for obey in (True, False):
        with monkeypatch.context() as patched, pytest.raises(InputError, match="ulimit -n"):
            patched.setattr(Client, "_make_socket", none_left)
            fetch(sample, tmp_path, obey_robots=obey)
    ledger, *_ = fetch(sample, tmp_path)
    assert ledger["outcome"].item() == "fetched"


def test_photos_that_wait_are_stored_together(site, tmp_path, monkeypatch):
    """Some in one transaction, and with the same outcome as one by one."""
    site.pages |= {f"/{i}.jpg": picture(i) for i in range(40)}
    site.pages["/40.jpg"] = b"no picture"
    sample = faces_of([f"{site.url}/{i}.jpg" for i in range(42)])
    sizes = []
    add_all, cut = Journal.add_all, fetching.cut_faces

    def slow(*arguments):
        time.sleep(0.02)
        return cut(*arguments)

    def counted(journal, photos):
        sizes.append(len(photos))
        add_all(journal, photos)

    monkeypatch.setattr(fetching, "cut_faces", slow)
    monkeypatch.setattr(Journal, "add_all", counted)
    found = {}
    for together in (1, 4):
        monkeypatch.setattr(fetching, "TOGETHER", together)
        sizes.clear()
        ledger, *found[together] = fetch(sample, tmp_path / str(together), per_host=30)
        assert max(sizes) == together and sum(sizes) == 42
        found[together].append(ledger.drop(columns="fetched_at"))
    for one, other in zip(found[1], found[4], strict=True):
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one.equals(other)


def test_a_journal_in_use_or_damaged_is_said(tmp_path):
    with Journal(tmp_path, SIZE) as journal:
        journal.add(Entry("http://a/1", "failed", error="status 404"), {})
        code = f"from facesort.fetch.journal import Journal; Journal({str(tmp_path)!r}, {SIZE})"
        env = os.environ | {"PYTHONPATH": str(SCRIPTS)}
        other = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
        )
        assert "another job is fetching into it" in other.stderr
    path = next(tmp_path.rglob("*.sqlite"))
    path.write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match=r"damaged \(file is not a database\); delete this file"):
        Journal(tmp_path, SIZE)


def test_a_journal_is_thrown_away_only_by_a_person(site, tmp_path):
    """Neither one begun before redirects were kept, nor one that a later version has written."""
    site.pages |= {f"/{i}.png": picture(i, "PNG") for i in range(3)}
    sample = faces_of([f"{site.url}/{i}.png" for i in range(3)])
    _, array, _, _ = fetch(sample, tmp_path)
    asked = site.asked.copy()
    path = next((tmp_path / "state").rglob("*.sqlite"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE urls DROP COLUMN final_url")
    ledger, again, _, _ = fetch(sample, tmp_path)
    assert np.array_equal(again, array)
    assert ledger["final_url"].isna().all()
    assert site.asked == asked
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="made by a newer facesort"):
        fetch(sample, tmp_path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 3")
    assert np.array_equal(fetch(sample, tmp_path)[1], array)
    assert site.asked == asked


WITH_FEW_FILES = """
import os, resource, sys
from facesort.common.job import InputError
from facesort.common.open_files import count_open
from facesort.fetch.journal import Entry, Journal
with Journal(sys.argv[1], 48) as journal:
    resource.setrlimit(resource.RLIMIT_NOFILE, (count_open() - 1, 4096))
    try:
        journal.add(Entry("http://a.org/1", "failed", error="status 404"), {})
    except InputError as error:
        print(error)
"""


def test_a_journal_that_may_not_open_its_files_is_not_called_damaged(tmp_path):
    said = run_python(WITH_FEW_FILES, tmp_path)
    assert "files may be open at once; raise the limit (`ulimit -n`)" in said
    assert "delete" not in said and "damaged" not in said


LIMITED = """
import json, resource, sys
from facesort.common.job import InputError
from facesort.fetch.download import fetch
from facesort.fetch.journal import Journal
from facesort.fetch.worklist import WorkList
sample, state, settings, limit = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit) - 8, int(limit)))
try:
    with Journal(state, 48) as journal, WorkList(sample) as worklist:
        print(fetch(worklist, journal, json.loads(settings), 2).missing, "missing")
except InputError as error:
    print(error)
"""


def test_a_low_limit_of_open_files_slows_down_and_a_very_low_one_is_named(tmp_path):
    with serving(Site("0.0.0.0")) as site:
        site.pages |= {f"/{i}.jpg": picture(i) for i in range(120)}
        sample = faces_of([f"http://127.0.0.{2 + i % 40}:{site.port}/{i}.jpg" for i in range(120)])
        write_index(sample, tmp_path / "sample.parquet")
        paths = (tmp_path / "sample.parquet", tmp_path / "state")
        settings = json.dumps(SETTINGS | {"concurrency": 64})
        assert "no more than 90 files may be open at once, and fetching needs 1" in run_python(
            LIMITED, *paths, settings, 90
        )
        assert not site.asked, "better not begun than ended in the middle"
        said = run_python(LIMITED, *paths, settings, 140)
        assert re.match(r"\d+ requests at once: the limit of open files", said)
        assert set(site.asked) == {"/robots.txt", *site.pages}
        # A busy machine may answer too late for a robots.txt, which is then asked for again.
        asked, robots = site.asked.total(), site.asked["/robots.txt"]
        assert asked - robots == 120, "every photo once"
        assert 40 <= robots <= 44, "every robots.txt"
        assert "120 missing" in said
        ledger, *_ = fetch(sample, tmp_path)
    assert (ledger["outcome"] == "fetched").all()
    assert site.asked.total() == asked


def run_python(code, *arguments):
    """What a program prints, with facesort to import."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        (b"/caf\xff.jpg", "fetched"),
        (b"?\x80", "failed"),
        (b"//\xe9/a.jpg", "failed"),
        (b"http://h\xff.example/a.jpg", "failed"),
    ],
)
@pytest.mark.parametrize("obey_robots", [True, False])
def test_a_redirect_in_another_encoding_is_followed_or_lost(
    site, tmp_path, target, outcome, obey_robots
):
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
    site.pages["/x.jpg"] = lambda page: page.wfile.write(head)
    site.pages["/caf%FF.jpg"] = picture(1)
    sample = with_good_one(site, "/x.jpg")
    ledger, *_ = fetch(sample, tmp_path, obey_robots=obey_robots)
    assert ledger["outcome"].to_dict() == {
        f"{site.url}/good.png": "fetched",
        f"{site.url}/x.jpg": outcome,
    }


def test_no_table_names_an_excluded_url_that_a_redirect_leads_to(site, tmp_path):
    site.pages |= {"/b.jpg": picture(5), "/a.jpg": lambda page: page.say(302, Location="/b.jpg")}
    (tmp_path / "no.txt").write_text(site.url + "/b.jpg\n")
    ledger, *_ = fetch(with_good_one(site, "/a.jpg"), tmp_path, exclude=str(tmp_path / "no.txt"))
    assert ledger.loc[site.url + "/a.jpg", "outcome"] == "excluded"
    assert ledger["final_url"].isna().all()
    files = [*(tmp_path / "state").rglob("*.sqlite*"), tmp_path / "ledger.parquet"]
    assert not any(b"/b.jpg" in path.read_bytes() for path in files)
    assert not site.asked["/b.jpg"]


def test_damaged_faces_are_said_and_fetched_anew(site, tmp_path):
    """As a power cut may leave them."""
    site.pages |= {f"/{i}.png": picture(i, "PNG") for i in range(5)}
    sample = faces_of([f"{site.url}/{i}.png" for i in range(5)])
    _, array, _, _ = fetch(sample, tmp_path)
    path = next((tmp_path / "state").rglob("*.crops"))
    with path.open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.truncate()
        file.seek(SIZE * SIZE * 3 * 2 + 7)
        file.write(b"\0\1\2\3")
    with pytest.raises(InputError, match=r"\.crops: 2 faces are damaged; run again"):
        fetch(sample, tmp_path)
    _, again, _, _ = fetch(sample, tmp_path)
    assert np.array_equal(again, array)
    assert sum(site.asked[f"/{i}.png"] for i in range(5)) == 7


def test_the_faces_of_an_excluded_photo_are_overwritten(site, tmp_path):
    site.pages |= {"/a.png": picture(1, "PNG"), "/b.png": picture(2, "PNG")}
    sample = faces_of([site.url + "/a.png", site.url + "/b.png"])
    _, array, _, _ = fetch(sample, tmp_path)
    path = next((tmp_path / "state").rglob("*.crops"))
    assert all(face.tobytes() in path.read_bytes() for face in array)
    (tmp_path / "no.txt").write_text(site.url + "/a.png\n")
    fetch(sample, tmp_path, exclude=str(tmp_path / "no.txt"))
    assert array[0].tobytes() not in path.read_bytes()
    assert array[1].tobytes() in path.read_bytes()


def test_pixels_that_no_row_tells_of_are_given_up(site, tmp_path):
    """Of a kill between the two files, or of a database that was deleted."""
    site.pages["/a.png"] = picture(1, "PNG")
    sample = faces_of([site.url + "/a.png"])
    _, array, _, _ = fetch(sample, tmp_path)
    path = next((tmp_path / "state").rglob("*.crops"))
    whole = path.read_bytes()
    path.write_bytes(whole + b"half a crop")
    assert np.array_equal(fetch(sample, tmp_path)[1], array)
    assert path.read_bytes() == whole
    path.with_suffix(".sqlite").unlink()
    assert np.array_equal(fetch(sample, tmp_path)[1], array)
    assert path.read_bytes() == whole


def test_few_photos_wait_to_be_cut(site, tmp_path, monkeypatch):
    """What waits is lost by a kill, and asked for again."""
    site.pages |= {f"/{i}.jpg": picture(i) for i in range(200)}
    waiting = []

    def slowly(*args):
        time.sleep(0.01)
        waiting.append(site.asked.total() - len(waiting))
        return cut_faces(*args)

    monkeypatch.setattr(fetching, "cut_faces", slowly)
    sample = faces_of([f"{site.url}/{i}.jpg" for i in range(200)])
    _, array, _, _ = fetch(sample, tmp_path, per_host=50, concurrency=50)
    assert len(array) == 200
    assert np.median(waiting) < 35, "it would be near 50"


def test_the_demo_host_serves_its_photos_and_nothing_else(tmp_path):
    photos = tmp_path / "photos"
    (photos / "3").mkdir(parents=True)
    (photos / "3" / "a.png").write_bytes(picture(1, "PNG"))
    (tmp_path / "secret.png").write_bytes(picture(2, "PNG"))
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = ["photos/3/a.png?s=640", "photos/link.png", "secret.png", "photos/", "photos/3"]
    paths += ["photos/../secret.png", "photos/%2e%2e/secret.png", "photos/3/../../secret.png"]
    urls = [f"http://127.0.0.1:{port}/{path}" for path in paths]
    with serve(photos, port):
        ledger, *_ = fetch(faces_of(urls), tmp_path, [("127.0.0.1", port)], allow_private=False)
        with pytest.raises(InputError, match=r"demo\.port"), serve(photos, port, patience=0.1):
            pass
    assert list(ledger.index[ledger["outcome"] == "fetched"]) == urls[:1]
    with serve(photos, port, patience=0.1):
        pass


def test_another_port_is_advised_only_where_one_is_taken(tmp_path, monkeypatch):
    def none_left(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("facesort.demo.host.ThreadingHTTPServer", none_left)
    with pytest.raises(InputError, match=r"ulimit -n") as told, serve(tmp_path, 8917):
        pass
    assert "demo.port" not in str(told.value)


# Kills


CHILD = """
import asyncio, json, sys
from facesort.fetch.download import fetch
from facesort.fetch.journal import Journal, buckets_of
from facesort.fetch.urls import is_public
from facesort.fetch.worklist import WorkList
sample, state, size, settings, shard, shards = sys.argv[1:]
buckets = buckets_of(int(shard), int(shards))
with Journal(state, int(size), buckets) as journal, WorkList(sample, buckets) as worklist:
    fetch(worklist, journal, json.loads(settings), 2)
"""


def start_job(folder, settings, shard=0, shards=1):
    """Begin a job in a process of its own; ``folder`` holds its sample.parquet."""
    arguments = [folder / "sample.parquet", folder / "state", SIZE, json.dumps(settings)]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, [*arguments, shard, shards])],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_kill_at_any_moment(site, tmp_path):
    def slow(page):
        time.sleep(0.02)
        page.say(200, picture(int(page.path[1:-4])))

    count = 200
    site.pages |= {f"/{i}.jpg": slow for i in range(count)}
    sample = faces_of([f"{site.url}/{i}.jpg" for i in range(count)])
    _, undisturbed, _, _ = fetch(sample, tmp_path / "one")
    site.asked.clear()
    write_index(sample, tmp_path / "two" / "sample.parquet")
    kills = 0
    for wanted in (40, 90, 150):
        child = start_job(tmp_path / "two", SETTINGS)
        while child.poll() is None and len(site.asked) < wanted:
            time.sleep(0.002)
        kills += child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert kills == 3
    del site.asked["/robots.txt"]
    again = sum(site.asked.values()) - len(site.asked)
    assert len(site.asked) < count
    ledger, resumed, _, _ = fetch(sample, tmp_path / "two")
    assert np.array_equal(undisturbed, resumed)
    assert (ledger["outcome"] == "fetched").all()
    assert (tmp_path / "one/faces.npy").read_bytes() == (tmp_path / "two/faces.npy").read_bytes()
    # Only what was under way at a kill is asked for twice.
    assert again <= 3 * (SETTINGS["per_host"] + 4)


# Shards


def hosts_of_two_shards():
    """Two addresses of this machine for each of two shards."""
    hosts: dict[int, list[str]] = {0: [], 1: []}
    for last in range(1, 50):
        hosts[bucket_of(f"127.0.0.{last}") % 2].append(f"127.0.0.{last}")
    return hosts[0][:2] + hosts[1][:2]


def test_shards_side_by_side_keep_the_limits_and_give_the_same(tmp_path):
    def slow(page):
        time.sleep(0.02)
        page.say(200, picture(int(page.path.partition("-")[2])))

    count = 24
    a, b, c, d = hosts_of_two_shards()
    with serving(Site("0.0.0.0")) as site:
        site.pages |= {f"/{host}-{i}": slow for host in (a, b, c, d) for i in range(count)}
        # Redirects within a shard, to the other shard's hosts, and of robots.txt.
        moves = [(a, b), (a, c), (c, a), (d, b)]
        for number, (source, target) in enumerate(moves):
            where = f"http://{target}:{site.port}/{target}-{number}"
            site.pages[f"/to-{source}-{number}"] = lambda page, where=where: page.say(
                302, Location=where
            )
        urls = [f"http://{h}:{site.port}/{h}-{i}" for i in range(count) for h in (a, b, c, d)]
        urls += [f"http://{s}:{site.port}/to-{s}-{n}" for n, (s, _) in enumerate(moves)]
        sample = faces_of(urls)
        _, whole, *_ = fetch(sample, tmp_path / "one", per_host=2)
        assert len(whole) == len(sample)
        asked, most = site.asked.copy(), site.most_active.copy()
        assert set(most.values()) == {2}
        site.asked.clear()
        site.most_active.clear()
        write_index(sample, tmp_path / "two" / "sample.parquet")
        jobs = [start_job(tmp_path / "two", SETTINGS | {"per_host": 2}, n, 2) for n in (0, 1)]
        assert [job.wait(60) for job in jobs] == [0, 0]
        assert set(site.most_active.values()) == {2}, "also at the hosts that redirects lead to"
        left = {f"/{target}-{number}" for number, (_, target) in enumerate(moves)}
        before = site.asked.copy()
        fetch(sample, tmp_path / "two", per_host=2)
        for name in OUTPUTS:
            same = (tmp_path / folder / name for folder in ("one", "two"))
            assert len({path.read_bytes() for path in same}) == 1, name
        later = {path for path, n in site.asked.items() if n > before[path]}
        across = {"/to-" + f"{moves[n][0]}-{n}" for n in (1, 2, 3)}
        assert later - left - {"/robots.txt"} == across, "what redirects lead elsewhere"
        assert all(site.asked[path] == asked[path] for path in asked if path.count("-") == 1)
        # Another number of shards asks for nothing again.
        site.asked.clear()
        for shard in range(3):
            assert not work(sample, tmp_path / "two", SETTINGS, (), buckets_of(shard, 3)).missing
        assert not site.asked


def test_a_redirect_of_robots_to_another_shard_is_left_to_the_last_job(tmp_path):
    a, _, c, _ = hosts_of_two_shards()
    with serving(Site("0.0.0.0")) as site:
        site.pages["/photo.jpg"] = picture(1)

        def robots(page):
            if page.headers["Host"].startswith(a + ":"):
                page.say(301, Location=f"http://{c}:{site.port}/robots.txt")
            else:
                page.say(200, b"User-agent: *\nDisallow: /private\n")

        site.pages["/robots.txt"] = robots
        sample = faces_of([f"http://{a}:{site.port}/photo.jpg"])
        shard = work(sample, tmp_path, SETTINGS, (), buckets_of(bucket_of(a) % 2, 2))
        assert shard.postponed == shard.missing == 1
        assert site.asked == {"/robots.txt": 1}
        ledger, *_ = fetch(sample, tmp_path)
        assert ledger["outcome"].item() == "fetched"


def test_buckets_are_shared_out_whole():
    for shards in range(1, BUCKETS + 1):
        parts = [set(buckets_of(shard, shards)) for shard in range(shards)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == BUCKETS
    assert bucket_of("farm1.staticflickr.com") == 8, "as in any other run, on any machine"


# Manifests


def test_a_manifest_gives_the_same_faces_and_tells_what_has_changed(site, tmp_path):
    site.pages |= {f"/{i}.png": picture(i, "PNG") for i in range(6)}
    boxes = [(0.0, 1.0, 0.0, 1.0), (0.1, 0.7000000000000001, -0.05, 1 / 3)]
    sample = pd.concat(
        [faces_of([f"{site.url}/{i}.png" for i in range(7)], box) for box in boxes],
        ignore_index=True,
    ).sort_values("face_id", ignore_index=True)
    _, array, index, _ = fetch(sample, tmp_path / "one")
    frozen, refused = read_manifest(tmp_path / "one" / "manifest.csv")
    assert refused.empty
    assert len(frozen) == len(array) == 12
    columns = ["url", "left", "right", "top", "bottom", "sha256"]
    pd.testing.assert_frame_equal(frozen[columns], index[columns])
    # Another person, an empty folder, the same web.
    fetch(frozen, tmp_path / "two")
    for name in ("faces.npy", "manifest.csv"):
        same = [(tmp_path / folder / name).read_bytes() for folder in ("one", "two")]
        assert same[0] == same[1], name
    # The web changes.
    site.pages["/1.png"] = picture(99, "PNG")
    del site.pages["/2.png"]
    ledger, fewer, index, lost = fetch(frozen, tmp_path / "three")
    kept = ~frozen["url"].isin([f"{site.url}/{i}.png" for i in (1, 2)]).to_numpy()
    assert np.array_equal(fewer, array[kept])
    assert ledger["error"].dropna().to_dict() == {
        site.url + "/1.png": "changed since the manifest",
        site.url + "/2.png": "status 404",
    }
    table = count_losses(ledger.reset_index(), lost)
    assert dict(zip(table["cause"], table["faces"], strict=True)) == {
        "changed since the manifest": 2,
        "status 404": 2,
    }
    # Also where the new photo was fetched before.
    ledger, *_ = fetch(sample, tmp_path / "four")
    assert ledger.loc[site.url + "/1.png", "outcome"] == "fetched"
    _, fewer, _, again = fetch(frozen, tmp_path / "four")
    assert np.array_equal(fewer, array[kept])
    assert list(again["face_id"]) == list(lost["face_id"])
    # It stays so without asking again; without the manifest, the new photo is as good.
    before = site.asked["/1.png"]
    fetch(frozen, tmp_path / "three")
    assert site.asked["/1.png"] == before
    ledger, *_ = fetch(frozen.drop(columns="sha256"), tmp_path / "three")
    assert ledger["outcome"].value_counts().to_dict() == {"fetched": 5, "failed": 1}
