"""Photographs to try an archive with: rendered faces on a plain ground, turned as cameras do."""

import io

import numpy as np
from PIL import Image

from facesort.demo.dataset import portrait
from facesort.fetch.imaging import TRANSPOSED

# How to store an upright picture so that an orientation shows it upright.
UNDONE = TRANSPOSED | {6: TRANSPOSED[8], 8: TRANSPOSED[6]}


def photo(places, width=640, height=480, emotion="happy", seed=0):
    """uint8 (height, width, 3): a rendered face at each place, (left, top, side) of its picture."""
    picture = np.full((height, width, 3), 120, np.uint8)
    for number, (left, top, side) in enumerate(places):
        rng = np.random.default_rng([seed, number])
        picture[top : top + side, left : left + side] = portrait(rng, emotion, side)[0]
    return picture


def encoded(picture, kind="JPEG", orientation=1, **how):
    """The bytes of a picture, stored so that EXIF's orientation shows it as it is given."""
    stored = Image.fromarray(picture)
    if orientation != 1:
        stored = stored.transpose(UNDONE[orientation])
        how["exif"] = stored.getexif()
        how["exif"][0x0112] = orientation
    out = io.BytesIO()
    stored.save(out, kind, **{"quality": 95} | how)
    return out.getvalue()
