"""The orientation that a sidecar tells, however it is written."""

import os

import pytest
from small_run import ROOT

from facesort.archive.sidecars import MOST_BYTES, names, orientation

FORMATS = ROOT.parent / "shared" / "data" / "photos" / "formats"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<rdf:Description tiff:Orientation="6"/>', 6),
        ("<rdf:Description tiff:Orientation='3'/>", 3),
        ("<tiff:Orientation>8</tiff:Orientation>", 8),
        ("<tiff:Orientation> 2 </tiff:Orientation>", 2),
        ('<rdf:Description tiff:Orientation="9"/>', None),
        ('<rdf:Description tiff:Orientation="66"/>', None),
        ("<x/>", None),
        ("", None),
    ],
)
def test_orientations(tmp_path, text, told):
    (tmp_path / "a.xmp").write_text(text)
    assert orientation(tmp_path / "a.xmp") == told


def test_what_cannot_be_read_tells_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe.xmp")
    with (tmp_path / "large.xmp").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for name in ("pipe.xmp", "large.xmp", "none.xmp"):
        assert orientation(tmp_path / name) is None


def test_names_of_sidecars():
    assert names("A/b.JPG") == ("a/b.jpg.xmp", "a/b.xmp")
    assert names("none") == ("none.xmp", "none.xmp")


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs ../shared/data/photos")
def test_sidecars_of_other_programs_are_read():
    for path in FORMATS.glob("*.xmp"):
        assert orientation(path) in (None, *range(1, 9))
