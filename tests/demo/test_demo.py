"""The rendered data: formats, seeds, and whether expressions are what the labels say."""

import csv
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from facesort.common.emotions import EMOTIONS
from facesort.demo.action_units import (
    CODES,
    COLUMNS,
    PROTOTYPES,
    draw_action_units,
    draw_intensity,
    expression_features,
)
from facesort.demo.dataset import portrait, write_labelled, write_photos
from facesort.demo.face import render_face
from facesort.demo.person import Scene
from facesort.demo.sheet import contact_sheet

PHOTOS, ROWS = 25, 30
BASE = "http://127.0.0.1:8917/photos/"


def photos_into(folder: Path, workers: int) -> Path:
    write_photos(
        folder / "photos", folder / "fec.csv", folder / "truth.csv",
        photos=PHOTOS, rows=ROWS, base_url=BASE, seed=3, workers=workers,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos_into(tmp_path_factory.mktemp("photos"), 2)


@pytest.fixture(scope="module")
def truth(photos: Path) -> list[dict[str, str]]:
    with (photos / "truth.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_photos_are_the_same_for_any_number_of_workers(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()  # an empty folder in the way is replaced
    assert files_of(photos_into(tmp_path, 1)) == files_of(photos)


def test_rows_are_in_the_fec_format(photos: Path, truth: list[dict[str, str]]) -> None:
    text = (photos / "fec.csv").read_text(encoding="utf-8")
    known = {
        (face["url"], *(face[k] for k in ("left", "right", "top", "bottom"))) for face in truth
    }
    seen, lengths = set(), set()
    assert len(text.splitlines()) == ROWS
    for line in text.splitlines():
        cells = line.split(",")
        lengths.add(len(cells))
        assert len(cells) >= 28 and len(cells) % 2 == 0
        assert [i for i, cell in enumerate(cells) if '"' in cell] == [0, 5, 10]
        three = [(cells[i].strip('"'), *cells[i + 1 : i + 5]) for i in (0, 5, 10)]
        assert len(set(three)) == 3
        seen |= set(three)
        assert re.fullmatch("(ONE|TWO|THREE)_CLASS_TRIPLET", cells[15])
        assert all(cell.isdigit() for cell in cells[16::2])
        assert set(cells[17::2]) <= {"1", "2", "3"}
    assert len(lengths) > 1, "rows differ in length"
    assert seen == known, "every face comes up"


def test_urls_collide_and_carry_queries_like_real_ones(
    photos: Path, truth: list[dict[str, str]]
) -> None:
    urls = {face["url"] for face in truth}
    paths = [url.removeprefix(BASE).split("?")[0] for url in urls]
    assert len(urls) == PHOTOS < len(truth), "some photos hold two faces"
    assert {url.partition("?")[2] for url in urls} == {"", "v=2"}
    assert all(re.fullmatch(r"\d/\d{10}_[0-9a-f]{10}_b\.jpg", path) for path in paths)
    assert len({path.split("/")[1] for path in paths}) < len(paths)
    assert set(files_of(photos / "photos")) == set(paths)


def test_annotators_mostly_name_the_face_whose_muscles_differ(
    photos: Path, truth: list[dict[str, str]]
) -> None:
    units = {
        (face["url"], face["left"]): expression_features(
            np.array([float(face[name]) for name in COLUMNS]).reshape(-1, 2)
        )
        for face in truth
    }
    right = total = 0
    for line in (photos / "fec.csv").read_text(encoding="utf-8").splitlines():
        cells = line.split(",")
        a, b, c = (units[cells[i].strip('"'), cells[i + 1]] for i in (0, 5, 10))
        odd = 1 + int(
            np.argmin([np.linalg.norm(b - c), np.linalg.norm(a - c), np.linalg.norm(a - b)])
        )
        right += cells[17::2].count(str(odd))
        total += len(cells[17::2])
    assert 0.6 < right / total < 1


def test_boxes_lie_in_the_photo_around_the_face(truth: list[dict[str, str]], photos: Path) -> None:
    for face in truth:
        left, right, top, bottom = (float(face[k]) for k in ("left", "right", "top", "bottom"))
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        with Image.open(photos / "photos" / face["url"].removeprefix(BASE).split("?")[0]) as photo:
            width, height = photo.size
        shape = (bottom - top) * height / ((right - left) * width)
        assert 0.7 < shape < 1.8
        assert (right - left) * width > 60


@pytest.mark.parametrize("seed", range(4))
def test_the_box_holds_the_face(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facesort.demo.face.hair", lambda *_: [])  # else it hides where heads end
    scale, x, y = 80, 130, 120
    _, alpha, face = render_face(
        np.random.default_rng(seed),
        "happy",
        picture=np.zeros((260, 260, 3), np.float32),
        centre=(x, y),
        scale=scale,
    )
    left, right, top, bottom = face.box
    assert left < x < right and top < y < bottom
    assert alpha[round(top) : round(bottom), round(left) : round(right)].mean() > 0.65
    head = np.flatnonzero(alpha.max(1) > 0.5)[0]
    assert top - 0.6 * scale < head < top + 0.1 * scale, "the box starts at the forehead"
    jaw = np.flatnonzero(alpha[round(y + 0.5 * scale)] > 0.5)
    assert left - 0.1 * scale < jaw[0] and jaw[-1] < right + 0.1 * scale


def test_prototypes_show_at_the_intensity_asked_for() -> None:
    for emotion in EMOTIONS:
        weak, strong = (
            np.mean([draw_action_units(np.random.default_rng(i), emotion, x) for i in range(40)], 0)
            for x in (0.3, 1.0)
        )
        for code in PROTOTYPES[emotion]:
            assert strong[CODES.index(code)].max() > weak[CODES.index(code)].max() + 0.1
    one_sided = draw_action_units(np.random.default_rng(1), "contempt", 1.0)[CODES.index(12)]
    assert one_sided.max() > 3 * one_sided.min()
    subtle = [draw_intensity(np.random.default_rng(i), "sad") for i in range(200)]
    assert min(subtle) < 0.4 < 0.9 < max(subtle)


def test_muscles_tell_emotions_apart_but_raw_pixels_do_not() -> None:
    per_emotion = 9
    labels = np.repeat(np.arange(len(EMOTIONS)), per_emotion)
    drawn = [portrait(np.random.default_rng([5, i]), EMOTIONS[y], 40) for i, y in enumerate(labels)]
    pixels = np.array(
        [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).ravel() for image, _ in drawn], float
    )
    between = np.array([pixels[labels == y].mean(0) for y in range(len(EMOTIONS))]).var(0).sum()
    # Chance alone gives class means a variance of 1 / per_emotion of the whole.
    expression = max(between - pixels.var(0).sum() / per_emotion, 0)
    assert expression < 0.1 * pixels.var(0).sum()

    rng = np.random.default_rng(0)
    units = np.array([
        expression_features(draw_action_units(rng, EMOTIONS[y], draw_intensity(rng, EMOTIONS[y])))
        for y in np.tile(np.arange(len(EMOTIONS)), 100)
    ])  # fmt: skip
    answers = np.tile(np.arange(len(EMOTIONS)), 100)
    model = LogisticRegression(C=100, max_iter=2000).fit(units[:400], answers[:400])
    assert model.score(units[400:], answers[400:]) > 0.93


@pytest.mark.parametrize("seed", range(3))
def test_a_stronger_smile_changes_the_mouth_and_not_the_scene(seed: int) -> None:
    none, half, full = (
        portrait(np.random.default_rng([9, seed]), "happy", 160, x)[0].astype(float)
        for x in (0.0, 0.4, 1.0)
    )
    changed = np.abs(full - none).mean(2)
    assert changed[80:140, 40:120].mean() > 4 * changed[:, :12].mean()
    assert np.abs(full - none).sum() > np.abs(half - none).sum() > 0


@pytest.mark.parametrize("seed", range(2))
def test_shut_lids_hide_the_eyes_and_change_nothing_else(seed: int) -> None:
    pictures = []
    for shut in ((0, 0), (1, 0), (1, 1)):
        scene = Scene(np.random.default_rng([10, seed]))
        assert not scene.shut.any()
        scene.yaw = scene.pitch = scene.roll = 0.0
        scene.shut[:] = shut
        rng = np.random.default_rng([9, seed])
        pictures.append(portrait(rng, "happy", 160, scene=scene)[0].astype(float))
    eyes_open, wink, both = pictures
    left, right = (np.abs(each).mean(2) for each in (wink - eyes_open, both - wink))
    assert left[:, :80].max() > 40 and right[:, 80:].max() > 40
    # Soft light apart, each lid moves on its own side and in the middle of the face alone.
    for changed in (left[:, 90:], right[:, :70], left[100:], right[100:]):
        assert changed.max() < 20


def test_labelled_tree_is_laid_out_like_affectnet(tmp_path: Path) -> None:
    write_labelled(tmp_path / "tree", per_emotion=6, seed=0, workers=1)
    with (tmp_path / "tree" / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["", "pth", "label", "relFCs"]
    assert [row[""] for row in rows] == [str(i) for i in range(48)]
    assert [row["label"] for row in rows] == [emotion for emotion in EMOTIONS for _ in range(6)]
    assert {row["pth"] for row in rows} == set(files_of(tmp_path / "tree")) - {"labels.csv"}
    assert len({Path(row["pth"]).name for row in rows}) < 48, "names repeat across folders"
    assert all(0 < float(row["relFCs"]) <= 1 for row in rows)
    astray = [row for row in rows if row["pth"].split("/")[0] != row["label"]]
    assert len(astray) < 6
    for row in rows[:8]:
        with Image.open(tmp_path / "tree" / row["pth"]) as image:
            assert image.size == (96, 96) and image.mode == "RGB"


def test_contact_sheet_shows_every_emotion(tmp_path: Path) -> None:
    contact_sheet(tmp_path / "sheet.png", per_emotion=2, seed=0, workers=2)
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (204 + 2 * 166 + 6, 8 * 166 + 6)
        pixels = np.asarray(image)
    for row in range(8):
        band = pixels[6 + row * 166 : 166 + row * 166]
        assert band[:, :200].min() < 60, "a name"
        assert band[:, 204:364].std() > 15, "a face"
