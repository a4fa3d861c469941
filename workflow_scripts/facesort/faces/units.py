"""Action units of faces, gathered from their movements, and what prototypes expect of each emotion.

Only movements that are found well on rendered faces count, and none of the head and the gaze. No
label is used. Where arguments are ``Any``, NumPy's arrays and torch's tensors will both do.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.common.prototypes import shares
from facesort.faces import facs
from facesort.faces.spread import MOST, median_and_spread

ONE_SIDED: Final = " on one side"
# How strong a unit's measure is, in deviations of the set, where it is not shown; how much more
# where it is, for a correlation of 1 of its movements with it; and its deviation in both. Rounded
# from 1,600 rendered faces of 48 pixels.
HIDDEN, SHOWN, DEVIATION = -0.2, 2.0, 0.85


def used_movements() -> pd.DataFrame:
    """The rows of ``facs.table`` that tell of units: found well, and of the face."""
    found = facs.reliable()
    return found[found["unit"] < facs.HEAD]


def features(used: pd.DataFrame) -> list[str]:
    """What is gathered: each movement's mean over sides, then differences of sides."""
    return [*used.index, *(f"{name}{ONE_SIDED}" for name in used.index[used["sides"] == 2])]


def to_features(used: pd.DataFrame) -> np.ndarray:
    """By what ``gather`` multiplies movements: float32 (columns of movements, features)."""
    every, told = facs.columns(facs.table()), features(used)
    matrix = np.zeros((len(every), len(told)), np.float32)
    for name in used.index:
        sides = [every.index(column) for column in facs.columns(used.loc[[name]])]
        matrix[sides, told.index(name)] = 1 / len(sides)
        if len(sides) == 2:
            matrix[sides, told.index(f"{name}{ONE_SIDED}")] = 1, -1
    return matrix


def gather(movements: Any, matrix: Any, one_sided: int) -> Any:
    """Features of faces: (N, features).

    Args:
        movements: (N, columns), as of ``movements.standardised``.
        matrix: as of ``to_features``.
        one_sided: how many of the last features are differences of sides; which side is stronger
            does not count.
    """
    found = movements @ matrix
    found[:, -one_sided:] = abs(found[:, -one_sided:])
    return found


def spread_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and spread of the columns of (N, D), float32; 1 where they hardly vary."""
    median, spread = median_and_spread(values)
    return median.astype(np.float32), np.where(spread > 0, spread, 1).astype(np.float32)


def against(values: Any, median: Any, spread: Any) -> Any:
    """Columns set against a median and a spread: from -4 to 4."""
    return ((values - median) / spread).clip(-MOST, MOST)


def gathered(used: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Which features are of which units.

    Returns:
        ``prototypes.shares`` of the units that have movements; float32 (features, units), weights
        of each unit's movements, of sum 1; and float64 (units,), their correlation with the unit.
    """
    every, table = features(used), shares()
    columns, correlations, kept = [], [], []
    for unit in table.index:
        number, one_sided, _ = unit.partition(ONE_SIDED)
        of = used[used["unit"] == int(number)]
        of = of[of["sides"] == 2] if one_sided else of
        if of.empty:
            continue
        column = np.zeros(len(every), np.float32)
        column[[every.index(f"{name}{one_sided}") for name in of.index]] = 1 / len(of)
        columns.append(column)
        correlations.append(of["all"].mean())
        kept.append(unit)
    return table.loc[kept], np.stack(columns, 1), np.array(correlations)


def shown_units(movements: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """How strong each unit of ``gathered`` is in each face, against the set's own spread.

    Args:
        movements: float32 (N, columns), as of ``movements.standardised``.
        seen: bool (N,), the faces that median and spread are of; one at least.

    Returns:
        float32 (N, units).
    """
    used = used_movements()
    found = gather(movements, to_features(used), int((used["sides"] == 2).sum()))
    units = against(found, *spread_of(found[seen])) @ gathered(used)[1]
    return np.asarray(against(units, *spread_of(units[seen])))


def expected_units() -> np.ndarray:
    """How strong each unit of ``gathered`` is in faces of an emotion, on average.

    Returns:
        float64 (8, units), by the prototypes of the literature.
    """
    table, _, correlations = gathered(used_movements())
    return np.asarray(HIDDEN + SHOWN * (table.to_numpy() * correlations[:, None]).T)


def both_sides(movements: np.ndarray) -> pd.DataFrame:
    """Each movement that is found well, head and gaze too: the mean of its sides.

    Args:
        movements: float32 (N, columns), as of ``movements.standardised``.

    Returns:
        N rows, a column a row of ``facs.reliable``.
    """
    found = facs.reliable()
    means = to_features(found)[:, : len(found)]
    return pd.DataFrame(movements @ means, columns=found.index)
