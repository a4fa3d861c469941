"""What other targets have kept of photos that are left out: undone, dropped, and nothing else."""

import hashlib
import os

import pandas as pd
import pytest
from test_writing import ROME, Archive

from facesort.archive.left_out import read_exclusions
from facesort.common.job import InputError
from facesort.fetch.folder import as_text
from facesort.sidecars.erasing import erase
from facesort.sidecars.ledger import Ledger


@pytest.fixture
def archive(tmp_path):
    """Three photos with sidecars of ours, in one of them also somebody's; tables as of a run."""
    found = Archive(tmp_path, {"a.jpg": None, "b.jpg": ("b.jpg.xmp", ROME), "c/d.jpg": None})
    found.run()
    (tmp_path / "sidecars").mkdir()
    (tmp_path / "ledger.sqlite").rename(tmp_path / "sidecars/ledger.sqlite")
    for name in ("sidecars.csv", "undone.csv"):
        table = pd.DataFrame({"photo": [*found.tags], "what": ["new", "", "1,\n2"]})
        table.to_csv(tmp_path / name, index=False, lineterminator="\n", encoding="utf-8-sig")
    return found


def erased(archive, *lines, listed=(), jobs=2):
    path = archive.folder / "exclude.txt"
    path.write_text("\n".join(lines))
    pd.DataFrame({"photo": list(listed)}).to_parquet(archive.folder / "listing.parquet")
    exclusions = read_exclusions(path, archive.root)
    return [*erase(archive.folder, str(archive.root), exclusions, jobs).values()]


def known(archive):
    with Ledger(archive.folder / "sidecars/ledger.sqlite") as ledger:
        return [ledger.get(path).photo for path in ledger.paths()]


def test_sidecars_of_photos_left_out_are_undone_and_forgotten(archive):
    """Also by content; what others wrote stays, to the byte."""
    digest = hashlib.sha256((archive.root / "b.jpg").read_bytes()).hexdigest()
    # All three are the same picture; two are not listed.
    assert erased(archive, digest, listed=["c/d.jpg"]) == [2, 4, 0]
    assert not (archive.root / "a.jpg.xmp").exists()
    assert (archive.root / "b.jpg.xmp").read_bytes() == ROME
    assert known(archive) == ["c/d.jpg"] and (archive.root / "c/d.jpg.xmp").exists()
    assert b"b.jpg" not in (archive.folder / "sidecars/ledger.sqlite").read_bytes()
    for name in ("sidecars.csv", "undone.csv"):
        text = (archive.folder / name).read_text("utf-8-sig")
        assert text == 'photo,what\nc/d.jpg,"1,\n2"\n'
    assert erased(archive, digest, listed=["c/d.jpg"]) == [0, 0, 0]


def test_sidecars_of_photos_that_are_gone_for_other_reasons_stay(archive):
    assert erased(archive, "a.jpg", listed=["b.jpg"]) == [1, 4, 0]
    assert known(archive) == ["b.jpg", "c/d.jpg"]


def test_a_sidecar_that_cannot_be_undone_stops_the_run(archive):
    """The ledger still knows it, and the next run tries again."""
    path = archive.root / "c/d.jpg.xmp"
    path.chmod(0o444)
    with pytest.raises(InputError, match=r"d\.jpg\.xmp: what we wrote cannot be taken out: read-"):
        erased(archive, "c", listed=["a.jpg", "b.jpg"])
    assert len(known(archive)) == 3
    path.chmod(0o644)
    assert erased(archive, "c", listed=["a.jpg", "b.jpg"])[0] == 1 and not path.exists()


def test_files_of_earlier_runs_go(archive):
    """Of jobs that are no more, and half written ones; what is being written now stays."""
    folder = archive.folder
    for name in ("found/0.parquet", "found/2.parquet", "previews/11.parquet", "photos.csv.part"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"old")
        os.utime(folder / name, (1e9, 1e9))
    assert erased(archive, listed=archive.tags)[2] == 3
    left = {path.name for path in folder.rglob("*.p*t")}
    assert left == {"listing.parquet", "faces.parquet", "0.parquet"}
    (folder / "photos.csv.part").write_bytes(b"new")
    os.utime(folder / "photos.csv.part", (4e9, 4e9))
    assert erased(archive, listed=archive.tags)[2] == 0


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\udcff.jpg", "a\\b.jpg"])
def test_photos_of_odd_names_are_erased_by_their_content(tmp_path, name):
    class Odd(Archive):
        def photos(self, orientation=1):
            return [photo._replace(photo=as_text(name)) for photo in super().photos(orientation)]

    archive = Odd(tmp_path, {name: None})
    archive.tags = {as_text(name): "smiling"}
    archive.run()
    (tmp_path / "sidecars").mkdir()
    (tmp_path / "ledger.sqlite").rename(tmp_path / "sidecars/ledger.sqlite")
    digest = hashlib.sha256((archive.root / name).read_bytes()).hexdigest()
    assert erased(archive, digest)[0] == 1
    assert archive.snapshot() == archive.before and known(archive) == []
