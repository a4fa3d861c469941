"""The folds that action units press into the skin, and those that age has left."""

import cv2
import numpy as np

from facesort.demo.skin import (
    EYE,
    EYE_X,
    NOSE,
    SIDES,
    Skin,
)


def wrinkles(skin: Skin) -> None:
    """Draw every fold: forehead, between the brows, nose, eyes, cheeks, mouth and chin."""
    person, units = skin.person, skin.units
    old = person.skin_age**1.5
    more = 0.75 + 0.5 * person.skin_age  # the same muscle folds an old skin deeper
    raised = (units(1) + units(2)) / 2
    lift = 0.06 * raised
    for row, s in enumerate((0.49, 0.58, 0.67)):
        for side, sign in SIDES:
            depth = more * (0.5 * units[2][side] + 0.35 * units(1)) * (0.9 - 0.15 * row) + 0.3 * old
            skin.stroke(
                [sign * 0.04, sign * 0.25, sign * 0.48],
                [s + lift, s + 0.025 + lift, s + lift - 0.02],
                depth,
            )
        centre = more * units(1) * (0.85 - 0.15 * row) + 0.25 * old - 0.3 * units(2)
        skin.stroke([-0.2, 0, 0.2], [s + lift - 0.03, s + lift + 0.005, s + lift - 0.03], centre)
    frown, wrinkle = units(4), units(9)
    for side, sign in SIDES:
        depth = more * (0.95 * units[4][side] + 0.35 * units[9][side]) + 0.25 * old
        skin.stroke([sign * 0.045, sign * 0.055, sign * 0.08], [0.17, 0.28, 0.42], depth)
        skin.bump(sign * 0.11, 0.29, 0.055, 0.07, 0.03 * units[4][side])
        # Nose: folds across its root and down its sides.
        skin.stroke(
            [sign * 0.07, sign * 0.12, sign * 0.17], [0.08, 0.02, -0.06], more * units[9][side]
        )
        skin.stroke(
            [sign * 0.08, sign * 0.13, sign * 0.17],
            [0.0, -0.05, -0.12],
            0.9 * more * units[9][side],
        )
        # Under the eye and beside it.
        eye = sign * EYE_X * person.eye_gap
        low = EYE - 0.13 + 0.02 * units[6][side]
        skin.stroke(
            [eye - sign * 0.17, eye, eye + sign * 0.17],
            [low + 0.03, low - 0.025, low + 0.02],
            0.12
            + 0.35 * old
            + more * (0.55 * units[6][side] + 0.35 * units[9][side] + 0.25 * units[7][side]),
        )
        for rise in (-0.07, 0.0, 0.07):
            skin.stroke(
                [eye + sign * 0.2, eye + sign * 0.26, eye + sign * 0.32],
                [EYE + 0.3 * rise, EYE + 0.7 * rise, EYE + 1.3 * rise],
                0.3 * old + 0.75 * more * units[6][side],
            )
        # Nasolabial furrow: from the nostril's wing round the mouth's corner.
        corner_x, corner_s = skin.corner(side)
        smile, sneer = units[12][side], units[9][side]
        depth = (
            0.1
            + 0.5 * old
            + more
            * (
                0.75 * smile
                + 0.65 * sneer
                + 0.2 * units[6][side]
                + 0.3 * units[20][side]
                + 0.25 * units[15][side]
            )
        )
        skin.stroke(
            [
                sign * (0.165 + 0.02 * sneer),
                sign * (0.26 + 0.05 * smile),
                corner_x + sign * (0.1 + 0.02 * smile),
            ],
            [
                NOSE - 0.01 + 0.06 * sneer,
                NOSE - 0.12 + 0.03 * smile,
                corner_s + 0.03 - 0.06 * (1 - smile),
            ],
            depth,
            broad=True,
        )
        # Mouth corners: dimple, downward fold, stretch.
        dimple = units[14][side]
        skin.stroke(
            [corner_x + sign * 0.035, corner_x + sign * 0.065, corner_x + sign * 0.05],
            [corner_s + 0.075, corner_s, corner_s - 0.075],
            more * dimple + 0.3 * smile,
            broad=True,
        )
        skin.bump(corner_x + sign * 0.04, corner_s, 0.045, 0.05, -0.045 * dimple)
        skin.bump(corner_x + sign * 0.13, corner_s, 0.06, 0.09, 0.03 * dimple)
        down = units[15][side]
        skin.stroke(
            [corner_x, corner_x + sign * 0.04, corner_x + sign * 0.05],
            [corner_s, corner_s - 0.08, corner_s - 0.18],
            0.2 * old + more * (0.8 * down + 0.5 * units[20][side]),
            broad=True,
        )
        skin.bump(corner_x + sign * 0.02, corner_s - 0.1, 0.06, 0.06, 0.03 * down)
    skin.stroke([-0.09, 0, 0.09], [0.135, 0.12, 0.135], more * (0.9 * wrinkle + 0.3 * frown))
    skin.stroke([-0.08, 0, 0.08], [0.075, 0.06, 0.075], more * 0.8 * wrinkle)
    skin.stroke([-0.16, 0, 0.16], [-0.73, -0.7, -0.73], 0.2 + 0.6 * units(17))
    fine = cv2.GaussianBlur(skin.fine, None, 1.15).astype(np.float32) / 255
    broad = cv2.GaussianBlur(skin.broad, None, 2.4).astype(np.float32) / 255
    skin.relief -= 0.015 * fine + 0.034 * broad
    skin.shade *= (1 - 0.42 * fine) * (1 - 0.5 * broad)
