"""The labelled tree: every image read right, left out with a reason, or a clear error."""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces.labelled import emotion_of, list_labelled, read_labelled
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


def read(tree: Path, label_from="labels.csv", min_relfcs=None, size=12):
    path = tree.parent / "faces.npy"
    index, refused = read_labelled(tree, label_from, min_relfcs, size, 2, path)
    array = np.load(path)
    assert len(array) == len(index)
    assert {p.name for p in tree.parent.iterdir()} - {"tree", "outside"} == {"faces.npy"}
    return array, index, refused.set_index("path")["reason"].to_dict()


def test_every_image_is_resized_in_order_of_path(tree):
    array, index, refused = read(tree)
    assert not refused
    assert list(index.columns) == ["path", "folder", "label", "relFCs", "digest"]
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
        assert row["relFCs"] == 0.5


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
    with pytest.raises(InputError, match="no readable image of any emotion"):
        read(tree, min_relfcs=0.95)
    (tree / "labels.csv").unlink()
    with pytest.raises(InputError, match=r"data\.min_relfcs"):
        read(tree, min_relfcs=0.5)


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
    for path in broken:
        (tree / path).unlink()
    again, _, _ = read(tree)
    assert np.array_equal(array, again)


def test_nothing_outside_the_folder_is_read(tree):
    outside = tree.parent / "outside"
    outside.mkdir()
    image(50).save(outside / "secret.png")
    (tree / "sad" / "link.png").symlink_to(outside / "secret.png")
    (tree / "sad" / "inside.png").symlink_to(tree / "sad" / "ffhq_3.png")
    (tree / "sad" / "loop.png").symlink_to(tree / "sad" / "loop.png")
    _, index, refused = read(tree)
    assert refused["sad/link.png"] == "leads outside the folder"
    assert "sad/loop.png" in refused
    assert len(index) == 17
    write_labels(tree)
    with (tree / "labels.csv").open("a") as file:
        file.write(f"16,../outside/secret.png,sad,1.0\n17,{outside}/secret.png,sad,1.0\n")
        file.write("18,sad/ffhq_3.png,anger,1.0\n")
    _, index, refused = read(tree)
    assert "row 18" in refused["../outside/secret.png"]
    assert "row 19" in refused[f"{outside}/secret.png"]
    assert refused["sad/ffhq_3.png"] == "named a second time (labels.csv, row 20)"
    assert index.set_index("path")["label"]["sad/ffhq_3.png"] == "sad"


def test_equal_pixels_have_equal_digests(tree):
    image(0).save(tree / "sad" / "copy.bmp")
    _, index, _ = read(tree)
    digests = index.set_index("path")["digest"]
    assert digests["sad/copy.bmp"] == digests["anger/ffhq_3.png"]
    assert digests.nunique() == 16


def test_class_folders_are_checked(tree):
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
    assert set(read(tree)[1]["label"]) == set(EMOTIONS) - {"contempt"}
    for emotion in set(EMOTIONS) - {"contempt", "sad"}:
        shutil.rmtree(tree / emotion)
    with pytest.raises(InputError, match="folders of sad alone; two emotions or more are needed"):
        read(tree)
    with pytest.raises(InputError, match=r"no such folder .*data\.labelled"):
        list_labelled(tree / "none", "folder", None)


def test_labels_are_checked(tree):
    write_labels(tree, {"fear/ffhq_3.png": {"label": "bored"}})
    with pytest.raises(InputError, match=r"labels\.csv, row 8: label 'bored' is none of"):
        read(tree)
    (tree / "labels.csv").write_text("name,emotion\n")
    with pytest.raises(InputError, match="no columns pth and label"):
        read(tree)
    (tree / "labels.csv").write_bytes(b"pth,label\n\xff\xfe,anger\n")
    with pytest.raises(InputError, match="not readable as a CSV"):
        read(tree)


def test_an_emotion_without_a_readable_image_is_an_error(tree):
    for path in (tree / "disgust").iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(InputError, match=r"no readable image of disgust is left; disgust/ffhq_3"):
        read(tree)
    assert not (tree.parent / "faces.npy").exists()


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("Happiness", "happy"),
        (" SAD ", "sad"),
        ("angry", "anger"),
        ("surprised", "surprise"),
        ("contempt", "contempt"),
        ("bored", None),
        ("", None),
    ],
)
def test_names_of_emotions(name, emotion):
    assert emotion_of(name) == emotion


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
    index, refused = list_labelled(DATA / "emotions", "labels.csv", 0.8)
    assert len(index) + len(refused) == 14_878
    assert (index["relFCs"] >= 0.8).all()
    assert set(index["label"]) == set(EMOTIONS)
