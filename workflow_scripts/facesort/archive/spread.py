"""How strong movements are on faces of photographs, and on those of one archive.

The label-free answers ask how far a face's movements lie from what is usual. What is usual in an
archive its own faces tell best, if there are many; few would be set against each other's chance. So
both count: the archive's median and spread as so many faces as it has, and those of ``spread.csv``,
which stand for others, as ``WORTH`` faces. What a turned head changes in a strength is always told
by ``spread.csv``. ``tests/benchmarks/archive_spread.py`` makes it; no label is used.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.archive.tables import MOVEMENTS
from facesort.faces.spread import MOST, median_and_spread

TABLE: Final = Path(__file__).with_suffix(".csv")
WORTH: Final = 200
# Of spread.csv: how a strength changes with these, of the sines of yaw and pitch.
TURNS: Final = ("yaw", "pitch", "yaw_yaw", "yaw_pitch", "pitch_pitch")


def reference(kind: str) -> pd.DataFrame:
    """Rows of ``spread.csv`` of one kind ("movement", "feature" or "unit"), indexed by name.

    Features and units are those of the model ``action_units``, of standardised movements.
    """
    table = pd.read_csv(TABLE)
    return table[table["kind"] == kind].drop(columns="kind").set_index("name")


def turns(strengths: np.ndarray) -> np.ndarray:
    """The terms of ``TURNS``, float64 (N, 5), of strengths as they are (N, ``MOVEMENTS``)."""
    at = [MOVEMENTS.index(name) for name in ("headYaw", "headPitch")]
    yaw, pitch = np.sin(np.radians(strengths[:, at].astype(np.float64))).T
    return np.column_stack([yaw, pitch, yaw * yaw, yaw * pitch, pitch * pitch])


def without_turns(strengths: np.ndarray) -> np.ndarray:
    """Strengths without what the head's turn changes in them: float64 (N, ``MOVEMENTS``)."""
    slopes = reference("movement").loc[list(MOVEMENTS), list(TURNS)].to_numpy()
    found: np.ndarray = strengths - turns(strengths) @ slopes.T
    return found


def shrunk(values: np.ndarray, kind: str, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Median and spread of an archive's columns (N, D), drawn to those of ``spread.csv``.

    Returns:
        Two float64 arrays (D,); no spread is 0.
    """
    others = reference(kind).loc[names]
    median, spread = others["median"].to_numpy(), others["spread"].to_numpy()
    if len(values):
        own = len(values) / (len(values) + WORTH)
        its_median, its_spread = median_and_spread(values)
        median = own * its_median + (1 - own) * median
        spread = own * its_spread + (1 - own) * spread
    return median, np.where(spread > 1e-6, spread, 1)


class Standard:
    """Movements set against their archive's spread.

    Args:
        sample: float (n, ``MOVEMENTS``), strengths of faces of the archive; there may be none.
    """

    def __init__(self, sample: np.ndarray) -> None:
        names = list(MOVEMENTS)
        self.median, self.spread = shrunk(without_turns(sample), "movement", names)

    def __call__(self, strengths: np.ndarray) -> np.ndarray:
        """float32 (N, ``MOVEMENTS``), from -4 to 4."""
        found = (without_turns(strengths) - self.median) / self.spread
        return np.clip(found, -MOST, MOST).astype(np.float32)


def table_of(strengths: np.ndarray, features: Any) -> pd.DataFrame:
    """What ``spread.csv`` holds, of an archive's faces.

    Args:
        strengths: float (N, ``MOVEMENTS``).
        features: from standardised movements to {kind: (names, values (N, D))}.
    """
    terms = turns(strengths)
    apart = terms - terms.mean(0)
    gram = apart.T @ apart + 1e-3 * np.eye(len(TURNS))
    slopes = np.linalg.solve(gram, apart.T @ (strengths - strengths.mean(0))).T
    # What the head does is not taken out of what the head does.
    slopes[[name.startswith("head") for name in MOVEMENTS]] = 0
    level = strengths - terms @ slopes.T
    median, spread = median_and_spread(level)
    about = pd.DataFrame({"name": MOVEMENTS, "median": median, "spread": spread})
    parts = [about.join(pd.DataFrame(slopes, columns=list(TURNS))).assign(kind="movement")]
    standard = np.clip((level - median) / np.where(spread > 0, spread, 1), -MOST, MOST)
    for kind, (names, values) in features(standard.astype(np.float32)).items():
        median, spread = median_and_spread(values)
        told = pd.DataFrame({"name": names, "median": median, "spread": spread})
        parts.append(told.assign(kind=kind))
    return pd.concat(parts)[["kind", "name", "median", "spread", *TURNS]]
