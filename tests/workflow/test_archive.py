"""A folder of photographs tagged by a whole run: what reruns, what is new, what a kill costs."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml
from made_photos import encoded, photo
from made_xmp import packet, person
from small_run import ROOT, SMALL, copy_project, jobs_to_run, snakemake, start, would_run

from facesort.archive.review import COLUMNS

TARGET, BEST = ("--", "archive"), ("--", "best_shots")
# What follows the answers.
LAST = ("set_thresholds", "tag_faces", "browse_page")
# A killed run leaves a lock.
KILLED = ("--nolock", "--rerun-incomplete")


def configure(folder, **archive):
    block = {"photos": str(folder / "photos"), "jobs": 2, "detect_at": 640} | archive
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL | {"archive": block}))


def planned(folder, *arguments):
    """The rules that a dry run would run, but for the target."""
    return would_run(folder, *arguments, *TARGET) - {"archive"}


def add_photos(folder, numbers):
    for number in numbers:
        places = [(40 + 20 * number, 60, 200), (400, 250, 160)]
        ada = person("Ada", (400 / 640, 560 / 640, 250 / 480, 410 / 480))
        data = encoded(photo(places, seed=number), xmp=packet(ada))
        add_photo(folder, f"{number}.jpg", number, data)


def add_many(folder, count):
    """Six photos, each moved by some pixels again and again: quicker to draw."""
    drawn = [photo([(40, 60, 200), (400, 250, 160)], seed=seed) for seed in range(6)]
    for number in range(count):
        picture = np.roll(drawn[number % 6], number // 6, axis=1)
        add_photo(folder, f"moved {number}.jpg", number, encoded(picture))


def add_photo(folder, name, number, data):
    path = folder / "photos" / f"year{number % 3}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (1e9, 1e9))


def analysed(folder):
    """How many photos the last run's jobs analysed."""
    logs = folder.glob("results/logs/analyse_photos/*.log")
    return sum(int(re.search(r"^(\d+) photos analysed", log.read_text(), re.M)[1]) for log in logs)


def under_way(folder):
    """The processes that analyse now, by the number of their job."""
    found = {}
    for lock in folder.glob("results/logs/analyse_photos/.*.log.lock"):
        log = lock.with_name(lock.name[1:].removesuffix(".lock"))
        # Snakemake deletes a log before its job; the lock then names a process that has ended.
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            process = psutil.Process(int(lock.read_text()))
            if process.status() != psutil.STATUS_ZOMBIE and "took" not in log.read_text():
                found[int(log.stem)] = process
    return found


def tables(folder):
    out = folder / "results/archive"
    names = ("faces.parquet", "photos.parquet")
    return [
        *(pd.read_parquet(out / name) for name in names),
        (out / "refused.csv").read_text("utf-8-sig"),
    ]


def same_tables(folder, other):
    for ours, others in zip(tables(folder), tables(other), strict=True):
        assert ours == others if isinstance(ours, str) else ours.equals(others)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that has tagged six photos."""
    folder = copy_project(tmp_path_factory.mktemp("archive") / "project")
    configure(folder)
    add_photos(folder, range(6))
    (folder / "photos" / "notes.txt").write_text("no photo")
    os.utime(folder / "photos" / "notes.txt", (1e9, 1e9))
    snakemake(folder, *TARGET)
    return folder


def test_a_folder_is_tagged_and_nothing_is_left_to_do(project):
    faces, photos, refused = tables(project)
    assert len(photos) == 6 and len(faces) == 12 and analysed(project) == 6
    assert photos["photo"].tolist() == [f"year{n % 3}/{n}.jpg" for n in (0, 3, 1, 4, 2, 5)]
    assert refused == "photo,reason\nnotes.txt,not an image: text that begins with 'no photo'\n"
    assert (faces["state"] == "answered").all() and (faces["look"] != "").all()
    assert {path.suffix for path in project.glob("photos/**/*.*")} == {".jpg", ".txt"}
    assert planned(project) == set()


def test_best_shots_are_chosen_and_the_photos_left_alone(project):
    def snapshot():
        return {path: path.lstat().st_mtime_ns for path in (project / "photos").rglob("*")}

    before = snapshot()
    snakemake(project, *BEST)
    assert snapshot() == before
    out = project / "results/archive"
    album, heads, bursts = (
        pd.read_csv(out / f"{name}.csv") for name in ("album", "headshots", "bursts")
    )
    assert len(album) == 6 and len(heads) == 12 and len(bursts) == 0
    assert "<strong>6 photos</strong> represent 3 folders" in (out / "album.html").read_text()
    configure(project, summary=1)
    assert would_run(project, *BEST) == {"best_shots", "choose_shots", "album_page"}
    configure(project)


def test_the_queries_of_the_page_work(project):
    """Each block stands alone, and finds something."""
    page = (ROOT / "docs/archive.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(blocks) == 4
    for block in blocks:
        block = block.replace("smiling >= 3", "smiling >= 1")
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=project, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "year" in done.stdout or "Empty" in done.stdout


def test_tags_alone_run_anew_where_they_alone_change(project):
    configure(project, emotions=False)
    assert planned(project) == {"tag_faces", "browse_page"}
    configure(project, jobs=3)
    assert planned(project) == {"analyse_photos", "answer_faces", *LAST}
    configure(project)
    assert planned(project) == set()


def test_a_model_of_the_workflow_is_trained_first(project):
    configure(project, model="results/rgb/supervised/seed0/model")
    words = "archive.model: supervised is not among the models of this run (models)"
    assert words in snakemake(project, "-n", *TARGET, expect=1)
    configure(project, model="results/rgb/semi_supervised/seed0/model")
    jobs = jobs_to_run(project, *TARGET)
    assert ("train", "variant=rgb, model=semi_supervised, seed=0") in jobs
    configure(project)


def test_rendered_photos_can_be_tagged(project):
    rules = planned(project, "--config", "archive=demo")
    assert rules == {"render_photos", "list_photos", "analyse_photos", "answer_faces", *LAST}


def test_without_a_folder_its_key_is_named(tmp_path):
    folder = copy_project(tmp_path / "project")
    assert "archive.photos of the config" in snakemake(folder, "-n", *TARGET, expect=1)


def test_new_photos_alone_are_analysed(project):
    before = tables(project)
    add_photos(project, (6, 7))
    snakemake(project, *TARGET)
    faces, photos, _ = tables(project)
    assert analysed(project) == 2 and len(photos) == 8 and len(faces) == 16
    old = faces[faces["photo"].isin(before[1]["photo"])].reset_index(drop=True)
    columns = ["photo", "left", "top", "mouthSmileLeft", "smiling"]
    assert old[columns].equals(before[0][columns])


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_time_ends_with_the_same_tables(tmp_path):
    """Twenty times in the midst of the analysis, and five times whenever."""
    whole, other = (copy_project(tmp_path / name) for name in ("whole", "other"))
    add_many(whole, 300)
    for folder in (whole, other):
        configure(folder, photos=str(whole / "photos"))
    snakemake(whole, *TARGET)
    rng = random.Random(0)
    kills = 0
    while kills < 25:
        with (tmp_path / "said.txt").open("w") as said:
            run = start(other, *KILLED, *TARGET, stdout=said, start_new_session=True)
        while kills < 20 and run.poll() is None and not under_way(other):
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 2) if kills < 20 else rng.uniform(2, 20))
        if run.poll() is None:
            kills += kills >= 20 or bool(under_way(other))
            os.killpg(run.pid, signal.SIGKILL)
        else:  # finished before anything could happen: all over again
            assert run.returncode == 0, (tmp_path / "said.txt").read_text()
            shutil.rmtree(other / "results")
        run.wait()
    snakemake(other, *KILLED, *TARGET)
    same_tables(whole, other)


def test_what_persons_said_counts(project):
    """A rejected tag is never given again, a confirmed one is; looks tell how often it is right."""
    before, *_ = tables(project)
    first, second = before.iloc[0], before.iloc[1]
    words = first["tags"].split(";")[0] or "smiling"
    box = ("left", "top", "width", "height")
    rows = [
        [first["photo"], 7, *first[list(box)], words, "wrong"],
        [second["photo"], 1, *second[list(box)], "frowning", "right"],
    ]
    more = [["ada", "2026-11-27", "sample", "with 1: 0.100 to 1.000", 8, n] for n in range(2)]
    table = pd.DataFrame([a + b for a, b in zip(rows, more, strict=True)], columns=list(COLUMNS))
    table.to_csv(project / "reviewed.csv", index=False)
    try:
        assert "analyse_photos" not in planned(project)
        snakemake(project, *TARGET)
        after, photos, _ = tables(project)
        assert words not in after["tags"][0].split(";")
        assert "frowning" in after["tags"][1].split(";")
        assert after["tags"][2:].tolist() == before["tags"][2:].tolist()
        assert photos["frowning"].sum() == 1 + before["tags"].str.contains("frowning").sum()
        told = (project / "results/archive/thresholds.md").read_text()
        assert f"| {words} | " in told
        log = (project / "results/logs/set_thresholds.log").read_text()
        assert "2 answers of people; 0 are of faces that are gone" in log
        assert planned(project) == set()
        table[:0].to_csv(project / "reviewed.csv", index=False)
        snakemake(project, "--", "results/archive/thresholds.md")
        assert "0 answers" in (project / "results/logs/set_thresholds.log").read_text()
        table.assign(verdict="maybe").to_csv(project / "reviewed.csv", index=False)
        failed = snakemake(project, *TARGET, expect=1)
        assert "reviewed.csv: line 2: verdict is 'maybe'" in failed
    finally:
        (project / "reviewed.csv").unlink()


def test_sidecars_are_written_answered_and_undone(project):
    """Dry at first; a tag that a person takes out of a sidecar stays out."""
    target = ("--", "sidecars")

    def files():
        return {path: path.read_bytes() for path in project.glob("photos/**/*.*")}

    before = files()
    told = snakemake(project, *target)
    assert re.search(r"nothing was written; \d+ sidecars would be, with archive.write: true", told)
    assert files() == before
    configure(project, write=True)
    snakemake(project, *target)
    faces, photos, _ = tables(project)
    written = project.glob("photos/**/*.jpg.xmp")
    assert len([*written]) == len(photos) == len(before) - 1
    first = faces[faces["tags"] != ""].iloc[0]
    words = first["tags"].split(";")[0]
    path = project / "photos" / f"{first['photo']}.xmp"
    ours = rf"<rdf:li>facesort.{words}</rdf:li>".encode()
    path.write_bytes(re.sub(ours, b"", path.read_bytes()))
    snakemake(project, *target)
    assert analysed(project) == 0
    after, *_ = tables(project)
    own = after["photo"] == first["photo"]
    assert not after[own]["tags"].str.contains(words).any()
    assert after[~own]["tags"].equals(faces[~own]["tags"])
    assert ours.replace(b".", b"/") not in path.read_bytes()
    assert "as it was" in snakemake(project, "--", "undo_sidecars")
    assert files() == before
    configure(project)
