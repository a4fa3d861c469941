"""The three variants, against Pillow's."""

import numpy as np
import pytest
from PIL import Image

from facesort.faces.variants import VARIANTS, make_variant, variant_shape

FACES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)


@pytest.mark.parametrize("variant", VARIANTS)
def test_shapes(variant):
    made = make_variant(FACES, variant, border=2)
    assert made.dtype == np.uint8
    assert made.shape[1:] == variant_shape(variant, 16, 2)


def test_the_papers_sizes():
    assert variant_shape("cropped", 200, 25) == (150, 150, 3)
    assert variant_shape("grayscale", 200, 25) == (200, 200, 1)


def test_grayscale_is_luma():
    ours = make_variant(FACES, "grayscale", 0)[..., 0].astype(int)
    theirs = np.stack([np.asarray(Image.fromarray(face).convert("L")) for face in FACES])
    assert np.abs(ours - theirs).max() <= 1


def test_cropped_is_the_middle():
    assert np.array_equal(make_variant(FACES, "cropped", 3), FACES[:, 3:13, 3:13])
