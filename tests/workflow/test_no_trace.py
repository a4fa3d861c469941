"""Photos and faces that are left out are erased by a run: searched for in all that runs have left.

A run that knew a photo ends with the same tables as one that never saw it.
"""

import hashlib

import numpy as np
import pandas as pd
import pytest
from small_run import copy_project, snakemake
from test_archive import TARGET, add_photos, analysed, configure, same_tables
from test_reruns import with_config
from traces import of_file, of_jpeg, traces

from facesort.archive.review import COLUMNS

# Left out by its path, and by its SHA-256.
FIRST, SECOND = "year1/4.jpg", "year2/5.jpg"


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """A project with six photos tagged, their best shots chosen, their sidecars written."""
    folder = copy_project(tmp_path_factory.mktemp("erasing") / "project")
    add_photos(folder, range(6))
    (folder / "exclude.txt").write_text("# nobody yet\n")
    # Somebody's answer to a face of one of them.
    answer = pd.DataFrame([[""] * len(COLUMNS)], columns=list(COLUMNS))
    answer = answer.assign(photo=FIRST, face=0, tag="smiling", verdict="right", at="2026-11-27")
    answer.to_csv(folder / "reviewed.csv", index=False)
    configure(folder, exclude="exclude.txt", write=True)
    snakemake(folder, "--", "archive", "best_shots", "sidecars")
    return folder


def pictures(project):
    """What tells of photos by their bytes: of each its preview, and thumbnails of its faces."""
    folders = ("previews", "thumbnails")
    files = [path for name in folders for path in project.glob(f"results/archive/{name}/*")]
    return pd.concat(map(pd.read_parquet, files)).groupby("photo")["jpeg"].agg(list)


def needles(project, name):
    """What tells of a photo: its name, its digests, its bytes, its small pictures."""
    every = pictures(project)
    # Plain ground looks alike in all photos.
    rest = b" ".join(every.drop(name).sum())
    parts = [part for jpeg in every[name] for part in of_jpeg(jpeg)]
    own = [part for part in parts if part not in rest]
    assert len(every[name]) == 3 and len(own) > 10
    return of_file(project / "photos" / name, name) | {"pictures": own}


def others(project, gone):
    """All that jobs have found of the other photos."""
    found = {}
    for name in ("found", "read", "thumbnails", "previews"):
        files = sorted((project / "results/archive" / name).glob("*.parquet"))
        rows = pd.concat(map(pd.read_parquet, files))
        by = [column for column in ("photo", "face") if column in rows]
        found[name] = rows[~rows["photo"].isin(gone)].sort_values(by, ignore_index=True)
    return found


def sidecars(project):
    return {path.name: path.read_bytes() for path in project.glob("photos/**/*.xmp")}


def test_photos_that_are_left_out_leave_no_trace(tagged, tmp_path):
    project = tagged
    out, gone = project / "results/archive", [FIRST, SECOND]
    wanted = {name: needles(project, name) for name in gone}
    for name in gone:
        before = traces(project, wanted[name])
        assert before.keys() == {"name", "digits", "pictures"}
        kinds = {path.rpartition(".")[2] for files in before.values() for path in files}
        assert kinds >= {"parquet", "csv", "sqlite", "js"}, before
        assert ("results/archive/browse/reviewed.js" in before["name"]) == (name == FIRST)
    known, written = others(project, gone), sidecars(project)
    assert len(written) == 6

    digest = hashlib.sha256((project / "photos" / SECOND).read_bytes()).hexdigest()
    lines = f"# asked to\r\n{FIRST}\r\nsha256:{digest}\r\nno such photo.jpg\r\n"
    (project / "exclude.txt").write_bytes(lines.encode())
    said = snakemake(project, *TARGET)
    assert "left out by archive.exclude: 2" in said
    assert "exclude.txt, line 4: nothing in the archive is what it names" in said
    for name in gone:
        assert traces(project, wanted[name]) == {}
        assert (project / "photos" / name).is_file()
    # Ours alone is taken out of their sidecars; nobody else's is touched.
    assert sidecars(project) == {n: data for n, data in written.items() if n[0] not in "45"}
    assert "sidecars undone,2" in (out / "erased.csv").read_text()

    assert analysed(project) == 0
    for name, rows in others(project, gone).items():
        pd.testing.assert_frame_equal(rows, known[name], check_exact=True)
    assert (out / "left_out.csv").read_text() == "line,photos\n2,1\n3,1\n4,0\n"
    assert "Files left out by <code>archive.exclude</code>: 2." in (out / "browse.html").read_text()
    assert len(pd.read_csv(out / "album.csv")) == len(pd.read_csv(out / "sidecars.csv")) == 4

    # As if they had never been there.
    fresh = copy_project(tmp_path / "fresh")
    add_photos(fresh, range(4))
    configure(fresh)
    snakemake(fresh, *TARGET)
    same_tables(project, fresh)

    # They stay out, also where sidecars are written again.
    snakemake(project, "--", "sidecars")
    assert all(traces(project, wanted[name]) == {} for name in gone)
    assert len(sidecars(project)) == 4
    # A forgotten list lets nobody come back.
    configure(project, write=True)
    assert "names no list (archive.exclude)" in snakemake(project, *TARGET, expect=1)


def test_a_face_of_the_pool_leaves_no_trace(project, tmp_path):
    """Rows, crops and digests go, and all others stay; test_reruns.py tells what learns again."""
    project = copy_project(tmp_path / "project", rendered=project)
    targets = ("--", "results/rgb/pool.npy", "results/fetch/losses.csv")
    snakemake(project, *targets)
    index = pd.read_parquet(project / "results/fetch/faces.parquet")
    faces = np.load(project / "results/fetch/faces.npy")
    gone = (index["url"] == index["url"][3]).to_numpy()
    rest = b"".join(face.tobytes() for face in faces[~gone])
    pixels = [face.tobytes()[at : at + 48] for face in faces[gone] for at in range(0, 1700, 96)]
    row = index[gone].iloc[0]
    wanted = {
        "url": [row["url"].encode()],
        "digits": [row["sha256"].encode()],
        "face": [each.encode() for each in index["face_id"][gone]],
        "pixels": [part for part in pixels if part not in rest],
    }
    before = traces(project, wanted, apart="results/demo")
    assert before.keys() == wanted.keys() and len(wanted["pixels"]) > 4
    assert "results/fetch/manifest.csv" in before["url"]
    assert "results/rgb/pool.npy" in before["pixels"]
    for kind in ("crops", "sqlite"):
        assert any(path.endswith(kind) for files in before.values() for path in files)
    (project / "no.txt").write_text(f"# asked to\n{row['url']}\n")
    snakemake(project, *with_config(project, {"fetch": {"exclude": "no.txt"}}), *targets)
    assert traces(project, wanted, apart="results/demo") == {}
    left = pd.read_parquet(project / "results/fetch/faces.parquet")
    assert left.equals(index[~gone].reset_index(drop=True))
    assert (np.load(project / "results/fetch/faces.npy") == faces[~gone]).all()
    assert "1 photos erased" in (project / "results/logs/fetch_faces.log").read_text()
