"""Folders walked to their end: each once, behind links too, whatever the names."""

import os
from pathlib import Path

import pytest

from facesort.common.trees import shown, walk


def test_every_folder_is_entered_once(tmp_path):
    tree = tmp_path / "tree"
    (tree / "b" / "c").mkdir(parents=True)
    (tree / "b" / "c" / "file").write_bytes(b"12345")
    (tree / "a").symlink_to("b/c")
    (tree / "b" / "c" / "up").symlink_to("../..")
    (tree / "d").symlink_to(tmp_path)
    (tree / ".hidden").mkdir()
    (tree / "Thumbs.db").write_bytes(b"")
    found = {entry.path: entry for entry in walk(tree)}
    assert {path: entry.kind for path, entry in found.items() if entry.kind != "folder"} == {
        "a/file": "file",
        "a/up": "a folder that is read in another place or holds this one",
        "b/c": "a folder that is read in another place or holds this one",
        "d": "a folder that is read in another place or holds this one",
    }
    assert found["a/file"].size == 5


def test_links_that_multiply_do_not(tmp_path):
    """Each of twenty folders links to all others: 20! ways lead through them."""
    for i in range(20):
        (tmp_path / f"{i}").mkdir()
        for j in range(20):
            (tmp_path / f"{i}" / f"to{j}").symlink_to(f"../{j}")
    found = list(walk(tmp_path))
    assert len(found) == 20 + 20 * 20
    assert sum(entry.kind == "folder" for entry in found) == 20


def test_what_cannot_be_entered_is_named(tmp_path):
    assert [entry.kind for entry in walk(tmp_path / "none")] == ["No such file or directory"]
    if os.getuid():
        (tmp_path / "shut").mkdir(mode=0)
        assert [entry.kind for entry in walk(tmp_path)] == ["folder", "Permission denied"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"a b.png", "a b.png"),
        ("mañana.png".encode(), "mañana.png"),
        (b"\xff.png", r"\xff.png"),
        (b"a\nb\x1b[31m", r"a\nb\x1b[31m"),
        ("\u202egnp".encode(), r"\u202egnp"),
    ],
)
def test_names_as_they_are_shown(tmp_path, name, text):
    Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).touch()
    (entry,) = walk(tmp_path)
    assert shown(entry.path) == text
    assert text.isprintable() and text.encode()
