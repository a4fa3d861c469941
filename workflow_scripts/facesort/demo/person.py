"""Everything about a picture that has nothing to do with the expression, drawn by chance."""

from dataclasses import dataclass, field

import numpy as np

SKIN = ("#fbd8c2", "#f5c7a6", "#ebb48c", "#dda276", "#cb8d60", "#a86d46", "#7f4e31", "#5a3523")
HAIR = ("#15110f", "#2b1d16", "#4a2f1f", "#6e4526", "#9a6a35", "#c99a55", "#e2c58b", "#8f3b1c")
EYES = ("#3a2213", "#52341c", "#6b4a25", "#5f6b33", "#4a7a63", "#4679a8", "#7d9db5")
CLOTH = ("#20304f", "#7a2230", "#e9e4d8", "#2f5d50", "#d9a441", "#4d4d57", "#8fb3d1", "#b5523b",
         "#1c1c20", "#74568c", "#d88c9a", "#5c7a3f")  # fmt: skip
HAIRCUTS = ("bald", "buzz", "short", "parted", "quiff", "fringe", "bob", "long", "bun", "afro")


def linear(colour: str | np.ndarray) -> np.ndarray:
    """Turn a colour (``#rrggbb``, or sRGB floats in [0, 1]) into linear light, float32 (3,)."""
    if isinstance(colour, str):
        colour = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return (np.asarray(colour) ** 2.2).astype(np.float32)


# How proportions depend on how masculine a face looks, m from 0 to 1: they grow by a + b m.
MASCULINE = {
    "jaw": (0.97, 0.14),
    "eye_size": (1.17, -0.1),
    "brow_weight": (0.75, 0.5),
    "lip_fullness": (1.12, -0.25),
    "shoulders": (0.9, 0.2),
    "neck": (0.8, 0.25),
}


def between(palette: tuple[str, ...], position: float) -> np.ndarray:
    """A palette's colour at a position in [0, 1], between its neighbours: linear light (3,)."""
    at = np.clip(position, 0, 1) * (len(palette) - 1)
    low = min(int(at), len(palette) - 2)
    return np.asarray(linear(palette[low]) * (low + 1 - at) + linear(palette[low + 1]) * (at - low))


def mix(rng: np.random.Generator, palette: tuple[str, ...], position: float) -> np.ndarray:
    """Take a palette's colour at a position, as ``between``, a little varied."""
    colour = between(palette, position)
    return (colour * rng.normal(1, 0.05, 3).clip(0.85, 1.15)).astype(np.float32)


@dataclass
class Person:
    """Who it is: proportions are factors around 1, offsets in face units (half a face is 1)."""

    rng: np.random.Generator = field(repr=False)

    def __post_init__(self) -> None:
        rng = self.rng

        def factor(spread: float) -> float:
            return float(np.clip(rng.normal(1, spread), 1 - 2.2 * spread, 1 + 2.2 * spread))

        def built(name: str) -> float:
            base, slope = MASCULINE[name]
            return base + slope * self.masculine

        self.age = float(rng.beta(1.3, 1.7))  # 0: child, 1: very old
        self.skin_age = self.age  # how old the skin looks: its lines and folds
        self.masculine = float(np.clip(rng.normal(rng.choice([0.2, 0.8]), 0.15), 0, 1))
        child = max(0.0, 1 - self.age / 0.18)
        self.face_width = factor(0.055) + 0.05 * child
        self.jaw = factor(0.08) * built("jaw") + 0.05 * child
        self.chin = factor(0.05) - 0.07 * child
        self.eye_size = factor(0.07) * built("eye_size") + 0.12 * child
        self.eye_gap = factor(0.05)
        self.eye_tilt = float(rng.normal(0.008, 0.014))
        self.lid_height = factor(0.1)
        self.brow_height = float(rng.normal(0, 0.018))
        self.brow_weight = factor(0.16) * built("brow_weight")
        self.brow_arch = factor(0.3)
        self.nose_length = factor(0.07) - 0.12 * child
        self.nose_width = factor(0.13)
        self.nose_height = factor(0.12) - 0.15 * child
        self.mouth_width = factor(0.07)
        self.lip_fullness = factor(0.17) * built("lip_fullness")
        self.mouth_height = float(rng.normal(0, 0.015))
        self.cheeks = factor(0.25) + 0.3 * child

        tone = self.tone = float(rng.random())  # of the skin, 0: lightest, 1: darkest
        self.skin = mix(rng, SKIN, tone) * np.float32(0.82)
        dark = float(rng.beta(1.2, 2.2)) if tone < 0.5 else float(rng.beta(1, 9))
        self.hair = mix(rng, HAIR, dark)
        grey = float(np.clip((self.age - 0.55) * 2.6 + rng.normal(0, 0.25), 0, 0.92))
        self.brow_colour = self.hair * (1 - 0.6 * grey) + 0.3 * 0.6 * grey
        self.hair = (self.hair * (1 - grey) + np.float32(0.55) * grey).astype(np.float32)
        self.eyes = mix(
            rng, EYES, float(rng.random()) if tone < 0.45 else float(rng.random()) * 0.3
        )
        red = np.array([0.62, 0.2, 0.2]) if self.masculine < 0.5 else np.array([0.6, 0.28, 0.25])
        lips = self.skin * (0.55 + 0.35 * rng.random()) + 0 * red
        self.lips = (lips * np.array([1.0, 0.62, 0.62]) + 0.1 * red * rng.random()).astype(
            np.float32
        )
        self.lipstick = bool(self.masculine < 0.4 and self.age > 0.2 and rng.random() < 0.3)
        if self.lipstick:
            self.lips = linear(np.array([rng.uniform(0.6, 0.85), *rng.uniform(0.1, 0.35, 2)]))
        self.freckles = bool(tone < 0.35 and rng.random() < 0.25)

        likely = {
            "bald": 1.6 * self.masculine * self.age, "buzz": 0.7 * self.masculine,
            "short": 0.4 + 0.5 * self.masculine,
            "parted": 0.3 + 0.5 * self.masculine, "quiff": 0.7 * self.masculine, "fringe": 0.6,
            "bob": 1.2 * (1 - self.masculine), "long": 1.7 * (1 - self.masculine),
            "bun": 0.8 * (1 - self.masculine), "afro": 0.15 + 0.5 * tone,
        }  # fmt: skip
        weights = np.array([likely[cut] for cut in HAIRCUTS]) + 0.01
        self.haircut = str(rng.choice(HAIRCUTS, p=weights / weights.sum()))
        self.hair_volume = factor(0.2)
        self.hair_part = float(rng.choice([-1, 1]) * rng.uniform(0.15, 0.4))
        self.curl = float(rng.random() ** 2)
        bearded = self.masculine > 0.55 and self.age > 0.2
        self.beard = float(rng.choice([0, 0.35, 1], p=[0.5, 0.25, 0.25])) if bearded else 0.0
        self.moustache_only = bool(self.beard == 1 and rng.random() < 0.2)
        self.glasses = str(rng.choice(["", "round", "square"], p=[0.76, 0.13, 0.11]))
        self.frame = linear(
            str(rng.choice(["#16161a", "#5a3a22", "#8a8d94", "#7a1f2b", "#20406a"]))
        )
        self.cloth = mix(rng, (str(rng.choice(CLOTH)),) * 2, 0)
        self.cloth_two = mix(rng, (str(rng.choice(CLOTH)),) * 2, 0)
        self.pattern = str(
            rng.choice(["plain", "stripes", "collar", "v"], p=[0.35, 0.2, 0.25, 0.2])
        )
        self.shoulders = factor(0.07) * built("shoulders")
        self.neck = built("neck")


@dataclass
class Scene:
    """How it was taken: angles in radians, light as a direction and linear colours, camera."""

    rng: np.random.Generator = field(repr=False)

    def __post_init__(self) -> None:
        rng = self.rng
        self.yaw = float(np.clip(rng.normal(0, 0.24), -0.55, 0.55))
        self.pitch = float(np.clip(rng.normal(0, 0.11), -0.25, 0.25))
        self.roll = float(np.clip(rng.normal(0, 0.1), -0.28, 0.28))
        self.gaze = np.clip(rng.normal(0, 0.25, 2), -0.6, 0.6) * (rng.random() < 0.5)
        angle, height = rng.normal(0, 0.75), rng.uniform(0.0, 0.9)
        direction = np.array([np.sin(angle), height, np.cos(angle)])
        self.light = (direction / np.linalg.norm(direction)).astype(np.float32)
        warmth = float(rng.normal(0, 0.09))
        power = rng.uniform(0.65, 1.15)
        self.key = (power * np.array([1 + warmth, 1, 1 - 1.3 * warmth])).astype(np.float32)
        fill, tint = rng.uniform(0.2, 0.55), float(rng.normal(0, 0.08))
        self.sky = (fill * np.array([1 - tint, 1, 1 + tint])).astype(np.float32)
        self.ground = (fill * rng.uniform(0.3, 0.7) * np.array([1.05, 1, 0.92])).astype(np.float32)
        self.rim = float(rng.uniform(0, 0.5) * (rng.random() < 0.4))
        self.exposure = float(rng.uniform(0.85, 1.2))
        self.blur = float(rng.gamma(1.2, 0.35))
        self.noise = float(rng.gamma(1.5, 0.006))
        self.quality = int(rng.integers(62, 95))
        # How far each eye's lids are shut, 0 to 1; never so by chance.
        self.shut = np.zeros(2)
