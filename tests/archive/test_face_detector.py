"""Faces in photographs: all boxed ones are found, and boxes lie where the faces are."""

import csv
import os
import shutil
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest
from made_photos import photo
from PIL import Image, ImageOps
from small_run import ROOT

from facesort.archive import face_detector
from facesort.archive.face_detector import (
    MODEL,
    WIDTH,
    FaceDetector,
    anchors,
    eye_angles,
    surest,
    tiles,
    turned_back,
)
from facesort.common.job import InputError

PHOTOS = ROOT.parent / "shared" / "data" / "photos"
PLACES = ((40, 60, 200), (400, 200, 160))


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(1280)


def middles(found):
    return found[:, :2] + found[:, 2:4] / 2


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared/data/photos")
def test_all_boxed_faces_of_photographs_are_found_and_no_other(detector):
    boxes = defaultdict(list)
    with (PHOTOS / "boxes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            boxes[row["file"]].append(
                [float(row[key]) for key in ("left", "top", "width", "height")]
            )
    hit = false = 0
    for name, of in boxes.items():
        with Image.open(PHOTOS / name) as image:
            found = detector.find(np.asarray(ImageOps.exif_transpose(image).convert("RGB")))
        of = np.array(of)
        far = abs(middles(of)[:, None] - middles(found)).max(2) / (of[:, None, 2:].max(2) / 2)
        hit += int((far.min(1) < 1).sum())
        false += len(found) - len(set(far.argmin(1)))
    assert (hit, false) == (43, 0)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared/data/photos")
def test_tiles_find_small_faces_in_large_photos(detector):
    """The picture of a band, where its hundred faces are a small part of a photo."""
    with Image.open(PHOTOS / "groups/marching_band.jpg") as image:
        band = np.asarray(image.convert("RGB"))
    large = np.zeros((2000, 3200, 3), np.uint8)
    large[600 : 600 + band.shape[0], 1000 : 1000 + band.shape[1]] = band
    found = [len(each.find(large)) for each in (detector, FaceDetector(1280, tiles=True))]
    alone = len(detector.find(band))
    assert found[0] < alone / 2 and abs(found[1] - alone) <= 10 and alone > 100


def test_rendered_faces_are_found_where_they_are(detector):
    found = detector.find(photo(PLACES))
    assert found.shape == (2, WIDTH) and (found[:, 4] > 0.9).all()
    for (left, top, side), middle in zip(PLACES, middles(found), strict=True):
        assert np.allclose(middle, [left + side / 2, top + side / 2], atol=side / 8)
    eyes, mouth = found[:, [6, 8]].mean(1), found[:, [12, 14]].mean(1)
    assert (mouth > eyes + 20).all() and (found[:, 7] > found[:, 5] + 20).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_photo_that_lies_is_turned_and_its_faces_are_told_where_they_are(detector, quarters):
    upright = detector.find(photo(PLACES))
    lying = np.ascontiguousarray(np.rot90(photo(PLACES), quarters))
    found, turns = detector.find_turned(lying)
    assert turns == quarters
    back = {
        1: lambda x, y: (y, 640 - x),
        2: lambda x, y: (640 - x, 480 - y),
        3: lambda x, y: (480 - y, x),
    }[quarters]
    expected = sorted(back(*middle) for middle in middles(upright))
    assert np.allclose(sorted(map(tuple, middles(found))), expected, atol=5)
    assert np.allclose(np.sin(eye_angles(found)), np.sin(-np.pi / 2 * quarters), atol=0.3)


def test_turning_back_undoes_turning():
    rng = np.random.default_rng(0)
    found = rng.uniform(10, 90, (4, WIDTH))
    for turns in (1, 2, 3):
        turned = found.copy()
        height, width = 200, 300
        for turn in range(turns):
            across = height if turn % 2 == 0 else width
            x, y = turned[:, 5::2].copy(), turned[:, 6::2].copy()
            turned[:, 5::2], turned[:, 6::2] = across - y, x
            left, top, wide, high = turned[:, :4].T.copy()
            turned[:, 0], turned[:, 1], turned[:, 2], turned[:, 3] = (
                across - top - high,
                left,
                high,
                wide,
            )
        assert np.allclose(turned_back(turned, turns, height, width), found)


@pytest.mark.parametrize("shape", [(1, 1), (3, 100_000), (5000, 2), (40, 40)])
def test_photos_of_any_shape_are_looked_at(detector, shape):
    grey = np.full((*shape, 3), 90, np.uint8)
    assert detector.find(grey).shape == (0, WIDTH)
    assert detector.find_turned(grey)[1] == 0
    assert FaceDetector(640, tiles=True).find(grey).shape == (0, WIDTH)


def test_tiles_cover_a_photo_and_share_a_quarter():
    parts = list(tiles(1000, 2500, 640))
    seen = np.zeros((1000, 2500), int)
    for left, top, right, bottom in parts:
        assert right - left == bottom - top == 640
        seen[top:bottom, left:right] += 1
    assert seen.min() >= 1
    lefts = sorted({left for left, *_ in parts})
    assert np.diff(lefts).max() <= 480
    assert list(tiles(600, 640, 640)) == []


def test_anchors_are_one_a_place_and_side():
    places, sides = anchors(64, 96)
    assert len(places) == len(sides) == 2 * (8 * 12 + 4 * 6 + 2 * 3)
    assert places[0].tolist() == [4, 4] and places[-1].tolist() == [80, 48]


def test_of_faces_that_overlap_the_surest_counts():
    found = np.zeros((3, WIDTH), np.float32)
    found[:, :5] = [[0, 0, 10, 10, 0.8], [1, 1, 10, 10, 0.9], [50, 0, 10, 10, 0.8]]
    assert sorted(surest(found)[:, 0]) == [1, 50]


def test_a_damaged_network_is_named(tmp_path, monkeypatch):
    broken = tmp_path / MODEL.name
    shutil.copy(MODEL, broken)
    broken.write_bytes(broken.read_bytes()[:1000])
    monkeypatch.setattr(face_detector, "MODEL", broken)
    with pytest.raises(InputError, match=r"face_detector\.onnx: not a readable model"):
        FaceDetector(640)


def test_nothing_is_told_to_anyone_over_the_network(tmp_path):
    """ONNX Runtime's official builds do, unless they are told not to; they note when they began."""
    program = "from facesort.archive.face_detector import FaceDetector; FaceDetector(640)"
    hushed = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")
    environment = {name: value for name, value in os.environ.items() if name not in hushed}
    environment |= {"PYTHONPATH": str(ROOT / "workflow_scripts"), "TMPDIR": str(tmp_path)}
    for before, files in (("import onnxruntime, os; os.environ = {}; ", [".ses"]), ("", [])):
        subprocess.run([sys.executable, "-c", before + program], env=environment, check=True)
        assert [path.name for path in tmp_path.iterdir()] == files
        (tmp_path / ".ses").unlink(missing_ok=True)
