"""Digests that tell rules when to rerun."""

import os
import re
from pathlib import Path

from facesort.common import digests
from facesort.common.digests import packages_digest, tree_digest


def test_imports_of_ours_are_those_of_the_syntax_tree():
    """Which a pattern finds, in all files of the project."""
    files = sorted(digests.SCRIPTS.rglob("*.py"))
    found = 0
    for path in files:
        names = {name for name in digests.imported_names(path) if name.startswith("facesort")}
        behind = {source for name in names if (source := digests._source(name))}
        assert digests.imports_of(path) == behind, path
        found += len(behind)
    assert len(files) > 200 and found > 1000


def test_every_way_to_import_is_found(tmp_path):
    (tmp_path / "script.py").write_text(
        """
import facesort.common.arrays
from facesort.common import job as work, lines
from facesort.common.trees import walk
from facesort.pages import (  # three
    cards,
    maps,  # of (all) cells
)
def later():
    from facesort.fetch.losses import (report)
    import facesort.score.table1 as table
# from facesort.common import run
before = "import facesort.common.warm"
"""
    )
    found = {path.stem for path in digests.imports_of(tmp_path / "script.py")}
    wanted = {"arrays", "job", "lines", "trees", "cards", "maps", "losses", "table1", "__init__"}
    assert found == wanted


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
