"""A folder of crops as the pool: each file is a face or refused with a cause, none touched."""

import io
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mutations import mutated
from PIL import Image

from facesort.common.job import InputError
from facesort.fetch.folder import as_text, list_files, read_folder, write_accounts
from facesort.fetch.imaging import resize
from facesort.fetch.losses import count_losses

HOW = {
    "sample": None,
    "seed": 0,
    "size": 12,
    "workers": 2,
    "max_bytes": 100_000,
    "max_pixels": 10_000,
}


def pixels(number, side=20):
    return np.random.default_rng(number).integers(0, 256, (side, side + 4, 3), np.uint8)


def encoded(number, kind="PNG", side=20):
    file = io.BytesIO()
    Image.fromarray(pixels(number, side)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def pile(tmp_path):
    """Nine faces in folders and beside them."""
    root = tmp_path / "pile"
    for number in range(9):
        folder = root / ("", "holidays", "holidays/beach")[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(encoded(number))
    return root


def read(root, **how):
    """The faces, and all tables; it checks that nothing is lost between them."""
    out = root.parent / "out"
    out.mkdir(exist_ok=True)
    files = read_folder(root, out / "faces.npy", **HOW | how)
    paths = [out / name for name in ("index", "ledger", "refused", "manifest.csv")]
    write_accounts(files, *paths)
    assert {path.name for path in out.iterdir()} == {"faces.npy", *(path.name for path in paths)}
    faces = np.load(out / "faces.npy")
    index, ledger, refused = (pd.read_parquet(path) for path in paths[:3])
    manifest = pd.read_csv(paths[3])
    assert len(faces) == len(index) == len(manifest) == (ledger["outcome"] == "fetched").sum()
    assert len(refused) == (ledger["outcome"] == "failed").sum()
    assert len(ledger) == len(files) and ledger["url"].is_unique
    assert count_losses(ledger, refused)["faces"].sum() == len(refused)
    return faces, index, refused.set_index("url")["cause"].to_dict(), ledger


def test_whole_pictures_are_the_faces_in_order_of_their_paths(pile):
    faces, index, refused, ledger = read(pile)
    assert refused == {} and len(faces) == 9
    assert list(index["path"]) == sorted(index["path"])
    assert "holidays/beach/5.png" in set(index["path"])
    for face, row in zip(faces, index.itertuples(), strict=True):
        number = int(Path(row.path).stem)
        assert np.array_equal(face, resize(pixels(number), 12))
        assert (row.width, row.height) == (24, 20)
    assert ledger["sha256"].equals(index["sha256"]) and ledger["status"].isna().all()


def test_a_sample_is_drawn_by_the_seed_and_all_else_is_counted(pile, capsys):
    (pile / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    faces, index, *_ = read(pile, sample=4)
    assert 3 <= len(faces) <= 4
    assert "10 files below" in capsys.readouterr().out
    again = read(pile, sample=4)[1]
    assert again.equals(index)
    assert any(not read(pile, sample=4, seed=seed)[1].equals(index) for seed in (1, 2))
    assert len(read(pile, sample=99)[0]) == 9


def test_each_file_that_is_no_face_has_a_cause(pile, capsys):
    (pile / "notes.txt").write_text("no face")
    (pile / "empty.png").touch()
    (pile / "cut.png").write_bytes(encoded(1)[:500])
    (pile / "page.jpg").write_text("<html>")
    (pile / "huge.png").write_bytes(encoded(1, side=101))
    (pile / "heavy.png").write_bytes(b"x" * 100_001)
    (pile / "twice.png").write_bytes(encoded(3))
    os.mkfifo(pile / "pipe")
    faces, _, refused, _ = read(pile)
    assert len(faces) == 9
    assert {path: cause.partition(":")[0] for path, cause in refused.items()} == {
        "cut.png": "truncated image",
        "empty.png": "empty",
        "heavy.png": "too many bytes",
        "huge.png": "too many pixels",
        "notes.txt": "not an image",
        "page.jpg": "HTML in place of an image",
        "pipe": "neither a file nor a folder",
        "twice.png": "the same bytes as another file",
    }
    assert refused["twice.png"].endswith(": 3.png")
    said = capsys.readouterr().out
    assert "16 files below" in said and "9 faces, 7 refused" in said and "1 others" in said
    assert said.count("warning: ") == 8


def test_hidden_files_are_passed_over(pile):
    for name in (".DS_Store", "Thumbs.db", "holidays/.5.png"):
        (pile / name).write_bytes(encoded(50))
    shutil.copytree(pile / "holidays", pile / "__MACOSX")
    shutil.copytree(pile / "holidays", pile / ".git")
    assert len(read(pile)[3]) == 9


def test_links_are_followed_but_nowhere_twice(pile, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/away.png").write_bytes(encoded(60))
    (pile / "linked").symlink_to(tmp_path / "far", target_is_directory=True)
    (pile / "one.png").symlink_to(tmp_path / "far/away.png")
    (pile / "holidays/round").symlink_to(pile, target_is_directory=True)
    (pile / "nowhere.png").symlink_to(tmp_path / "none")
    (pile / "itself.png").symlink_to(pile / "itself.png")
    faces, index, refused, _ = read(pile)
    assert len(faces) == 10 and "linked/away.png" in set(index["path"])
    assert refused.pop("one.png") == "the same bytes as another file: linked/away.png"
    assert refused == {
        "holidays/round": "a folder that is read in another place or holds this one",
        "nowhere.png": "a link that leads nowhere",
        "itself.png": "a link that leads nowhere",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(pile):
    (pile / "0.png").chmod(0)
    (pile / "holidays").chmod(0)
    try:
        _, _, refused, _ = read(pile)
    finally:
        (pile / "holidays").chmod(0o700)
    assert refused == {"0.png": "unreadable: Permission denied", "holidays": "Permission denied"}


def test_names_of_any_bytes_stay_apart(pile):
    root = os.fsencode(pile)
    names = [
        b"\xff.png",
        b"\\udcff.png",
        b"a\nb.png",
        b"a\\nb.png",
        "caf\u00e9.png".encode(),
        b"\x1b[31m",
    ]
    for number, name in enumerate(names):
        Path(os.fsdecode(root + b"/" + name)).write_bytes(encoded(100 + number))
    faces, index, refused, _ = read(pile)
    assert len(faces) == 15 and refused == {}
    assert index["path"].is_unique and all(path.isprintable() for path in index["path"])
    assert "caf\u00e9.png" in set(index["path"])
    assert as_text(os.fsdecode(b"\xff.png")) == r"\xff.png"
    assert all(
        np.array_equal(face, resize(pixels(100), 12)) == (path == r"\xff.png")
        for face, path in zip(faces, index["path"], strict=True)
    )


@pytest.mark.parametrize("content", [{}, {"notes.txt": b"no face", "empty.png": b""}])
def test_a_folder_without_a_face_is_one_line(tmp_path, content):
    (tmp_path / "pile").mkdir()
    (tmp_path / "out").mkdir()
    for name, data in content.items():
        (tmp_path / "pile" / name).write_bytes(data)
    with pytest.raises(
        InputError, match=r"pile: not one face could be read: .*data\.faces"
    ) as error:
        read_folder(tmp_path / "pile", tmp_path / "out/faces.npy", **HOW)
    assert ("no files" in str(error.value)) == (not content) and "\n" not in str(error.value)
    assert not any((tmp_path / "out").iterdir())


def test_the_folder_is_not_touched(pile):
    def seen():
        return {p: (p.lstat().st_mtime_ns, p.read_bytes()) for p in pile.rglob("*") if p.is_file()}

    before = seen()
    read(pile)
    assert seen() == before
    assert list_files(pile).files == sorted(path.relative_to(pile).as_posix() for path in before)


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutated_pictures_are_each_kept_or_refused(tmp_path, count):
    rng = random.Random(0)
    kinds = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
    good = [encoded(number, kind, 12) for number, kind in enumerate(kinds)]
    root = tmp_path / "pile"
    root.mkdir()
    (root / "good.png").write_bytes(good[0])
    for number in range(count):
        (root / f"{number}.png").write_bytes(mutated(rng.choice(good), rng))
    faces, _, refused, ledger = read(root)
    assert len(faces) + len(refused) == len(ledger) == count + 1
    assert len(refused) > count / 10 and len(faces) > count / 10
    assert all(cause and "\n" not in cause for cause in refused.values())
