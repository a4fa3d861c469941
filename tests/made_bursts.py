"""Bursts of rendered people, whose best shot is known: in every other something went wrong."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image

from facesort.demo.face import background, develop, render_face
from facesort.demo.person import Scene

# What may go wrong in a shot, by how far: plainly, or so that one may argue.
FAULTS = {
    "eyes closed": {"plain": 1.0, "slight": 0.5},  # of the lids' way
    "looks away": {"plain": 30.0, "slight": 15.0},  # degrees
    "glances aside": {"plain": 1.5, "slight": 0.75},  # of a wide glance
    "blurred": {"plain": 0.03, "slight": 0.012},  # of a face's width, everywhere
}
WIDTH, HEIGHT = 640, 480


@dataclass
class Shot:
    """A photo of a burst: uint8 (H, W, 3), what went wrong ("" in the best), and in whose face."""

    picture: np.ndarray
    fault: str
    person: int


def burst(rng, people, shots, degree="plain"):
    """Shots of some people who hardly move, the camera in a hand. One, anywhere, is the best.

    Args:
        people: how many, side by side.
        degree: of the faults, a key of their dict.
    """
    seeds = rng.integers(2**32, size=people)
    place, best = background(rng, WIDTH + 40, HEIGHT + 40), int(rng.integers(shots))
    moods = rng.choice(["happy", "neutral", "surprise", "sad"], people)
    scenes = [Scene(np.random.default_rng([seed, 1])) for seed in seeds]
    for scene in scenes:
        # Who is photographed in a series looks at the camera, all in one light.
        scene.yaw, scene.pitch, scene.roll = rng.normal(0, 0.07, 3)
        scene.gaze, scene.blur, scene.noise = np.zeros(2), 0.0, min(scene.noise, 0.01)
        scene.light, scene.key = scenes[0].light, scenes[0].key
        scene.sky, scene.ground = scenes[0].sky, scenes[0].ground
    scale = min(100.0, 0.42 * WIDTH / people)
    for number in range(shots):
        fault, person = "", int(rng.integers(people))
        if number != best:
            fault = str(rng.choice(list(FAULTS)))
        far = FAULTS[fault][degree] if fault else 0.0
        pan = rng.integers(0, 16, 2)
        picture = place[pan[1] : pan[1] + HEIGHT, pan[0] : pan[0] + WIDTH]
        for at, (seed, scene, mood) in enumerate(zip(seeds, scenes, moods, strict=True)):
            now = Scene(np.random.default_rng([seed, 1]))
            now.__dict__.update(vars(scene))
            now.yaw, now.pitch, now.roll = (
                angle + move
                for angle, move in zip(
                    (scene.yaw, scene.pitch, scene.roll), rng.normal(0, 0.03, 3), strict=True
                )
            )
            now.gaze = rng.normal(0, 0.06, 2)
            if fault == "glances aside" and at == person:
                now.gaze[0] += far * rng.choice([-1, 1])
            now.shut = np.full(2, far) * (fault == "eyes closed" and at == person)
            if fault == "looks away" and at == person:
                now.yaw += np.radians(far) * rng.choice([-1, 1])
            x = (at + 0.5) * WIDTH / people - pan[0] / 2 + rng.normal(0, 2)
            y = HEIGHT * 0.45 - pan[1] / 2 + rng.normal(0, 2)
            # Their looks vary a little, as looks do.
            picture, _, _ = render_face(
                np.random.default_rng(seed), mood, float(rng.uniform(0.5, 0.7)),
                picture=picture, centre=(x, y), scale=scale, scene=now,
            )  # fmt: skip
        if fault == "blurred":
            picture = cv2.GaussianBlur(picture, None, far * 1.8 * scale)
        yield Shot(develop(rng, picture, scenes[0]), fault, person)


def as_jpeg(picture, taken=None, **exif):
    """The bytes of a JPEG, with the time at which it was taken, and further tags of EXIF's part."""
    image, out = Image.fromarray(picture), io.BytesIO()
    about = image.getexif()
    part = about.get_ifd(ExifTags.IFD.Exif)
    if taken:
        when, _, fraction = taken.partition(".")
        part[ExifTags.Base.DateTimeOriginal] = when
        part[ExifTags.Base.SubsecTimeOriginal] = fraction
    for name, value in exif.items():
        part[ExifTags.Base[name]] = value
    image.save(out, "JPEG", quality=92, exif=about)
    return out.getvalue()
