"""Photos are compared by their small pictures, a row a photo, whatever the order of the files."""

import numpy as np
import pandas as pd
import pytest
from made_photos import photo

from facesort.album.likeness import alike, read
from facesort.archive.pictures import preview
from facesort.archive.tables import PREVIEWS
from facesort.common.job import InputError

NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


@pytest.fixture(scope="module")
def previews(tmp_path_factory):
    """Four photos in two files: one, it moved a little, a stranger's, and none."""
    folder = tmp_path_factory.mktemp("previews")
    one = photo([(200, 100, 260)], seed=1)
    moved = np.roll(one, (6, -10), (0, 1))
    pictures = [one, moved, photo([(200, 100, 260)], seed=2), np.full_like(one, 200)]
    table = pd.DataFrame({"photo": NAMES, "jpeg": [preview(each) for each in pictures]})
    paths = [folder / "0.parquet", folder / "1.parquet"]
    table.iloc[[2, 0]].to_parquet(paths[0], schema=PREVIEWS)
    table.iloc[[3, 1]].to_parquet(paths[1], schema=PREVIEWS)
    return paths


def test_the_same_scene_is_alike_and_a_stranger_on_the_same_ground_is_not(previews):
    closely = np.array([True, True, True, False])
    colours, pixels = read(previews, pd.Series(NAMES), closely)
    assert pixels.shape[0] == 3 and colours.shape[0] == 4
    assert alike(pixels, np.array([0, 0, 1]), np.array([1, 2, 2])).tolist() == [True, False, False]
    assert alike(pixels, np.zeros(0, int), np.zeros(0, int)).tolist() == []
    apart = np.abs(colours[0] - colours[1:]).mean(axis=1)
    assert apart[0] < apart[1] < apart[2]


def test_a_photo_without_a_picture_is_named(previews):
    with pytest.raises(InputError, match=r"'e\.jpg' has no small picture"):
        read(previews, pd.Series([*NAMES, "e.jpg"]), np.zeros(5, bool))
    colours, pixels = read(previews, pd.Series([], dtype=str), np.zeros(0, bool))
    assert len(colours) == len(pixels) == 0
