"""The head's front, painted: relief and colour of the skin as action units shape them.

Skin coordinates: x goes across the face (0 is the middle, the viewer's right is positive), s from
the under-chin (-1.3) over chin (-1), mouth (-0.5), nose tip (-0.2), eyes (0.06) and brows (0.3) to
the crown (1.3). The unit is half a face's height. Columns and rows are denser where the features
are.
"""

from typing import Final

import cv2
import numpy as np

from facesort.demo.action_units import CODES
from facesort.demo.person import Person, Scene

ROWS, COLUMNS = 305, 257
_across = np.linspace(-1, 1, COLUMNS)
X: Final = (0.86 * _across + 0.64 * _across**3).astype(np.float32)
_down = np.linspace(1.05, -1.05, ROWS)
S: Final = (0.87 * _down + 0.3 * _down**3 + 0.03 * _down**2 - 0.03).astype(np.float32)

_COLUMN, _ROW = np.arange(COLUMNS), np.arange(ROWS)
# A parabola through three points, at fourteen steps, and how strong a stroke is at each.
_STEP = np.linspace(0, 1, 14)
_CURVE = np.stack(
    [(1 - _STEP) * (1 - 2 * _STEP), 4 * _STEP * (1 - _STEP), _STEP * (2 * _STEP - 1)], 1
)
_FADE = [float(v) for v in np.sin(np.pi * (0.08 + 0.84 * _STEP)) ** 0.8]

EYE_X, EYE, BROW, NOSE, MOUTH = 0.325, 0.06, 0.31, -0.22, -0.53
SIDES: Final = ((0, -1.0), (1, 1.0))


def smooth(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """Smoothstep: 0 below ``low``, 1 above ``high`` (or the other way round), smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


class Units:
    """Action units by code: ``units[12][1]`` is AU12 on the viewer's right, ``units(12)`` both."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __getitem__(self, code: int) -> np.ndarray:
        row: np.ndarray = self.values[CODES.index(code)]
        return row

    def __call__(self, code: int) -> float:
        return float(self[code].mean())


class Skin:
    """One face in skin coordinates, painted step by step by the modules beside this one.

    Attributes:
        relief: float32 (305, 257), outwards from the skull, units.
        albedo: float32 (305, 257, 3), linear light.
        gloss: float32 (305, 257), strength of the highlight.
        shade: float32 (305, 257), what darkens every light: creases.
        flat: float32 (305, 257), 1 where eyes and teeth carry their own shading.
        fine, broad: uint8 (305, 257), depth of narrow and wide folds, 0 to 255.
    """

    def __init__(self, person: Person, units: Units, scene: Scene) -> None:
        self.person, self.units, self.scene = person, units, scene
        self.relief = np.zeros((ROWS, COLUMNS), np.float32)
        self.albedo = np.empty((ROWS, COLUMNS, 3), np.float32)
        self.gloss = np.full((ROWS, COLUMNS), 0.055, np.float32)
        self.shade = np.ones((ROWS, COLUMNS), np.float32)
        self.flat = np.zeros((ROWS, COLUMNS), np.float32)
        self.fine = np.zeros((ROWS, COLUMNS), np.uint8)
        self.broad = np.zeros((ROWS, COLUMNS), np.uint8)

    @staticmethod
    def window(x0: float, x1: float, s0: float, s1: float) -> tuple[slice, slice]:
        """Rows and columns of a rectangle."""
        rows = np.searchsorted(-S, [-s1, -s0])
        columns = np.searchsorted(X, [x0, x1])
        return slice(int(rows[0]), int(rows[1]) + 1), slice(int(columns[0]), int(columns[1]) + 1)

    @staticmethod
    def blob(x: float, s: float, rx: float, rs: float) -> tuple[tuple[slice, slice], np.ndarray]:
        """A Gaussian of height 1, and the window that holds it."""
        at = Skin.window(x - 2.7 * rx, x + 2.7 * rx, s - 2.7 * rs, s + 2.7 * rs)
        down, across = np.exp(-(((S[at[0]] - s) / rs) ** 2)), np.exp(-(((X[at[1]] - x) / rx) ** 2))
        return at, np.maximum(np.outer(down, across) - 0.0007, 0)

    def bump(self, x: float, s: float, rx: float, rs: float, height: float) -> None:
        """Raise the relief by a Gaussian; a negative height is a hollow."""
        at, shape = self.blob(x, s, rx, rs)
        self.relief[at] += height * shape

    def tint(
        self, x: float, s: float, rx: float, rs: float, colour: np.ndarray, much: float
    ) -> None:
        """Colour a Gaussian spot."""
        at, shape = self.blob(x, s, rx, rs)
        self.blend(at, shape * much, colour)

    def blend(self, at: tuple[slice, slice], mask: np.ndarray, colour: np.ndarray) -> None:
        """Paint a colour, (3,) or (h, w, 3), over a window as far as the mask says."""
        self.albedo[at] += mask[..., None] * (colour - self.albedo[at])

    def stroke(self, x: list[float], s: list[float], depth: float, broad: bool = False) -> None:
        """Draw a wrinkle through three points, fading to both ends; depth 0 to 1."""
        if depth < 0.03:
            return
        columns = np.interp(_CURVE @ x, X, _COLUMN)
        rows = np.interp(-(_CURVE @ s), -S, _ROW)
        points = np.round(np.stack([columns, rows], 1) * 16).astype(np.int32)
        canvas = self.broad if broad else self.fine
        for start, end, fade in zip(points, points[1:], _FADE, strict=False):
            cv2.line(canvas, start, end, float(fade * min(depth, 1) * 255), 2, cv2.LINE_AA, 4)

    def darken(self, x: float, s: float, rx: float, rs: float, much: float) -> None:
        """Darken a Gaussian spot, whatever the light."""
        at, shape = self.blob(x, s, rx, rs)
        self.shade[at] *= 1 - much * shape

    def corner(self, side: int) -> tuple[float, float]:
        """Where a corner of the mouth lies (x, s)."""
        person, units = self.person, self.units
        smile, down, stretch = units[12][side], units[15][side], units[20][side]
        x = 0.29 * person.mouth_width + 0.085 * smile + 0.085 * stretch + 0.01 * down
        x += 0.02 * units[14][side] - 0.045 * units[23][side] - 0.035 * units(26)
        s = (
            MOUTH
            + person.mouth_height
            + 0.125 * smile
            - 0.1 * down
            - 0.03 * stretch
            + 0.03 * units[14][side]
        )
        return (-x if side == 0 else x), s
