"""Digests that tell rules when to rerun."""

import os
import re
from pathlib import Path

from facesort.common import digests
from facesort.common.digests import packages_digest, tree_digest


def test_packages_count_by_name_and_version_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "ENVS", tmp_path)
    found = []
    for name, text in {
        "a": "# one\n- numpy==1\n- torch==2\n",
        "b": "- torch==2\n\n- numpy==1\n",
        "c": "- numpy==1\n- torch==3\n",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text)
        found.append(packages_digest(name))
    assert found[0] == found[1] != found[2]


def test_a_tree_is_another_when_any_file_in_it_is(tmp_path):
    folder = tmp_path / "tree"
    (folder / "sad").mkdir(parents=True)
    (folder / "sad/a.png").write_bytes(b"a")
    (folder / "sad/broken").symlink_to("/nowhere")

    def digest():
        tree_digest.cache_clear()
        return tree_digest(str(folder))

    seen = [digest()]
    assert digest() == seen[0]
    for change in (
        lambda: (folder / "sad/b.png").write_bytes(b"b"),
        lambda: (folder / "sad/b.png").write_bytes(b"bb"),
        lambda: os.utime(folder / "sad/b.png", (1, 1)),
        lambda: (folder / "sad").rename(folder / "happy"),
    ):
        change()
        seen.append(digest())
    assert len(set(seen)) == 5
    assert re.fullmatch("[0-9a-f]{16}", tree_digest(str(tmp_path / "none")))


def test_changes_behind_links_count_and_names_may_be_any_bytes(tmp_path):
    (tmp_path / "elsewhere/sad").mkdir(parents=True)
    (tmp_path / "elsewhere/sad/a.png").write_bytes(b"a")
    (tmp_path / "one.png").write_bytes(b"one")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "sad").symlink_to("../elsewhere/sad")
    (tree / "one.png").symlink_to("../one.png")
    (tree / "round").symlink_to(".")

    def digest(folder=tree):
        tree_digest.cache_clear()
        return tree_digest(str(folder))

    (tmp_path / "link").symlink_to("tree")
    seen = [digest()]
    assert digest(tmp_path / "link") == seen[0]
    odd = Path(os.fsdecode(bytes(tree) + b"/\xff"))
    for change in (
        lambda: (tmp_path / "elsewhere/sad/a.png").write_bytes(b"aa"),
        lambda: (tmp_path / "elsewhere/sad/b.png").write_bytes(b"b"),
        lambda: (tmp_path / "one.png").write_bytes(b"three"),
        lambda: (tree / "one.png").unlink(),
        lambda: odd.write_bytes(b""),
        lambda: odd.rename(Path(os.fsdecode(bytes(tree) + b"/\xfe"))),
    ):
        change()
        seen.append(digest())
    assert len(set(seen)) == 7
