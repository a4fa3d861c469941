"""The labelled tree: labels from the table or the folder, and each fault by its name."""

import numpy as np
import pytest
from PIL import Image

from facesort.emotions import EMOTIONS
from facesort.imaging import ImageError
from facesort.job import InputError
from facesort.labelled import emotion_of, list_labelled, pixel_digest, read_faces


@pytest.fixture
def tree(tmp_path):
    """Eight folders of two images with equal names; anger/1.png is labelled surprise."""
    rows = [",pth,label,relFCs"]
    for number, emotion in enumerate(EMOTIONS):
        (tmp_path / emotion).mkdir()
        for image in range(2):
            colour = (number * 30, image * 200, 10)
            Image.new("RGB", (12, 9), colour).save(tmp_path / emotion / f"{image}.png")
            label = "surprise" if (emotion, image) == ("anger", 1) else emotion
            rows.append(f"{len(rows) - 1},{emotion}/{image}.png,{label},0.{9 - image}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_the_table_gives_labels_and_the_folder_may_disagree(tree):
    index = list_labelled(tree, "labels.csv", None)
    assert len(index) == 16 and list(index["path"]) == sorted(index["path"])
    odd = index[index["path"] == "anger/1.png"].iloc[0]
    assert (odd["folder"], odd["label"], odd["relFCs"]) == ("anger", "surprise", 0.8)
    assert list_labelled(tree, "folder", None)["label"].iloc[1] == "anger"


def test_relfcs_filter(tree):
    assert len(list_labelled(tree, "labels.csv", 0.85)) == 8
    with pytest.raises(InputError, match="min_relfcs"):
        list_labelled(tree, "labels.csv", 0.95)


def test_without_a_table_the_folders_are_the_labels(tree):
    (tree / "labels.csv").unlink()
    index = list_labelled(tree, "labels.csv", None)
    assert (index["label"] == index["folder"]).all() and index["relFCs"].isna().all()


def test_synonyms():
    assert emotion_of(" Happiness ") == "happy" and emotion_of("bored") is None


def test_faults_are_named(tree):
    with pytest.raises(InputError, match="no such folder"):
        list_labelled(tree / "none", "folder", None)
    (tree / "boredom").mkdir()
    with pytest.raises(InputError, match="boredom: the folder's name is none of"):
        list_labelled(tree, "folder", None)
    (tree / "boredom").rmdir()
    for image in (tree / "fear").iterdir():
        image.unlink()
    with pytest.raises(InputError, match="fear: an empty class folder"):
        list_labelled(tree, "folder", None)
    (tree / "fear").rmdir()
    with pytest.raises(InputError, match="no folder for fear"):
        list_labelled(tree, "folder", None)


def test_an_unknown_label_is_named_by_its_row(tree):
    text = (tree / "labels.csv").read_text().replace("fear/0.png,fear", "fear/0.png,bored")
    (tree / "labels.csv").write_text(text)
    with pytest.raises(InputError, match="row 8: label 'bored'"):
        list_labelled(tree, "labels.csv", None)


def test_images_are_read_and_bad_ones_told(tree, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    Image.new("RGB", (4, 4)).save(outside)
    (tree / "sad" / "2.png").symlink_to(outside)
    (tree / "sad" / "3.png").write_text("no image")
    paths = ["happy/1.png", "sad/2.png", "sad/3.png"]
    face, link, text = read_faces(tree, paths, 6, 2)
    assert isinstance(face, np.ndarray) and face.shape == (6, 6, 3)
    assert tuple(face[3, 3]) == (EMOTIONS.index("happy") * 30, 200, 10)
    assert isinstance(link, ImageError) and "outside" in str(link)
    assert isinstance(text, ImageError)
    assert pixel_digest(face) != pixel_digest(255 - face)
