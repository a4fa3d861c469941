"""Brows, lids and eyes."""

import cv2
import numpy as np

from facesort.demo.person import linear
from facesort.demo.skin import (
    BROW,
    EYE,
    EYE_X,
    SIDES,
    S,
    Skin,
    X,
    smooth,
)

# The cubic through a brow's four points, from its inner to its outer end.
_CURVE = np.linalg.inv(np.vander([0, 0.38, 0.7, 1], increasing=True))


def brows(skin: Skin, rng: np.random.Generator) -> None:
    """Draw both brows, raised by AU1 (inner) and AU2 (outer), lowered by AU4 and AU9."""
    person, units = skin.person, skin.units
    colour = person.brow_colour * 0.75
    for side, sign in SIDES:
        inner, outer, frown, sneer = (units[code][side] for code in (1, 2, 4, 9))
        drop = frown * (1 - 0.85 * inner)  # with AU1 the brows draw together without sinking
        x_in = 0.125 - 0.045 * frown
        x_out = 0.55
        rise = person.brow_height
        heights = np.array(
            [
                rise + 0.005 + 0.13 * inner - 0.12 * drop - 0.075 * sneer,
                rise
                + 0.022 * person.brow_arch
                + 0.06 * inner
                + 0.08 * outer
                - 0.085 * drop
                - 0.05 * sneer,
                rise
                + 0.03 * person.brow_arch
                + 0.005 * inner
                + 0.125 * outer
                - 0.05 * frown
                - 0.02 * sneer,
                rise - 0.04 + 0.1 * outer - 0.03 * frown - 0.03 * inner,
            ]
        )
        near, far = sorted((sign * 0.03, sign * 0.64))
        at = skin.window(near, far, 0.05, 0.66)
        x, s = np.abs(X[at[1]]), S[at[0]][:, None]
        t = (x - x_in) / (x_out - x_in)
        curve = _CURVE @ heights
        middle = BROW + np.polynomial.polynomial.polyval(np.clip(t, -0.1, 1.05), curve)
        thick = (
            0.046
            * person.brow_weight
            * np.clip(1.05 - 0.72 * np.clip(t, 0, 1) ** 1.6, 0.2, 1)
            * smooth(-0.07, 0.12, t)
            * smooth(1.06, 0.85, t)
        )
        off = (s - middle) / np.maximum(thick, 1e-3)
        hairs = rng.normal(0, 1, off.shape).astype(np.float32)
        hairs = cv2.warpAffine(
            cv2.GaussianBlur(hairs, None, sigmaX=0.4, sigmaY=1.3),
            np.array([[1, -sign * 0.8, 0], [0, 1, 0]], np.float32),
            hairs.shape[::-1],
            borderMode=cv2.BORDER_WRAP,
        )
        mask = smooth(1.25, 0.55, np.abs(off) + 0.22 * hairs) * (thick > 0.002)
        skin.blend(at, mask.astype(np.float32) * 0.92, colour)
        skin.relief[at] += 0.012 * mask
        skin.gloss[at] *= 1 - 0.7 * mask


def eye(skin: Skin, side: int, sign: float) -> None:
    """Draw an eye, opened by AU5, narrowed by AU7, AU6 and AU9, shut as far as the scene says."""
    person, units, scene = skin.person, skin.units, skin.scene
    size = 1.04 * person.eye_size
    half = 0.158 * size
    middle = sign * EYE_X * person.eye_gap
    wide, tight, cheek, sneer = (units[code][side] for code in (5, 7, 6, 9))
    upper = (
        0.078 * size * person.lid_height
        + 0.06 * wide
        - 0.016 * tight
        - 0.018 * sneer
        - 0.012 * cheek
    )
    upper -= 0.018 * units[4][side] * (1 - wide)
    lower = 0.066 * size + 0.012 * wide - 0.032 * tight - 0.038 * cheek - 0.024 * sneer
    at = skin.window(middle - 0.3, middle + 0.3, EYE - 0.25, EYE + 0.3)
    x, s = X[at[1]][None], S[at[0]][:, None]
    t = sign * (x - middle) / half  # -1 at the nose, 1 at the temple
    inside = np.clip(1 - t**2, 0, 1)
    sad = 0.035 * units[1][side] * min(1.0, 0.35 + units[4][side])
    axis = EYE + person.eye_tilt * t - sad * 0.5 * t
    top = axis + upper * inside**0.55 * (1 - 0.1 * t) - 0.022 * person.skin_age * np.clip(t, 0, 1)
    bottom = axis - lower * inside**0.65 * (1 + 0.12 * t)
    edge = 0.009
    crease = top + 0.05 * size * (0.55 + 0.45 * inside**0.5) - 0.045 * wide * inside
    # A shut lid (AU43, AU45) meets the other; its crease stays where it is.
    top = top - scene.shut[side] * (top - bottom + 2 * edge)
    opening = smooth(-edge, edge, top - s) * smooth(-edge, edge, s - bottom) * (inside > 0)

    # The lid's own skin, its crease and the lashes.
    crease_mask = np.exp(-(((s - crease) / 0.014) ** 2)) * smooth(1.25, 0.85, np.abs(t))
    skin.shade[at] *= 1 - (0.3 + 0.18 * wide) * crease_mask
    skin.relief[at] -= 0.012 * crease_mask
    pouch = np.exp(-(((s - bottom + 0.035) / 0.024) ** 2)) * smooth(1.1, 0.7, np.abs(t))
    skin.relief[at] += (0.008 + 0.014 * tight + 0.016 * cheek + 0.01 * person.skin_age) * pouch

    # Eyeball: a ball of its own shading, whatever the relief around it does.
    gaze_x, gaze_s = (
        middle + 0.05 * scene.gaze[0] - 0.05 * scene.yaw,
        EYE + 0.03 * scene.gaze[1],
    )
    distance = np.hypot(x - gaze_x, s - gaze_s)
    iris, pupil = 0.079 * size, 0.034 * size * (1 + 0.25 * wide)
    ball = np.empty((*distance.shape, 3), np.float32)
    ball[:] = linear("#efe9e4") * (1.02 - 0.38 * np.abs(t) ** 2.2).clip(0.3, 1)[..., None]
    colour = person.eyes * (
        1.25 - 0.35 * np.cos(np.arctan2(s - gaze_s, x - gaze_x) * 14)[..., None] * 0.25
    )
    colour = colour * (1.35 - 0.75 * smooth(0.55 * iris, iris, distance))[..., None]
    colour = colour * (1 + 0.8 * smooth(0.02, -0.07, s - gaze_s) * (1 - 0 * distance))[..., None]
    ball += smooth(iris + 0.008, iris - 0.006, distance)[..., None] * (colour - ball)
    ball *= 1 - 0.97 * smooth(pupil + 0.006, pupil - 0.006, distance)[..., None]
    ball *= (1 - 0.62 * np.exp(-(((top - s).clip(0, None) / 0.034) ** 2)))[
        ..., None
    ]  # lid's shadow
    glint = np.hypot(x - gaze_x - 0.03 * np.sign(scene.light[0]), s - gaze_s - 0.032)
    ball += 0.95 * smooth(0.024, 0.01, glint)[..., None]
    skin.blend(at, opening, ball)
    skin.flat[at] = np.maximum(skin.flat[at], opening)
    skin.gloss[at] *= 1 - opening
    skin.shade[at] = skin.shade[at] * (1 - opening) + opening

    lash = person.brow_colour * 0.12
    weight = 0.0125 + 0.008 * (1 - person.masculine) * (1 - 0.5 * person.age)
    line = (
        np.exp(-(((s - top) / weight) ** 2))
        * smooth(1.06, 0.8, np.abs(t))
        * (0.6 + 0.4 * smooth(-0.8, 0.3, t))
    )
    skin.blend(at, (0.93 * line).astype(np.float32), lash)
    rim = np.exp(-(((s - bottom) / 0.0085) ** 2)) * smooth(1.04, 0.8, np.abs(t))
    skin.blend(
        at, (0.55 * rim).astype(np.float32), person.skin * np.array([0.5, 0.3, 0.28], np.float32)
    )
    skin.tint(
        middle - sign * half * 0.97,
        float(EYE - person.eye_tilt),
        0.018,
        0.014,
        linear("#d98a80") * person.skin.max() ** 0.3,
        0.7,
    )
