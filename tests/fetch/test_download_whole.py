"""Fetching as a whole: real photos from a faulty host, ten kills, and memory.

The large ones are slow: ``pytest -m slow tests/fetch/test_download_whole.py``.
"""

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml
from PIL import Image
from test_download import (
    SCRIPTS,
    SETTINGS,
    SIZE,
    Site,
    faces_of,
    fetch,
    hosts_of_two_shards,
    picture,
    serving,
)

from facesort.common.arrays import write_index
from facesort.fetch.fec import sample_faces
from facesort.fetch.imaging import resize
from facesort.fetch.journal import Journal

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
BOX = ("left", "right", "top", "bottom")
EDGES = ("left", "top", "right", "bottom")
# What the photo host's faults are called in the ledger; others are "status" and the fault.
CAUSES = {
    "truncated": "broken off",
    "html": "HTML in place of an image",
    "empty": "empty",
    "bomb": "too many pixels",
    "loop": "too many redirects",
    "notimage": "not an image",
}
needs_photos = pytest.mark.skipif(
    not (DATA / "make_fec.py").is_file(), reason="needs the shared photographs"
)


def make_photos(folder: Path, photos: int) -> None:
    """Write photos, fec.csv and truth.csv into a folder."""
    command = [sys.executable, DATA / "make_fec.py", "--out", folder, "--photos", str(photos)]
    command += ["--rows", str(2 * photos)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def photo_host(folder: Path, *options: str):
    """The photo host of the shared data, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host = subprocess.Popen(
        [sys.executable, DATA / "photo_host.py", folder, "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert host.stdout.readline().startswith("serving"), "the photo host has not started"
        yield port
    finally:
        host.kill()
        host.wait()
        host.stdout.close()


def with_port(path: Path, port: int) -> str:
    """A file of URLs as if the photos were served on another port."""
    return path.read_text(encoding="utf-8").replace(":8765/", f":{port}/")


def requests_of(log: Path) -> list[tuple[str, str]]:
    """Path and what was served, for every request of a photo in the host's log."""
    lines = (line.split("\t") for line in log.read_text(encoding="utf-8").splitlines())
    return [(path, what) for _, path, what in lines if what != "robots"]


# A faulty host


@pytest.fixture(scope="module")
def many_photos(tmp_path_factory):
    if "FEC_PHOTOS" in os.environ:  # made before, in the same way
        return Path(os.environ["FEC_PHOTOS"])
    folder = tmp_path_factory.mktemp("photos")
    make_photos(folder, 12_000)
    return folder


@needs_photos
def test_real_photos_from_a_faulty_host(tmp_path):
    make_photos(tmp_path, 150)
    compare_with_the_hosts_log(tmp_path, tmp_path, seed=0, stall=3)


@needs_photos
@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_12000_photos_from_a_faulty_host(tmp_path, many_photos, seed):
    compare_with_the_hosts_log(many_photos, tmp_path, seed, stall=5, per_host=64, read_timeout=3)


def compare_with_the_hosts_log(data, folder, seed, stall, **changed):
    """Every face that could be fetched is there and right; every other is listed with its cause."""
    log = folder / "requests.tsv"
    faults = ("--fault-rate", "0.3", "--stall", str(stall), "--seed", str(seed), "--log", str(log))
    with photo_host(data, *faults) as port:
        (folder / "here.csv").write_text(with_port(data / "fec.csv", port))
        sample, refused = sample_faces(folder / "here.csv", None, 0)
        assert refused.empty
        began = time.monotonic()
        limits = {"max_bytes": 10**7, "max_pixels": 10**8, "attempts": 4, "concurrency": 128}
        limits |= {"total_timeout": 20}
        ledger, array, index, lost = fetch(sample, folder, **limits | changed)
        seconds = time.monotonic() - began
    served: dict[str, list[str]] = {}
    for path, what in requests_of(log):
        served.setdefault(f"http://127.0.0.1:{port}{path}", []).append(what)
    assert set(served) == set(ledger.index)
    passing = {"500", "429", "drop", "stall", "ok"}
    could_be_had = {url for url, kinds in served.items() if set(kinds) <= passing}
    assert set(ledger.index[ledger["outcome"] == "fetched"]) == could_be_had
    # On a busy machine, a photo may come too late and be asked for again.
    repeated = sum(served[url].count("ok") - 1 for url in could_be_had)
    assert 0 <= repeated < 0.01 * len(could_be_had)
    kinds: Counter[str] = Counter()
    for url, row in ledger[ledger["outcome"] != "fetched"].iterrows():
        kind = served[url][-1]
        kinds[kind] += 1
        assert row["outcome"] == "failed"
        assert row["error"].partition(":")[0] == CAUSES.get(kind, f"status {kind}"), url
    assert len(kinds) > 3
    lost_faces = sample[~sample["url"].isin(could_be_had)]
    assert list(lost["face_id"]) == list(lost_faces["face_id"])
    assert list(index["face_id"]) == list(sample.loc[sample["url"].isin(could_be_had), "face_id"])
    worst = compare_with_the_photos(data, port, array, index)
    print(
        f"\nseed {seed}: {len(ledger):,} photos, {len(could_be_had):,} fetched, "
        f"{sum(kinds.values()):,} failed {dict(kinds.most_common())}; {len(sample):,} faces, "
        f"{len(array):,} written, {len(lost):,} lost; {sum(map(len, served.values())):,} requests "
        f"in {seconds:.0f} s; worst mean difference from the cut {worst:.2f} of 255"
    )


def compare_with_the_photos(data, port, array, index) -> float:
    """Each face is in truth.csv and equals the cut: the largest mean difference of a face."""
    truth = {
        (row["url"], *(round(float(row[key]), 6) for key in BOX))
        for row in csv.DictReader(with_port(data / "truth.csv", port).splitlines())
    }
    worst = 0.0
    for face, row in zip(array, index.to_dict("records"), strict=True):
        assert (row["url"], *(round(row[key], 6) for key in BOX)) in truth
        with Image.open(data / "photos" / row["url"].rpartition("/")[2]) as photo:
            edges = [round(row[k] * s) for k, s in zip(EDGES, photo.size * 2, strict=True)]
            cut = photo.convert("RGB").crop(edges)
        cut = resize(np.asarray(cut), SIZE)
        worst = max(worst, float(np.abs(face.astype(int) - cut.astype(int)).mean()))
    assert worst < 1.2
    return worst


# Kills


@needs_photos
@pytest.mark.slow
def test_ten_kills_at_random_moments(tmp_path, many_photos):
    """Five of the job and five of Snakemake with all its processes, at random moments."""
    log = tmp_path / "requests.tsv"
    with photo_host(many_photos, "--log", str(log)) as port:
        (tmp_path / "here.csv").write_text(with_port(many_photos / "fec.csv", port))
        config = {
            "data": {"fec_csv": str(tmp_path / "here.csv"), "labelled": str(many_photos)},
            "faces": {"sample": 2000, "size": SIZE},
            "fetch": {"allow_private": True},
        }
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
        assert run_snakemake(tmp_path, "undisturbed").wait() == 0
        whole = tmp_path / "undisturbed" / "results" / "fetch"
        urls = pd.read_parquet(whole.parent / "sample" / "faces.parquet")["url"].unique()
        assert len(requests_of(log)) == len(urls)
        generator = random.Random(0)
        kills: Counter[str] = Counter()
        kept: list[tuple[set[str], Counter[str]]] = []
        for number in range(10):
            workflow = run_snakemake(tmp_path, "killed")
            wanted = len(requests_of(log)) + generator.randrange(20, 160)
            while len(requests_of(log)) < wanted:
                assert workflow.poll() is None, "ended before it could be killed"
                time.sleep(generator.uniform(0.01, 0.1))
            kills[kill_one(workflow, job=number % 2 == 0)] += 1
            with Journal(tmp_path / "killed" / "results" / "fetch" / "state", SIZE) as journal:
                stored = {url.partition(f":{port}")[2] for url in journal.entries(urls)}
            kept.append((stored, Counter(path for path, _ in requests_of(log)[len(urls) :])))
        assert run_snakemake(tmp_path, "killed").wait() == 0
        total = Counter(path for path, _ in requests_of(log)[len(urls) :])
    for stored, before in kept:
        assert all(total[path] == before[path] for path in stored), "fetched twice"
    assert 0 < len(kept[0][0]) < len(kept[-1][0]) < len(total) == len(urls)
    repeats = total.total() - len(total)
    print(f"\n{dict(kills)}; {len(total):,} photos, {repeats} requests lost to ten kills")
    resumed = tmp_path / "killed" / "results" / "fetch"
    for name in ("faces.npy", "faces.parquet", "refused.parquet", "manifest.csv"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_shard_killed_in_a_sharded_run(tmp_path):
    """Two shards by Snakemake, one of them killed: the next run gives what one undisturbed does."""

    def slow(page):
        time.sleep(0.03)
        page.say(200, picture(int(page.path.partition("-")[2])))

    with serving(Site("0.0.0.0")) as site:
        hosts = hosts_of_two_shards()
        site.pages |= {f"/{host}-{i}": slow for host in hosts for i in range(80)}
        urls = [f"http://{h}:{site.port}/{h}-{i}" for i in range(80) for h in hosts]
        _, whole, *_ = fetch(faces_of(urls), tmp_path / "whole")
        assert len(whole) == len(urls)
        config = {
            "data": {
                "manifest": str(tmp_path / "whole" / "manifest.csv"),
                "labelled": str(tmp_path / "whole"),
            },
            "faces": {"size": SIZE},
            "fetch": {"allow_private": True, "shards": 2, "per_host": 2, "obey_robots": False},
        }
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
        site.asked.clear()
        workflow = run_snakemake(tmp_path, "sharded", cores=4)
        while len(site.asked) < 60:
            assert workflow.poll() is None, (tmp_path / "sharded.log").read_text()
            time.sleep(0.01)
        kill_one(workflow, job=True, script="fetch_shard.py")
        early = site.asked.total()
        assert early < len(urls)
        assert run_snakemake(tmp_path, "sharded", cores=4).wait(120) == 0
        assert site.asked.total() - len(urls) <= 2 * (2 * 2 + 8), "asked again"
    results = tmp_path / "sharded" / "results" / "fetch"
    assert np.array_equal(np.load(results / "faces.npy"), whole)
    assert (results / "manifest.csv").read_bytes() == (
        tmp_path / "whole" / "manifest.csv"
    ).read_bytes()
    assert sorted(path.name for path in (results / "shards").iterdir()) == ["0.csv", "1.csv"]


def run_snakemake(folder, name, cores=2):
    """Begin to fetch into a folder of its own, in a session of its own."""
    (folder / name).mkdir(exist_ok=True)
    command = [Path(sys.executable).parent / "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", folder / name, "--configfile", folder / "mine.yaml"]
    command += ["--cores", str(cores), "--nolock", "--rerun-incomplete", "results/fetch/faces.npy"]
    with (folder / f"{name}.log").open("a") as log:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def kill_one(workflow, job: bool, script: str = "fetch_faces.py") -> str:
    """kill -9 of the job alone, upon which Snakemake ends, or of Snakemake and all below it."""
    processes = psutil.Process(workflow.pid).children(recursive=True)
    if job:
        jobs = [p for p in processes if script in " ".join(p.cmdline()[-2:])]
        assert jobs, "no job to kill"
        jobs[-1].kill()
        assert workflow.wait(60) != 0
        return "job"
    os.killpg(workflow.pid, signal.SIGKILL)
    workflow.wait()
    psutil.wait_procs(processes, 10)
    return "Snakemake"


# Memory


HOST = """
import sys
from pathlib import Path
from aiohttp import web
photo = Path(sys.argv[1]).read_bytes()
async def answer(request):
    if request.path == "/robots.txt":
        raise web.HTTPNotFound
    return web.Response(body=photo, content_type="image/jpeg")
app = web.Application()
app.router.add_get("/{path:.*}", answer)
web.run_app(app, host="0.0.0.0", port=int(sys.argv[2]), access_log=None)
"""
WHOLE_JOB = """
import json, re, sys
from pathlib import Path
from facesort.fetch.download import fetch
from facesort.fetch.outputs import write_faces, write_ledger
from facesort.fetch.imaging import resize
from facesort.fetch.journal import Journal
from facesort.fetch.placeholders import find_placeholders
from facesort.fetch.worklist import WorkList
folder = Path(sys.argv[1])
sample = folder / "sample.parquet"
with Journal(folder / "state", 48) as journal, WorkList(sample) as worklist:
    fetch(worklist, journal, json.loads(sys.argv[2]), 2)
    placeholders = find_placeholders(worklist, journal, json.loads(sys.argv[2])["placeholders"])
    counts = write_ledger(worklist, journal, placeholders, folder / "ledger.parquet")
    names = ("faces.npy", "faces.parquet", "refused.parquet", "manifest.csv")
    write_faces(sample, journal, placeholders, *(folder / name for name in names))
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({"fetched": counts["fetched"], "MB": int(peak[1]) // 1024}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_does_not_grow_with_the_number_of_urls(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(picture(1))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host = subprocess.Popen([sys.executable, "-c", HOST, tmp_path / "photo.jpg", str(port)])
    try:
        time.sleep(3)
        peaks = {count: peak_memory(tmp_path / str(count), count, port) for count in (10**4, 10**5)}
    finally:
        host.kill()
        host.wait()
    print(f"\npeak memory in MB by number of URLs: {peaks}")
    assert peaks[10**5] < 1.15 * peaks[10**4]


def peak_memory(folder, count, port) -> int:
    """Peak resident memory, in MB, of a job with so many URLs on 50 hosts."""
    urls = [f"http://127.0.0.{1 + i % 50}:{port}/{i}.jpg" for i in range(count)]
    write_index(faces_of(urls), folder / "sample.parquet")
    same = hashlib.sha256(picture(1)).hexdigest()
    settings = SETTINGS | {"read_timeout": 20, "total_timeout": 60}
    settings |= {"placeholders": {"allow": [same], "forbid": []}}
    job = subprocess.run(
        [sys.executable, "-c", WHOLE_JOB, folder, json.dumps(settings)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(job.stdout.splitlines()[-1])
    assert told["fetched"] == count
    shutil.rmtree(folder)
    return told["MB"]
