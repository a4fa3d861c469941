"""The way from a folder to its tables: every file is accounted for, and analysed once."""

import io
import os
import re
import shutil
import sqlite3
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from made_photos import encoded, photo
from made_xmp import listed, packet, person
from PIL import ExifTags, Image

from facesort.archive import analysis as analysis_module
from facesort.archive.analysis import TRIES, Analysis, analyse_buckets
from facesort.archive.export import export
from facesort.archive.joining import TIME, join, join_refused, names_of
from facesort.archive.journal import Journal
from facesort.archive.listing import BUCKETS, FEW, buckets_of, list_archive
from facesort.archive.model_crops import ModelCrops
from facesort.archive.model_views import View
from facesort.archive.pictures import cut, preview, thumbnail
from facesort.archive.review import NOBODY, matched
from facesort.archive.tables import (
    ANSWERS,
    BOX,
    FACES,
    MOVEMENTS,
    PHOTOS,
    PREVIEW,
    THUMBNAIL,
    THUMBNAILS,
)
from facesort.archive.tags import built_in
from facesort.common.job import InputError
from facesort.demo.dataset import portrait
from facesort.faces.face_mesh import FaceMesh
from facesort.fetch.imaging import ImageError, stored_box
from facesort.sidecars.merging import Face, merged

SETTINGS = {
    "detect_at": 640,
    "tiles": False,
    "min_face": 40,
    "max_bytes": 10**7,
    "max_pixels": 10**6,
}
PLACES = ((40, 60, 200), (400, 200, 160))
JOBS = 3


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """No file of a test is still being written, and nothing waits for one."""
    monkeypatch.setattr(analysis_module, "SETTLED", 0.0)


@pytest.fixture(scope="module")
def pictures():
    """Bytes of photos: two faces, one face, none."""
    return {
        "two.jpg": encoded(photo(PLACES)),
        "one.png": encoded(photo(PLACES[:1]), "PNG"),
        "none.webp": encoded(photo([]), "WEBP"),
    }


@pytest.fixture
def archive(tmp_path, pictures):
    folder = tmp_path / "archive"
    (folder / "2019" / "summer").mkdir(parents=True)
    (folder / "2019" / "two.jpg").write_bytes(pictures["two.jpg"])
    (folder / "2019" / "summer" / "one.png").write_bytes(pictures["one.png"])
    (folder / "none.webp").write_bytes(pictures["none.webp"])
    return folder


def run(folder, jobs=JOBS, crops=None, **settings):
    """Everything but emotions, as the rules do it: faces, photos, refused, and photos analysed."""
    out = folder.parent / "results"
    out.mkdir(exist_ok=True)
    before = snapshot(folder)
    listed = list_archive(folder, out / "listing.parquet")
    done, analysis = 0, Analysis(str(folder), SETTINGS | settings, crops)
    names = ("found", "read", "refused", "named", "said", "thumbnails", "previews", "answers")
    tables = {name: [] for name in names}
    for job in range(jobs):
        paths = {name: str(out / f"{name}{job}.parquet") for name in tables}
        for name, path in paths.items():
            tables[name].append(path)
        with analyse_buckets(
            str(out / "listing.parquet"), buckets_of(job, jobs), out / "buckets", analysis
        ) as (files, analysed):
            export(files, paths, (SETTINGS | settings)["min_face"])
        done += analysed
        pq.write_table(ANSWERS.empty_table(), paths["answers"])
    finished = ("faces.parquet", "photos.parquet", "faces.csv", "photos.csv")
    finished = [str(out / name) for name in finished]
    given = [tables[name] for name in ("read", "found", "answers", "named")]
    join(*given, *finished, False, built_in(), NOBODY)
    join_refused(str(out / "listing.parquet"), tables["refused"], str(out / "refused.csv"))
    faces, photos = map(pd.read_parquet, finished[:2])
    refused = pd.read_csv(out / "refused.csv", keep_default_na=False)
    assert snapshot(folder) == before
    # Nothing is lost between them.
    assert len(photos) + len(refused) == listed["photos"] + listed["others"]
    assert photos["faces"].sum() == len(faces)
    assert pq.read_schema(finished[0]).equals(FACES) and pq.read_schema(finished[1]).equals(PHOTOS)
    told = photos.to_csv(index=False, date_format=TIME, lineterminator="\n")
    assert Path(finished[3]).read_text("utf-8-sig") == told
    short = pd.read_csv(finished[2], keep_default_na=False)
    assert short["tags"].tolist() == faces["tags"].tolist()
    assert (abs(short[[*BOX]] - faces[[*BOX]].to_numpy()) <= 0.51).all(axis=None)
    for table in (faces, photos, refused):
        keys = list(table[[name for name in ("photo", "face") if name in table]].itertuples())
        assert keys == sorted(keys, key=lambda row: row[1:])
    thumbnails = pd.concat(map(pd.read_parquet, tables["thumbnails"]))
    assert len(thumbnails) == len(faces)
    return faces, photos, dict(zip(refused["photo"], refused["reason"], strict=True)), done


def snapshot(folder):
    """All that a folder holds, and when each was last changed."""
    return {path: path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_a_folder_becomes_tables(archive):
    faces, photos, refused, done = run(archive)
    assert photos["photo"].tolist() == ["2019/summer/one.png", "2019/two.jpg", "none.webp"]
    assert photos["faces"].tolist() == photos["answered"].tolist() == [1, 2, 0]
    assert photos["problem"].tolist() == ["", "", "no face"]
    assert (photos["width"] == 640).all() and (photos["height"] == 480).all()
    assert refused == {} and done == 3
    assert faces["photo"].tolist() == ["2019/summer/one.png", "2019/two.jpg", "2019/two.jpg"]
    assert faces["face"].tolist() == [0, 0, 1]
    for row, place in zip(faces.itertuples(), (PLACES[0], *PLACES), strict=True):
        left, top, side = place
        assert abs(row.left + row.width / 2 - left - side / 2) < side / 6
        assert abs(row.top + row.height / 2 - top - side / 2) < side / 6
        assert row.size == pytest.approx(min(row.width, row.height))
    assert faces["smiling"].notna().all() and (faces["look"] == "").all()
    assert photos["smiling"].sum() == faces["tags"].str.contains("smiling").sum() > 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("told_by", ["photo", "sidecar"])
def test_boxes_are_of_the_photo_as_it_is_shown(tmp_path, orientation, told_by):
    folder = tmp_path / "archive"
    folder.mkdir()
    left, top, side = PLACES[1]
    box = (left / 640, (left + side) / 640, top / 480, (top + side) / 480)
    ada = person("Ada", stored_box(box, orientation))
    data = encoded(photo(PLACES), orientation=orientation, xmp=packet(ada))
    if told_by == "sidecar":
        (folder / "A.jpg").write_bytes(otherwise(data, orientation))
        (folder / "a.JPG.xmp").write_bytes(packet(ada, f'tiff:Orientation="{orientation}"'))
    else:
        (folder / "A.jpg").write_bytes(data)
    faces, photos, _, _ = run(folder, jobs=1)
    assert photos[["width", "height", "orientation"]].iloc[0].tolist() == [640, 480, orientation]
    middles = faces[["left", "top"]].to_numpy() + faces[["width", "height"]].to_numpy() / 2
    for (left, top, side), middle in zip(PLACES, middles, strict=True):
        assert np.allclose(middle, [left + side / 2, top + side / 2], atol=side / 8)
    assert (faces["roll"].abs() < 15).all()
    # A region lies where the photo is stored.
    assert faces["name"].tolist() == ["", "Ada"] and photos["names"].tolist() == ["Ada"]


def test_what_persons_have_told_is_read_and_remembered(archive):
    """Names and keywords of others; and a tag of ours that a person took out stays out."""
    faces, *_ = run(archive)
    row = faces.iloc[1]
    left, top, right = row["left"] / 640, row["top"] / 480, (row["left"] + row["width"]) / 640
    box = (left, right, top, (row["top"] + row["height"]) / 480)
    far = person("Bob; B.", (0.9, 0.95, 0.9, 0.95))
    theirs = packet(listed("lr:hierarchicalSubject", "Places|Rome;", "new\nline") + far)
    sidecar, ours = archive / "2019/two.jpg.xmp", [Face(box, ["smiling"], {"smiling": 0.9})]
    sidecar.write_bytes(theirs)
    _, photos, _, done = run(archive)
    told = photos.set_index("photo").loc["2019/two.jpg"]
    assert (
        done == 0 and told["names"] == "Bob, B." and told["keywords"] == "Places/Rome,;new\\nline"
    )
    data, _ = merged(theirs, ours, True, lambda: (None, []))
    sidecar.write_bytes(data)
    assert said(archive).empty
    out = re.sub(rb"<rdf:li>facesort.smiling</rdf:li>", b"", data)
    for number, (content, answers) in enumerate([(out, 1), (theirs, 1), (data, 1)]):
        sidecar.write_bytes(content)
        os.utime(sidecar, (1e9 + number, 1e9 + number))
        found = said(archive)
        assert len(found) == answers
        assert found[["photo", "tag", "verdict", "by", "at"]].iloc[0].tolist() == [
            *("2019/two.jpg", "smiling", "wrong", "sidecar", "2001-09-09T01:46:40Z")
        ]
        assert matched(found, faces).tolist() == [1]


def said(archive):
    """The answers in sidecars, after a run."""
    run(archive, jobs=1)
    return pd.read_parquet(archive.parent / "results/said0.parquet")


def test_a_name_goes_to_the_face_that_its_region_shares_most_with():
    faces = pd.DataFrame(
        [["a", 0, 0, 10, 10], ["a", 8, 0, 10, 10], ["b", 0, 0, 10, 10]],
        columns=["photo", "left", "top", "width", "height"],
    )
    people = pd.DataFrame(
        [
            *(["a", "Ada", 4, 0, 10, 10], ["a", "Bob", 2, 0, 10, 10], ["b", "Eve", 9, 9, 10, 10]),
            *(["c", "Kim", 0, 0, 9, 9], ["a", "Joe", 0, 0, 10, 9]),
        ],
        columns=["photo", "name", "left", "top", "width", "height"],
    )
    assert names_of(faces, people) == ["Joe", "Ada", ""]
    assert names_of(faces[:0], people) == [] and names_of(faces, people[:0]) == [""] * 3


def otherwise(data, orientation):
    """A JPEG of the same stored pixels whose EXIF tells another orientation, which is wrong."""
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        exif[ExifTags.Base.Orientation] = orientation % 8 + 1
        out = io.BytesIO()
        image.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def test_a_second_run_analyses_what_is_new_alone(archive, pictures):
    faces, *_ = run(archive)
    again, _, _, done = run(archive)
    assert done == 0 and again.equals(faces)
    for number in range(3):
        (archive / f"new{number}.png").write_bytes(
            encoded(photo([(50 + 90 * number, 60, 200)], seed=number), "PNG")
        )
    more, photos, _, done = run(archive)
    assert done == 3 and len(photos) == 6 and len(more) == len(faces) + 3
    # Other numbers of jobs share the same journals out.
    assert run(archive, jobs=1)[3] == run(archive, jobs=5)[3] == 0


def test_renamed_and_copied_files_are_known(archive):
    faces, *_ = run(archive)
    (archive / "2019/two.jpg").rename(archive / "other name.jpeg")
    shutil.copy(archive / "none.webp", archive / "2019" / "copy.webp")
    os.utime(archive / "2019/summer/one.png", (10**9, 10**9))
    moved, photos, _, done = run(archive)
    assert done == 0
    assert set(photos["photo"]) == {
        *("2019/summer/one.png", "other name.jpeg", "none.webp", "2019/copy.webp")
    }
    numbers = [name for name in faces.columns if name not in ("photo", "tags", "look")]
    assert moved[numbers].equals(faces[numbers])


def test_what_is_gone_is_forgotten(archive):
    run(archive)
    (archive / "2019/two.jpg").unlink()
    faces, photos, _, _ = run(archive)
    assert len(photos) == 2 and len(faces) == 1
    kept = b"".join(path.read_bytes() for path in (archive.parent / "results/buckets").iterdir())
    assert b"one.png" in kept
    shutil.rmtree(archive)
    archive.mkdir()
    with pytest.raises(InputError, match=r"no file in it \(config: archive\.photos\)"):
        run(archive)


def test_a_changed_sidecar_and_changed_settings_count(archive):
    run(archive)
    (archive / "2019/two.xmp").write_bytes(packet("", 'tiff:Orientation="6"'))
    _, photos, _, done = run(archive)
    assert done == 1
    row = photos.set_index("photo").loc["2019/two.jpg"]
    assert [row["width"], row["height"], row["orientation"]] == [480, 640, 6]
    # Limits refuse and no more; the least face is a part of what is kept.
    _, photos, refused, done = run(archive, max_pixels=1000)
    assert done == 0 and len(photos) == 3 and refused == {}
    assert run(archive, min_face=120)[3] == 3
    _, photos, _, _ = run(archive, min_face=120)
    assert photos["answered"].sum() < photos["faces"].sum()


def test_every_hostile_file_has_a_reason_and_the_run_goes_on(archive, pictures):
    (archive / "empty.jpg").touch()
    (archive / "cut.png").write_bytes(pictures["one.png"][:20_000])
    (archive / "cut.webp").write_bytes(pictures["none.webp"][:150])
    (archive / "lie.jpg").write_text("<html>")
    (archive / "film.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(1000))
    Image.new("1", (20_000, 20_000)).save(archive / "bomb.png")
    Image.new("L", (100_000, 11)).save(archive / "wide.png")
    Image.new("L", (100_000, 9)).save(archive / "less wide.png")
    with (archive / "heavy.tif").open("wb") as file:
        file.truncate(SETTINGS["max_bytes"] + 1)
    (archive / "raw.nef").write_bytes(b"II*\0" + bytes(100))
    (archive / 'new\nline,"quotes".jpg').write_bytes(pictures["two.jpg"])
    Path(os.fsdecode(os.fsencode(archive) + b"/\xff.png")).write_bytes(pictures["one.png"])
    (archive / "no ending").write_bytes(pictures["one.png"])
    (archive / "loop").symlink_to(archive)
    (archive / "nowhere.jpg").symlink_to(archive / "none at all")
    os.mkfifo(archive / "pipe.jpg")
    faces, photos, refused, _ = run(archive)
    assert {path: reason.partition(":")[0] for path, reason in refused.items()} == {
        "bomb.png": "too many pixels",
        "cut.png": "truncated image",
        "cut.webp": "not an image",
        "empty.jpg": "empty",
        "film.mov": "not an image",
        "heavy.tif": "too many bytes",
        "lie.jpg": "HTML in place of an image",
        "loop": "a folder that is read in another place or holds this one",
        "nowhere.jpg": "a link that leads nowhere",
        "pipe.jpg": "neither a file nor a folder",
        "raw.nef": "a raw file without a preview",
        "wide.png": "too many pixels",
    }
    names = set(photos["photo"])
    assert {'new\\nline,"quotes".jpg', "\\xff.png", "no ending", "less wide.png"} < names
    assert (faces["photo"] == "\\xff.png").sum() == 1


def test_files_that_still_grow_are_left_for_the_next_run(archive, monkeypatch, pictures):
    monkeypatch.setattr(analysis_module, "SETTLED", 1000.0)
    old = time.time() - 2000
    for path in archive.rglob("*.*"):
        os.utime(path, (old, old))
    growing = archive / "growing.jpg"
    growing.write_bytes(pictures["two.jpg"][:1000])
    written = archive / "just written.jpg"
    written.write_bytes(pictures["two.jpg"])

    def grow(seconds):
        assert seconds == 1000
        growing.write_bytes(pictures["two.jpg"])

    monkeypatch.setattr(analysis_module.time, "sleep", grow)
    monkeypatch.setitem(globals(), "snapshot", lambda folder: None)
    _, photos, refused, done = run(archive)
    assert refused == {"growing.jpg": analysis_module.GROWS}
    # The other has the same bytes as a photo that is known.
    assert done == 3 and "just written.jpg" in set(photos["photo"])
    monkeypatch.setattr(analysis_module.time, "sleep", lambda seconds: None)
    _, photos, refused, done = run(archive)
    assert refused == {} and done == 0 and "growing.jpg" in set(photos["photo"])


def test_a_disk_that_was_away_costs_nothing(archive, monkeypatch):
    read = analysis_module.read_file

    def away(path, most):
        if "2019" in str(path):
            raise ImageError("unreadable", "Stale file handle")
        return read(path, most)

    monkeypatch.setattr(analysis_module, "read_file", away)
    _, photos, refused, _ = run(archive)
    assert len(photos) == 1 and set(refused.values()) == {"unreadable: Stale file handle"}
    monkeypatch.setattr(analysis_module, "read_file", read)
    _, photos, refused, done = run(archive)
    assert len(photos) == 3 and refused == {} and done == 2


def test_a_file_that_ends_the_program_is_refused_in_the_end(archive, monkeypatch):
    class Ended(BaseException):
        pass

    read = analysis_module.read_photo

    def fall(data, *arguments):
        if data == (archive / "2019/two.jpg").read_bytes():
            raise Ended
        return read(data, *arguments)

    monkeypatch.setattr(analysis_module, "read_photo", fall)
    for _ in range(TRIES):
        with pytest.raises(Ended):
            run(archive)
    _, photos, refused, _ = run(archive)
    assert refused == {"2019/two.jpg": "the program ended 3 times on it"} and len(photos) == 2


def test_a_run_that_is_killed_loses_nothing(archive, monkeypatch, pictures):
    """Whatever the photo at which it ends, the next run goes on, and the tables are the same."""
    for number in range(20):
        name = ("two.jpg", "one.png", "none.webp")[number % 3]
        data = pictures[name] + bytes([number])  # another content, the same picture
        (archive / f"{number}{Path(name).suffix}").write_bytes(data)
    whole = run(archive)
    shutil.rmtree(archive.parent / "results")
    add, left = Journal.add, [0]

    class Killed(BaseException):
        pass

    def add_until(self, *arguments):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        add(self, *arguments)

    monkeypatch.setattr(Journal, "add", add_until)
    for photos in (1, 9, 4, 2):
        left[0] = photos
        with pytest.raises(Killed):
            run(archive)
    left[0] = -1
    after = run(archive)
    assert after[0].equals(whole[0]) and after[1].equals(whole[1]) and after[3] < whole[3]


def test_many_files_of_one_size_are_spread_over_the_buckets(tmp_path):
    for number in range(FEW + 1):
        (tmp_path / f"{number:03d}").write_bytes(bytes([number]) * 10)
    (tmp_path / "other").write_bytes(b"other")
    list_archive(tmp_path, tmp_path.parent / "listing.parquet")
    listed = pq.read_table(tmp_path.parent / "listing.parquet").to_pandas()
    assert len(listed) == FEW + 2 and listed["bucket"].between(0, BUCKETS - 1).all()
    assert listed["bucket"].nunique() > BUCKETS / 3
    assert listed["bucket"].is_monotonic_increasing
    (tmp_path / "000").unlink()
    list_archive(tmp_path, tmp_path.parent / "listing.parquet")
    listed = pq.read_table(tmp_path.parent / "listing.parquet").to_pandas()
    assert listed["bucket"].nunique() == 2
    shares = [buckets_of(job, 7) for job in range(7)]
    assert sorted(bucket for share in shares for bucket in share) == list(range(BUCKETS))


def test_a_journal_of_an_older_version_is_begun_anew(archive):
    run(archive)
    for path in (archive.parent / "results").rglob("*.sqlite"):
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 1")
            db.execute("ALTER TABLE photos DROP COLUMN taken")
        db.close()
    *_, done = run(archive)
    assert done == 3


def test_journals_that_cannot_be_used_are_named(tmp_path):
    path = tmp_path / "00.sqlite"
    path.write_bytes(b"no database, but long enough to be read as one" * 100)
    with pytest.raises(InputError, match=r"00\.sqlite: damaged .* delete this file"):
        Journal(path, "", "")
    path.unlink()
    with (
        Journal(path, "", "") as journal,
        pytest.raises(InputError, match="another job is writing it"),
    ):
        assert not journal.has("")
        Journal(path, "", "")


def test_thumbnails_show_faces_with_a_margin_and_previews_whole_photos(archive):
    run(archive)
    out = archive.parent / "results"
    assert pq.read_schema(out / "thumbnails0.parquet").equals(THUMBNAILS)
    rows = pd.concat(pd.read_parquet(out / f"thumbnails{job}.parquet") for job in range(JOBS))
    for data in rows["jpeg"]:
        assert jpeg(data).shape == (THUMBNAIL, THUMBNAIL, 3)
    views = pd.concat(pd.read_parquet(out / f"previews{job}.parquet") for job in range(JOBS))
    assert {jpeg(data).shape for data in views["jpeg"]} == {(PREVIEW * 3 // 4, PREVIEW, 3)}
    assert jpeg(preview(np.zeros((30, 20, 3), np.uint8))).shape == (30, 20, 3)


def jpeg(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    "box", [(10, 10, 20, 20), (-9, -9, 20, 20), (95, 95, 20, 30), (0, 0, 300, 300), (99, 50, 1, 1)]
)
def test_what_lies_outside_a_photo_is_its_edge(box):
    picture = np.full((100, 100, 3), 50, np.uint8)
    square = cut(picture, np.array(box, float), 32)
    assert square.shape == (32, 32, 3) and (abs(square.astype(int) - 50) <= 1).all()


@pytest.mark.parametrize(
    "box", [(-4, 10, 40, 50), (70, 60, 45, 40), (2, 1, 90, 98), (-20, -20, 150, 160)]
)
def test_no_thumbnail_repeats_the_edge_of_a_photo(box):
    """A stripe of the same pixels would have the same brightness."""
    ramp = np.linspace(0, 255, 100).astype(np.uint8)
    for picture in (np.tile(ramp, (100, 1)), np.tile(ramp[:, None], (1, 120))):
        data = thumbnail(np.repeat(picture[..., None], 3, axis=2), np.array(box, float))
        found = jpeg(data).astype(float).mean(axis=2)
        along = found.mean(axis=0 if picture[0, 0] != picture[0, -1] else 1)
        assert (np.diff(along.reshape(12, 8).mean(axis=1)) > 5).all()


@pytest.mark.parametrize(
    ("kind", "shape", "variant", "size"),
    [
        ("faces", (48, 48, 3), "rgb", 48 * 48 * 3),
        ("faces", (48, 48, 1), "grayscale", 48 * 48),
        ("faces", (40, 40, 3), "cropped", 40 * 40 * 3),
        ("aligned", (48, 48, 1), "grayscale", 48 * 48),
        ("landmarks", (478, 3), "rgb", 478 * 3 * 4),
        ("movements", (5,), "rgb", 0),
    ],
)
def test_a_model_is_shown_each_answered_face_as_it_knows_them(archive, kind, shape, variant, size):
    folder = archive.parent
    points = FaceMesh(1).find(np.stack([portrait(np.random.default_rng(3), "happy", 64)[0]]))[0]
    np.save(folder / "pool.npy", points)
    crops = ModelCrops(View(kind, shape, variant), 4, str(folder / "pool.npy"))
    faces, _, _, done = run(archive, crops=crops)
    found = pd.concat(
        pd.read_parquet(folder / f"results/found{job}.parquet") for job in range(JOBS)
    )
    assert {len(seen) for seen in found["seen"]} == {size} and len(found) == len(faces)
    assert run(archive, crops=crops)[3] == 0
    # What a model sees is kept with the rest, so another model analyses anew.
    assert run(archive)[3] == done
    if kind == "faces":
        row = found[found["photo"] == "2019/summer/one.png"].iloc[0]
        seen = np.frombuffer(row["seen"], np.uint8).reshape(shape)
        side = 1.2 * row["height"]
        left, top = (
            row[a] + row[b] / 2 - side / 2 for a, b in (("left", "width"), ("top", "height"))
        )
        box = [int(each) for each in (left, top, left + side, top + side)]
        plain = Image.fromarray(photo(PLACES[:1])).crop(box)
        if variant == "cropped":
            rim = int(side * 4 / 48)
            plain = plain.crop((rim, rim, plain.width - rim, plain.height - rim))
        plain = np.asarray(plain.convert("L" if shape[2] == 1 else "RGB").resize(shape[:2]))
        assert abs(seen.astype(int).squeeze() - plain).mean() < 8


def test_aligned_faces_need_those_that_the_model_learnt_from():
    with pytest.raises(InputError, match=r"archive\.model: this model sees faces aligned"):
        ModelCrops(View("aligned", (48, 48, 1), "rgb"), 4, None)


def test_movements_are_of_answered_faces_alone(archive):
    faces, *_ = run(archive, min_face=120)
    answered = faces["state"] == "answered"
    assert 0 < answered.sum() < len(faces)
    assert faces.loc[answered, list(MOVEMENTS)].notna().all(axis=None)
    assert faces.loc[~answered, list(MOVEMENTS)].isna().all(axis=None)
    assert faces.loc[~answered, "smiling"].isna().all() and (faces["tags"][~answered] == "").all()


def test_a_tag_that_a_person_took_out_stays_out_under_other_settings(archive):
    faces, *_ = run(archive)
    row = faces.iloc[1]
    left, top, right = row["left"] / 640, row["top"] / 480, (row["left"] + row["width"]) / 640
    ours = [Face((left, right, top, (row["top"] + row["height"]) / 480), ["smiling"], {})]
    data, _ = merged(packet(""), ours, True, lambda: (None, []))
    sidecar = archive / "2019/two.jpg.xmp"
    sidecar.write_bytes(re.sub(rb"<rdf:li>facesort.smiling</rdf:li>", b"", data))
    assert len(said(archive)) == 1
    sidecar.write_bytes(data)
    run(archive, jobs=1, detect_at=500)
    found = pd.read_parquet(archive.parent / "results/said0.parquet")
    assert found[["tag", "verdict"]].to_numpy().tolist() == [["smiling", "wrong"]]


def test_a_photo_of_a_far_future_is_read(archive):
    os.utime(archive / "2019/two.jpg", (2e10, 2e10))
    _, photos, refused, _ = run(archive)
    assert "2019/two.jpg" in set(photos["photo"]) and refused == {}
