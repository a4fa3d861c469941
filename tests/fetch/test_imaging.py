"""Decoding: every kind of image comes out as right RGB, and what is broken or hostile does not."""

import io
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from facesort.fetch.imaging import ImageError, cut_faces, read_image, resize

MOST = 10_000_000
WHOLE = (0.0, 1.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """A smooth colour gradient with a bright disc, 320 x 240."""
    y, x = np.mgrid[:240, :320]
    pixels = np.stack([x * 255 // 319, y * 255 // 239, 128 + 60 * np.sin(x / 40)], -1)
    pixels[(x - 200) ** 2 + (y - 90) ** 2 < 900] = (250, 240, 60)
    return Image.fromarray(pixels.astype(np.uint8))


def encode(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def expected(image: Image.Image, size: int = 40, box=(0, 0, 1, 1)) -> np.ndarray:
    left, top, right, bottom = (round(v * s) for v, s in zip(box, image.size * 2, strict=True))
    part = image.convert("RGB").crop((left, top, right, bottom))
    return resize(np.asarray(part), size)


def test_a_cut_equals_the_cut_from_the_photo(photo):
    cut = cut_faces(encode(photo, "PNG"), [(0.5, 0.75, 0.25, 0.75), WHOLE], 40, MOST)
    assert cut.faces.shape == (2, 40, 40, 3)
    assert cut.faces.dtype == np.uint8
    assert (cut.width, cut.height) == photo.size
    assert np.array_equal(cut.faces[0], expected(photo, box=(0.5, 0.25, 0.75, 0.75)))
    assert np.array_equal(cut.faces[1], expected(photo))


def test_boxes_over_the_edge_are_clipped(photo):
    data = encode(photo, "PNG")
    over, inside = cut_faces(data, [(-0.2, 0.5, 0.5, 1.3), (0, 0.5, 0.5, 1)], 32, MOST).faces
    assert np.array_equal(over, inside)
    tiny = cut_faces(data, [(0.99999, 1.0, 0.5, 0.50001)], 8, MOST).faces
    assert tiny.shape == (1, 8, 8, 3)


@pytest.mark.parametrize("quality", [75, 95])
def test_a_reduced_jpeg_gives_nearly_the_same_face(photo, quality):
    large = photo.resize((2560, 1920), Image.Resampling.BICUBIC)
    data = encode(large, "JPEG", quality=quality)
    box = (0.313, 0.871, 0.127, 0.741)
    reduced = cut_faces(data, [box], 48, MOST).faces[0]
    full = Image.open(io.BytesIO(data))
    edges = (0.313, 0.127, 0.871, 0.741)
    assert difference(reduced, expected(full, 48, edges)) < 1.0
    # Were the box wrong by one part in a hundred, it would show.
    shifted = tuple(v + 0.01 for v in edges)
    assert difference(reduced, expected(full, 48, shifted)) > 2.0


def test_a_jpeg_is_decoded_no_larger_than_needed(photo, monkeypatch):
    data = encode(photo.resize((2560, 1920)), "JPEG")
    sizes = []
    decode = simplejpeg.decode_jpeg

    def spy(*args, **options):
        pixels = decode(*args, **options)
        sizes.append(pixels.shape[:2])
        return pixels

    monkeypatch.setattr(simplejpeg, "decode_jpeg", spy)
    cut_faces(data, [WHOLE], 100, MOST)
    assert sizes == [(480, 640)]
    sizes.clear()
    cut_faces(data, [WHOLE, (0.0, 0.1, 0.0, 0.1)], 100, MOST)
    assert sizes == [(1920, 2560)], "the smallest face decides"


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_both_decoders_give_the_same_pixels(photo, monkeypatch, mode):
    data = encode(photo.convert(mode), "JPEG", quality=90)
    fast = cut_faces(data, [WHOLE], 100, MOST).faces
    monkeypatch.setattr(simplejpeg, "decode_jpeg", refuse)
    assert np.array_equal(cut_faces(data, [WHOLE], 100, MOST).faces, fast)
    large = encode(photo.convert(mode).resize((1001, 777)), "JPEG", quality=90)
    slow = cut_faces(large, [WHOLE], 40, MOST).faces
    monkeypatch.undo()
    assert 0 < difference(cut_faces(large, [WHOLE], 40, MOST).faces, slow) < 1, "it is reduced"


def refuse(*_, **__):
    raise ValueError("not mine")


def test_resizing_takes_means_and_keeps_what_is_smooth(photo):
    pixels = np.asarray(photo)
    means = pixels.reshape(40, 6, 40, 8, 3).mean((1, 3))
    assert np.abs(resize(pixels, 40) - means).max() <= 0.5
    small = resize(pixels[:40, :40], 160)
    assert difference(small[::4, ::4], pixels[:40, :40]) < 2
    # One side is shrunk, the other enlarged.
    tall = np.ascontiguousarray(pixels[:, :20])
    assert np.abs(resize(tall, 40)[:, ::2] - tall.reshape(40, 6, 20, 3).mean(1)).mean() < 2
    assert np.array_equal(resize(pixels[:40, :40], 40), pixels[:40, :40])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_rotation(photo, orientation, kind):
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how to store, so that it shows upright
    stored = photo.transpose(back[orientation]) if orientation > 1 else photo
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    data = encode(stored, kind, exif=exif, **options)
    box = (0.5, 0.75, 0.25, 0.75)
    cut = cut_faces(data, [box], 40, MOST)
    assert (cut.width, cut.height) == photo.size
    assert difference(cut.faces[0], expected(photo, box=(0.5, 0.25, 0.75, 0.75))) < 2
    assert read_image(data, MOST).shape == (photo.height, photo.width, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_reduction_moves_nothing(orientation):
    """Where no reduction divides the sides, the cut lies where that of the full photo does."""
    y, x = np.mgrid[:1021, :1531]
    rings = 127.5 + 127.5 * np.sin(np.hypot(x - 1400, y - 930) / 12)
    photo = Image.fromarray(rings.astype(np.uint8)).convert("RGB")
    back = {1: None, 3: 3, 6: 2, 8: 4}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = photo if back is None else photo.transpose(back)
    data = encode(stored, "JPEG", quality=95, exif=exif)
    box = (0.8, 1.0, 0.7, 1.0)
    cut = cut_faces(data, [box], 32, MOST).faces[0]
    right = expected(photo, 32, (0.8, 0.7, 1.0, 1.0))
    assert difference(cut, right) < 1
    assert difference(cut, np.roll(right, 1, axis=1)) > 10


def test_broken_exif_is_no_reason_to_refuse(photo):
    data = encode(photo, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff garbage")
    assert difference(cut_faces(data, [WHOLE], 40, MOST).faces[0], expected(photo)) < 2


@pytest.mark.parametrize(
    ("name", "make", "tolerance"),
    [
        ("CMYK JPEG", lambda i: encode(i.convert("CMYK"), "JPEG", quality=95), 3),
        ("grey JPEG", lambda i: encode(i.convert("L"), "JPEG", quality=95), None),
        ("grey PNG", lambda i: encode(i.convert("L"), "PNG"), None),
        ("palette PNG", lambda i: encode(i.quantize(256), "PNG"), 6),
        ("GIF", lambda i: encode(i.quantize(256), "GIF"), 6),
        ("WebP", lambda i: encode(i, "WEBP", quality=95), 3),
        ("BMP", lambda i: encode(i, "BMP"), 0),
        ("opaque alpha", lambda i: encode(i.convert("RGBA"), "PNG"), 0),
        ("progressive", lambda i: encode(i, "JPEG", progressive=True, quality=95), 2),
    ],
)
def test_every_mode_becomes_rgb(photo, name, make, tolerance):
    face = cut_faces(make(photo), [WHOLE], 40, MOST).faces[0]
    if tolerance is None:
        grey = expected(photo.convert("L"))
        assert difference(face, grey) < 2
        assert difference(face[..., 0], face[..., 2]) < 1
    else:
        assert difference(face, expected(photo)) <= tolerance


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    face = cut_faces(encode(Image.fromarray(ramp), "PNG"), [WHOLE], 64, MOST).faces[0]
    assert np.abs(face[..., 0].astype(float) - ramp / 257).max() <= 1


def test_one_bit_image():
    board = Image.fromarray((np.indices((64, 64)).sum(0) // 32 % 2 * 255).astype(np.uint8))
    face = cut_faces(encode(board.convert("1"), "PNG"), [WHOLE], 64, MOST).faces[0]
    assert set(np.unique(face)) == {0, 255}


def test_transparent_is_shown_on_white(photo):
    clear = photo.convert("RGBA")
    clear.putalpha(0)
    assert (cut_faces(encode(clear, "PNG"), [WHOLE], 8, MOST).faces == 255).all()
    gif = encode(photo.quantize(256), "GIF", transparency=0)
    assert cut_faces(gif, [WHOLE], 8, MOST).faces.shape == (1, 8, 8, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame(photo, kind):
    frames = [photo, Image.new("RGB", photo.size, "black")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert difference(cut_faces(data, [WHOLE], 40, MOST).faces[0], expected(photo)) < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.95])
def test_truncated_files_are_refused(photo, kind, share):
    data = encode(photo, kind)
    for read in (lambda d: cut_faces(d, [WHOLE], 40, MOST), lambda d: read_image(d, MOST)):
        with pytest.raises(ImageError, match=r"truncated|not an image|empty|damaged"):
            read(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b"<html><body>gone</body></html>", "HTML"),
        (b"\n <!DOCTYPE html><p>", "HTML"),
        (b"\x00\x01\x02" * 400, "not an image"),
        (b"GIF89a", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
    ],
)
def test_what_is_no_image_is_refused(data, cause):
    with pytest.raises(ImageError, match=f"^{cause}"):
        cut_faces(data, [WHOLE], 40, MOST)


def test_too_little_memory_is_not_the_images_damage(photo, monkeypatch):
    out = io.BytesIO()
    photo.save(out, "PNG")

    def fails(*_):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fails)
    with pytest.raises(ImageError, match=r"^too large for the memory: \d+ x \d+$"):
        read_image(out.getvalue(), 10**8)


def test_a_bomb_is_refused_before_decoding():
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9999))
    )
    with pytest.raises(ImageError, match=r"^too many pixels: 30000 x 30000"):
        cut_faces(bomb + chunk(b"IEND", b""), [WHOLE], 40, MOST)
