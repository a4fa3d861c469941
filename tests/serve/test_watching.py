"""A folder that is watched: each photo is tagged once, whatever happens meanwhile."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest
from made_photos import encoded, photo
from served import ENVIRONMENT

from facesort.common.job import InputError
from facesort.serve import watching

PLACES = ((40, 60, 200), (400, 250, 160))
COMMAND = [sys.executable, "-m", "facesort.serve.command", "watch", "photos", "--every", "0.5"]
FEW = ["--cores", "1", "--", "--configfile", "few.yaml"]


class Runs:
    """What stands in the place of Snakemake: notes what was there, and fails if it is to."""

    def __init__(self, *statuses):
        self.statuses, self.seen = list(statuses), []

    def __call__(self, folder, cores, more):
        self.seen.append({path.name: path.stat().st_size for path in folder.iterdir()})
        return self.statuses.pop(0) if self.statuses else 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def at_looks(folder, monkeypatch):
    """Do something at each look: functions in turn, then Ctrl-C."""

    def set_up(*steps):
        todo = list(steps)

        def sleep(_):
            if not todo:
                raise KeyboardInterrupt
            todo.pop(0)()

        monkeypatch.setattr(watching.time, "sleep", sleep)
        runs = Runs()
        monkeypatch.setattr(watching, "_run", runs)
        with pytest.raises(KeyboardInterrupt):
            watching.watch(folder, 1.0, "1")
        return runs.seen

    return set_up


def nothing():
    pass


def test_what_arrives_is_tagged_once_it_has_settled(folder, at_looks):
    (folder / "a.jpg").write_bytes(b"aa")

    def grows():
        (folder / "b.jpg").write_bytes(b"b" * 9)

    def grown():
        (folder / "b.jpg").write_bytes(b"b" * 99)

    seen = at_looks(nothing, grows, grown, nothing, nothing, nothing)
    assert seen == [{"a.jpg": 2}, {"a.jpg": 2, "b.jpg": 99}]


def test_what_goes_is_noticed_and_an_empty_folder_waits(folder, at_looks):
    """An empty one may be a disk that is not there: the archive would stop at it."""
    (folder / "a.jpg").write_bytes(b"a")
    (folder / "b.jpg").write_bytes(b"b")
    seen = at_looks(
        nothing, (folder / "a.jpg").unlink, nothing, nothing, (folder / "b.jpg").unlink, nothing
    )
    assert seen == [{"a.jpg": 1, "b.jpg": 1}, {"b.jpg": 1}]


def test_a_list_of_photos_to_leave_out_that_changes_is_heeded(folder, at_looks, tmp_path):
    """Its path is what the run before wrote down."""
    (folder / "a.jpg").write_bytes(b"a")
    (tmp_path / "no.txt").write_text("# nobody yet\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/data.json").write_text('{"archive": "photos", "exclude": "no.txt"}')
    seen = at_looks(
        *(nothing, nothing, nothing),
        lambda: (tmp_path / "no.txt").write_text("a.jpg\n"),
        *(nothing, nothing, nothing),
    )
    assert seen == [{"a.jpg": 1}] * 2


def test_a_run_that_fails_is_tried_again_after_a_while(folder, monkeypatch, capsys):
    (folder / "a.jpg").write_bytes(b"a")
    runs, slept = Runs(1, 1), []
    monkeypatch.setattr(watching, "_run", runs)

    def sleep(seconds):
        slept.append(seconds)
        if len(runs.seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        watching.watch(folder, 1.0, "1")
    assert [seconds for seconds in slept if seconds >= watching.PAUSE] == [30.0, 60.0]
    assert "status 1; next in 60 seconds" in capsys.readouterr().out
    monkeypatch.setattr(watching.time, "sleep", lambda _: None)
    monkeypatch.setattr(watching, "_run", Runs(1))
    with pytest.raises(InputError, match="ended with status 1"):
        watching.watch(folder, 1.0, "1", once=True)


def watch(folder, *more, **how):
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | how
    environment = ENVIRONMENT | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*COMMAND, *more], cwd=folder.parent, env=environment, start_new_session=True, **how
    )


def test_a_second_watch_stops_in_one_line(folder, tmp_path):
    first = watch(folder)
    try:
        assert first.stdout.readline() == "photos: watched; tags go to results/archive\n"
        second = watch(folder)
        assert second.communicate(timeout=60)[0] == (
            "error: photos: another watch is at work on it; end that first\n"
        )
        assert second.returncode == 1
        # Also of another folder into the same tables.
        (tmp_path / "others").mkdir()
        other = subprocess.run(
            [word.replace("photos", "others") for word in COMMAND],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        assert other.stderr.startswith("error: results/archive: another watch is at work")
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert [*folder.iterdir()] == []


def test_no_folder_is_told(folder):
    for wrong in ("none", __file__):
        with pytest.raises(InputError, match="no folder to watch"):
            watching.watch(folder / wrong, 1.0, "1")


def children(process):
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@pytest.mark.slow
def test_ten_random_kills_cost_nothing_and_every_photo_is_tagged_once(folder, tmp_path):
    """Each kill at another time, of the watch alone or of all of its processes; photos arrive."""
    (tmp_path / "few.yaml").write_text("archive: {jobs: 2, detect_at: 640}")
    generator = random.Random(20)
    for kill in range(10):
        for number in range(2):
            data = encoded(photo(PLACES, seed=2 * kill + number))
            (folder / f"{kill} {number}.jpg").write_bytes(data)
        running = watch(folder, *FEW, stdout=subprocess.DEVNULL)
        time.sleep(generator.uniform(2, 25))
        every = children(running)
        running.kill()
        if kill % 2:
            for process in every:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
        running.wait()
    done = watch(folder, "--once", *FEW)
    said, _ = done.communicate(timeout=900)
    assert done.returncode == 0, said[-3000:]
    photos = pd.read_csv(tmp_path / "results/archive/photos.csv")
    faces = pd.read_parquet(tmp_path / "results/archive/faces.parquet")
    assert photos["photo"].tolist() == [f"{kill} {n}.jpg" for kill in range(10) for n in range(2)]
    assert len(faces) == 40 and not faces.duplicated(["photo", "face"]).any()
    assert pd.read_csv(tmp_path / "results/archive/refused.csv").empty
    # The same tables as those of a run that nobody disturbed.
    shutil.rmtree(tmp_path / "results")
    again = watch(folder, "--once", *FEW)
    said, _ = again.communicate(timeout=900)
    assert again.returncode == 0, said[-3000:]
    whole = pd.read_parquet(tmp_path / "results/archive/faces.parquet")
    pd.testing.assert_frame_equal(faces, whole)


def test_once_ends_where_there_is_nothing_to_tag(folder, monkeypatch):
    monkeypatch.setattr(watching, "_run", None)
    watching.watch(folder, 0.01, "1", once=True)
