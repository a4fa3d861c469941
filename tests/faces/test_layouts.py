"""Every layout on a small set drawn here: the right picture, label and part, and nothing lost.

Nothing lost: each row of each table, and each image, is either kept or left out with a reason.
"""

import csv
import io
import json
import os
import random
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from PIL import Image

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces.labelled import list_labelled, read_images, read_labelled
from facesort.faces.layouts import LAYOUTS
from facesort.faces.layouts.listing import IMAGES, Settings
from facesort.faces.layouts.matching import match
from facesort.faces.layouts.words import NO_EMOTION, ORDERS, meaning_of, meanings, part_of
from facesort.fetch.imaging import FORMATS, resize

ROOT = Path(__file__).resolve().parents[2]
SIDE = 12
AFFECTNET = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]
RAF_DB = ["surprise", "fear", "disgust", "happy", "sad", "anger", "neutral"]
FER2013 = ["anger", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def drawn(number: int, grey: bool = False) -> np.ndarray:
    """A picture that no other number has."""
    pixels = np.random.default_rng(number).integers(
        0, 256, (SIDE, SIDE, 1 if grey else 3), np.uint8
    )
    return pixels.repeat(3, 2) if grey else pixels


def png(number: int) -> bytes:
    return cv2.imencode(".png", drawn(number)[..., ::-1])[1].tobytes()


def put(path: Path, data: bytes | str | int) -> Path:
    """A file of bytes, of text, or of the picture of a number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = png(data) if isinstance(data, int) else data
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(root: Path, **settings):
    """Faces, index and what is left out of a set, whose pictures stay as large as they are."""
    path = root.parent / "faces.npy"
    index, refused = read_labelled(root, Settings(**settings), SIDE, 2, path)
    faces = np.load(path)
    assert len(faces) == len(index) and not index["path"].duplicated().any()
    index["part"] = [None if pd.isna(part) else part for part in index["part"]]
    return (
        faces,
        index.set_index("path"),
        dict(zip(refused["path"], refused["reason"], strict=True)),
    )


def check(root, expected, **settings):
    """What is read equals {path: (number of its picture, label, part)}; gives what is left out."""
    faces, index, refused = read(root, **settings)
    told = index[["label", "part"]].apply(tuple, axis=1).to_dict()
    assert told == {path: (label, part) for path, (_, label, part) in expected.items()}
    for face, path in zip(faces, index.index, strict=True):
        picture = expected[path][0]
        assert np.array_equal(face, drawn(picture) if isinstance(picture, int) else picture), path
    return refused


def kaggle(root):
    lines, expected = [",pth,label,relFCs"], {}
    for i, emotion in enumerate(EMOTIONS):
        for j in range(2):
            path = f"{emotion}/image{j}.png"
            put(root / path, 2 * i + j)
            label = EMOTIONS[(i + j) % 8]
            lines.append(f"{2 * i + j},{path},{label},0.9")
            expected[path] = (2 * i + j, label, None)
    put(root / "labels.csv", "\n".join(lines))
    return expected


def parts(root):
    expected = {}
    for i, (folder, part) in enumerate({"train": "train", "valid": "val", "Test": "test"}.items()):
        for j, (name, emotion) in enumerate({"Angry": "anger", "Happiness": "happy"}.items()):
            path = f"{folder}/{name}/{j}.png"
            put(root / path, 2 * i + j)
            expected[path] = (2 * i + j, emotion, part)
    return expected


def numbered(root, order, first=0, above=""):
    expected = {}
    for i, emotion in enumerate(order):
        path = f"{above}{i + first}/x.png"
        put(root / path, i)
        expected[path] = (i, emotion, part_of(above))
    return expected


def affectnet(root):
    expected = {}
    for i, emotion in enumerate([*AFFECTNET, None]):
        for part, folder in {"train": "train_set", "val": "val_set"}.items():
            number = 2 * i + (part == "val")
            path = f"{folder}/images/{number}.jpg"
            put(root / path, number)
            data = io.BytesIO()
            np.save(data, np.array(str(i)))
            put(root / folder / f"annotations/{number}_exp.npy", data.getvalue())
            put(root / folder / f"annotations/{number}_val.npy", data.getvalue())
            if emotion:
                expected[path] = (number, emotion, part)
    return expected


def fer_rows():
    usage = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
    return [(i % 7, i, *list(usage.items())[i // 7]) for i in range(21)]


def fer2013(root, header="emotion,pixels,Usage"):
    lines, expected = [header], {}
    for label, i, usage, part in fer_rows():
        pixels = " ".join(map(str, drawn(i, grey=True)[..., 0].ravel()))
        lines.append(f"{label},{pixels},{usage}")
        expected[f"fer2013.csv:{i + 2}"] = (drawn(i, grey=True), FER2013[label], part)
    put(root / "fer2013.csv", "\n".join(lines) + "\n")
    return expected


def ferplus(root):
    """Votes that name the next emotion, and four rows without a majority for one."""
    expected = fer2013(root)
    header = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    names = header.split(",")
    lines = ["Usage,Image name," + header]
    for _, i, usage, part in fer_rows():
        votes = [0] * 10
        votes[i % 8] = 6
        votes[(i + 1) % 8] = 4
        if i in (2, 3):
            votes = [0] * 8 + ([9, 1] if i == 2 else [0, 10])
        elif i == 4:
            votes = [5, 5] + [0] * 8
        elif i == 5:
            votes = [1] * 10
        elif i == 6:
            votes = [2, 1, 1, 1, 1, 1, 1, 1, 1, 0]  # single votes do not count
        lines.append(",".join([usage, f"fer{i:07}.png", *map(str, votes)]))
        path = f"fer2013.csv:{i + 2}"
        label = meaning_of(names[0 if i == 6 else i % 8])
        expected[path] = (expected[path][0], label, part)
        if i in (2, 3, 4, 5):
            del expected[path]
    put(root / "fer2013new.csv", "\n".join(lines) + "\n")
    return expected


def raf_db(root):
    lines, expected = [], {}
    for i, emotion in enumerate(RAF_DB):
        for part in ("train", "test"):
            name, number = f"{part}_{i:05}", 2 * i + (part == "test")
            path = f"Image/aligned/{name}_aligned.jpg"
            put(root / path, number)
            put(root / f"Image/original/{name}.jpg", 100 + number)
            lines.append(f"{name}.jpg {i + 1}")
            expected[path] = (number, emotion, part)
    put(root / "EmoLabel/list_patition_label.txt", "\n".join(lines) + "\n")
    return expected


def expw(root):
    """Two faces a photo, side by side below a strip that is in no box."""
    lines, expected = [], {}
    for i in range(7):
        faces = [drawn(2 * i), drawn(2 * i + 1)]
        photo = np.concatenate([drawn(50)[:5].repeat(2, 1), np.concatenate(faces, 1)])
        name = f"happy_actor_{i}.png"
        put(root / "image/origin" / name, cv2.imencode(".png", photo[..., ::-1])[1].tobytes())
        for j in range(2):
            box = (5, SIDE * j, SIDE * (j + 1), 5 + SIDE)
            lines.append(f"{name} {j} {' '.join(map(str, box))} 31.4 {(i + j) % 7}")
            label = FER2013[(i + j) % 7]
            expected[f"image/origin/{name}:{j}"] = (2 * i + j, label, None)
    put(root / "label/label.lst", "\n".join(lines))
    return expected


def table(root, separator=","):
    lines, expected = [separator.join(["file_name", "split", "emotion"])], {}
    for i, emotion in enumerate(EMOTIONS):
        for part, word in {"train": "training", "test": "TEST"}.items():
            path = f"pictures/{part}{i}.png"
            put(root / path, 2 * i + (part == "test"))
            lines.append(separator.join([path, word, emotion.upper()]))
            expected[path] = (2 * i + (part == "test"), emotion, part)
    put(root / "about.csv", "\n".join(lines))
    return expected


def parquet_of_paths(root):
    expected = table(root)
    (root / "about.csv").unlink()
    rows = [{"path": path, "label": label} for path, (_, label, _) in expected.items()]
    pd.DataFrame(rows).to_parquet(root / "about.parquet")
    return {path: (picture, label, None) for path, (picture, label, _) in expected.items()}


def hub(root, names=tuple(EMOTIONS), kind="struct"):
    """As a model hub keeps it: a file a part, bytes and path in a struct, numbers with names."""
    expected = {}
    for i, part in enumerate(("train", "validation", "test")):
        labels = list(range(8))
        rows = [{"bytes": png(8 * i + n), "path": f"{n}.png"} for n in labels]
        if kind == "struct":
            images = pa.array(rows, pa.struct({"bytes": pa.binary(), "path": pa.string()}))
        else:
            images = pa.array([row["bytes"] for row in rows], pa.binary())
        data = pa.table({"image": images, "label": pa.array(labels, pa.int64())})
        if names:
            kinds = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
            about = json.dumps({"info": {"features": kinds}})
            data = data.replace_schema_metadata({"huggingface": about})
        path = f"data/{part}-00000-of-00001.parquet"
        (root / "data").mkdir(parents=True, exist_ok=True)
        pq.write_table(data, root / path, row_group_size=3)
        for n in labels:
            emotion = meaning_of(names[n]) if names else AFFECTNET[n]
            expected[f"{path}:{n}"] = (8 * i + n, emotion, part_of(part))
    return expected


# Each with the layout that it is seen to have.
SETS = {
    "kaggle": ("folders", kaggle),
    "parts": ("folders", parts),
    "affectnet numbers": ("folders", lambda root: numbered(root, AFFECTNET)),
    "raf-db numbers": ("folders", lambda root: numbered(root, RAF_DB, 1)),
    "numbers in parts": (
        "folders",
        lambda root: numbered(root, RAF_DB, 1, "train/") | numbered(root, RAF_DB, 1, "test/"),
    ),
    "affectnet": ("affectnet", affectnet),
    "fer2013": ("fer2013", fer2013),
    "fer2013 of the competition": ("fer2013", lambda root: fer2013(root, "emotion, pixels, Usage")),
    "ferplus": ("fer2013", ferplus),
    "raf-db": ("raf_db", raf_db),
    "expw": ("expw", expw),
    "table": ("table", table),
    "table of tabs": ("table", lambda root: table(root, "\t")),
    "table in parquet": ("table", parquet_of_paths),
    "hub": ("parquet", hub),
    "hub without names": ("parquet", lambda root: hub(root, ())),
    "hub without struct": ("parquet", lambda root: hub(root, kind="bytes")),
}


@pytest.mark.parametrize("name", SETS)
def test_each_layout_is_recognised_and_read(tmp_path, capsys, name):
    layout, make = SETS[name]
    expected = make(tmp_path / "set")
    refused = check(tmp_path / "set", expected)
    assert f"set: read in the layout {layout} (config: data.layout)" in capsys.readouterr().out
    left_out = {"ferplus": 4, "affectnet": 2}
    assert len(refused) == left_out.get(name, 0), refused
    assert check(tmp_path / "set", expected, layout=layout) == refused
    assert "read in the layout" not in capsys.readouterr().out


def test_the_schema_and_the_docs_know_the_layouts():
    text = (ROOT / "workflow_scripts/config.schema.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)["properties"]["data"]["properties"]
    assert data["layout"]["enum"] == ["auto", *LAYOUTS]
    assert data["numbers"]["anyOf"][0]["enum"] == ["auto", *ORDERS]
    page = (ROOT / "docs/labelled.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in LAYOUTS)


def test_what_is_no_emotion_is_left_out_with_a_reason(tmp_path):
    affectnet(tmp_path / "a")
    refused = read(tmp_path / "a")[2]
    at = "annotations, train_set/annotations/16_exp.npy"
    assert refused["train_set/images/16.jpg"] == f"label '8' is not an emotion ({at})"
    ferplus(tmp_path / "f")
    reasons = read(tmp_path / "f")[2]
    assert reasons["fer2013.csv:4"] == "most votes are for unknown (fer2013new.csv, row 4)"
    assert reasons["fer2013.csv:5"] == "most votes are for NF (fer2013new.csv, row 5)"
    assert reasons["fer2013.csv:6"] == "no emotion has most votes (fer2013new.csv, row 6)"
    assert reasons["fer2013.csv:7"] == "no emotion has most votes (fer2013new.csv, row 7)"
    expected = numbered(tmp_path / "n", [*AFFECTNET, "none", "uncertain", "noface"])
    refused = read(tmp_path / "n")[2]
    assert refused == {f"{n}/x.png": f"folder {n} is not an emotion" for n in (8, 9, 10)}
    assert len(expected) == 11


def test_votes_of_another_set_are_an_error(tmp_path):
    ferplus(tmp_path / "set")
    votes = tmp_path / "set/fer2013new.csv"
    text = votes.read_text()
    for wrong, words in {
        text.replace(
            "PublicTest", "Training", 1
        ): "fer2013new.csv: Training where row 9 of fer2013",
        text[: text.rindex("PrivateTest")]: "not as many rows",
        text + text[text.rindex("PrivateTest") :]: "not as many rows",
        text.replace("contempt", "bored"): "no columns of the eight emotions",
    }.items():
        votes.write_text(wrong)
        with pytest.raises(InputError, match=words):
            read(tmp_path / "set")


def test_pixels_that_are_no_picture_are_told(tmp_path):
    fer2013(tmp_path / "set")
    path = tmp_path / "set/fer2013.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    for row, pixels in enumerate(["1 2 3", "", "a b c d", "1 2 3 256", "-1 2 3 4", "9" * 5000], 1):
        rows[row][1] = pixels
    rows[7] = ["3"]
    path.write_text("\n".join(map(",".join, rows)))
    _, index, refused = read(tmp_path / "set")
    assert len(index) == 14
    assert refused == {
        "fer2013.csv:2": "pixels are no square: 3 of them",
        "fer2013.csv:3": "pixels are no square: 0 of them",
        "fer2013.csv:4": "pixels are not numbers",
        "fer2013.csv:5": "pixels are not from 0 to 255",
        "fer2013.csv:6": "pixels are not from 0 to 255",
        "fer2013.csv:7": "pixels are not numbers",
        "fer2013.csv:8": "only 1 columns",
    }


def test_boxes_that_hold_nothing_are_told(tmp_path):
    expw(tmp_path / "set")
    path = tmp_path / "set/label/label.lst"
    lines = path.read_text().splitlines()
    lines[0] = "happy_actor_0.png 0 900 900 1000 1000 31.4 0"
    lines[1] = "happy_actor_0.png 1 5 12 6 17 31.4 1"
    lines[2] = "happy_actor_1.png 0 -100 -100 12 5 31.4 1"
    lines[3] = "happy_actor_1.png"
    path.write_text("\n".join(lines))
    put(tmp_path / "set/image/origin/nobody.png", 3)
    faces, index, refused = read(tmp_path / "set")
    empty = "the box is empty or outside the photo"
    assert refused == {
        "image/origin/happy_actor_0.png:0": empty,
        "image/origin/happy_actor_0.png:1": empty,
        "label/label.lst:4": "not a name, a face, its box and its label",
        "image/origin/nobody.png": "has no row in label/label.lst",
    }
    assert len(index) == 11
    # What of a box lies outside is not there.
    face = faces[list(index.index).index("image/origin/happy_actor_1.png:0")]
    assert np.array_equal(face, resize(drawn(50)[:5].repeat(2, 1)[:, :12], SIDE))


@pytest.mark.parametrize("order", ["fer2013", "raf_db", "affectnet", "ferplus"])
def test_ambiguous_numbers_are_asked_for(tmp_path, order):
    numbered(tmp_path / "set", FER2013)
    question = (
        r"classes are numbered 0, 1, 2, 3, 4, 5, 6: in which order\? \(config: data\.numbers: "
        "affectnet, raf_db, fer2013, ferplus, or a list of emotions"
    )
    with pytest.raises(InputError, match=question):
        read(tmp_path / "set")
    if order == "raf_db":  # which begins with 1
        with pytest.raises(InputError, match="set/0: the folder's name is none of"):
            read(tmp_path / "set", numbers=order)
        return
    labels = read(tmp_path / "set", numbers=order)[1]["label"]
    assert list(labels) == [ORDERS[order][n] for n in range(7)]


def test_any_order_can_be_told(tmp_path):
    order = ["Sadness", "joy", "none"]
    expected = numbered(tmp_path / "set", ["sad", "happy", "none"])
    del expected["2/x.png"]
    check(tmp_path / "set", expected, numbers=order)
    with pytest.raises(InputError, match=r"'hapy' is none of .*data\.numbers"):
        read(tmp_path / "set", numbers=["sad", "hapy"])


def test_what_is_guessed_is_told(tmp_path, capsys):
    numbered(tmp_path / "set", RAF_DB, 1)
    read(tmp_path / "set")
    told = capsys.readouterr().out
    assert "1 surprise, 2 fear, 3 disgust, 4 happy, 5 sad, 6 anger, 7 neutral" in told
    assert "data.numbers" in told and "has no contempt" in told


@pytest.mark.parametrize("word", EMOTIONS)
def test_spellings(word):
    for spelt in (word, word.upper(), f" {word.title()} ", f"03_{word}", f"3. {word}"):
        assert meaning_of(spelt) == word


def test_other_spellings():
    for emotion, words in {
        "anger": "Angry",
        "contempt": "contemptuous disdain",
        "disgust": "Disgusted",
        "fear": "fearful AFRAID scared",
        "happy": "Happiness joy happily",
        "neutral": "normal",
        "sad": "sadness",
        "surprise": "surprised",
    }.items():
        assert {meaning_of(word) for word in words.split()} == {emotion}
    assert {meaning_of(word) for word in ("None", "Uncertain", "No-Face", "no face", "NF")} == {""}
    assert {meaning_of(word) for word in ("bored", "", "7", "sadhappy", "calm")} == {None}
    assert meanings(["3.0", "3", "Sad"], "raf_db", "t") == {
        "3.0": "disgust",
        "3": "disgust",
        "Sad": "sad",
    }
    assert all(meaning_of(word) is not None for order in ORDERS.values() for word in order.values())
    assert all(meaning_of(word) == "" for word in NO_EMOTION)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Training", "train"),
        ("train_set", "train"),
        ("PublicTest", "val"),
        ("validation-00000-of-00001.parquet", "val"),
        ("FER2013Test", "test"),
        ("test_0001.jpg", "test"),
        ("train_val.txt", None),
        ("latest", None),
        ("", None),
    ],
)
def test_parts(name, part):
    assert part_of(name) == part


FILES = [f"{emotion}/img{n}.jpg" for emotion in ("anger", "sad") for n in range(10)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path, None),
        (lambda path: f"./{path}", None),
        (lambda path: path.replace("/", "\\"), None),
        (str.upper, "in upper and lower case"),
        (lambda path: path.replace(".jpg", ".png"), "in their ending"),
        (lambda path: path.replace(".jpg", ""), "in their ending"),
        (lambda path: f"/home/me/set/{path}", "before their own folder or name"),
        (lambda path: "D:\\my data\\set\\" + path.replace("/", "\\"), "before their own"),
        (lambda path: f"../images//{path}", "before their own folder or name"),
        (lambda path: f"C:\\SET\\{path.upper()}".replace(".JPG", ".jpeg"), "in their ending"),
    ],
)
def test_paths_are_matched_beyond_doubt(capsys, change, said):
    assert match(map(change, FILES), FILES, "t") == {change(path): path for path in FILES}
    told = capsys.readouterr().out
    assert told.count("\n") == (said is not None)
    assert said is None or (said in told and "20 paths" in told and "img0" in told)
    nested = [f"images/{path}" for path in FILES]
    assert match(map(change, FILES), nested, "t") == {change(p): f"images/{p}" for p in FILES}


def test_doubtful_paths_are_not_matched():
    # A bare name that two folders hold, and one that a single folder does.
    assert match(["1.jpg", "2.jpg"], ["a/1.jpg", "b/1.jpg", "b/2.jpg"], "t") == {"2.jpg": "b/2.jpg"}
    # Two rows for one file.
    assert match(["/x/a/1.jpg", "/y/a/1.jpg"], ["a/1.jpg"], "t") == {}
    # The other's name in a folder of another name.
    assert match(["happy/1.jpg"], ["sad/1.jpg"], "t") == {}
    # What is left when a rival has found its own.
    assert match(["a/1.jpg", "/x/a/1.jpg"], ["a/1.jpg", "b/a/1.jpg"], "t") == {"a/1.jpg": "a/1.jpg"}
    assert match(["train/1.jpg", "val/1.jpg"], ["s/val/1.jpg"], "t") == {"val/1.jpg": "s/val/1.jpg"}
    assert match(["a/1.jpg"], ["a/1.png", "a/1.bmp"], "t") == {}
    assert match(["", "/", ".", ".."], ["a"], "t") == {}


WORDS = st.lists(st.text("aA/\\. b", max_size=8), max_size=12)


@given(WORDS, WORDS)
def test_no_file_is_matched_twice(paths, files):
    places = {"/".join(part for part in file.split("/") if part) for file in files} - {""}
    found = match(paths, sorted(places), "t")
    assert len(set(found.values())) == len(found)
    assert set(found) <= set(paths) and set(found.values()) <= places


def test_a_table_that_fits_half_is_an_error(tmp_path):
    kaggle(tmp_path / "set")
    path = tmp_path / "set/labels.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.replace("image1", "photo1") for line in lines))
    words = (
        r"labels\.csv: 8 of 16 rows name no image, such as row 3: anger/photo1\.png; 8 of 16 "
        r"images have no row, such as anger/image1\.png; the table does not fit .*data\.unmatched"
    )
    with pytest.raises(InputError, match=words):
        read(tmp_path / "set")
    assert len(read(tmp_path / "set", unmatched=0.5)[1]) == 8
    path.write_text("\n".join(lines[:9]))
    with pytest.raises(InputError, match=r"labels\.csv: 8 of 16 images have no row"):
        read(tmp_path / "set")


def test_a_few_rows_too_many_are_a_warning(tmp_path, capsys):
    kaggle(tmp_path / "set")
    with (tmp_path / "set/labels.csv").open("a") as file:
        file.write("\n99,anger/none.png,anger,1\n")
    assert read(tmp_path / "set")[2] == {"anger/none.png": "no such image (labels.csv, row 18)"}
    assert (
        "warning: labels.csv: 1 of 17 rows name no image, such as row 18" in capsys.readouterr().out
    )


def test_columns_and_tables_can_be_named(tmp_path):
    expected = table(tmp_path / "set")
    root = tmp_path / "set"
    text = (root / "about.csv").read_text()
    (root / "about.csv").write_text(text.replace("emotion", "what", 1))
    with pytest.raises(
        InputError, match=r"no labels are recognised in it; it holds about.csv, pict"
    ):
        read(root)
    check(root, expected, columns={"label": "what"})
    with pytest.raises(
        InputError, match=r"no column 'why', but 'file_name' or .*data\.columns\.label"
    ):
        read(root, layout="table", table="about.csv", columns={"label": "why"})
    (root / "about.csv").write_text(text.replace("split", "label", 1))
    with pytest.raises(InputError, match=r"which column is the label, 'label' or 'emotion'\?"):
        read(root)
    (root / "about.csv").write_text(text)
    shutil.copy(root / "about.csv", root / "other.csv")
    with pytest.raises(InputError, match=r"about\.csv or other\.csv\? \(config: data\.table\)"):
        read(root)
    check(root, expected, table="other.csv")
    with pytest.raises(InputError, match=r"none\.csv: no such file \(config: data\.table\)"):
        read(root, table="none.csv")


def test_a_table_a_part(tmp_path):
    root = tmp_path / "set"
    expected = {}
    for i, part in enumerate(("train", "test")):
        lines = ["image,label"]
        for n, emotion in enumerate(("happy", "sad")):
            put(root / part / f"{n}.png", 2 * i + n)
            lines.append(f"{part}/{n}.png,{emotion}")
            expected[f"{part}/{n}.png"] = (2 * i + n, emotion, part)
        put(root / f"{part}.csv", "\n".join(lines))
    assert check(root, expected) == {}


def small(root, emotions=("happy", "sad")):
    """Two pictures an emotion, in folders of their names."""
    expected = {}
    for i, emotion in enumerate(emotions):
        for j in range(2):
            put(root / emotion / f"{j}.png", 2 * i + j)
            expected[f"{emotion}/{j}.png"] = (2 * i + j, emotion, None)
    return expected


@pytest.mark.parametrize(
    ("path", "data"),
    [("cache.parquet", b""), ("label.lst", b"no faces"), ("fer2013.csv", b"\0")],
)
def test_with_labels_from_folders_no_other_file_counts(tmp_path, path, data):
    expected = small(tmp_path / "set")
    put(tmp_path / "set" / path, data)
    assert check(tmp_path / "set", expected, label_from="folder") == {}


def test_a_damaged_parquet_beside_another_layout_is_of_no_account(tmp_path):
    expected = kaggle(tmp_path / "set")
    put(tmp_path / "set/more/cache.parquet", b"PAR1")
    (tmp_path / "set/more").rename(tmp_path / "set/sad/more")
    assert check(tmp_path / "set", expected) == {
        "sad/more/cache.parquet": "has no row in labels.csv"
    }


def test_labels_from_folders_are_not_those_of_a_table(tmp_path):
    """As where a set lies one folder deeper than the config says."""
    kaggle(tmp_path / "set/archive")
    words = r"no class folders in it, but it may be read in the layout table .*data\.label_from"
    with pytest.raises(InputError, match=words):
        read(tmp_path / "set", label_from="folder")
    assert len(read(tmp_path / "set")[1]) == 16


@pytest.mark.parametrize("name", ["Labels.csv", "LABELS.CSV"])
def test_a_table_counts_in_any_letters(tmp_path, name):
    expected = kaggle(tmp_path / "set")
    (tmp_path / "set/labels.csv").rename(tmp_path / "set" / name)
    assert check(tmp_path / "set", expected) == {}
    put(tmp_path / "set/labels.csv", "pth,label\n")  # which then is not it
    with pytest.raises(InputError, match=r"^labels\.csv: 16 of 16 images have no row"):
        read(tmp_path / "set")
    expected = table(tmp_path / "other")
    (tmp_path / "other/about.csv").rename(tmp_path / "other/ABOUT.CSV")
    assert check(tmp_path / "other", expected) == {}


@pytest.mark.parametrize("written", ["./meta/t.csv", "meta//t.csv", "{root}/meta/t.csv", "{near}"])
def test_the_table_is_found_from_the_sets_folder_or_from_here(tmp_path, monkeypatch, written):
    monkeypatch.chdir(tmp_path)
    expected = table(tmp_path / "set")
    put(tmp_path / "set/meta/t.csv", (tmp_path / "set/about.csv").read_bytes())
    written = written.format(root=tmp_path / "set", near="set/meta/t.csv")
    assert check(tmp_path / "set", expected, table=written) == {}
    for outside in ("../t.csv", "/t.csv"):
        with pytest.raises(InputError, match=r"t\.csv: no such file \(config: data\.table\)"):
            read(tmp_path / "set", table=outside)


def test_what_is_wrong_with_a_table_is_told_where_nothing_is_recognised(tmp_path):
    table(tmp_path / "set")
    path = tmp_path / "set/about.csv"
    text = path.read_text()
    for data, words in {
        text.replace("\n", "\r").encode(): "its lines end in carriage returns only, as on old Macs",
        text.encode("utf-16"): "row 1: not UTF-8; save the table as UTF-8",
        text.replace(",", "|").encode(): r"no columns of paths and labels, but 'file_name\|split",
        text.partition("\n")[2].encode(): "no columns of paths and labels, but 'pictures/train",
        b'"file_name,emotion\n': "row 1: not comma-separated",
    }.items():
        path.write_bytes(data)
        with pytest.raises(InputError, match=rf"no labels are recognised .*about\.csv.*{words}"):
            read(tmp_path / "set")


@pytest.mark.parametrize("ending", ["", ".hif", ".pbm", ".dat"])
def test_what_a_table_names_is_an_image_whatever_it_ends_in(tmp_path, ending):
    lines, expected = ["path,label"], {}
    for i, emotion in enumerate(("happy", "sad")):
        put(tmp_path / f"set/images/v1.{i}{ending}", i)
        put(tmp_path / f"set/points/v1.{i}.txt", "no image")
        lines.append(f"v1.{i}{ending},{emotion}")
        expected[f"images/v1.{i}{ending}"] = (i, emotion, None)
    put(tmp_path / "set/t.csv", "\n".join(lines))
    assert check(tmp_path / "set", expected) == {}


def test_names_with_dots_and_windows_separators_are_matched():
    assert match(["v1.0", "v1.5"], ["v1.0.png", "v1.5.png"], "t") == {
        "v1.0": "v1.0.png",
        "v1.5": "v1.5.png",
    }
    # As some programs unpack archives made on Windows.
    assert match(["a/1.png", "b\\1.png"], ["a\\1.png", "b\\1.png"], "t") == {
        "a/1.png": "a\\1.png",
        "b\\1.png": "b\\1.png",
    }
    assert match(["a/1.png"], ["a/1.png", "a\\1.png"], "t") == {"a/1.png": "a/1.png"}


def test_links_that_lead_nowhere_hide_no_labels_and_no_class(tmp_path, capsys):
    """Above all where a disk is not mounted."""
    root = tmp_path / "set"
    expected = small(root, ("happy", "sad", "fear"))
    shutil.rmtree(root / "fear")
    (root / "fear").symlink_to("/mnt/none/fear")
    with pytest.raises(
        InputError, match=r"set/fear: a link that leads nowhere \(config: data\.lab"
    ):
        read(root)
    (root / "fear").unlink()
    (root / "labels.csv").symlink_to("/mnt/none/labels.csv")
    with pytest.raises(InputError, match=r"set/labels\.csv: a link that leads nowhere"):
        read(root)
    expected = {path: told for path, told in expected.items() if "fear" not in path}
    assert check(root, expected, label_from="folder") == {"labels.csv": "a link that leads nowhere"}
    told = "set: 1 are left out, such as labels.csv: a link that leads nowhere"
    assert told in capsys.readouterr().out
    fer2013(tmp_path / "votes")
    (tmp_path / "votes/fer2013new.csv").symlink_to("none.csv")
    with pytest.raises(InputError, match=r"votes/fer2013new\.csv: a link that leads nowhere"):
        read(tmp_path / "votes")
    parts(tmp_path / "parts")
    shutil.rmtree(tmp_path / "parts/Test")
    (tmp_path / "parts/Test").symlink_to("/mnt/none")
    with pytest.raises(InputError, match=r"parts/Test: a link that leads nowhere"):
        read(tmp_path / "parts")


def test_folders_that_may_not_be_entered_are_not_called_empty(tmp_path, monkeypatch):
    small(tmp_path / "set")
    scandir = os.scandir

    def refuse(folder):
        if str(folder).rstrip("/").endswith(refused):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("facesort.common.trees.os.scandir", refuse)
    for refused in ("set/sad", "set"):
        with pytest.raises(InputError, match=f"{refused}: Permission denied"):
            read(tmp_path / "set")


def test_names_of_tables_and_parquets_of_any_bytes(tmp_path, capsys):
    """Read, and told without what would change a terminal or begin a line."""
    expected = table(tmp_path / "set")
    (tmp_path / "set/about.csv").rename(tmp_path / "set/\udcff\x1b[31m\n.csv")
    path = "pictures/train0.png"
    (tmp_path / "set" / path).unlink()
    del expected[path]
    refused = check(tmp_path / "set", expected)
    assert refused == {path: r"no such image (\xff\x1b[31m\n.csv, row 2)"}
    told = capsys.readouterr().out
    assert r"warning: \xff\x1b[31m\n.csv: 1 of 16 rows" in told
    assert "\x1b" not in told and "\udcff" not in told
    expected = hub(tmp_path / "hub")
    for path in (tmp_path / "hub/data").iterdir():
        path.rename(path.with_name(path.name.replace("of", "\udcff")))
    expected = {path.replace("of", r"\xff"): told for path, told in expected.items()}
    assert check(tmp_path / "hub", expected) == {}


def test_names_that_look_alike_stay_apart(tmp_path):
    expected = small(tmp_path / "set")
    put(tmp_path / "set/sad/\udcff.png", 10)
    put(tmp_path / r"set/sad/\xff.png", 11)
    expected[r"sad/\xff.png"] = (10, "sad", None)
    expected[r"sad/\\xff.png"] = (11, "sad", None)
    assert check(tmp_path / "set", expected) == {}


def test_endings_of_all_formats_are_known():
    Image.init()
    ours = {end for end, kind in Image.registered_extensions().items() if kind in FORMATS}
    assert ours | {".hif"} <= set(IMAGES)


@pytest.mark.parametrize("layout", ["fer2013", "raf_db", "expw"])
def test_the_table_of_any_layout_can_be_named(tmp_path, layout):
    make = {"fer2013": fer2013, "raf_db": raf_db, "expw": expw}[layout]
    expected = make(tmp_path / "set")
    (name,) = (
        path
        for path in (tmp_path / "set").rglob("*")
        if path.name in ("fer2013.csv", "list_patition_label.txt", "label.lst")
    )
    other = name.with_name("mine (1).txt")
    shutil.copy(name, other)
    (tmp_path / "set/more").mkdir()
    shutil.copy(name, tmp_path / "set/more" / name.name)
    with pytest.raises(InputError, match=r"which table is to be read, .*data\.table"):
        read(tmp_path / "set")
    (tmp_path / "set/more" / name.name).unlink()
    name.unlink()
    table = other.relative_to(tmp_path / "set").as_posix()
    expected = {p.replace("fer2013.csv", table): told for p, told in expected.items()}
    assert check(tmp_path / "set", expected, layout=layout, table=table) == {}


def test_annotations_are_whole_numbers_in_folders_of_any_letters(tmp_path):
    expected = affectnet(tmp_path / "set")
    folder = tmp_path / "set/train_set"
    np.save(folder / "annotations/0_exp.npy", np.array("3.7"))
    np.save(folder / "annotations/2_exp.npy", np.array(["1", "2"]))
    (folder / "annotations").rename(folder / "Annotations")
    (folder / "images").rename(folder / "Images")
    expected = {p.replace("n_set/im", "n_set/Im"): told for p, told in expected.items()}
    del expected["train_set/Images/0.jpg"], expected["train_set/Images/2.jpg"]
    refused = check(tmp_path / "set", expected, unmatched=0.2)
    for number in (0, 2):
        assert refused[f"train_set/Annotations/{number}_exp.npy"] == "not a whole number"
        assert refused[f"train_set/Images/{number}.jpg"] == "has no row in annotations"
    assert len(refused) == 6


def test_two_layouts_are_asked_about(tmp_path):
    kaggle(tmp_path / "set")
    fer2013(tmp_path / "set")
    words = r"layouts fit, folders and fer2013; name one \(config: data\.layout: folders, fer2013\)"
    with pytest.raises(InputError, match=words):
        read(tmp_path / "set")
    assert len(read(tmp_path / "set", layout="fer2013")[1]) == 21
    with pytest.raises(
        InputError, match=r"no list_patition_label\.txt in it \(config: data\.layout"
    ):
        read(tmp_path / "set", layout="raf_db")


def test_other_files_are_counted(tmp_path, capsys):
    raf_db(tmp_path / "set")
    read(tmp_path / "set")
    told = capsys.readouterr().out
    assert "14 other files, such as Image/original/test_00000.jpg, are not read" in told
    shutil.rmtree(tmp_path / "set/Image/aligned")
    with pytest.raises(InputError, match=r"no \*_aligned\.jpg in it"):
        read(tmp_path / "set")


def test_damaged_parquet_is_an_error(tmp_path):
    hub(tmp_path / "set")
    path = tmp_path / "set/data/test-00000-of-00001.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"test-00000-of-00001\.parquet: not readable as Parquet"):
        read(tmp_path / "set")
    nothing = pa.table({"image": pa.array([None, b""], pa.binary()), "label": ["sad", None]})
    pq.write_table(nothing, path)
    _, index, refused = read(tmp_path / "set")
    assert len(index) == 16
    assert refused == {
        "data/test-00000-of-00001.parquet:0": "the row holds no image's bytes",
        "data/test-00000-of-00001.parquet:1": "has no label",
    }


def accounts(root: Path) -> None:
    """Read a set, which ends in a one-line error or in accounts that add up."""
    try:
        listing = list_labelled(root, Settings(unmatched=1))
        read = list(read_images(listing.pictures(listing.rows), SIDE, 1))
    except InputError as error:
        assert str(error) and len(str(error)) < 2000
        return
    assert len(read) == len(listing.rows)
    kept, refused = [row.path for row in listing.rows], dict(listing.refused)
    assert len(set(kept)) == len(kept)
    # Every image has a row or is left out, but for those that are no part of a layout.
    inside_tables = any(isinstance(row.source, int) for row in listing.rows)
    if not (inside_tables or (root / "Image").is_dir()):
        images = {path.relative_to(root).as_posix() for path in root.rglob("*.png")}
        images = {path for path in images if "annotations/" not in path}
        assert images <= {row.source or row.path for row in listing.rows} | set(refused)
    if (root / "labels.csv").is_file():
        lines = [line for line in (root / "labels.csv").read_bytes().split(b"\n") if line.strip()]
        alone = [reason for _, reason in listing.refused if reason == "has no row in labels.csv"]
        assert len(kept) + len(listing.refused) - len(alone) == len(lines) - 1


def attack(tmp_path: Path, times: int) -> None:
    """Mutate the tables, annotations and names of each layout in turn."""
    chance = random.Random(0)
    wholes = {}
    for name, (_, make) in SETS.items():
        make(tmp_path / name / "set")
        wholes[name] = [p for p in sorted((tmp_path / name).rglob("*")) if p.is_file()]
    for number in range(times):
        name = list(SETS)[number % len(SETS)]
        tables = [p for p in wholes[name] if p.suffix not in (".png", ".jpg")] or wholes[name]
        path = chance.choice(tables if chance.random() < 0.8 else wholes[name])
        before = path.read_bytes()
        if chance.random() < 0.8:
            path.write_bytes(mutated(before, chance))
            accounts(tmp_path / name / "set")
        else:
            moved = path.with_name(chance.choice(["x\udcff.png", "a\nb", "Labels.CSV", "q" * 200]))
            path.rename(moved)
            accounts(tmp_path / name / "set")
            moved.unlink()
        path.write_bytes(before)


def test_mutated_sets_give_an_error_or_full_accounts(tmp_path):
    attack(tmp_path, 400)


@pytest.mark.slow
def test_ten_thousand_mutated_sets(tmp_path):
    attack(tmp_path, 10_000)
