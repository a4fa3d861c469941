"""Raw files are shown by the largest JPEG that they hold, turned as the file says."""

import struct

import numpy as np
import pytest
from made_photos import encoded

from facesort.archive.raw_previews import MOST, is_raw, read_raw
from facesort.fetch.imaging import ImageError


def picture(width, height, shade):
    made = np.full((height, width, 3), shade, np.uint8)
    made[:, : width // 2] = 250
    return made


def raw(*previews, orientation=1):
    """A file like a camera's: a TIFF's first tags, then JPEGs among other bytes."""
    tags = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return tags + b"\0\xff\xd8\xff\xc3 no picture ".join([b"", *previews, b""])


def test_the_largest_preview_is_shown():
    small, large = encoded(picture(40, 30, 10)), encoded(picture(80, 60, 60))
    photo = read_raw(raw(small, large, small), 10**6, None, None)
    assert (photo.width, photo.height, photo.orientation) == (80, 60, 1)
    assert photo.pixels[30, 70].tolist() == [60, 60, 60]


def test_it_is_turned_as_the_file_says_and_as_a_sidecar_says():
    data = raw(encoded(picture(80, 60, 60)), orientation=6)
    photo = read_raw(data, 10**6, None, None)
    assert (photo.width, photo.height, photo.orientation) == (60, 80, 6)
    assert photo.pixels[10, 30].tolist() == [250, 250, 250]
    assert read_raw(data, 10**6, None, 3).orientation == 3
    # What is no TIFF: the preview's own.
    own = b"FUJIFILM" + encoded(picture(80, 60, 60), orientation=8)
    assert read_raw(own, 10**6, None, None).orientation == 8


def test_a_preview_that_cannot_be_decoded_gives_way_to_a_smaller_one():
    small, cut = encoded(picture(40, 30, 10)), encoded(picture(800, 600, 60))[:900]
    assert read_raw(raw(small) + cut, 10**6, None, None).width == 40
    with pytest.raises(ImageError, match="truncated"):
        read_raw(raw() + cut, 10**6, None, None)
    with pytest.raises(ImageError, match="too many pixels"):
        read_raw(raw(encoded(picture(80, 60, 60))), 100, None, None)


def test_a_file_without_a_preview_is_refused_whatever_it_holds():
    with pytest.raises(ImageError):
        read_raw(raw(), 10**6, None, None)
    for data in (b"", b"II*\0", b"\xff\xd8\xff" * 100_000):
        with pytest.raises(ImageError, match="without a preview"):
            read_raw(data, 10**6, None, None)
    # Nobody looks through a file for ever.
    with pytest.raises(ImageError):
        read_raw(b"\xff\xd8\xff." * MOST + encoded(picture(40, 30, 10)), 10**6, None, None)


def test_names_of_raw_files():
    assert is_raw("a/b.NEF") and is_raw("c.dng") and not is_raw("nef") and not is_raw("a.tiff")
