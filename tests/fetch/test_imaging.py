"""Decoding: every kind of image comes out as right RGB, and what is broken or hostile does not."""

import io
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import ExifTags, Image

from facesort.fetch.imaging import (
    TRANSPOSED,
    ImageError,
    cut_faces,
    read_image,
    read_photo,
    resize,
    shown_box,
    stored_box,
)

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
    for each, size in ((pixels, 40), (pixels[:40, :40], 160), (tall, 40), (tall, 20)):
        out = np.zeros((2, size, size, 3), np.uint8)
        resize(each, size, out[1])
        assert np.array_equal(out[1], resize(each, size))
        assert not out[0].any()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_exif_rotation(photo, orientation, kind):
    """HEIF and AVIF hold it in words of their own; TIFF and HEIF are turned as they are opened."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how to store, so that it shows upright
    stored = photo.transpose(back[orientation]) if orientation > 1 else photo
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95}
    data = encode(stored, kind, exif=exif.tobytes(), **options)
    box = (0.5, 0.75, 0.25, 0.75)
    cut = cut_faces(data, [box], 40, MOST)
    assert (cut.width, cut.height) == photo.size
    assert difference(cut.faces[0], expected(photo, box=(0.5, 0.25, 0.75, 0.75))) < 2
    assert read_image(data, MOST).shape == (photo.height, photo.width, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_go_there_and_back(orientation):
    """What is white in the stored picture is white where the box of the shown one says."""
    stored = np.zeros((40, 80), np.uint8)
    stored[4:12, 8:40] = 255
    box = (0.1, 0.5, 0.1, 0.3)
    left, right, top, bottom = shown_box(box, orientation)
    assert stored_box((left, right, top, bottom), orientation) == pytest.approx(box)
    picture = Image.fromarray(stored)
    shown = np.asarray(picture.transpose(TRANSPOSED[orientation]) if orientation > 1 else picture)
    rows, columns = shown.shape
    edges = (top * rows, bottom * rows, left * columns, right * columns)
    first, last, begin, end = map(round, edges)
    assert shown[first:last, begin:end].sum() == shown.sum() == 255 * (last - first) * (end - begin)


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


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_a_photo_is_read_as_it_is_shown_and_as_is_told(photo, orientation, kind):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encode(photo, kind, exif=exif.tobytes())
    read = read_photo(data, 10**6)
    shown = np.asarray(photo.transpose(TRANSPOSED[orientation]) if orientation > 1 else photo)
    assert read.orientation == orientation and difference(read.pixels, shown) < 5
    assert (read.height, read.width) == shown.shape[:2] == read.pixels.shape[:2]
    # What is told wins, also over what HEIC's decoder has done already.
    for told in TRANSPOSED:
        read = read_photo(data, 10**6, told=told)
        turned = np.asarray(photo.transpose(TRANSPOSED[told]))
        assert read.orientation == told and difference(read.pixels, turned) < 5
        assert (read.height, read.width) == turned.shape[:2]
        smaller = read_photo(data, 10**6, max(photo.size) // 2, told)
        assert (smaller.height, smaller.width) == turned.shape[:2]
        assert np.allclose(smaller.scale, 2)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_no_larger_than_asked_for(photo, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    longer = max(photo.size)
    for side, reduction in ((longer, 1), (longer // 2, 2), (longer // 2 + 1, 1), (longer // 5, 4)):
        read = read_photo(encode(photo, "JPEG", exif=exif), 10**6, side)
        assert max(read.pixels.shape[:2]) == -(-longer // reduction) >= side
        assert sorted((read.width, read.height)) == sorted(photo.size)
        assert np.allclose(read.scale, reduction, rtol=0.05)
    # What is no JPEG is made smaller after it was decoded.
    for kind in ("PNG", "HEIF", "GIF"):
        read = read_photo(encode(photo, kind), 10**6, longer // 3)
        assert max(read.pixels.shape[:2]) == -(-longer // 3)
        assert (read.width, read.height) == photo.size
    means = np.asarray(photo.reduce(3))
    assert difference(read_photo(encode(photo, "PNG"), 10**6, longer // 3).pixels, means) < 1


def test_broken_exif_is_no_reason_to_refuse(photo):
    data = encode(photo, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff garbage")
    assert difference(cut_faces(data, [WHOLE], 40, MOST).faces[0], expected(photo)) < 2


def plain_ppm(image: Image.Image) -> bytes:
    numbers = " ".join(map(str, np.asarray(image).ravel()))
    return f"P3 # in words\n{image.width} {image.height} 255\n{numbers}\n".encode()


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
        ("TIFF", lambda i: encode(i, "TIFF"), 0),
        ("LZW TIFF", lambda i: encode(i, "TIFF", compression="tiff_lzw"), 0),
        ("JPEG TIFF", lambda i: encode(i, "TIFF", compression="jpeg", quality=95), 3),
        ("CMYK TIFF", lambda i: encode(i.convert("CMYK"), "TIFF"), 3),
        ("YCbCr TIFF", lambda i: encode(i.convert("YCbCr"), "TIFF"), 3),
        ("LAB TIFF", lambda i: encode(i.convert("LAB"), "TIFF"), 3),
        ("grey TIFF", lambda i: encode(i.convert("L"), "TIFF"), None),
        ("palette TIFF", lambda i: encode(i.quantize(256), "TIFF"), 6),
        ("alpha TIFF", lambda i: encode(i.convert("RGBA"), "TIFF"), 0),
        ("PPM", lambda i: encode(i, "PPM"), 0),
        ("plain PPM", plain_ppm, 0),
        ("PGM", lambda i: encode(i.convert("L"), "PPM"), None),
        ("AVIF", lambda i: encode(i, "AVIF", quality=95), 3),
        ("HEIC", lambda i: encode(i, "HEIF", quality=95), 3),
        ("alpha HEIC", lambda i: encode(i.convert("RGBA"), "HEIF", quality=95), 3),
        ("grey HEIC", lambda i: encode(i.convert("L"), "HEIF", quality=95), None),
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


RAMP = np.linspace(0, 1, 64 * 64).reshape(64, 64)


def tiff(values: np.ndarray, bits: int, sample_format: int = 1, white_is_zero: bool = False):
    """A grey TIFF of one strip, its bytes in little-endian order."""
    body = np.ascontiguousarray(values).tobytes()
    height, width = (64, 64)
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: int(not white_is_zero)}
    tags |= {273: 8, 277: 1, 278: height, 279: len(body), 339: sample_format}
    fields = b"".join(struct.pack("<HHIHH", tag, 3, 1, v, 0) for tag, v in sorted(tags.items()))
    header = struct.pack("<2sHI", b"II", 42, 8 + len(body))
    return header + body + struct.pack("<H", len(tags)) + fields + bytes(4)


def packed_12(values: np.ndarray) -> np.ndarray:
    """Twelve bits a pixel, two pixels in three bytes."""
    first, second = values.reshape(-1, 2).T.astype(np.uint16)
    return np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], -1).astype("u1")


def pgm_16(values: np.ndarray) -> bytes:
    return b"P5 64 64 65535\n" + values.astype(">u2").tobytes()


DEEP = {
    "16-bit PNG": lambda: encode(Image.fromarray((RAMP * 65535).astype(np.uint16)), "PNG"),
    "16-bit TIFF": lambda: tiff((RAMP * 65535).astype("<u2"), 16),
    "16-bit PGM": lambda: pgm_16(RAMP * 65535),
    "12-bit TIFF": lambda: tiff(packed_12(RAMP * 4095), 12),
    "32-bit TIFF of 16-bit numbers": lambda: tiff((RAMP * 65535).astype("<i4"), 32, 2),
    "32-bit TIFF of bytes": lambda: tiff((RAMP * 255).astype("<i4"), 32, 2),
    "32-bit TIFF of large numbers": lambda: tiff((RAMP * 1e9).astype("<i4"), 32, 2),
    "float TIFF of shares": lambda: tiff(RAMP.astype("<f4"), 32, 3),
    "float TIFF of bytes": lambda: tiff((RAMP * 255).astype("<f4"), 32, 3),
    "float TIFF of 16-bit numbers": lambda: tiff((RAMP * 65535).astype("<f4"), 32, 3),
    "float TIFF of large numbers": lambda: tiff((RAMP * 1e9).astype("<f4"), 32, 3),
    "PFM": lambda: b"Pf 64 64 -1\n" + RAMP[::-1].astype("<f4").tobytes(),
    "16-bit TIFF, white is zero": lambda: tiff(((1 - RAMP) * 65535).astype("<u2"), 16, 1, True),
}


@pytest.mark.parametrize("name", DEEP)
def test_more_bits_are_scaled_not_clipped(name):
    face = cut_faces(DEEP[name](), [WHOLE], 64, MOST).faces[0]
    assert np.abs(face[..., 0].astype(float) - RAMP * 255).max() <= 1
    assert np.abs(read_image(DEEP[name](), MOST)[..., 0] - RAMP * 255).max() <= 1


def test_more_bits_are_turned_as_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.rot90(RAMP * 65535).astype(np.uint16))
    data = encode(stored, "PNG", exif=exif)
    assert np.abs(read_image(data, MOST)[..., 0] - RAMP * 255).max() <= 1


def test_a_face_of_many_bits_is_as_bright_as_in_the_whole_photo():
    """A box is scaled as its photo, not by its own largest number."""
    dark = cut_faces(DEEP["float TIFF of large numbers"](), [(0, 1, 0, 0.25)], 16, MOST).faces[0]
    assert dark.max() <= 64


def test_numbers_that_are_none_are_black():
    values = RAMP.astype("<f4")
    values[0, :3] = np.nan, np.inf, -np.inf
    face = cut_faces(tiff(values, 32, 3), [WHOLE], 64, MOST).faces[0]
    assert face[0, :3].max() == 0 and face[-1, -1].min() == 255


def test_of_a_document_the_first_page(photo):
    pages = [photo, Image.new("RGB", (10, 10), "black")]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert np.array_equal(cut_faces(data, [WHOLE], 40, MOST).faces[0], expected(photo))


def test_of_a_heif_file_the_main_picture(photo):
    """As phones store bursts; none of them need be the first."""
    others = [Image.new("RGB", photo.size, "black"), photo]
    options = {"save_all": True, "append_images": others[1:], "primary_index": 1, "quality": 95}
    data = encode(others[0], "HEIF", **options)
    assert difference(cut_faces(data, [WHOLE], 40, MOST).faces[0], expected(photo)) < 3


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


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "HEIF"]
)
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
        (b"\x00\x01\x02" * 400, "not an image: begins with 00 01 02 00"),
        (b"GIF89a", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image: PostScript"),
        (b"PK\x03\x04\x14\x00", "not an image: a ZIP file"),
        (b"\x00\x00\x00\x18ftypmp42", "not an image: a video"),
        ("Bücher\n\x1b[31m".encode(), r"not an image: begins with 42 c3"),
        ("Bücher\nund so weiter".encode(), r"not an image: text that begins with 'Bücher\\nund s'"),
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


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "AVIF", "HEIF"])
def test_what_is_told_of_the_size_is_believed_before_decoding(photo, kind):
    """A few bytes that tell of 4,000 x 4,000 pixels."""
    side = 4_000
    if kind == "PPM":
        data = f"P6 {side} {side} 255\n".encode() + bytes(100)
    elif kind == "TIFF":
        tags = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: side}
        fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        data = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + fields + bytes(4)
    else:
        data = encode(photo, kind)
        at = data.index(b"ispe") + 8
        data = data[:at] + struct.pack(">II", side, side) + data[at + 8 :]
    with pytest.raises(ImageError, match=rf"^too many pixels: {side} x {side}"):
        cut_faces(data, [WHOLE], 40, MOST)
    # Where the limit lets it pass, it is known for what it is; AVIF are enlarged to what is told.
    if kind != "AVIF":
        with pytest.raises(ImageError, match=r"^(truncated|damaged) image"):
            cut_faces(data, [WHOLE], 40, 10**8)


KINDS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "LZW", "PPM", "AVIF", "HEIF"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tries", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_bytes_are_an_image_or_refused(photo, kind, tries):
    """Bytes changed, left out, doubled, at random places, most of them near the head."""
    small = photo.resize((48, 36))
    lzw = {"compression": "tiff_lzw"} if kind == "LZW" else {}
    whole = encode(small, "TIFF" if lzw else kind, **lzw)
    rng = np.random.default_rng(0)
    for _ in range(tries):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            at = int(len(data) * rng.random() ** 3)
            how, number = rng.integers(4), int(rng.integers(1, 9))
            if how < 2:
                data[at : at + 1] = rng.bytes(1)
            elif how == 2:
                del data[at : at + number]
            else:
                data[at:at] = data[at : at + number]
        try:
            cut = cut_faces(bytes(data), [WHOLE, (0.2, 0.6, 0.1, 0.9)], 8, 100_000)
            assert cut.faces.shape == (2, 8, 8, 3)
        except ImageError as error:
            assert len(str(error).splitlines()) == 1
