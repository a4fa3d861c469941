"""What lies under and on the skin: complexion, bones, cheeks, chin, nose and beard."""

import cv2
import numpy as np

from facesort.demo.skin import (
    COLUMNS,
    EYE,
    EYE_X,
    NOSE,
    ROWS,
    SIDES,
    S,
    Skin,
    X,
    smooth,
)


def complexion(skin: Skin, rng: np.random.Generator) -> None:
    """Colour the whole skin: patches, pores, freckles, blood under cheeks, eyes and nose."""
    person = skin.person
    skin.albedo[:] = person.skin
    patches = cv2.resize(
        rng.normal(0, 1, (12, 10)).astype(np.float32),
        (COLUMNS, ROWS),
        interpolation=cv2.INTER_CUBIC,
    )
    speckle = cv2.resize(
        rng.normal(0, 1, (150, 128)).astype(np.float32),
        (COLUMNS, ROWS),
        interpolation=cv2.INTER_CUBIC,
    )
    uneven = 1 + patches * 0.03 + speckle * (0.006 + 0.016 * person.skin_age)
    skin.relief += speckle * (0.0001 + 0.0004 * person.skin_age**2)
    if person.freckles:
        dots = np.clip(
            cv2.GaussianBlur((rng.random((ROWS, COLUMNS)) < 0.03).astype(np.float32), None, 0.9)
            * 4,
            0,
            1,
        )
        at, shape = skin.blob(0, -0.1, 0.55, 0.22)
        uneven[at] *= 1 - 0.35 * shape * dots[at]
    skin.albedo *= uneven[..., None]
    red = person.skin * np.array([1.08, 0.72, 0.7], np.float32)
    for sign in (-1, 1):
        skin.tint(sign * 0.42, -0.2, 0.2, 0.17, red, 0.45 + 0.3 * skin.units(12))
        skin.tint(
            sign * 0.3,
            EYE - 0.02,
            0.2,
            0.14,
            person.skin * np.array([0.8, 0.66, 0.66], np.float32),
            0.4,
        )
    skin.tint(0, NOSE, 0.13, 0.11, red, 0.5)
    skin.tint(0, -0.9, 0.2, 0.1, red, 0.25)


def bones(skin: Skin) -> None:
    """Raise sockets, eyeballs, brow ridge and temples."""
    person, units = skin.person, skin.units
    for side, sign in SIDES:
        eye = sign * EYE_X * person.eye_gap
        skin.bump(eye, EYE + 0.04, 0.19, 0.14, -0.085)  # socket
        skin.bump(eye, EYE, 0.13, 0.1, 0.055)  # eyeball
        drop = 0.05 * units[4][side] - 0.05 * units[2][side]
        skin.bump(sign * 0.3, 0.29 - drop, 0.25, 0.085, 0.045 + 0.025 * person.masculine)
        skin.bump(sign * 0.6, 0.25, 0.13, 0.25, -0.035)  # temple
    skin.bump(0, 0.55, 0.5, 0.25, 0.03)


def cheeks_and_chin(skin: Skin) -> None:
    """Raise cheeks (AU6, AU12), jowls and chin (AU17)."""
    person, units = skin.person, skin.units
    for side, sign in SIDES:
        raised, smile = units[6][side], units[12][side]
        skin.bump(
            sign * (0.44 + 0.02 * smile),
            -0.2 + 0.09 * raised + 0.04 * smile,
            0.19,
            0.15,
            0.045 * person.cheeks + 0.05 * raised + 0.045 * smile,
        )
        skin.bump(
            sign * 0.5, -0.5, 0.16, 0.2, -0.03 - 0.02 * person.skin_age + 0.05 * (person.cheeks - 1)
        )
        skin.bump(sign * 0.4, -0.72, 0.15, 0.14, 0.03 * person.skin_age)  # jowl
    push = units(17)
    skin.bump(0, -0.88 + 0.04 * push, 0.17, 0.13, 0.06 + 0.03 * push)
    skin.bump(0, -0.71, 0.2, 0.055, -0.035 - 0.02 * push)
    for x, s in (
        (-0.09, -0.84),
        (0.02, -0.8),
        (0.1, -0.86),
        (-0.03, -0.9),
        (0.06, -0.92),
        (-0.1, -0.93),
    ):
        skin.bump(x, s + 0.04 * push, 0.03, 0.028, -0.022 * push)  # pebbled chin


def nose(skin: Skin) -> None:
    """Raise the nose; AU9 draws its wings up and wide."""
    person, units = skin.person, skin.units
    wide, tall = 1.08 * person.nose_width, 1.1 * person.nose_height
    lift = 0.045 * units(9)
    tip = NOSE - 0.06 * (person.nose_length - 1) + 0.4 * lift
    at = skin.window(-0.45, 0.45, -0.5, 0.4)
    s, x = S[at[0]][:, None], X[at[1]][None]
    along = np.clip((0.16 - s) / (0.16 - tip), 0, 1)
    ridge = (0.035 + 0.19 * along**1.3) * smooth(0.24, 0.1, s) * smooth(tip - 0.13, tip + 0.0, s)
    across = np.exp(-((x / ((0.075 + 0.045 * along) * wide)) ** 2))
    skin.relief[at] += tall * ridge * across
    skin.bump(0, tip, 0.1 * wide, 0.085, 0.085 * tall)
    for side, sign in SIDES:
        up = 0.05 * units[9][side]
        ala = sign * (0.125 * wide + 0.02 * units[9][side] + 0.012 * units[12][side])
        skin.bump(ala, tip - 0.045 + up, 0.055, 0.055, 0.085)
        nostril = skin.person.skin * np.array([0.2, 0.13, 0.12], np.float32)
        skin.tint(sign * 0.065 * wide, tip - 0.085 + 0.6 * up, 0.034 * wide, 0.02, nostril, 0.95)
        skin.stroke(
            [ala, ala + sign * 0.055, ala + sign * 0.045],
            [tip + 0.02 + up, tip - 0.04 + up, tip - 0.09 + up],
            0.35 + 0.25 * units[9][side],
        )
        skin.darken(sign * 0.08, tip - 0.1, 0.09, 0.035, 0.25)
    skin.bump(0, -0.39, 0.03, 0.06, -0.018)  # philtrum


def beard(skin: Skin, rng: np.random.Generator) -> None:
    """Grow stubble, beard or moustache."""
    person = skin.person
    x, s = np.abs(X)[None], S[:, None]
    line = np.interp(
        np.abs(X), [0, 0.28, 0.4, 0.55, 0.68, 0.8], [-0.66, -0.64, -0.5, -0.42, -0.2, 0.1]
    )[None]
    soft = 1.0 if person.beard == 1 else 2.5  # stubble has no edge
    jaw = smooth(-0.02 * soft, 0.07 * soft, line - s)
    lip = np.exp(-(((s + 0.415 - 0.35 * (x - 0.1) ** 2 * -1) / 0.05) ** 2)) * smooth(0.36, 0.27, x)
    side = np.exp(-(((x - 0.33) / 0.055) ** 2)) * smooth(-0.4, -0.45, s)
    mask = np.clip(
        lip * 1.15 if person.moustache_only else np.maximum(jaw, np.maximum(lip, side)), 0, 1
    )
    grain = rng.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    strands = cv2.GaussianBlur(grain, None, sigmaX=0.6, sigmaY=2.2) * 2.2
    full = person.beard == 1
    cover = np.clip(mask * (0.95 if full else 0.42) * (1 + (0.1 if full else 0.25) * strands), 0, 1)
    skin.blend(
        (slice(None), slice(None)),
        cover.astype(np.float32),
        person.brow_colour * (1 + 0.25 * strands[..., None]).clip(0.3, 2) * 0.9,
    )
    if full:
        skin.relief += (mask * (0.05 + 0.012 * strands)).astype(np.float32)
    skin.gloss *= 1 - 0.7 * mask
