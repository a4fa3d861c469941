"""Manifests: exact in both directions, and refused with the row when they are not right."""

import pytest

from facesort.common.job import InputError
from facesort.fetch.manifest import read_manifest

HEADER = "url,left,right,top,bottom,sha256"
GOOD = f"http://a.org/1.jpg,0.1,0.5,0.2,0.6,{'0a' * 32}"


def write(path, *lines):
    path.write_bytes(b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines))
    return path


def test_order_and_numbers_are_kept(tmp_path):
    second = f'"http://a.org/x,""y"".jpg",-1e-7,0.30000000000000004,0.2,1.000000119,{"B1" * 32}'
    path = write(tmp_path / "manifest.csv", HEADER, second, "", GOOD)
    faces, refused = read_manifest(path)
    assert refused.empty
    assert list(faces["url"]) == ['http://a.org/x,"y".jpg', "http://a.org/1.jpg"]
    box = faces.loc[0, ["left", "right", "top", "bottom"]]
    assert tuple(box) == (-1e-7, 0.30000000000000004, 0.2, 1.000000119)
    assert list(faces["sha256"]) == ["b1" * 32, "0a" * 32]
    assert list(faces["row"]) == [2, 4]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("http://a.org/2.jpg,0.1,0.5,0.2,0.6", "5 columns instead of 6"),
        (f"{GOOD},1", "7 columns"),
        ("http://a.org/2.jpg,0.1,0.5,0.2,0.6,abc", "sha256 is not 64"),
        (f"http://a.org/2.jpg,0.1,nan,0.2,0.6,{'0a' * 32}", "not finite"),
        (f"http://a.org/2.jpg,0.5,0.1,0.2,0.6,{'0a' * 32}", "reversed"),
        (f"http://a.org/2.jpg,left,0.5,0.2,0.6,{'0a' * 32}", "not four numbers"),
        (f"file:///etc/passwd,0.1,0.5,0.2,0.6,{'0a' * 32}", "neither http nor https"),
        (f'"http://a.org/2.jpg,0.1,0.5,0.2,0.6,{"0a" * 32}', "not comma-separated"),
        (f"http://a.org/\0.jpg,0.1,0.5,0.2,0.6,{'0a' * 32}", "control characters"),
        (GOOD, "the same face as in row 2"),
        (f"http://a.org/1.jpg,0.1,0.4,0.2,0.6,{'0b' * 32}", "another sha256 .* row 2"),
        (b"http://a.org/caf\xe9.jpg,0.1,0.5,0.2,0.6," + b"0a" * 32, "not UTF-8"),
        ("x" * 2_000_000, "field larger"),
    ],
)
def test_a_wrong_row_is_told(tmp_path, line, complaint):
    path = write(tmp_path / "manifest.csv", HEADER, GOOD, line)
    with pytest.raises(InputError, match=rf"manifest\.csv, row 3 .*data\.manifest.*{complaint}"):
        read_manifest(path)


@pytest.mark.parametrize("lines", [[GOOD], ["a,b"], [b"\xff\xfe"]])
def test_another_file_is_told(tmp_path, lines):
    with pytest.raises(InputError, match=r"row 1 .*data\.manifest"):
        read_manifest(write(tmp_path / "manifest.csv", *lines))


def test_no_file_and_no_faces_are_told(tmp_path):
    for path in (tmp_path / "none.csv", write(tmp_path / "manifest.csv", HEADER)):
        with pytest.raises(InputError, match=r"data\.manifest"):
            read_manifest(path)
