"""Near duplicates: planted ones are found, and faces that merely look alike are not."""

import io
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facesort.common.job import InputError
from facesort.faces.duplicates import best_correlation, find_pairs, prepare, without
from facesort.faces.labelled import read_images
from facesort.faces.layouts.listing import read_picture
from facesort.faces.split import split_labelled

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def jpeg(face, quality=50):
    data = io.BytesIO()
    Image.fromarray(face).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


CHANGES = {
    "exact": lambda face: face,
    "re-encoded": jpeg,
    "shifted": lambda face: np.concatenate([face[:, 1:], face[:, -1:]], 1),
    "brighter": lambda face: np.clip(face.astype(int) + 30, 0, 255).astype(np.uint8),
    "darker": lambda face: (face * 0.7).astype(np.uint8),
    "mirrored": lambda face: face[:, ::-1],
    "mirrored, re-encoded and brighter": lambda face: jpeg(
        np.clip(face[:, ::-1] * 1.1, 0, 255).astype(np.uint8)
    ),
    "gray": lambda face: cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "smaller and back": lambda face: cv2.resize(
        cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA), face.shape[:2]
    ),
}


def made_up_faces(count, side, seed=0):
    """An oval on a ground, like all faces of a set, and each one's own smooth pattern."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    oval = 60.0 * (x**2 / 0.5 + y**2 / 0.8 < 1)[..., None]
    own = [
        cv2.resize(rng.normal(0, 1, (n, n, 3)), (side, side), interpolation=cv2.INTER_CUBIC) * 30
        for _ in range(count)
        for n in (8,)
    ]
    return np.clip(90 + oval + np.stack(own), 0, 255).astype(np.uint8)


def pairs_of(faces, others=None):
    """Near duplicates of faces that come in two blocks, and of others."""
    halves = prepare([faces[:9], faces[9:]])
    return find_pairs(halves, None if others is None else prepare([others]))


@pytest.mark.parametrize("side", [48, 200])
@pytest.mark.parametrize("change", CHANGES)
def test_a_planted_copy_is_found(change, side):
    faces = made_up_faces(40, side)
    copy = CHANGES[change](faces[7])
    within = pairs_of(np.concatenate([faces, copy[None]]))
    assert within[["first", "second"]].to_numpy().tolist() == [[7, 40]]
    assert within["mirrored"][0] == ("mirrored" in change)
    between = pairs_of(np.stack([faces[0], copy]), faces[5:])
    assert set(map(tuple, between[["first", "second"]].to_numpy())) == {(1, 2)}


def test_different_faces_are_not_copies():
    assert pairs_of(made_up_faces(300, 48)).empty
    assert pairs_of(made_up_faces(50, 48), made_up_faces(50, 48, seed=1)).empty
    flat = np.full((2, 48, 48, 3), 128, np.uint8)
    assert pairs_of(flat, made_up_faces(20, 48)).empty
    assert find_pairs(prepare([flat]), prepare([])).empty


def test_the_correlation_is_the_librarys():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 5, 12, 12))
    by_hand = [
        max(
            np.corrcoef(a[2:10, 2:10].ravel(), b[y : y + 8, x : x + 8].ravel())[0, 1]
            for y in range(5)
            for x in range(5)
        )
        for a, b in zip(first, second, strict=True)
    ]
    assert best_correlation(first, second) == pytest.approx(by_hand, abs=1e-5)


def test_planted_copies_stay_on_one_side_of_the_split():
    originals = made_up_faces(160, 48)
    copies = np.stack([CHANGES[name](originals[n]) for n, name in enumerate(CHANGES)])
    faces = np.concatenate([originals, copies])
    emotions = ["anger", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    index = pd.DataFrame(
        {
            "label": [emotions[n % 8] for n in range(len(faces))],
            "digest": [f"{n:04}" for n in range(len(faces))],
        }
    )
    pairs = pairs_of(faces)
    for seed in range(5):
        split = split_labelled(
            index, pairs, source="faces", naming=3, test=0.4, semi=0.2, seed=seed
        )
        for n in range(len(CHANGES)):
            assert split["part"][n] == split["part"][160 + n]
            assert split["semi"][n] == split["semi"][160 + n]


def test_leaks_are_left_out_of_the_pool():
    assert without(5, np.array([3, 1, 3]))["face"].tolist() == [0, 2, 4]
    assert without(2, np.array([], int))["face"].tolist() == [0, 1]
    with pytest.raises(InputError, match=r"also in data\.labelled"):
        without(2, np.array([0, 1]))


def files_of(folder, paths):
    return [partial(read_picture, folder / path) for path in paths]


@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/data with photographs")
@pytest.mark.parametrize("what", ["gray", "colour"])
def test_photographs_of_other_people_are_not_copies(what):
    if what == "gray":
        paths = [f"happy/{p.name}" for p in sorted((SHARED / "emotions/happy").iterdir())[:600]]
        faces = [face for face, _ in read_images(files_of(SHARED / "emotions", paths), 48, 1)]
    else:
        names = [path.name for path in sorted((SHARED / "faces").iterdir())[:600]]
        faces = [face for face, _ in read_images(files_of(SHARED / "faces", names), 48, 1)]
    faces = np.stack(faces)
    pairs = pairs_of(faces)
    # The data hold some true copies; false alarms would be many more.
    assert len(pairs) < 15
    planted = [CHANGES[name](faces[n]) for n, name in enumerate(CHANGES)]
    found = pairs_of(np.stack(planted), faces)
    assert set(enumerate(range(len(CHANGES)))) <= set(
        map(tuple, found[["first", "second"]].to_numpy())
    )
