"""The head in three dimensions: skull and ears around the painted skin.

A skull is a stack of rounded horizontal sections, one for each row of the skin; each is given
by its height, half-width, front and back. Its origin lies between the ears.
"""

from functools import lru_cache

import cv2
import numpy as np

from facesort.demo.mesh import Surface, light, normals
from facesort.demo.person import Person, Scene
from facesort.demo.skin import COLUMNS, MOUTH, ROWS, S, Skin, X, smooth

SUBSURFACE = (0.42, 0.24, 0.18)  # light creeps furthest round skin in red
_TOP, _MIDDLE, _TALL = 0.55, 0.22, 0.98


@lru_cache(maxsize=1)
def _rest() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Height, half-width, front and back of an average skull at every row of the skin."""
    s = S.astype(np.float64)
    angle = np.arcsin((_TOP - _MIDDLE) / _TALL)
    turn = angle + (s - _TOP) / (S.max() - _TOP) * (np.pi / 2 - 0.01 - angle)
    y = np.where(s > _TOP, _MIDDLE + _TALL * np.sin(turn), s)
    y = np.where(s < -1, -1 + 0.35 * np.sin((s + 1) * 3) * np.exp((s + 1) * 2), y)

    def profile(knots: list[float], values: list[float]) -> np.ndarray:
        fine = np.linspace(-1.4, 1.4, 561)
        curve = cv2.GaussianBlur(
            np.interp(fine, knots, values)[None],
            None,
            sigmaX=14,
            sigmaY=0.1,
            borderType=cv2.BORDER_REPLICATE,
        )[0]
        return np.interp(s, fine, curve)

    dome = np.sqrt(np.clip(1 - ((y - _MIDDLE) / _TALL) ** 2, 1e-5, 1))
    crown = smooth(0.15, 0.6, y)
    wide = profile(
        [-1.4, -1.25, -1.08, -0.95, -0.8, -0.6, -0.35, 0.0, 0.25, 1.4],
        [0.06, 0.26, 0.42, 0.5, 0.59, 0.68, 0.755, 0.79, 0.8, 0.8],
    )
    front = profile(
        [-1.4, -1.25, -1.05, -0.92, -0.7, -0.5, -0.2, 0.06, 0.3, 0.6, 1.4],
        [0.1, 0.3, 0.57, 0.66, 0.65, 0.68, 0.68, 0.66, 0.71, 0.7, 0.7],
    )
    back = profile([-1.4, -1.0, -0.5, 0.0, 1.4], [-0.05, -0.2, -0.55, -0.9, -1.0])
    wide = wide * (1 - crown) + 0.81 * dome * crown
    front = front * (1 - crown) + (0.76 * dome - 0.02) * crown
    back = back * (1 - crown) + (-0.98 * dome - 0.02) * crown
    return y, wide, front, back


class Skull:
    """The rows' profile for one person, and points on the surface."""

    def __init__(self, person: Person, jaw_drop: float) -> None:
        y, wide, front, back = (column.copy() for column in _rest())
        low = smooth(0.0, -0.85, S)
        wide = wide * person.face_width * (1 + (person.jaw - 1) * low)
        y = y - (person.chin - 1) * 0.9 * smooth(-0.5, -1.0, S)
        # The jaw's drop opens the mouth itself; what lies below moves as one.
        y = y - 0.2 * jaw_drop * smooth(MOUTH + 0.02, MOUTH - 0.2, S)
        front = front - 0.05 * jaw_drop * low
        self.y, self.wide, self.front, self.back = (
            v.astype(np.float32) for v in (y, wide, front, back)
        )

    def points(
        self, x: np.ndarray, rows: np.ndarray | slice, out: np.ndarray | float
    ) -> np.ndarray:
        """Points for skin coordinate x (h, w) or (1, w) at some rows, moved outwards.

        Returns:
            float32 (h, w, 3).
        """
        wide, front, back, y = (
            v[rows][:, None] for v in (self.wide, self.front, self.back, self.y)
        )
        angle = np.clip(x / np.maximum(wide, 0.42), -2.5, 2.5)
        return section(angle, wide, front, back, y, out)


def section(
    angle: np.ndarray,
    wide: np.ndarray,
    front: np.ndarray,
    back: np.ndarray,
    y: np.ndarray,
    out: np.ndarray | float,
) -> np.ndarray:
    """Points at an angle (radians, 0 is the front) of rounded sections, moved out by ``out``."""
    sine, cosine = np.sin(angle), np.cos(angle)
    middle = -0.12
    blunt = np.where(cosine > 0, np.float32(2.25), np.float32(2.0))
    along = np.sign(cosine) * np.maximum(1 - np.abs(sine) ** blunt, 0) ** (1 / blunt)
    reach = np.where(cosine > 0, front - middle, middle - back)
    points = np.empty((*np.broadcast_shapes(angle.shape, wide.shape), 3), np.float32)
    points[..., 0] = wide * sine + out * sine
    points[..., 1] = y
    points[..., 2] = middle + reach * along + out * np.clip(cosine, -1, 1)
    return points


def face_surface(
    skin: Skin, skull: Skull, turn: np.ndarray, scene: Scene
) -> tuple[Surface, np.ndarray]:
    """Light the painted skin on the skull.

    Returns:
        (the surface, a float32 (rows, columns, 3) array of all its points, turned).
    """
    points = skull.points(X[None], slice(None), skin.relief) @ turn.T
    normal = normals(points)
    # Eyes and teeth carry their own shading: turn their normals to where the whole face looks.
    flat = skin.flat[..., None]
    normal += flat * (
        0.5 * (turn @ np.array([0, 0, 1], np.float32))
        + 0.5 * np.array([0, 0, 1], np.float32)
        - normal
    )
    # Occlusion: what lies lower than its surroundings sees less of the sky.
    small = cv2.resize(skin.relief, (COLUMNS // 4, ROWS // 4), interpolation=cv2.INTER_AREA)
    around = cv2.resize(
        cv2.GaussianBlur(small, None, 3.2), (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR
    )
    occlusion = np.clip(1 - 3.2 * (around - skin.relief), 0.5, 1.12) * (1 - skin.flat) + skin.flat
    lit = light(
        skin.albedo, normal, scene, gloss=skin.gloss, shininess=14.0, wrap=SUBSURFACE,
        shade=skin.shade * occlusion, shadow=_cast_shadow(skin, turn, scene),
    )  # fmt: skip
    return Surface(points[::4, ::4], lit), points


def _cast_shadow(skin: Skin, turn: np.ndarray, scene: Scene) -> np.ndarray:
    """Soft shadows of nose, brows and lips: walk towards the light over the relief."""
    towards = turn.T @ scene.light
    step = towards[:2] / max(float(towards[2]), 0.35)
    small = cv2.resize(skin.relief, (COLUMNS // 2, ROWS // 2), interpolation=cv2.INTER_AREA)
    blocked = np.zeros_like(small)
    for reach in (0.05, 0.1, 0.15, 0.2):
        dx, dy = step * reach * 74
        shifted = cv2.warpAffine(
            small,
            np.array([[1, 0, -dx], [0, 1, dy]], np.float32),
            small.shape[::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        blocked = np.maximum(blocked, shifted - small - reach)
    soft = cv2.GaussianBlur(np.clip(blocked * 12, 0, 1), None, 1.6)
    return 1 - 0.6 * cv2.resize(soft, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)


def ears(person: Person, skull: Skull, turn: np.ndarray, scene: Scene) -> list[Surface]:
    """Two ears: flat ellipsoids with a hollow."""
    up, round_ = np.meshgrid(
        np.linspace(1.5, -1.5, 12), np.linspace(-np.pi, np.pi, 18), indexing="ij"
    )
    out = []
    for sign in (-1.0, 1.0):
        ball = np.stack([np.cos(up) * np.sin(round_), np.sin(up), np.cos(up) * np.cos(round_)], -1)
        local = ball * [0.055, 0.2, 0.13]
        lean = sign * 0.5
        x = local[..., 0] * np.cos(lean) + local[..., 2] * np.sin(lean) * -1
        z = local[..., 0] * np.sin(lean) + local[..., 2] * np.cos(lean)
        wide = float(np.interp(0.0, S[::-1], skull.wide[::-1]))
        points = (
            np.stack([x + sign * (wide + 0.03), local[..., 1] - 0.06, z - 0.17], -1).astype(
                np.float32
            )
            @ turn.T
        )
        hollow = np.exp(
            -(((ball[..., 1] - 0.1) / 0.55) ** 2) - ((ball[..., 2] - 0.2) / 0.5) ** 2
        ) * (ball[..., 0] * sign > -0.2)
        albedo = (person.skin * np.array([1.0, 0.86, 0.84], np.float32)) * (
            1 - 0.45 * hollow[..., None]
        )
        out.append(
            Surface(
                points,
                light(
                    albedo.astype(np.float32), normals(points), scene, wrap=SUBSURFACE, shade=0.9
                ),
            )
        )
    return out
