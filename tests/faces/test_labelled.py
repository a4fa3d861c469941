"""The labelled set: every image read right, left out with a reason, or a clear error."""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces.labelled import list_labelled, read_labelled
from facesort.faces.layouts.listing import Settings
from facesort.fetch.imaging import resize

DATA = Path(__file__).parents[3] / "shared" / "data"


def image(number: int, side: int = 24) -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def tree(tmp_path) -> Path:
    """Two images an emotion, under the same file names in every folder; no labels.csv."""
    root = tmp_path / "tree"
    for i, emotion in enumerate(EMOTIONS):
        (root / emotion).mkdir(parents=True)
        image(2 * i).save(root / emotion / "ffhq_3.png")
        image(2 * i + 1).save(root / emotion / "image0000006.png")
    return root


def write_labels(tree: Path, changed: dict | None = None, **options) -> None:
    """labels.csv as in Kaggle's copy, with some rows changed."""
    rows = [
        {"pth": f"{e}/{name}", "label": e, "relFCs": 0.5 + i / 16}
        for i, e in enumerate(EMOTIONS)
        for name in ("ffhq_3.png", "image0000006.png")
    ]
    for row in rows:
        row |= (changed or {}).get(row["pth"], {})
    pd.DataFrame(rows).to_csv(tree / "labels.csv", **options)


def read(tree: Path, label_from="labels.csv", min_relfcs=None, size=12, **more):
    path = tree.parent / "faces.npy"
    settings = Settings(label_from=label_from, min_relfcs=min_relfcs, **more)
    index, refused = read_labelled(tree, settings, size, 2, path)
    array = np.load(path)
    assert len(array) == len(index)
    assert {p.name for p in tree.parent.iterdir()} - {"tree", "outside"} == {"faces.npy"}
    return array, index, refused.set_index("path")["reason"].to_dict()


def test_every_image_is_resized_in_order_of_path(tree):
    array, index, refused = read(tree)
    assert not refused
    assert list(index.columns) == ["path", "folder", "label", "relFCs", "part", "digest"]
    assert list(index["path"]) == sorted(index["path"])
    assert len(index) == 16
    assert index["relFCs"].isna().all()
    for face, path in zip(array, index["path"], strict=True):
        with Image.open(tree / path) as whole:
            assert np.array_equal(face, resize(np.asarray(whole.convert("RGB")), 12))


def test_the_label_wins_over_the_folder_unless_asked_otherwise(tree):
    write_labels(tree, {"anger/image0000006.png": {"label": "surprise"}})
    for label_from, label in (("labels.csv", "surprise"), ("folder", "anger")):
        _, index, _ = read(tree, label_from)
        row = index.set_index("path").loc["anger/image0000006.png"]
        assert (row["folder"], row["label"]) == ("anger", label)
        assert (row["relFCs"] == 0.5) == (label_from == "labels.csv")


@pytest.mark.parametrize(
    "options", [{}, {"index": False}, {"index": False, "lineterminator": "\r\n"}]
)
def test_copies_of_labels_csv_differ(tree, options):
    write_labels(tree, **options)
    text = (tree / "labels.csv").read_bytes().replace(b"anger/ffhq", b"anger\\ffhq")
    (tree / "labels.csv").write_bytes(b"\xef\xbb\xbf" * (not options.get("lineterminator")) + text)
    _, index, refused = read(tree)
    assert len(index) == 16
    assert not refused
    table = pd.read_csv(tree / "labels.csv")[["pth", "label"]]
    table.to_csv(tree / "labels.csv", index=False)
    _, without, _ = read(tree)
    assert without["relFCs"].isna().all()
    assert list(without["label"]) == list(index["label"])


def test_only_the_sure_ones(tree):
    write_labels(tree, {f"{e}/ffhq_3.png": {"relFCs": 0.9} for e in EMOTIONS})
    _, index, refused = read(tree, min_relfcs=0.9)
    assert len(index) + len(refused) == 16
    assert (index["relFCs"] >= 0.9).all()
    assert refused["anger/image0000006.png"] == "relFCs 0.5 is not 0.9 or more"
    with pytest.raises(InputError, match="no readable image of anger, contempt, "):
        read(tree, min_relfcs=0.95)
    with pytest.raises(InputError, match=r"data\.label_from"):
        read(tree, "folder", min_relfcs=0.5)
    (tree / "labels.csv").unlink()
    with pytest.raises(InputError, match=r"data\.min_relfcs"):
        read(tree, min_relfcs=0.5)


@pytest.mark.parametrize("text", [b"pth\n", b"\xff\xfe\x00", b"pth,label\nx.png,bored\n"])
def test_with_labels_from_folders_the_table_is_not_read(tree, text):
    (tree / "labels.csv").write_bytes(text)
    assert len(read(tree, "folder")[1]) == 16


def test_what_is_missing_on_either_side_is_told(tree):
    write_labels(tree)
    image(99).save(tree / "sad" / "new.png")
    (tree / "fear" / "ffhq_3.png").unlink()
    _, index, refused = read(tree)
    assert len(index) == 15
    assert refused == {
        "sad/new.png": "has no row in labels.csv",
        "fear/ffhq_3.png": "no such image (labels.csv, row 8)",
    }


def test_unreadable_images_are_told_and_skipped(tree, capsys):
    broken = {
        "anger/a.png": b"<html></html>",
        "anger/b.jpg": b"",
        "happy/c.png": (tree / "happy/ffhq_3.png").read_bytes()[:300],
        "happy/notes.txt": b"some words",
    }
    for path, data in broken.items():
        (tree / path).write_bytes(data)
    array, index, refused = read(tree)
    assert set(refused) == set(broken)
    assert len(index) == 16
    assert "anger/a.png: left out, HTML" in capsys.readouterr().out
    assert refused["anger/b.jpg"] == "empty"
    for path in broken:
        (tree / path).unlink()
    again, _, _ = read(tree)
    assert np.array_equal(array, again)


def test_links_are_followed(tree):
    """To images, to class folders, to the whole set: people link a set instead of copying it."""
    outside = tree.parent / "outside"
    outside.mkdir()
    image(50).save(outside / "one.png")
    (tree / "sad" / "link.png").symlink_to(outside / "one.png")
    (tree / "sad" / "inside.png").symlink_to("ffhq_3.png")
    shutil.move(tree / "fear", outside / "fear")
    (tree / "fear").symlink_to(outside / "fear")
    (tree.parent / "outside" / "set").symlink_to(tree)
    for root in (tree, tree.parent / "outside" / "set"):
        index, refused = read_labelled(root, Settings(), 12, 2, tree.parent / "faces.npy")
        assert refused.empty
        assert len(index) == 18
        digests = index.set_index("path")["digest"]
        assert digests["sad/inside.png"] == digests["sad/ffhq_3.png"]
        assert "fear/ffhq_3.png" in digests


def test_links_to_nothing_in_circles_and_to_special_files_are_told(tree):
    (tree / "sad" / "nothing.png").symlink_to("/nowhere/at/all.png")
    (tree / "sad" / "loop.png").symlink_to("loop.png")
    (tree / "sad" / "up").symlink_to("..")
    (tree / "sad" / "all").symlink_to("/")
    (tree / "sad" / "again").symlink_to("../happy")
    (tree / "sad" / "zero.png").symlink_to("/dev/zero")
    (tree / "sad" / "memory.png").symlink_to("/proc/self/maps")
    os.mkfifo(tree / "sad" / "pipe.png")
    _, index, refused = read(tree)
    assert len(index) == 16
    assert refused == {
        "sad/nothing.png": "a link that leads nowhere",
        "sad/loop.png": "a link that leads nowhere",
        "sad/up": "a folder that is read in another place or holds this one",
        "sad/all": "a folder that is read in another place or holds this one",
        "sad/again": "a folder that is read in another place or holds this one",
        "sad/zero.png": "neither a file nor a folder",
        "sad/memory.png": "empty",
        "sad/pipe.png": "neither a file nor a folder",
    }


def test_a_table_leads_to_nothing_outside_the_folder(tree):
    outside = tree.parent / "outside"
    outside.mkdir()
    image(50).save(outside / "secret.png")
    write_labels(tree)
    with (tree / "labels.csv").open("a") as file:
        file.write(f"16,../outside/secret.png,sad,1.0\n17,{outside}/secret.png,sad,1.0\n")
        file.write("18,sad/ffhq_3.png,anger,1.0\n")
    _, index, refused = read(tree, unmatched=0.2)
    assert refused["../outside/secret.png"] == "no such image (labels.csv, row 18)"
    assert refused[f"{outside}/secret.png"] == "no such image (labels.csv, row 19)"
    assert refused["sad/ffhq_3.png"] == "named a second time (labels.csv, row 20)"
    assert index.set_index("path")["label"]["sad/ffhq_3.png"] == "sad"
    assert len(index) == 16


def test_names_of_any_bytes(tree, capsys):
    """Names that are no UTF-8, with line breaks or quotes: read, told, and kept in both tables."""
    odd = [b"\xff\xe9.png", b"a\nerror: b.png", b'c,"d.png', "\u202e\u0301.png".encode()]
    for number, name in enumerate(odd):
        picture = io.BytesIO()
        image(80 + number).save(picture, "PNG")
        Path(os.fsdecode(bytes(tree / "sad") + b"/" + name)).write_bytes(picture.getvalue())
    Path(os.fsdecode(bytes(tree / "sad") + b"/\xfe.png")).write_bytes(b"")
    Path(os.fsdecode(bytes(tree) + b"/\xfd.png")).write_bytes(b"")
    _, index, refused = read(tree)
    assert len(index) == 20
    assert {r"sad/\xff\xe9.png", r"sad/a\nerror: b.png", 'sad/c,"d.png'} <= set(index["path"])
    assert refused == {r"sad/\xfe.png": "empty", r"\xfd.png": "in no class folder"}
    assert r"sad/\xfe.png: left out, empty" in capsys.readouterr().out
    left_out = pd.DataFrame(list(refused.items()), columns=["path", "reason"])
    for table in (index, left_out):
        table.to_parquet(tree.parent / "faces.parquet")
        assert pd.read_parquet(tree.parent / "faces.parquet").equals(table)
    (tree.parent / "faces.parquet").unlink()


def test_equal_pixels_have_equal_digests(tree):
    image(0).save(tree / "sad" / "copy.bmp")
    _, index, _ = read(tree)
    digests = index.set_index("path")["digest"]
    assert digests["sad/copy.bmp"] == digests["anger/ffhq_3.png"]
    assert digests.nunique() == 16


def test_class_folders_are_checked(tree, capsys):
    (tree / "boredom").mkdir()
    with pytest.raises(InputError, match=r"boredom: the folder's name is none of anger"):
        read(tree)
    (tree / "boredom").rmdir()
    (tree / ".cache").mkdir()
    (tree / "__MACOSX").mkdir()
    (tree / "anger" / ".DS_Store").write_bytes(b"")
    assert len(read(tree)[1]) == 16
    for path in (tree / "contempt").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="contempt: an empty class folder"):
        read(tree)
    (tree / "contempt").rmdir()
    capsys.readouterr()
    assert len(read(tree)[1]) == 14
    assert "has no contempt" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"no such folder .*data\.labelled"):
        list_labelled(tree / "none", Settings())
    with pytest.raises(InputError, match=r"not a folder .*data\.labelled"):
        list_labelled(tree / "anger/ffhq_3.png", Settings())
    for emotion in set(EMOTIONS) - {"contempt", "sad"}:
        shutil.rmtree(tree / emotion)
    with pytest.raises(InputError, match=r"only images of sad; at least two emotions are needed"):
        read(tree)


def test_folders_within_class_folders_are_read(tree):
    (tree / "sad" / "more" / "of").mkdir(parents=True)
    image(50).save(tree / "sad" / "more" / "of" / "it.png")
    _, index, _ = read(tree)
    assert index.set_index("path")["label"]["sad/more/of/it.png"] == "sad"


def test_labels_are_checked(tree):
    write_labels(tree, {"fear/ffhq_3.png": {"label": "bored"}})
    with pytest.raises(InputError, match=r"labels\.csv, row 8: label 'bored' is none of"):
        read(tree)
    for text, words in {
        b"one,two\n": r"row 1: no column of paths \(config: data\.columns\.path\)",
        b"name,emotion\n": "16 of 16 images have no row, such as anger/ffhq_3.png",
        b"pth,label\n\xff\xfe,anger\n": r"1 of 1 rows name no image, such as row 2: \\xff\\xfe",
        "pth,label\n".encode("utf-16"): "row 1: not UTF-8",
        b"": "empty",
    }.items():
        (tree / "labels.csv").write_bytes(text)
        with pytest.raises(InputError, match=words):
            read(tree)


def test_a_broken_line_swallows_no_other(tree):
    write_labels(tree)
    lines = (tree / "labels.csv").read_text().splitlines()
    lines[5] = '4,"contempt/ffhq_3.png,contempt'
    lines[9] = "8,happy"
    (tree / "labels.csv").write_text("\n".join(lines))
    _, index, refused = read(tree, unmatched=0.2)
    assert len(index) == 14
    assert refused["labels.csv:6"].startswith("not comma-separated")
    assert refused["labels.csv:10"] == "only 2 columns"
    assert list(refused.values()).count("has no row in labels.csv") == 2


def test_an_emotion_without_a_readable_image_is_an_error(tree):
    for path in (tree / "disgust").iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(InputError, match=r"no readable image of disgust is left; disgust/ffhq_3"):
        read(tree)
    assert not (tree.parent / "faces.npy").exists()


def test_other_names_of_folders(tree):
    shutil.move(tree / "happy", tree / "Happiness")
    _, index, _ = read(tree)
    assert set(index.loc[index["folder"] == "Happiness", "label"]) == {"happy"}


def test_modes_and_proportions(tree):
    buffer = io.BytesIO()
    image(70, 30).convert("L").resize((30, 20)).save(buffer, "PNG")
    (tree / "sad" / "grey.png").write_bytes(buffer.getvalue())
    array, index, _ = read(tree)
    face = array[list(index["path"]).index("sad/grey.png")]
    assert face.shape == (12, 12, 3)
    assert (face[..., 0] == face[..., 1]).all()


@pytest.mark.skipif(not (DATA / "emotions").is_dir(), reason="needs the shared photographs")
def test_the_shared_tree():
    listing = list_labelled(DATA / "emotions", Settings(min_relfcs=0.8))
    assert len(listing.rows) + len(listing.refused) == 14_878
    assert all(row.relFCs >= 0.8 for row in listing.rows)
    assert {row.label for row in listing.rows} == set(EMOTIONS)
