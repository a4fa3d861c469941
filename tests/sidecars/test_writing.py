"""Sidecars beside photos: written, updated, left alone by name, and undone to the byte."""

import io
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_photos import encoded
from made_xmp import exiftool, listed, needs_exiftool, packet
from PIL import Image

from facesort.archive.listing import list_archive
from facesort.archive.tables import APPARENT, FACES
from facesort.archive.xmp import list_of, parse, texts
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.sidecars import writing
from facesort.sidecars.ledger import Ledger
from facesort.sidecars.writing import Photo, Writer, closing_words, read_photos, targets, undo

ROME = packet(listed("dc:subject", "Rome"))
PICTURE = np.full((48, 64, 3), 120, np.uint8)
BOX = {"left": 8.0, "top": 4.0, "width": 16.0, "height": 24.0}


class Archive:
    """A folder of photos, each with a face, and what the rules hand on of it."""

    def __init__(self, folder, photos, to=None):
        self.folder, self.to = folder, to
        self.root = folder / "photos"
        self.tags = dict.fromkeys(photos, "smiling;looks happy")
        self.before = {}
        for name, sidecar in photos.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(PICTURE))
            if sidecar:
                beside = self.root / sidecar[0]
                beside.write_bytes(sidecar[1])
                beside.chmod(0o640)
        self.sidecars = {name: sidecar and sidecar[0] for name, sidecar in photos.items()}
        self.before = self.snapshot()

    def snapshot(self):
        """Every file, by its bytes and mode."""
        files = [path for path in self.root.rglob("*") if path.is_file()]
        return {path: (path.read_bytes(), path.stat().st_mode) for path in files}

    def photos(self, orientation=1):
        found = []
        for name, sidecar in sorted(self.sidecars.items()):
            beside = self.root / (sidecar or f"{name}.xmp")
            there = beside.is_file()
            place = str(beside.relative_to(self.root)) if there else ""
            about = (place, beside.stat().st_mtime_ns if there else 0)
            found.append(Photo(name, name, *about, 64, 48, orientation))
        return found

    def run(self, write=True, flat=True, orientation=1):
        """What became of each photo's sidecar, by photo; and the reasons."""
        rows = [(name, tags) for name, tags in sorted(self.tags.items()) if tags is not None]
        table = pd.DataFrame(index=range(len(rows)), columns=FACES.names)
        table["photo"], table["tags"] = [row[0] for row in rows], [row[1] for row in rows]
        table = table.assign(**BOX, state="answered", face=0)
        table[[*APPARENT, *EMOTIONS]] = 0.25
        table.to_parquet(self.folder / "faces.parquet")
        to = self.to and str(self.to)
        with Ledger(self.folder / "ledger.sqlite") as ledger:
            writer = Writer(str(self.root), to, flat, write, ledger)
            told = [*writer.run(self.photos(orientation), str(self.folder / "faces.parquet"))]
        assert len(told) == len(self.sidecars)
        return {row[0]: row[2] for row in told}, {row[0]: row[4] for row in told if row[4]}

    def undo(self):
        with Ledger(self.folder / "ledger.sqlite") as ledger:
            return Counter(row[2] for row in undo(ledger))

    def keywords(self, name, listed_in="digiKam:TagsList"):
        return texts(list_of(parse((self.root / name).read_bytes()), listed_in))


@pytest.fixture
def archive(tmp_path):
    sidecars = {"b.jpg": ("b.jpg.xmp", ROME), "c/d.jpg": ("c/d.xmp", ROME)}
    return Archive(tmp_path, {"a.jpg": None, **sidecars})


def test_nothing_is_written_unless_asked(archive):
    told, _ = archive.run(write=False)
    assert told == {"a.jpg": "new", "b.jpg": "merged", "c/d.jpg": "merged"}
    assert archive.snapshot() == archive.before
    words = closing_words(Counter(told.values()), False)
    assert words[-1] == "nothing was written; 3 sidecars would be, with archive.write: true"


def test_sidecars_are_written_updated_and_undone(archive):
    assert archive.run()[0] == {"a.jpg": "new", "b.jpg": "merged", "c/d.jpg": "merged"}
    assert archive.keywords("a.jpg.xmp") == ["facesort/smiling", "facesort/looks happy"]
    assert archive.keywords("b.jpg.xmp")[0] == "Rome" == archive.keywords("c/d.xmp")[0]
    assert (archive.root / "b.jpg.xmp").stat().st_mode & 0o777 == 0o640
    assert set(archive.run()[0].values()) == {"unchanged"}
    # A tag that is not given any more goes, and a photo without faces has nothing of ours.
    archive.tags |= {"b.jpg": "smiling", "c/d.jpg": None}
    told, _ = archive.run()
    assert told == {"a.jpg": "unchanged", "b.jpg": "updated", "c/d.jpg": "taken out"}
    assert archive.keywords("b.jpg.xmp") == ["Rome", "facesort/smiling"]
    assert (archive.root / "c/d.xmp").read_bytes() == ROME
    assert archive.run()[0]["c/d.jpg"] == "nothing to tell"
    assert archive.undo() == {"as it was": 2} and archive.snapshot() == archive.before
    assert archive.undo() == {} and archive.run()[0]["a.jpg"] == "new"
    (archive.root / "a.jpg.xmp").unlink()
    assert archive.undo() == {"as it was": 2} and archive.snapshot() == archive.before


def test_what_others_have_changed_since_stays(archive):
    archive.run()
    for name in ("a.jpg.xmp", "b.jpg.xmp"):
        path = archive.root / name
        path.write_bytes(path.read_bytes().replace(b"<rdf:Seq>", b"<rdf:Seq><rdf:li>2019</rdf:li>"))
    archive.tags["a.jpg"] = "looks sad"
    assert archive.run()[0] == {"a.jpg": "updated", "b.jpg": "updated", "c/d.jpg": "unchanged"}
    assert archive.keywords("a.jpg.xmp") == ["2019", "facesort/looks sad"]
    assert archive.undo() == {"as it was": 3}
    assert archive.keywords("a.jpg.xmp") == ["2019"]
    assert archive.keywords("b.jpg.xmp") == ["2019", "Rome"]
    assert (archive.root / "c/d.xmp").read_bytes() == ROME
    archive.run()
    # One that we made, and of which a person took nothing but a tag of ours, goes too.
    path = archive.root / "a.jpg.xmp"
    path.unlink()
    for more in (archive.run, dict):
        archive.run()
        path.write_bytes(path.read_bytes().replace(b"<rdf:li>facesort/looks sad</rdf:li>", b""))
        more()
        archive.undo()
        assert not path.exists()
    # Nobody knows what has become of an emptied one.
    archive.run()
    path.write_bytes(b"")
    assert "not well-formed" in archive.run()[1]["a.jpg"]
    assert archive.undo()["left alone"] == 1 and path.read_bytes() == b""
    path.unlink()
    archive.run()
    path = archive.root / "c/d.xmp"
    path.write_bytes(path.read_bytes().replace(b"Rome", b"Paris"))
    assert archive.undo() == {"as it was": 2, "taken out": 1}
    assert archive.keywords("c/d.xmp", "dc:subject") == ["Paris"]


def harm(archive, how):
    """Make it impossible or wrong to write the sidecar of b.jpg."""
    path = archive.root / "b.jpg.xmp"
    match how:
        case "read-only":
            path.chmod(0o440)
        case "folder":
            (archive.root / "c").chmod(0o555)
        case "link":
            path.rename(archive.folder / "outside.xmp")
            path.symlink_to(archive.folder / "outside.xmp")
        case "link outside":
            (archive.root / "c").rename(archive.folder / "c")
            (archive.root / "c").symlink_to(archive.folder / "c")
        case "large":
            with path.open("ab") as file:
                file.truncate(50_000_000)
        case "pipe":
            path.unlink()
            os.mkfifo(path)
        case _:
            path.write_bytes(how)


@pytest.mark.parametrize(
    ("how", "photo", "why"),
    [
        ("read-only", "b.jpg", "read-only"),
        ("folder", "c/d.jpg", "its folder is read-only"),
        ("link", "b.jpg", "a link; what it leads to is left alone"),
        ("link outside", "c/d.jpg", "a link leads outside"),
        ("large", "b.jpg", "more than 10,000,000 bytes"),
        ("pipe", "b.jpg", "not a file"),
        (b"", "b.jpg", "not well-formed XML"),
        (ROME + ROME, "b.jpg", "not well-formed XML"),
        (ROME.replace(b"Rome", b"R\xf6m"), "b.jpg", "not well-formed XML"),
        (
            b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + ROME,
            "b.jpg",
            "document type",
        ),
        (packet("", 'dc:subject="Rome"'), "b.jpg", "dc:subject is no list"),
    ],
)
def test_what_cannot_be_written_is_left_alone_by_name(archive, how, photo, why):
    harm(archive, how)
    before = archive.snapshot()
    for write in (False, True):
        told, reasons = archive.run(write)
        assert told.pop(photo) == "left alone" and why in reasons.pop(photo)
        assert not reasons and set(told.values()) <= {"new", "merged"}
    assert "why some were left alone" in closing_words(Counter(["left alone"]), True)[2]
    (archive.root / "c").chmod(0o755)
    archive.undo()
    assert archive.snapshot() == before


def test_a_broken_packet_inside_a_photo_is_not_hidden(tmp_path):
    archive = Archive(tmp_path, {"a.jpg": None})
    (archive.root / "a.jpg").write_bytes(encoded(PICTURE, xmp=b"<broken"))
    assert "the XMP inside the photo: not well-formed" in archive.run()[1]["a.jpg"]
    (archive.root / "a.jpg").write_bytes(encoded(PICTURE, xmp=ROME))
    assert archive.run()[0] == {"a.jpg": "new"}
    assert archive.keywords("a.jpg.xmp")[0] == "Rome"
    archive.undo()
    (archive.root / "a.jpg").unlink()
    assert archive.run()[1]["a.jpg"] == "the photo cannot be read: No such file or directory"


def test_what_another_program_writes_meanwhile_is_kept(archive, monkeypatch):
    theirs = packet(listed("dc:subject", "Paris"))
    real = writing.replace

    def replace(path, data, held):
        Path(path).write_bytes(theirs)
        real(path, data, held)

    monkeypatch.setattr(writing, "replace", replace)
    told, reasons = archive.run()
    assert set(told.values()) == {"left alone"}
    assert all("another program has changed it just now" in each for each in reasons.values())
    monkeypatch.undo()
    assert archive.undo() == {}
    assert all(path.read_bytes() == theirs for path in archive.root.rglob("*.xmp"))
    assert not [*archive.root.rglob("*.part")]


def test_what_changed_since_the_photos_were_read_waits_for_the_next_run(archive, monkeypatch):
    photos = archive.photos()
    monkeypatch.setattr(archive, "photos", lambda _: photos)
    os.utime(archive.root / "b.jpg.xmp", (1e9, 1e9))
    assert archive.run()[1] == {
        "b.jpg": "it has changed since the photos were read; run again",
    }


def test_sidecars_may_lie_in_another_folder(tmp_path):
    own = {"a.jpg": None, "c/d.jpg": ("c/d.xmp", ROME)}
    archive = Archive(tmp_path, own, tmp_path / "to")
    assert set(archive.run()[0].values()) == {"new"} and archive.snapshot() == archive.before
    assert archive.keywords(tmp_path / "to/c/d.xmp")[0] == "Rome"
    assert (tmp_path / "to/a.jpg.xmp").is_file()
    assert set(archive.run()[0].values()) == {"unchanged"}
    assert archive.undo() == {"as it was": 2}
    assert not [path for path in (tmp_path / "to").rglob("*") if path.is_file()]


def test_each_sidecar_is_of_one_photo():
    about = (0, 64, 48, 1)
    photos = [
        Photo("a.jpg", "a.jpg", "a.xmp", *about),
        Photo("a.nef", "a.nef", "a.xmp", *about),
        Photo("b.nef", "b.nef", "", *about),
        Photo("c.jpg", "c.jpg", "", *about),
        Photo("d.jpg", "d.jpg", "d.xmp", *about),
        Photo("d.png", "d.png", "d.xmp", *about),
    ]
    assert targets(photos) == {
        "a.nef": ("a.xmp", True),
        "a.jpg": ("a.jpg.xmp", False),
        "b.nef": ("b.xmp", False),
        "c.jpg": ("c.jpg.xmp", False),
        "d.jpg": ("d.xmp", True),
        "d.png": ("d.png.xmp", False),
    }


@needs_exiftool
@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_are_of_the_photo_as_it_is_stored(tmp_path, orientation):
    """A white block at a known place of the photo as shown is what the region holds as stored."""
    archive = Archive(tmp_path, {"a.jpg": None})
    picture = np.zeros((48, 64, 3), np.uint8)
    left, top, width, height = (int(BOX[edge]) for edge in BOX)
    picture[top : top + height, left : left + width] = 255
    data = encoded(picture, "PNG", orientation)
    (archive.root / "a.jpg").write_bytes(data)
    archive.run(orientation=orientation)
    region = exiftool(archive.root / "a.jpg.xmp")["XMP-iptcExt:ImageRegion"][0]["RegionBoundary"]
    stored = np.asarray(Image.open(io.BytesIO(data)))[..., 0]
    x, y, w, h = (region[f"Rb{key}"] for key in "XYWH")
    rows, columns = stored.shape
    edges = (y * rows, (y + h) * rows, x * columns, (x + w) * columns)
    first, last, begin, end = (round(edge) for edge in edges)
    assert edges == pytest.approx((first, last, begin, end), abs=1e-3)
    assert stored[first:last, begin:end].min() == 255 and stored.sum() == 255 * width * height


WRITE_FOR_EVER = """
import sys, pickle
sys.path[:0] = {paths!r}
from pathlib import Path
from test_writing import Archive
archive = pickle.loads(Path({state!r}).read_bytes())
print("begins", flush=True)
for turn in range(1000):
    archive.tags = dict.fromkeys(archive.tags, ("smiling", "looks sad;mouth open")[turn % 2])
    archive.run()
"""


@pytest.mark.slow
def test_twenty_kills_leave_no_half_file_and_can_be_undone(tmp_path):
    import pickle

    rng = random.Random(0)
    every = {f"{n}.jpg": (f"{n}.jpg.xmp", ROME) if n % 2 else None for n in range(150)}
    archive = Archive(tmp_path, every)
    (tmp_path / "state").write_bytes(pickle.dumps(archive))
    here = Path(__file__).parent
    paths = [*map(str, (here, here.parent, here.parents[1] / "workflow_scripts"))]
    code = WRITE_FOR_EVER.format(paths=paths, state=str(tmp_path / "state"))
    parts = 0
    for _ in range(20):
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"begins\n"
        time.sleep(rng.uniform(0.1, 3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        parts += len([*archive.root.glob(".*.part")])
        for path in archive.root.glob("*.xmp"):
            tags = texts(list_of(parse(path.read_bytes()), "digiKam:TagsList"))
            own = [tag for tag in tags if tag != "Rome"]
            assert own in ([], ["facesort/smiling"], ["facesort/looks sad", "facesort/mouth open"])
    print(f"{parts} files were being written when the run was killed")
    archive.undo()
    assert archive.snapshot() == archive.before


@pytest.mark.slow
def test_ten_thousand_sidecars_take_ten_milliseconds_each_at_most(tmp_path):
    every = {f"{n % 100}/{n}.jpg": None for n in range(10_000)}
    archive = Archive(tmp_path, every)
    for what in ("dry", "new", "unchanged"):
        began, cpu = time.monotonic(), time.process_time()
        archive.run(write=what != "dry")
        each, cpu = time.monotonic() - began, time.process_time() - cpu
        print(f"{what}: {each / 10:.2f} ms a sidecar, {cpu / 10:.2f} of CPU")
        assert cpu / 10 <= 10
    began = time.monotonic()
    assert archive.undo() == {"as it was": 10_000}
    print(f"undone: {(time.monotonic() - began) / 10:.2f} ms a sidecar")
    assert archive.snapshot() == archive.before


def test_while_the_disk_is_away_nothing_is_forgotten(archive, tmp_path):
    archive.run()
    written = archive.snapshot()
    for empty in (False, True):
        archive.root.rename(tmp_path / "away")
        if empty:  # the place where it belongs
            archive.root.mkdir()
        assert archive.undo() == {"left alone": 3}
        if empty:
            archive.root.rmdir()
        (tmp_path / "away").rename(archive.root)
    assert archive.snapshot() == written
    assert archive.undo() == {"as it was": 3} and archive.snapshot() == archive.before


def test_a_run_stops_where_its_sidecars_were_and_nothing_is(tmp_path):
    to = tmp_path / "xmp"
    to.mkdir()
    (to / "b.jpg.xmp").write_bytes(ROME)
    archive = Archive(tmp_path, {"a.jpg": None, "b.jpg": None}, to=to)
    archive.run()
    to.rename(tmp_path / "away")
    to.mkdir()
    with pytest.raises(InputError, match=r"xmp: missing or empty, though sidecars were written"):
        archive.run()
    to.rmdir()
    (tmp_path / "away").rename(to)
    assert archive.undo() == {"as it was": 2}
    assert [path.name for path in to.iterdir()] == ["b.jpg.xmp"]
    assert (to / "b.jpg.xmp").read_bytes() == ROME


class Listed(Archive):
    """An archive whose sidecars are found as a run finds them."""

    def photos(self, orientation=1):
        listing, photos = self.folder / "listing.parquet", self.folder / "photos.parquet"
        list_archive(self.root, listing)
        table = pd.read_parquet(listing)[["photo"]]
        table.assign(width=64, height=48, orientation=orientation).to_parquet(photos)
        return read_photos(str(photos), str(listing))


ADA = packet(listed("dc:subject", "Ada"))


@pytest.mark.parametrize(
    "photos",
    [
        {"A.jpg": ("A.jpg.xmp", ADA), "a.jpg": ("a.jpg.xmp", ROME)},
        {"A.jpg": ("A.jpg.xmp", ADA), "a.jpg": None},
        {"A.jpg": None, "a.jpg": ("a.jpg.xmp", ROME)},
        {"A.jpg": None, "a.jpg": None},
        {"Cam/1.jpg": ("Cam/1.jpg.xmp", ADA), "cam/1.jpg": None},
        {"b.jpg": ("b.jpg.xmp", ROME), "b.jpg.dng": None},
    ],
)
def test_names_that_differ_by_case_or_ending_share_no_sidecar(tmp_path, photos):
    archive = Listed(tmp_path, photos)
    archive.tags = dict(zip(photos, ("smiling", "looks sad"), strict=True))
    for number in range(3):
        told, reasons = archive.run()
        assert not reasons
        assert number == 0 or set(told.values()) == {"unchanged"}
    for name, tag in archive.tags.items():
        assert archive.keywords(f"{name}.xmp")[-1] == f"facesort/{tag}"
    assert archive.undo() == {"as it was": 2} and archive.snapshot() == archive.before


def test_a_kill_before_the_files_and_a_change_since_leave_nothing_of_ours(archive, monkeypatch):
    archive.run()
    archive.tags = dict.fromkeys(archive.tags, "looks sad")

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writing, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            archive.run()
    path = archive.root / "b.jpg.xmp"
    path.write_bytes(path.read_bytes().replace(b"<rdf:Seq>", b"<rdf:Seq><rdf:li>2019</rdf:li>"))
    archive.undo()
    assert archive.keywords("b.jpg.xmp") == ["2019", "Rome"]
    assert not re.search(rb"facesort[/|]", path.read_bytes())


def test_one_that_a_person_deleted_is_undone_though_its_folder_is_empty_by_then(tmp_path):
    to = tmp_path / "xmp"
    to.mkdir()
    archive = Archive(tmp_path, {"a.jpg": None, "b.jpg": None}, to=to)
    archive.run()
    (to / "b.jpg.xmp").unlink()
    assert archive.undo() == {"as it was": 2}
    assert not list(to.iterdir())
