"""Lips, teeth and what shows between them."""

import numpy as np

from facesort.demo.person import linear
from facesort.demo.skin import MOUTH, S, Skin, X, smooth


def mouth(skin: Skin) -> None:
    """Draw lips between the corners, parted by AU25, AU26 and AU16, and what lies behind."""
    person, units = skin.person, skin.units
    (left, left_s), (right, right_s) = skin.corner(0), skin.corner(1)
    jaw, part, tight, push = units(26), units(25), units(23), units(17)
    smile = units(12)
    base = MOUTH + person.mouth_height + 0.012 * smile + 0.03 * push + 0.012 * jaw
    up = 0.022 * part + 0.035 * jaw + 0.045 * units(9) + 0.02 * smile * part
    low = 0.055 * part + 0.12 * jaw + 0.075 * units(16) + 0.05 * smile * part
    low *= 1 - 0.5 * push
    gap = part + jaw + 0.55 * units(16) - 0.6 * push - 0.35 * tight
    opened = float(smooth(0.1, 0.42, np.array(gap)))
    up, low = up * opened, low * opened

    at = skin.window(left - 0.2, right + 0.2, base - 0.5, base + 0.35)
    x, s = X[at[1]], S[at[0]][:, None]
    middle = 0.35 * (left + right) / 2
    t = np.where(x < middle, (x - middle) / (middle - left), (x - middle) / (right - middle))
    inside = np.clip(1 - t**2, 0, 1)
    ends = np.where(x < middle, left_s, right_s)
    line = base + (ends - base) * np.abs(t).clip(0, 1) ** 1.9
    line = (
        line
        + 0.012 * np.exp(-((t / 0.16) ** 2)) * -1
        + 0.008 * np.exp(-(((np.abs(t) - 0.35) / 0.2) ** 2))
    )
    thin = (1 - 0.6 * tight) * (1 - 0.2 * smile) * person.lip_fullness * (1 - 0.25 * person.age)
    upper_lip = (
        0.068
        * thin
        * inside**0.75
        * (1 - 0.2 * np.exp(-((t / 0.1) ** 2)) + 0.1 * np.exp(-(((np.abs(t) - 0.22) / 0.14) ** 2)))
    )
    upper_lip = upper_lip * (1 - 0.25 * units(9) - 0.15 * units(20))
    lower_lip = (
        0.088
        * thin
        * inside ** (0.8 - 0.35 * jaw)
        * (1 - 0.3 * jaw)
        * (1 - 0.2 * units(20) + 0.3 * push + 0.2 * units(16))
    )
    top_in, low_in = (
        line + up * inside ** (0.7 - 0.2 * jaw),
        line - low * inside ** (0.5 - 0.16 * jaw),
    )
    top_out, low_out = top_in + upper_lip, low_in - lower_lip

    # Relief: the mouth's mound, both lips, the line between, the cavity.
    mound = smooth(0.16, 0.0, np.maximum(s - top_out, low_out - s)) * inside
    skin.relief[at] += 0.035 * mound
    for inner, outer, height in ((top_in, top_out, 0.026), (low_in, low_out, 0.036)):
        centre, half = (inner + outer) / 2, np.maximum(np.abs(inner - outer) / 2, 0.012)
        roll = np.clip(1 - ((s - centre) / (half * 1.15)) ** 2, 0, 1)
        skin.relief[at] += (
            height * roll * np.minimum(half / 0.03, 1.2) * (1 - 0.4 * tight) * inside**0.5
        )
    tension = tight * np.exp(-((np.maximum(s - top_out, low_out - s) / 0.045) ** 2)) * inside
    skin.relief[at] += 0.02 * tension
    under = np.exp(-(((s - low_out + 0.04) / 0.035) ** 2)) * inside
    skin.shade[at] *= 1 - (0.16 + 0.12 * push) * under

    soft = 0.011
    lips = smooth(-soft, soft, top_out - s) * smooth(-soft, soft, s - low_out) * (inside > 0)
    skin.blend(
        at,
        (0.92 * lips).astype(np.float32),
        person.lips * (1 - 0.14 * smooth(-0.01, 0.01, s - line))[..., None],
    )
    skin.gloss[at] += lips * (0.11 + 0.16 * person.lipstick)
    skin.relief[at] += 0.002 * lips * np.sin(x * 190)

    hole = (
        smooth(-0.006, 0.006, top_in - s)
        * smooth(-0.006, 0.006, s - low_in)
        * (inside > 0)
        * opened
    )
    depth = (top_in - low_in).clip(1e-3, None)
    cavity = np.empty((*hole.shape, 3), np.float32)
    cavity[:] = linear("#3a1114")
    tongue = (
        smooth(0.02, -0.05, s - (low_in + 0.38 * depth))
        * smooth(1.0, 0.5, np.abs(t))
        * smooth(0.1, 0.2, depth)
    )
    cavity += tongue[..., None] * (linear("#a8504c") - cavity)
    enamel = linear("#f1ebdf") * (1 - 0.12 * person.age)
    gaps = 1 - 0.2 * np.exp(-((((np.abs(x) / 0.062 + 0.5) % 1 - 0.5) / 0.1) ** 2))
    row = 0.098 + 0.015 * smile
    bend = 0.025 * t**2
    above = smooth(
        -0.008, 0.008, s - (line + up * 0.6 + 0.02 - row * (0.6 + 0.4 * smile) + bend)
    ) * smooth(1.0, 0.8, np.abs(t))
    show = 1 - 0.3 * jaw * (1 - smile)
    cavity += (above * show)[..., None] * (enamel * (gaps * (1 - 0.35 * t**2))[..., None] - cavity)
    bared = float(
        np.clip(1.3 * units(16) + 0.9 * units(20) + 0.25 * smile * jaw - 0.2 * push, 0, 1)
    )
    below = (
        smooth(-0.008, 0.008, low_in + 0.06 * (0.4 + 0.6 * bared) - bend - s)
        * smooth(0.95, 0.7, np.abs(t))
        * bared
    )
    cavity += below[..., None] * (0.86 * enamel * gaps[..., None] - cavity)
    cavity *= (1 - 0.55 * np.exp(-(((top_in - s).clip(0, None) / 0.022) ** 2)))[..., None]
    cavity *= (1 - 0.4 * np.exp(-(((s - low_in).clip(0, None) / 0.018) ** 2)))[..., None]
    skin.blend(at, hole.astype(np.float32), cavity)
    skin.flat[at] = np.maximum(skin.flat[at], 0.85 * hole)
    skin.gloss[at] *= 1 - hole
    skin.relief[at] -= 0.05 * hole

    seam = (
        np.exp(-(((s - line) / (0.0095 + 0.004 * tight)) ** 2))
        * (1 - opened)
        * smooth(1.02, 0.9, np.abs(t))
    )
    skin.blend(
        at, (0.82 * seam).astype(np.float32), person.skin * np.array([0.16, 0.07, 0.07], np.float32)
    )
    skin.relief[at] -= 0.014 * seam
    for x_end, s_end in ((left, left_s), (right, right_s)):
        skin.darken(x_end, s_end, 0.032, 0.026, 0.5)
