"""One person in front of a background: where action units, identity and camera come together."""

from dataclasses import dataclass

import cv2
import numpy as np

from facesort.demo.action_units import draw_action_units, draw_intensity
from facesort.demo.eyes import brows, eye
from facesort.demo.flesh import beard, bones, cheeks_and_chin, complexion, nose
from facesort.demo.hair import buzz_shadow, hair
from facesort.demo.head import Skull, ears, face_surface
from facesort.demo.mesh import draw, rotation
from facesort.demo.mouth import mouth
from facesort.demo.outfit import body, glasses
from facesort.demo.person import Person, Scene, linear
from facesort.demo.skin import SIDES, S, Skin, Units, X
from facesort.demo.wrinkles import wrinkles

DISTANCE = 7.5
BOX_MARGIN = 0.05


@dataclass
class Face:
    """A rendered face and what is known of it.

    Attributes:
        box: (left, right, top, bottom) in pixels of the picture, forehead to chin with a margin.
        emotion, intensity: what was asked for, 0 to 1.
        units: float32 (16, 2), the action units drawn; see :mod:`facesort.demo.action_units`.
    """

    box: tuple[float, float, float, float]
    emotion: str
    intensity: float
    units: np.ndarray


def render_face(
    rng: np.random.Generator,
    emotion: str,
    intensity: float | None = None,
    *,
    picture: np.ndarray | None = None,
    centre: tuple[float, float] = (100.0, 105.0),
    scale: float = 92.0,
    scene: Scene | None = None,
    person: Person | None = None,
    oversample: float = 1.6,
    units: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, Face]:
    """Draw one person showing an emotion, over a picture.

    The generator gives identity, scene and chance variation of the muscles, whatever the emotion
    and intensity: the same seed shows the same person in the same light with another expression.

    Args:
        rng: the only source of chance.
        emotion: one of :data:`facesort.common.emotions.EMOTIONS`.
        intensity: 0 to 1; drawn if None.
        picture: float32 (h, w, 3) in linear light to draw over; a new 200 x 200 background if None.
        centre: the pixel (x, y) between the eyes' and the mouth's height, the head's origin.
        scale: pixels for half a face's height.
        scene: light, pose and camera; drawn if None.
        person: who it is; drawn if None. If given, a beard uses up none of the chance of other
            parts: persons who differ in one thing alone are drawn alike in all else.
        oversample: samples for a pixel and direction.
        units: float32 (16, 2), the action units, whatever the emotion; drawn if None.

    Returns:
        (picture float32 (h, w, 3) in linear light, alpha float32 (h, w) of the person, the face).
    """
    seeds = rng.spawn(5)
    known = person is not None
    person = person or Person(seeds[0])
    scene = scene or Scene(seeds[1])
    drawn = draw_intensity(seeds[2], emotion)
    intensity = drawn if intensity is None else intensity
    if units is None:
        units = draw_action_units(seeds[3], emotion, intensity)
    rng = seeds[4]
    if picture is None:
        picture = background(rng, 200, 200)

    skin = _paint(Skin(person, Units(units), scene), rng, rng.spawn(1)[0] if known else rng)
    skull = Skull(person, skin.units(26))
    turn = rotation(scene.yaw, scene.pitch, scene.roll)
    buzz_shadow(person, skin.albedo, X, skull)
    face, points = face_surface(skin, skull, turn, scene)
    surfaces = [face, *ears(person, skull, turn, scene), *body(person, turn, scene, rng)]
    surfaces += hair(person, skull, turn, scene, rng)
    if person.glasses:
        surfaces += glasses(person, skull, turn, scene)

    box = _box(points, picture.shape, centre, scale)
    height, width = picture.shape[:2]
    left, right = (
        max(0, int(centre[0] - 1.75 * scale)),
        min(width, int(centre[0] + 1.75 * scale) + 1),
    )
    top, bottom = max(0, int(centre[1] - 1.8 * scale)), min(height, int(centre[1] + 4 * scale) + 1)
    fine = (round((right - left) * oversample), round((bottom - top) * oversample))
    colour, alpha, depth = draw(
        surfaces,
        fine,
        ((centre[0] - left) * oversample, (centre[1] - top) * oversample),
        scale * oversample,
        DISTANCE,
    )
    colour *= (alpha * _occlusion(depth, alpha, scale * oversample))[..., None]
    size = (right - left, bottom - top)
    colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    out = picture.copy()
    part = out[top:bottom, left:right]
    part *= (1 - alpha)[..., None]
    part += colour * scene.exposure
    whole = np.zeros((height, width), np.float32)
    whole[top:bottom, left:right] = alpha
    return out, whole, Face(box, emotion, float(intensity), units)


def _paint(skin: Skin, rng: np.random.Generator, for_beard: np.random.Generator) -> Skin:
    complexion(skin, rng)
    bones(skin)
    cheeks_and_chin(skin)
    nose(skin)
    wrinkles(skin)
    if skin.person.beard:
        beard(skin, for_beard)
    brows(skin, rng)
    for side, sign in SIDES:
        eye(skin, side, sign)
    mouth(skin)
    return skin


def _occlusion(depth: np.ndarray, alpha: np.ndarray, scale: float) -> np.ndarray:
    """Darken what lies just behind something nearer: hair over skin, chin over neck."""
    shrink = max(1, round(scale / 30))
    size = (max(1, depth.shape[1] // shrink), max(1, depth.shape[0] // shrink))
    near = cv2.resize(np.where(alpha > 0, depth, DISTANCE + 1), size, interpolation=cv2.INTER_AREA)
    around = cv2.resize(
        cv2.GaussianBlur(near, None, 3.0), depth.shape[::-1], interpolation=cv2.INTER_LINEAR
    )
    return np.clip(1 - 0.75 * np.clip(depth - around - 0.02, 0, 0.5), 0.6, 1)


def _box(
    points: np.ndarray, shape: tuple[int, ...], centre: tuple[float, float], scale: float
) -> tuple[float, float, float, float]:
    rows = np.flatnonzero((S > -1.06) & (S < 0.72))
    columns = np.flatnonzero(np.abs(X) < 0.95)
    part = points[rows[0] : rows[-1] : 6, columns[0] : columns[-1] : 6]
    near = DISTANCE / (DISTANCE - part[..., 2])
    x = centre[0] + part[..., 0] * near * scale
    y = centre[1] - part[..., 1] * near * scale
    margin = BOX_MARGIN * (y.max() - y.min())
    height, width = shape[:2]
    return (
        float(max(0.0, x.min() - margin)), float(min(width, x.max() + margin)),
        float(max(0.0, y.min() - margin)), float(min(height, y.max() + margin)),
    )  # fmt: skip


def background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A blurred place: wall, room, greenery, street or lights; float32 (h, w, 3), linear light."""
    w, h = max(80, width // 4), max(80, height // 4)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    y, x = y / h, x / w
    kind = str(rng.choice(["wall", "room", "green", "street", "lights"]))
    grey, hue, colourful = rng.uniform(0.15, 0.85), rng.random(), rng.uniform(0.02, 0.3)
    upper = _colour(hue, colourful, grey)
    lower = _colour(hue + rng.normal(0, 0.08), colourful, grey * rng.uniform(0.5, 0.95))
    if kind == "green":
        upper, lower = (
            _colour(0.3, 0.25, rng.uniform(0.5, 0.95)),
            _colour(0.27, 0.5, rng.uniform(0.2, 0.45)),
        )
    if kind == "street":
        upper, lower = (
            _colour(0.58, 0.2, rng.uniform(0.7, 0.95)),
            _colour(0.1, 0.06, rng.uniform(0.25, 0.5)),
        )
    if kind == "lights":
        upper, lower = _colour(hue, 0.5, 0.12), _colour(hue, 0.5, 0.22)
    tilt = np.clip(y * rng.uniform(0.7, 1.2) + (x - 0.5) * rng.normal(0, 0.4), 0, 1)[..., None]
    out = (upper * (1 - tilt) + lower * tilt).astype(np.float32)
    if kind == "wall":
        spot = np.exp(-((x - rng.uniform(0.2, 0.8)) ** 2 + (y - rng.uniform(0.1, 0.6)) ** 2) / 0.25)
        out *= (0.65 + 0.6 * spot)[..., None]
    else:
        around = {"room": hue, "green": 0.27, "street": rng.choice([0.08, 0.6]), "lights": 0.1}[
            kind
        ]
        for _ in range(int(rng.integers(10, 30))):
            bright = rng.uniform(0.5, 1.0) if kind == "lights" else rng.uniform(0.15, 0.85)
            colour = _colour(around + rng.normal(0, 0.09), rng.uniform(0.05, 0.5), bright).tolist()
            cx, cy, size = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0.04, 0.2) * w
            patch = out.copy()
            if kind in ("room", "street"):
                corner = (int(cx + size * 1.5), int(cy + size * rng.uniform(1, 5)))
                cv2.rectangle(patch, (int(cx), int(cy)), corner, colour, -1)
            else:
                cv2.circle(
                    patch, (int(cx), int(cy)), max(2, int(size * 0.5)), colour, -1, cv2.LINE_AA
                )
            out += np.float32(rng.uniform(0.2, 0.8)) * (patch - out)
        soft = rng.uniform(0.9, 2.5) if kind == "lights" else rng.uniform(1.5, 5.0)
        out = cv2.GaussianBlur(out, None, float(soft) * w / 160)
    return np.maximum(cv2.resize(out, (width, height), interpolation=cv2.INTER_LINEAR), 0)


def _colour(hue: float, saturation: float, value: float) -> np.ndarray:
    """Linear light of a hue (a turn is 1), saturation and value."""
    wheel = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return linear(value * (1 - saturation + saturation * wheel))


def develop(rng: np.random.Generator, picture: np.ndarray, scene: Scene) -> np.ndarray:
    """Take the photo: blur, tone curve, sensor noise.

    Args:
        picture: float32 (h, w, 3), linear light.

    Returns:
        uint8 (h, w, 3), sRGB.
    """
    if scene.blur > 0.35:
        picture = cv2.GaussianBlur(picture, None, scene.blur * picture.shape[0] / 480)
    tone = np.maximum(picture, 0)
    tone = tone * (1 + tone / 3.2) / (1 + tone)  # highlights roll off instead of clipping
    tone = np.clip(tone * 1.45, 0, 1) ** np.float32(1 / 2.2)
    if scene.noise > 0.004:
        tone = tone + rng.standard_normal(tone.shape, np.float32) * np.float32(scene.noise)
    return np.clip(tone * 255 + 0.5, 0, 255).astype(np.uint8)
