"""Which facial muscles move in which emotion: the FACS prototypes, with natural variation.

Prototypes follow EMFACS as printed in Ekman, Friesen & Hager, *Facial Action Coding System:
Investigator's Guide* (2002), table 10-1, and Friesen & Ekman, *EMFACS-7* (1983); see also
https://en.wikipedia.org/wiki/Facial_Action_Coding_System#Emotions. Contempt's unilateral
12 + 14 is Matsumoto & Ekman, *The relationship among expressions, labels, and descriptions of
contempt*, J. Pers. Soc. Psychol. 87 (2004).
"""

from typing import Final

import numpy as np

NAMES: Final = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    25: "lips part",
    26: "jaw drop",
}
CODES: Final = tuple(NAMES)

PROTOTYPES: Final[dict[str, tuple[int, ...]]] = {
    "anger": (4, 5, 7, 23),
    "contempt": (12, 14),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "happy": (6, 12),
    "neutral": (),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
}
UNILATERAL: Final = frozenset({"contempt"})

# Units that often join a prototype without being part of it: (code, probability, strength).
COMPANIONS: Final[dict[str, tuple[tuple[int, float, float], ...]]] = {
    "anger": ((17, 0.3, 0.5),),
    "disgust": ((25, 0.5, 0.5), (4, 0.3, 0.4)),
    "fear": ((25, 1.0, 0.6),),
    "happy": ((25, 0.65, 0.9),),
    "sad": ((17, 0.5, 0.6),),
    "surprise": ((25, 1.0, 0.6),),
}
# How far a unit goes at full intensity, where less than all the way looks natural.
STRENGTH: Final[dict[tuple[str, int], float]] = {
    ("fear", 26): 0.45,
    ("fear", 7): 0.6,
    ("anger", 5): 0.7,
}

NOISE_SHARE, NOISE_SCALE = 0.35, 0.09
COLUMNS: Final = tuple(f"AU{code}{side}" for code in CODES for side in "LR")


def draw_intensity(rng: np.random.Generator, emotion: str) -> float:
    """Draw how strongly an emotion shows: 0.25 (subtle) to 1, and 0 for neutral."""
    return 0.0 if emotion == "neutral" else float(0.25 + 0.75 * rng.beta(2.2, 1.6))


def draw_action_units(rng: np.random.Generator, emotion: str, intensity: float) -> np.ndarray:
    """Draw a face's action units: the emotion's prototype, its companions and small noise.

    Args:
        rng: the only source of chance.
        emotion: one of :data:`facesort.common.emotions.EMOTIONS`.
        intensity: 0 (no expression) to 1.

    Returns:
        float32 array (16, 2) in [0, 1]: one row for each of :data:`CODES`; column 0 is the side
        that a viewer sees on the left, column 1 the right.
    """
    # Chance is used up alike for every emotion, so that one seed gives one person all expressions.
    noise = rng.exponential(NOISE_SCALE, len(CODES)) * (rng.random(len(CODES)) < NOISE_SHARE)
    jitter = rng.uniform(0.75, 1.1, len(CODES))
    lopsided = 1 + rng.normal(0, 0.06, (len(CODES), 2))
    joins = rng.random(len(CODES))
    side = int(rng.integers(2))

    units = np.zeros(len(CODES))
    for code in PROTOTYPES[emotion]:
        units[CODES.index(code)] = STRENGTH.get((emotion, code), 1.0) * intensity
    for code, probability, strength in COMPANIONS.get(emotion, ()):
        row = CODES.index(code)
        if joins[row] < probability:
            units[row] = max(units[row], strength * intensity)
    sides = (units * jitter)[:, None] * lopsided
    if emotion in UNILATERAL:
        sides[:, 1 - side] *= 0.08
    return np.clip(sides + np.minimum(noise, 0.25)[:, None], 0, 1).astype(np.float32)


def expression_features(units: np.ndarray) -> np.ndarray:
    """Describe an expression regardless of which side a contempt is on.

    Args:
        units: float array (16, 2) as :func:`draw_action_units` returns it.

    Returns:
        float array (32,): mean of both sides, then their difference, for each of :data:`CODES`.
    """
    return np.concatenate([units.mean(axis=1), np.abs(units[:, 0] - units[:, 1])])
