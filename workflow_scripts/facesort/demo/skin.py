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
from facesort.demo.person import Person, Scene, linear

ROWS, COLUMNS = 305, 257
_across = np.linspace(-1, 1, COLUMNS)
X: Final = (0.86 * _across + 0.64 * _across**3).astype(np.float32)
_down = np.linspace(1.05, -1.05, ROWS)
S: Final = (0.87 * _down + 0.3 * _down**3 + 0.03 * _down**2 - 0.03).astype(np.float32)
PIXELS: Final = COLUMNS / 2 / 0.86  # texels for one unit in the middle of the face

_COLUMN, _ROW = np.arange(COLUMNS), np.arange(ROWS)
# A parabola through three points, at fourteen steps, and how strong a stroke is at each.
_STEP = np.linspace(0, 1, 14)
_CURVE = np.stack(
    [(1 - _STEP) * (1 - 2 * _STEP), 4 * _STEP * (1 - _STEP), _STEP * (2 * _STEP - 1)], 1
)
# The cubic through a brow's four points, from its inner to its outer end.
_BROW_FIT = np.linalg.inv(np.vander([0, 0.38, 0.7, 1], increasing=True))
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
    """Relief (units, outwards) and colour (linear light) of one face, painted step by step."""

    def __init__(
        self, person: Person, units: Units, scene: Scene, rng: np.random.Generator
    ) -> None:
        self.person, self.units, self.scene = person, units, scene
        self.relief = np.zeros((ROWS, COLUMNS), np.float32)
        self.albedo = np.empty((ROWS, COLUMNS, 3), np.float32)
        self.gloss = np.full((ROWS, COLUMNS), 0.055, np.float32)
        self.shade = np.ones((ROWS, COLUMNS), np.float32)
        self.flat = np.zeros((ROWS, COLUMNS), np.float32)  # 1: lit as if it faced the viewer
        # Wrinkles by width: depth 0 to 255.
        self.fine = np.zeros((ROWS, COLUMNS), np.uint8)
        self.broad = np.zeros((ROWS, COLUMNS), np.uint8)
        self._complexion(rng)
        self._bones()
        self._cheeks_and_chin()
        self._nose()
        self._wrinkles()
        if person.beard:
            self._beard(rng)
        self._brows(rng)
        for side, sign in SIDES:
            self._eye(side, sign)
        self._mouth()

    # --- tools ---------------------------------------------------------------------------------

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
        at, shape = self.blob(x, s, rx, rs)
        self.relief[at] += height * shape

    def tint(
        self, x: float, s: float, rx: float, rs: float, colour: np.ndarray, much: float
    ) -> None:
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

    # --- parts ---------------------------------------------------------------------------------

    def _complexion(self, rng: np.random.Generator) -> None:
        person = self.person
        self.albedo[:] = person.skin
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
        uneven = 1 + patches * 0.03 + speckle * (0.006 + 0.016 * person.age)
        self.relief += speckle * (0.0001 + 0.0004 * person.age**2)
        if person.freckles:
            dots = np.clip(
                cv2.GaussianBlur((rng.random((ROWS, COLUMNS)) < 0.03).astype(np.float32), None, 0.9)
                * 4,
                0,
                1,
            )
            at, shape = self.blob(0, -0.1, 0.55, 0.22)
            uneven[at] *= 1 - 0.35 * shape * dots[at]
        self.albedo *= uneven[..., None]
        red = person.skin * np.array([1.08, 0.72, 0.7], np.float32)
        for sign in (-1, 1):
            self.tint(sign * 0.42, -0.2, 0.2, 0.17, red, 0.45 + 0.3 * self.units(12))
            self.tint(
                sign * 0.3,
                EYE - 0.02,
                0.2,
                0.14,
                person.skin * np.array([0.8, 0.66, 0.66], np.float32),
                0.4,
            )
        self.tint(0, NOSE, 0.13, 0.11, red, 0.5)
        self.tint(0, -0.9, 0.2, 0.1, red, 0.25)

    def _bones(self) -> None:
        person, units = self.person, self.units
        for side, sign in SIDES:
            eye = sign * EYE_X * person.eye_gap
            self.bump(eye, EYE + 0.04, 0.19, 0.14, -0.085)  # socket
            self.bump(eye, EYE, 0.13, 0.1, 0.055)  # eyeball
            drop = 0.05 * units[4][side] - 0.05 * units[2][side]
            self.bump(sign * 0.3, 0.29 - drop, 0.25, 0.085, 0.045 + 0.025 * person.masculine)
            self.bump(sign * 0.6, 0.25, 0.13, 0.25, -0.035)  # temple
        self.bump(0, 0.55, 0.5, 0.25, 0.03)

    def _cheeks_and_chin(self) -> None:
        person, units = self.person, self.units
        for side, sign in SIDES:
            raised, smile = units[6][side], units[12][side]
            self.bump(
                sign * (0.44 + 0.02 * smile), -0.2 + 0.09 * raised + 0.04 * smile, 0.19, 0.15,
                0.045 * person.cheeks + 0.05 * raised + 0.045 * smile,
            )  # fmt: skip
            self.bump(
                sign * 0.5, -0.5, 0.16, 0.2, -0.03 - 0.02 * person.age + 0.05 * (person.cheeks - 1)
            )
            self.bump(sign * 0.4, -0.72, 0.15, 0.14, 0.03 * person.age)  # jowl
        push = units(17)
        self.bump(0, -0.88 + 0.04 * push, 0.17, 0.13, 0.06 + 0.03 * push)
        self.bump(0, -0.71, 0.2, 0.055, -0.035 - 0.02 * push)
        for x, s in (
            (-0.09, -0.84),
            (0.02, -0.8),
            (0.1, -0.86),
            (-0.03, -0.9),
            (0.06, -0.92),
            (-0.1, -0.93),
        ):
            self.bump(x, s + 0.04 * push, 0.03, 0.028, -0.022 * push)  # pebbled chin

    def _nose(self) -> None:
        person, units = self.person, self.units
        wide, tall = 1.08 * person.nose_width, 1.1 * person.nose_height
        lift = 0.045 * units(9)
        tip = NOSE - 0.06 * (person.nose_length - 1) + 0.4 * lift
        at = self.window(-0.45, 0.45, -0.5, 0.4)
        s, x = S[at[0]][:, None], X[at[1]][None]
        along = np.clip((0.16 - s) / (0.16 - tip), 0, 1)
        ridge = (
            (0.035 + 0.19 * along**1.3) * smooth(0.24, 0.1, s) * smooth(tip - 0.13, tip + 0.0, s)
        )
        across = np.exp(-((x / ((0.075 + 0.045 * along) * wide)) ** 2))
        self.relief[at] += tall * ridge * across
        self.bump(0, tip, 0.1 * wide, 0.085, 0.085 * tall)
        for side, sign in SIDES:
            up = 0.05 * units[9][side]
            ala = sign * (0.125 * wide + 0.02 * units[9][side] + 0.012 * units[12][side])
            self.bump(ala, tip - 0.045 + up, 0.055, 0.055, 0.085)
            nostril = self.person.skin * np.array([0.2, 0.13, 0.12], np.float32)
            self.tint(
                sign * 0.065 * wide, tip - 0.085 + 0.6 * up, 0.034 * wide, 0.02, nostril, 0.95
            )
            self.stroke(
                [ala, ala + sign * 0.055, ala + sign * 0.045], [tip + 0.02 + up, tip - 0.04 + up, tip - 0.09 + up],
                0.35 + 0.25 * units[9][side],
            )  # fmt: skip
            self.shade_blob(sign * 0.08, tip - 0.1, 0.09, 0.035, 0.25)
        self.bump(0, -0.39, 0.03, 0.06, -0.018)  # philtrum

    def shade_blob(self, x: float, s: float, rx: float, rs: float, much: float) -> None:
        at, shape = self.blob(x, s, rx, rs)
        self.shade[at] *= 1 - much * shape

    def _wrinkles(self) -> None:
        person, units = self.person, self.units
        old = person.age**1.5
        more = 0.75 + 0.5 * person.age  # the same muscle folds an old skin deeper
        raised = (units(1) + units(2)) / 2
        lift = 0.06 * raised
        for row, s in enumerate((0.49, 0.58, 0.67)):
            for side, sign in SIDES:
                depth = (
                    more * (0.5 * units[2][side] + 0.35 * units(1)) * (0.9 - 0.15 * row) + 0.3 * old
                )
                self.stroke(
                    [sign * 0.04, sign * 0.25, sign * 0.48],
                    [s + lift, s + 0.025 + lift, s + lift - 0.02],
                    depth,
                )
            centre = more * units(1) * (0.85 - 0.15 * row) + 0.25 * old - 0.3 * units(2)
            self.stroke(
                [-0.2, 0, 0.2], [s + lift - 0.03, s + lift + 0.005, s + lift - 0.03], centre
            )
        frown, wrinkle = units(4), units(9)
        for side, sign in SIDES:
            depth = more * (0.95 * units[4][side] + 0.35 * units[9][side]) + 0.25 * old
            self.stroke([sign * 0.045, sign * 0.055, sign * 0.08], [0.17, 0.28, 0.42], depth)
            self.bump(sign * 0.11, 0.29, 0.055, 0.07, 0.03 * units[4][side])
            # Nose: folds across its root and down its sides.
            self.stroke(
                [sign * 0.07, sign * 0.12, sign * 0.17], [0.08, 0.02, -0.06], more * units[9][side]
            )
            self.stroke(
                [sign * 0.08, sign * 0.13, sign * 0.17],
                [0.0, -0.05, -0.12],
                0.9 * more * units[9][side],
            )
            # Under the eye and beside it.
            eye = sign * EYE_X * person.eye_gap
            low = EYE - 0.13 + 0.02 * units[6][side]
            self.stroke(
                [eye - sign * 0.17, eye, eye + sign * 0.17], [low + 0.03, low - 0.025, low + 0.02],
                0.12 + 0.35 * old + more * (0.55 * units[6][side] + 0.35 * units[9][side] + 0.25 * units[7][side]),
            )  # fmt: skip
            for rise in (-0.07, 0.0, 0.07):
                self.stroke(
                    [eye + sign * 0.2, eye + sign * 0.26, eye + sign * 0.32], [EYE + 0.3 * rise, EYE + 0.7 * rise, EYE + 1.3 * rise],
                    0.3 * old + 0.75 * more * units[6][side],
                )  # fmt: skip
            # Nasolabial furrow: from the nostril's wing round the mouth's corner.
            corner_x, corner_s = self.corner(side)
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
            self.stroke(
                [sign * (0.165 + 0.02 * sneer), sign * (0.26 + 0.05 * smile), corner_x + sign * (0.1 + 0.02 * smile)],
                [NOSE - 0.01 + 0.06 * sneer, NOSE - 0.12 + 0.03 * smile, corner_s + 0.03 - 0.06 * (1 - smile)],
                depth, broad=True,
            )  # fmt: skip
            # Mouth corners: dimple, downward fold, stretch.
            dimple = units[14][side]
            self.stroke(
                [corner_x + sign * 0.035, corner_x + sign * 0.065, corner_x + sign * 0.05],
                [corner_s + 0.075, corner_s, corner_s - 0.075],
                more * dimple + 0.3 * smile,
                broad=True,
            )
            self.bump(corner_x + sign * 0.04, corner_s, 0.045, 0.05, -0.045 * dimple)
            self.bump(corner_x + sign * 0.13, corner_s, 0.06, 0.09, 0.03 * dimple)
            down = units[15][side]
            self.stroke(
                [corner_x, corner_x + sign * 0.04, corner_x + sign * 0.05],
                [corner_s, corner_s - 0.08, corner_s - 0.18],
                0.2 * old + more * (0.8 * down + 0.5 * units[20][side]),
                broad=True,
            )
            self.bump(corner_x + sign * 0.02, corner_s - 0.1, 0.06, 0.06, 0.03 * down)
        self.stroke([-0.09, 0, 0.09], [0.135, 0.12, 0.135], more * (0.9 * wrinkle + 0.3 * frown))
        self.stroke([-0.08, 0, 0.08], [0.075, 0.06, 0.075], more * 0.8 * wrinkle)
        self.stroke([-0.16, 0, 0.16], [-0.73, -0.7, -0.73], 0.2 + 0.6 * units(17))
        fine = cv2.GaussianBlur(self.fine, None, 1.15).astype(np.float32) / 255
        broad = cv2.GaussianBlur(self.broad, None, 2.4).astype(np.float32) / 255
        self.relief -= 0.015 * fine + 0.034 * broad
        self.shade *= (1 - 0.42 * fine) * (1 - 0.5 * broad)

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

    def _brows(self, rng: np.random.Generator) -> None:
        person, units = self.person, self.units
        colour = person.brow_colour * 0.75
        for side, sign in SIDES:
            inner, outer, frown, sneer = (units[code][side] for code in (1, 2, 4, 9))
            drop = frown * (1 - 0.85 * inner)  # with AU1 the brows draw together without sinking
            x_in = 0.125 - 0.045 * frown
            x_out = 0.55
            rise = person.brow_height
            heights = np.array([
                rise + 0.005 + 0.13 * inner - 0.12 * drop - 0.075 * sneer,
                rise + 0.022 * person.brow_arch + 0.06 * inner + 0.08 * outer - 0.085 * drop - 0.05 * sneer,
                rise + 0.03 * person.brow_arch + 0.005 * inner + 0.125 * outer - 0.05 * frown - 0.02 * sneer,
                rise - 0.04 + 0.1 * outer - 0.03 * frown - 0.03 * inner,
            ])  # fmt: skip
            at = self.window(*sorted((sign * 0.03, sign * 0.64)), 0.05, 0.66)
            x, s = np.abs(X[at[1]]), S[at[0]][:, None]
            t = (x - x_in) / (x_out - x_in)
            curve = _BROW_FIT @ heights
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
            self.blend(at, mask.astype(np.float32) * 0.92, colour)
            self.relief[at] += 0.012 * mask
            self.gloss[at] *= 1 - 0.7 * mask

    def _eye(self, side: int, sign: float) -> None:
        person, units, scene = self.person, self.units, self.scene
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
        at = self.window(middle - 0.3, middle + 0.3, EYE - 0.25, EYE + 0.3)
        x, s = X[at[1]][None], S[at[0]][:, None]
        t = sign * (x - middle) / half  # -1 at the nose, 1 at the temple
        inside = np.clip(1 - t**2, 0, 1)
        sad = 0.035 * units[1][side] * min(1.0, 0.35 + units[4][side])
        axis = EYE + person.eye_tilt * t - sad * 0.5 * t
        top = axis + upper * inside**0.55 * (1 - 0.1 * t) - 0.022 * person.age * np.clip(t, 0, 1)
        bottom = axis - lower * inside**0.65 * (1 + 0.12 * t)
        edge = 0.009
        opening = smooth(-edge, edge, top - s) * smooth(-edge, edge, s - bottom) * (inside > 0)

        # The lid's own skin, its crease and the lashes.
        crease = top + 0.05 * size * (0.55 + 0.45 * inside**0.5) - 0.045 * wide * inside
        crease_mask = np.exp(-(((s - crease) / 0.014) ** 2)) * smooth(1.25, 0.85, np.abs(t))
        self.shade[at] *= 1 - (0.3 + 0.18 * wide) * crease_mask
        self.relief[at] -= 0.012 * crease_mask
        pouch = np.exp(-(((s - bottom + 0.035) / 0.024) ** 2)) * smooth(1.1, 0.7, np.abs(t))
        self.relief[at] += (0.008 + 0.014 * tight + 0.016 * cheek + 0.01 * person.age) * pouch

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
        colour = (
            colour * (1 + 0.8 * smooth(0.02, -0.07, s - gaze_s) * (1 - 0 * distance))[..., None]
        )
        ball += smooth(iris + 0.008, iris - 0.006, distance)[..., None] * (colour - ball)
        ball *= 1 - 0.97 * smooth(pupil + 0.006, pupil - 0.006, distance)[..., None]
        ball *= (1 - 0.62 * np.exp(-(((top - s).clip(0, None) / 0.034) ** 2)))[
            ..., None
        ]  # lid's shadow
        glint = np.hypot(x - gaze_x - 0.03 * np.sign(scene.light[0]), s - gaze_s - 0.032)
        ball += 0.95 * smooth(0.024, 0.01, glint)[..., None]
        self.blend(at, opening, ball)
        self.flat[at] = np.maximum(self.flat[at], opening)
        self.gloss[at] *= 1 - opening
        self.shade[at] = self.shade[at] * (1 - opening) + opening

        lash = person.brow_colour * 0.12
        weight = 0.0125 + 0.008 * (1 - person.masculine) * (1 - 0.5 * person.age)
        line = (
            np.exp(-(((s - top) / weight) ** 2))
            * smooth(1.06, 0.8, np.abs(t))
            * (0.6 + 0.4 * smooth(-0.8, 0.3, t))
        )
        self.blend(at, (0.93 * line).astype(np.float32), lash)
        rim = np.exp(-(((s - bottom) / 0.0085) ** 2)) * smooth(1.04, 0.8, np.abs(t))
        self.blend(
            at,
            (0.55 * rim).astype(np.float32),
            person.skin * np.array([0.5, 0.3, 0.28], np.float32),
        )
        self.tint(
            middle - sign * half * 0.97,
            float(EYE - person.eye_tilt),
            0.018,
            0.014,
            linear("#d98a80") * person.skin.max() ** 0.3,
            0.7,
        )

    def _mouth(self) -> None:
        person, units = self.person, self.units
        (left, left_s), (right, right_s) = self.corner(0), self.corner(1)
        jaw, part, tight, push = units(26), units(25), units(23), units(17)
        smile = units(12)
        base = MOUTH + person.mouth_height + 0.012 * smile + 0.03 * push + 0.012 * jaw
        up = 0.022 * part + 0.035 * jaw + 0.045 * units(9) + 0.02 * smile * part
        low = 0.055 * part + 0.12 * jaw + 0.075 * units(16) + 0.05 * smile * part
        low *= 1 - 0.5 * push
        gap = part + jaw + 0.55 * units(16) - 0.6 * push - 0.35 * tight
        opened = float(smooth(0.1, 0.42, np.array(gap)))
        up, low = up * opened, low * opened

        at = self.window(left - 0.2, right + 0.2, base - 0.5, base + 0.35)
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
            * (
                1
                - 0.2 * np.exp(-((t / 0.1) ** 2))
                + 0.1 * np.exp(-(((np.abs(t) - 0.22) / 0.14) ** 2))
            )
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
        self.relief[at] += 0.035 * mound
        for inner, outer, height in ((top_in, top_out, 0.026), (low_in, low_out, 0.036)):
            centre, half = (inner + outer) / 2, np.maximum(np.abs(inner - outer) / 2, 0.012)
            roll = np.clip(1 - ((s - centre) / (half * 1.15)) ** 2, 0, 1)
            self.relief[at] += (
                height * roll * np.minimum(half / 0.03, 1.2) * (1 - 0.4 * tight) * inside**0.5
            )
        tension = tight * np.exp(-((np.maximum(s - top_out, low_out - s) / 0.045) ** 2)) * inside
        self.relief[at] += 0.02 * tension
        under = np.exp(-(((s - low_out + 0.04) / 0.035) ** 2)) * inside
        self.shade[at] *= 1 - (0.16 + 0.12 * push) * under

        soft = 0.011
        lips = smooth(-soft, soft, top_out - s) * smooth(-soft, soft, s - low_out) * (inside > 0)
        self.blend(
            at,
            (0.92 * lips).astype(np.float32),
            person.lips * (1 - 0.14 * smooth(-0.01, 0.01, s - line))[..., None],
        )
        self.gloss[at] += lips * (0.11 + 0.16 * person.lipstick)
        self.relief[at] += 0.002 * lips * np.sin(x * 190)

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
        cavity += (above * show)[..., None] * (
            enamel * (gaps * (1 - 0.35 * t**2))[..., None] - cavity
        )
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
        self.blend(at, hole.astype(np.float32), cavity)
        self.flat[at] = np.maximum(self.flat[at], 0.85 * hole)
        self.gloss[at] *= 1 - hole
        self.relief[at] -= 0.05 * hole

        seam = (
            np.exp(-(((s - line) / (0.0095 + 0.004 * tight)) ** 2))
            * (1 - opened)
            * smooth(1.02, 0.9, np.abs(t))
        )
        self.blend(
            at,
            (0.82 * seam).astype(np.float32),
            person.skin * np.array([0.16, 0.07, 0.07], np.float32),
        )
        self.relief[at] -= 0.014 * seam
        for x_end, s_end in ((left, left_s), (right, right_s)):
            self.shade_blob(x_end, s_end, 0.032, 0.026, 0.5)

    def _beard(self, rng: np.random.Generator) -> None:
        person = self.person
        x, s = np.abs(X)[None], S[:, None]
        line = np.interp(
            np.abs(X), [0, 0.28, 0.4, 0.55, 0.68, 0.8], [-0.66, -0.64, -0.5, -0.42, -0.2, 0.1]
        )[None]
        jaw = smooth(-0.02, 0.07, line - s)
        lip = np.exp(-(((s + 0.415 - 0.35 * (x - 0.1) ** 2 * -1) / 0.05) ** 2)) * smooth(
            0.36, 0.27, x
        )
        side = np.exp(-(((x - 0.33) / 0.055) ** 2)) * smooth(-0.4, -0.45, s)
        mask = np.clip(
            lip * 1.15 if person.moustache_only else np.maximum(jaw, np.maximum(lip, side)), 0, 1
        )
        grain = rng.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32)
        strands = cv2.GaussianBlur(grain, None, sigmaX=0.6, sigmaY=2.2) * 2.2
        full = person.beard == 1
        cover = np.clip(
            mask * (0.95 if full else 0.42) * (1 + (0.1 if full else 0.25) * strands), 0, 1
        )
        self.blend(
            (slice(None), slice(None)),
            cover.astype(np.float32),
            person.brow_colour * (1 + 0.25 * strands[..., None]).clip(0.3, 2) * 0.9,
        )
        if full:
            self.relief += (mask * (0.05 + 0.012 * strands)).astype(np.float32)
        self.gloss *= 1 - 0.7 * mask
