"""Decoding: right RGB from every kind of image, and clear words for what is none."""

import io

import numpy as np
import pytest
from PIL import Image

from facesort.imaging import ImageError, cut_faces

RED, BLUE = (200, 30, 40), (20, 60, 190)


def picture(width=40, height=20):
    """Left half red, right half blue."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, BLUE
    return Image.fromarray(pixels)


def encode(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cut(data, boxes=((0, 0.5, 0, 1), (0.5, 1, 0, 1)), size=8, max_pixels=10**7):
    return cut_faces(data, boxes, size, max_pixels)


def alpha():
    image = picture().convert("RGBA")
    return image


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (encode(picture()), 0),
        (encode(picture(), "JPEG", quality=95), 12),
        (encode(picture().convert("CMYK"), "JPEG", quality=95), 14),
        (encode(picture().quantize(8)), 4),
        (encode(alpha()), 0),
        (encode(picture(), "GIF", save_all=True, append_images=[picture().rotate(180)]), 4),
        (encode(picture(), "WEBP", lossless=True), 0),
        (encode(picture(), "TIFF"), 0),
    ],
)
def test_every_kind_comes_out_as_its_colours(data, tolerance):
    (left, right), size = cut(data)
    assert size == (40, 20) and left.shape == (8, 8, 3) and left.dtype == np.uint8
    assert np.abs(left[2:-2, 2:-2].mean((0, 1)) - RED).max() <= tolerance
    assert np.abs(right[2:-2, 2:-2].mean((0, 1)) - BLUE).max() <= tolerance


def test_sixteen_bits_and_grey():
    grey = np.full((10, 10), 128 * 257, np.uint16)
    (face,), _ = cut(encode(Image.fromarray(grey)), [(0, 1, 0, 1)])
    assert face.shape == (8, 8, 3) and np.abs(face.astype(int) - 128).max() <= 1


def test_transparency_is_white():
    (face,), _ = cut(encode(Image.new("RGBA", (9, 9), (0, 0, 0, 0))), [(0, 1, 0, 1)])
    assert face.min() == 255


def test_exif_rotation_comes_before_the_box():
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down: the file's left is shown on the right
    (left, _), _ = cut(encode(picture(), "JPEG", quality=95, exif=exif))
    assert np.abs(left[2:-2, 2:-2].mean((0, 1)) - BLUE).max() < 14


def test_large_jpegs_are_cut_like_whole_ones():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((1600, 1200))
    data = encode(smooth, "JPEG", quality=92)
    box = (0.2, 0.7, 0.3, 0.9)
    (ours,), _ = cut(data, [box], size=64)
    whole = Image.open(io.BytesIO(data)).crop((320, 360, 1120, 1080)).resize((64, 64), 3)
    assert np.abs(ours.astype(int) - np.asarray(whole).astype(int)).mean() < 2


def test_boxes_may_reach_over_the_edge():
    (face,), _ = cut(encode(picture()), [(-0.2, 0.5, -0.1, 1.3)])
    assert np.array_equal(face, cut(encode(picture()), [(0, 0.5, 0, 1)])[0][0])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>gone</html>",
        bytes(range(256)) * 20,
        encode(picture(), "JPEG")[:-200],
        encode(picture(400, 300), "JPEG")[:1500],
        encode(picture(400, 300))[:300],
    ],
)
def test_no_image_or_half_of_one_is_refused(data):
    with pytest.raises(ImageError):
        cut(data)


def test_too_many_pixels_are_refused_before_decoding():
    with pytest.raises(ImageError, match="max_pixels"):
        cut(encode(picture(400, 300)), max_pixels=1000)
