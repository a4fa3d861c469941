"""Hair: a shell around the skull, thick inside the hairline and sunk into the head outside it."""

import cv2
import numpy as np

from facesort.demo.head import Skull, section
from facesort.demo.mesh import Surface, light, normals
from facesort.demo.person import Person, Scene
from facesort.demo.skin import S, smooth

ROWS, COLUMNS = 105, 169

# Hairline height at angles from the front (radians): forehead, temples, sideburns, behind the ear.
_ANGLES = (0.0, 0.45, 0.8, 1.05, 1.3, 1.5, 1.75, 2.2, np.pi)
_LINES = {
    "bald": (2.0, 2.0, 2.0, 2.0, 0.3, 0.1, -0.3, -0.55, -0.6),
    "buzz": (0.74, 0.72, 0.62, 0.48, 0.2, -0.1, -0.3, -0.6, -0.7),
    "short": (0.72, 0.7, 0.6, 0.45, 0.15, -0.18, -0.3, -0.62, -0.72),
    "parted": (0.7, 0.66, 0.58, 0.42, 0.12, -0.2, -0.3, -0.65, -0.75),
    "quiff": (0.74, 0.72, 0.64, 0.5, 0.2, -0.1, -0.3, -0.62, -0.72),
    "fringe": (0.43, 0.42, 0.4, 0.3, -0.1, -0.35, -0.6, -0.75, -0.8),
    "bob": (0.7, 0.6, 0.42, 0.05, -0.98, -1.0, -1.02, -1.05, -1.05),
    "long": (0.72, 0.62, 0.44, 0.05, -1.9, -1.95, -2.0, -2.0, -2.0),
    "bun": (0.7, 0.67, 0.58, 0.42, 0.12, -0.05, -0.3, -0.6, -0.65),
    "afro": (0.68, 0.66, 0.56, 0.36, -0.05, -0.3, -0.5, -0.7, -0.75),
}
_THICK = {
    "bald": 0.02, "buzz": 0.03, "short": 0.1, "parted": 0.12, "quiff": 0.1, "fringe": 0.13,
    "bob": 0.16, "long": 0.14, "bun": 0.075, "afro": 0.36,
}  # fmt: skip


def hair(
    person: Person, skull: Skull, turn: np.ndarray, scene: Scene, rng: np.random.Generator
) -> list[Surface]:
    """Build a person's hair; its grain, parting and curls are drawn from ``rng``."""
    cut = person.haircut
    angle = np.linspace(-np.pi, np.pi, COLUMNS)[None]
    hangs = cut in ("long", "bob")
    bottom = {"long": -2.1, "bob": -1.15}.get(cut, -0.9)
    crown = skull.y[2]
    t = np.linspace(0, 1, ROWS)[:, None]
    # Rows lie denser at the crown, where the skull curves.
    y = np.where(
        t < 0.45,
        0.45 + (crown - 0.45) * np.cos(t / 0.45 * np.pi / 2),
        0.45 + (bottom - 0.45) * (t - 0.45) / 0.55,
    )
    wide, front, back = (
        np.interp(y, skull.y[::-1], v[::-1]) for v in (skull.wide, skull.front, skull.back)
    )
    if hangs:
        fall = smooth(0.1, -0.4, y)
        wide = wide + fall * (0.82 + 0.12 * person.curl * smooth(0, -1.2, y) - wide)
        back = back + fall * (-0.85 - back)
        front = front + fall * (0.45 - front)

    grain = rng.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    strands = _streaks(grain, 0.55, 9.0)
    locks = _streaks(grain[::-1], 2.2, 16.0)
    if cut == "afro" or person.curl > 0.45:
        curls = cv2.GaussianBlur(grain, None, 1.6) * 4
        strands, locks = 0.4 * strands + 0.7 * curls, 0.5 * locks + curls

    line = np.interp(np.abs(angle), _ANGLES, _LINES[cut])
    if cut in ("parted", "bob", "long"):
        line = (
            line
            + 0.1 * np.exp(-(((angle - person.hair_part) / 0.28) ** 2))
            - 0.09 * np.exp(-(((angle + person.hair_part * 1.8) / 0.45) ** 2))
        )
    if cut in ("short", "quiff", "buzz") and person.age > 0.45:
        line = line + 0.16 * (person.age - 0.3) * np.exp(
            -(((np.abs(angle) - 0.42) / 0.22) ** 2)
        )  # receding
    ragged = 0.09 if cut == "fringe" else 0.04
    # The distance to the hairline, also where that runs steeply down beside the face.
    steep = np.gradient(line, angle[0, 1] - angle[0, 0], axis=1) / 0.8
    inside = (y - line) / np.sqrt(1 + steep**2) + ragged * locks * (0.4 if cut == "buzz" else 1)
    thick = _THICK[cut] * person.hair_volume * np.ones_like(angle) * np.ones_like(y)
    if cut == "quiff":
        thick = thick + 0.26 * np.exp(-((angle / 0.75) ** 2)) * np.exp(-(((y - 0.95) / 0.28) ** 2))
    if cut == "parted":
        thick = thick + 0.1 * np.exp(-(((angle + person.hair_part * 2) / 0.7) ** 2)) * smooth(
            0.5, 0.9, y
        )
    if cut in ("parted", "bob", "long"):
        thick = thick * (
            1 - 0.45 * np.exp(-(((angle - person.hair_part) / 0.09) ** 2)) * smooth(0.5, 0.8, y)
        )
    cover = smooth(0.0, 0.16 if cut == "afro" else 0.09, inside)
    out = (
        -0.14
        + (0.14 + thick) * cover
        + (0.02 + 0.02 * person.curl + (0.03 if cut == "afro" else 0)) * locks * cover
    )
    if hangs:
        out = np.where((inside < 0.02) & (y < 0.2), -0.5, out)
    if cut == "afro":
        wide = wide + 0.05
    points = section(
        angle,
        wide,
        front,
        back,
        y + np.maximum(out, 0) * smooth(0.35, 1.15, y),
        out.astype(np.float32),
    )
    if hangs:  # What hangs below the chin rests on the shoulders, whichever way the head turns.
        loose = smooth(-0.6, -1.5, y)[..., None]
        points = points @ turn.T * (1 - loose) + points * loose
    else:
        points = points @ turn.T
    points = points.astype(np.float32)
    normal = normals(points)
    albedo = person.hair * (1 + 0.32 * strands + 0.16 * locks).clip(0.35, 1.9)[..., None]
    root = 0.55 + 0.45 * smooth(0.0, 0.22, inside)
    if hangs:
        root = root * (1 - 0.45 * smooth(-0.35, -0.9, y) * smooth(1.9, 1.2, np.abs(angle)))
    # Strands shine in a band across them.
    band = np.exp(-(((normal[..., 1] - 0.45 - 0.08 * strands) / 0.2) ** 2)) * np.clip(
        normal @ scene.light + 0.35, 0, 1
    )
    shine = (0.1 + 0.5 * person.hair.mean()) * (0.25 if cut in ("afro", "buzz") else 0.8)
    albedo = albedo * (1 + 0.9 * band * 0.8)[..., None] + (0.045 * shine * band)[..., None]
    lit = light(
        albedo.astype(np.float32),
        normal,
        scene,
        gloss=0.03,
        shininess=12,
        wrap=(0.25,) * 3,
        shade=root,
    )
    surfaces = [Surface(points[::2, ::2], lit)]
    if cut == "bun":
        surfaces.append(_bun(person, turn, scene, strands))
    return surfaces


def _streaks(noise: np.ndarray, across: float, along: float) -> np.ndarray:
    smooth_noise = cv2.GaussianBlur(noise, None, sigmaX=across, sigmaY=along)
    return smooth_noise / (smooth_noise.std() + 1e-6)


def _bun(person: Person, turn: np.ndarray, scene: Scene, strands: np.ndarray) -> Surface:
    up, round_ = np.meshgrid(
        np.linspace(1.5, -1.5, 24), np.linspace(-np.pi, np.pi, 40), indexing="ij"
    )
    ball = np.stack([np.cos(up) * np.sin(round_), np.sin(up), np.cos(up) * np.cos(round_)], -1)
    grain = cv2.resize(strands, (40, 24), interpolation=cv2.INTER_AREA)
    size = 0.3 * person.hair_volume
    points = (ball * size * (1 + 0.04 * grain[..., None]) + [0, 1.3, -0.35]).astype(
        np.float32
    ) @ turn.T
    albedo = (person.hair * (1 + 0.5 * grain).clip(0.3, 2)[..., None]).astype(np.float32)
    return Surface(
        points.astype(np.float32),
        light(albedo, normals(points.astype(np.float32)), scene, gloss=0.06, wrap=(0.25,) * 3),
    )


def buzz_shadow(person: Person, albedo: np.ndarray, columns: np.ndarray, skull: Skull) -> None:
    """Darken the skin where short hair or its roots lie, in place; albedo is (rows, columns, 3)."""
    cut = "buzz" if person.haircut == "bald" else person.haircut
    if person.haircut == "bald" and person.age > 0.6:
        return
    angle = np.abs(columns[None] / np.maximum(skull.wide, 0.42)[:, None])
    line = np.interp(angle, _ANGLES, _LINES[cut])
    much = 0.35 if person.haircut == "bald" else 0.75
    mask = (much * smooth(-0.04, 0.07, S[:, None] * 0 + skull.y[:, None] - line)).astype(np.float32)
    albedo += mask[..., None] * (person.hair * 0.8 - albedo)
