"""When a photo was taken and of which burst it is, whatever its EXIF; and how sharp it is."""

import io
import struct

import cv2
import numpy as np
import pytest
from made_bursts import as_jpeg
from PIL import Image

from facesort.archive.shot import sharpness, taken

GREY = np.full((64, 64, 3), 120, np.uint8)
WHEN = 1_777_636_800_000  # 2026-05-01 12:00:00


@pytest.mark.parametrize(
    ("told", "milliseconds"),
    [
        ("2026:05:01 12:00:00", WHEN),
        ("2026:05:01 12:00:00.25", WHEN + 250),
        ("2026:05:01 12:00:00.123456", WHEN + 123),
        ("2026:05:01 12:00:00.x", WHEN),
        ("2026:05:01 12:00:00\0", WHEN),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("2026:13:01 12:00:00", None),
        ("1 May 2026", None),
        (None, None),
    ],
)
def test_the_time_is_what_the_camera_says(told, milliseconds):
    assert taken(as_jpeg(GREY, told)) == (milliseconds, "")


def apple(*entries):
    """Apple's maker note: a tag's number and its text, each."""
    text_at, directory, texts = 14 + 2 + 12 * len(entries) + 4, b"", b""
    for tag, text in entries:
        directory += struct.pack(">HHII", tag, 2, len(text) + 1, text_at + len(texts))
        texts += text.encode() + b"\0"
    head = b"Apple iOS\0\0\1MM" + struct.pack(">H", len(entries))
    return head + directory + bytes(4) + texts


BURST, LIVE = "0A1B2C3D-0000-4444-8888-0123456789AB", "FFFFFFFF-0000-4444-8888-0123456789AB"


def test_bursts_of_cameras_are_known_by_name():
    note = apple((0x0B, BURST), (0x11, LIVE))
    assert taken(as_jpeg(GREY, "2026:05:01 12:00:00", MakerNote=note)) == (WHEN, BURST)
    assert taken(as_jpeg(GREY, MakerNote=apple((0x11, LIVE)))) == (None, "")
    for form in ("GCamera:BurstID='a-1'", "<GCamera:BurstID>a-1</GCamera:BurstID>"):
        out = io.BytesIO()
        Image.fromarray(GREY).save(out, "JPEG", xmp=f"<x:xmpmeta {form}/>".encode())
        assert taken(out.getvalue()) == (None, "a-1")


@pytest.mark.parametrize("note", [b"", b"Apple iOS\0", b"Apple iOS\0\0\1MM\xff\xff" + bytes(9)])
def test_hostile_notes_say_nothing(note):
    assert taken(as_jpeg(GREY, "2026:05:01 12:00:00", MakerNote=note)) == (WHEN, "")


def test_what_is_no_image_has_no_time():
    whole = as_jpeg(GREY, "2026:05:01 12:00:00")
    for data in (b"", b"no image", whole[:20], whole[:80]):
        assert taken(data) == (None, "")


def test_a_blurred_photo_is_less_sharp_and_a_blurred_background_does_not_count():
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (60, 80, 3), np.uint8), (640, 480))
    scene = np.clip(scene + rng.normal(0, 40, scene.shape), 0, 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(scene, None, 2)
    assert sharpness(blurred) < sharpness(scene) / 5
    portrait = cv2.GaussianBlur(scene, None, 6)
    portrait[200:400, 200:400] = scene[200:400, 200:400]
    assert sharpness(portrait) > 5 * sharpness(blurred)
    assert sharpness(np.zeros((1, 3000, 3), np.uint8)) == 0
