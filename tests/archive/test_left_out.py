"""The list of photos that are left out: what its lines name, and what it does to the listing."""

import hashlib
import os
from pathlib import Path

import pandas as pd
import pytest

from facesort.archive.left_out import LeftOut, read_exclusions
from facesort.archive.listing import list_archive
from facesort.common.job import InputError

PHOTOS = {"a.jpg": b"1", "party/b.jpg": b"2", "party/old/a.jpg": b"1", "partying.jpg": b"3"}
ODD = os.fsdecode(b"odd\n\xff \xc3\xa4.jpg")
DIGEST = hashlib.sha256(b"1").hexdigest()


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "photos"
    for name, data in (PHOTOS | {ODD: b"4", "#1.jpg": b"5"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def left_out(archive, *lines, end="\n", **more):
    """Names of photos that a list leaves out, and how many each line does."""
    path = archive.parent / "exclude.txt"
    path.write_bytes(end.encode().join(map(os.fsencode, lines)))
    exclusions = read_exclusions(path, archive)
    state = archive.parent / "buckets"
    with LeftOut(archive, exclusions, state, more.get("max_bytes", 10)) as leaves:
        counts = list_archive(archive, archive.parent / "listing.parquet", leaves)
    table = pd.read_parquet(archive.parent / "listing.parquet")
    listed = {os.fsdecode(name) for name in table["file"]}
    leaves.write(archive.parent / "left_out.csv")
    assert counts["photos"] == len(listed) == 6 - leaves.counts.total()
    told = pd.read_csv(archive.parent / "left_out.csv")
    every = {str(each.relative_to(archive)) for each in archive.rglob("*") if each.is_file()}
    return every - listed, dict(zip(told["line"], told["photos"], strict=True))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", set()),
        ("# a.jpg", set()),
        ("a.jpg", {"a.jpg"}),
        ("  ./party//b.jpg ", {"party/b.jpg"}),
        ("party/", {"party/b.jpg", "party/old/a.jpg"}),
        ("party/old/../b.jpg", {"party/b.jpg"}),
        ("./#1.jpg", {"#1.jpg"}),
        ("part", set()),
        ("*.jpg", set()),
        (DIGEST, {"a.jpg", "party/old/a.jpg"}),
        (f"sha256: {DIGEST.upper()}", {"a.jpg", "party/old/a.jpg"}),
        # As tables show it, since a line cannot hold a line's end.
        ("odd\\n\\xff ä.jpg", {ODD}),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_names_a_photo_a_folder_or_a_content(archive, line, names, end):
    found, counts = left_out(archive, "\ufeff# first", line, "", end=end)
    assert found == names
    assert counts == ({} if line in ("", "# a.jpg") else {2: len(names)})


def test_absolute_paths_are_taken_also_through_a_link(archive, tmp_path):
    (tmp_path / "link").symlink_to(archive)
    assert left_out(archive, str(archive / "a.jpg"))[0] == {"a.jpg"}
    assert read_exclusions(None, archive).lines() == []
    path = tmp_path / "exclude.txt"
    path.write_text(f"{archive}/party\n")
    assert [*read_exclusions(path, tmp_path / "link").paths] == ["party"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("../other.jpg", "outside the archive"),
        ("party/../../x", "outside the archive"),
        ("/etc/passwd", "outside the archive"),
        (".", "the whole archive"),
        ("sha256:abc", "sha256: is followed by 64 hexadecimal digits"),
        ("https://host/a.jpg", "a URL; those stand in the list at fetch.exclude"),
    ],
)
def test_a_wrong_line_is_named_by_its_number_alone(archive, line, words):
    with pytest.raises(InputError) as raised:
        left_out(archive, "a.jpg", line)
    assert f"exclude.txt, line 2: {words}" in str(raised.value)
    assert line == "." or line not in str(raised.value).replace("sha256: ", "")
    assert "config: archive.exclude" in str(raised.value)


def test_what_is_no_list_of_text_is_refused(archive, tmp_path):
    path = tmp_path / "list.txt"
    with pytest.raises(InputError, match=r"list\.txt: No such file"):
        read_exclusions(path, archive)
    path.write_bytes("a.jpg".encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_exclusions(path, archive)


def test_to_leave_out_all_is_refused(archive):
    with pytest.raises(InputError, match="leaves out every file"):
        left_out(archive, *PHOTOS, "#1.jpg", "./#1.jpg", "odd\\n\\xff ä.jpg")


def test_large_files_are_not_hashed(archive):
    """Nor opened, as those that are named by a path are not."""
    assert left_out(archive, DIGEST, max_bytes=0)[0] == set()
    (archive / "a.jpg").chmod(0)
    assert left_out(archive, "a.jpg")[0] == {"a.jpg"}


def test_lists_without_digests_open_no_file(archive, monkeypatch):
    monkeypatch.setattr(Path, "open", None)
    monkeypatch.setattr("facesort.archive.left_out.hashed", None)
    with LeftOut(archive, read_exclusions(None, archive), archive, 10) as leaves:
        assert list_archive(archive, archive.parent / "listing.parquet", leaves)["photos"] == 6


def test_links_bring_nobody_back(archive):
    for name, target in (("best", "party"), ("0", "party"), ("fav.jpg", "party/b.jpg")):
        (archive / name).symlink_to(target)
    (archive / "own.jpg").symlink_to("a.jpg")
    path = archive.parent / "exclude.txt"
    path.write_text("party/\n")
    exclusions = read_exclusions(path, archive)
    with LeftOut(archive, exclusions, archive.parent / "buckets", 10) as leaves:
        list_archive(archive, archive.parent / "listing.parquet", leaves)
    listing = pd.read_parquet(archive.parent / "listing.parquet")
    listed = {os.fsdecode(name) for name in listing["file"]}
    assert "own.jpg" in listed
    assert not any(name.startswith(("party/", "best", "0", "fav")) for name in listed)
