"""The table of gaps: of every row, each group against all others, with a verdict on each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from facesort.audit.gaps import ALPHA, Gap, compare, detectable
from facesort.audit.group_answers import Answers, measures
from facesort.common.emotions import EMOTIONS
from facesort.common.group_table import NOT_TOLD
from facesort.score.intervals import holm

GAP, SMALL, NONE, FEW = "gap", "small", "none seen", "too few"
# Smaller gaps than this are no finding, however sure: many faces show any difference.
LEAST: Final = 0.01
# What does not hang on a row: whether landmarks are found in the faces.
FACES: Final = "(faces)"
# Where each emotion counts alike.
BALANCED: Final = "balanced_accuracy"
# In the order of the tables; then the emotions.
MEASURES: Final = ("found", "answered", "accuracy", BALANCED, "overconfidence", "confidence")
TEST: Final = ["model", "variant", "set", "column", "group", "measure"]


@dataclass(frozen=True)
class Faces:
    """A set of faces whose groups are told.

    Attributes:
        groups: a row a face, a column a kind of group.
        found: by variant, bool (n,), whether a face's landmarks were found.
        labels: str (n,); None where there are none.
    """

    groups: pd.DataFrame
    found: Mapping[str, np.ndarray]
    labels: np.ndarray | None


def make_audit(
    rows: Mapping[tuple[str, str], Mapping[str, Answers]],
    sees_landmarks: set[str],
    sets: Mapping[str, Faces],
    smallest: int,
) -> pd.DataFrame:
    """Set each group against all others.

    Args:
        rows: by model and variant, the answers for each set.
        sees_landmarks: models that answer by landmarks.
        sets: "pool" and perhaps "test".
        smallest: fewer faces than this, on either side, get no verdict.

    Returns:
        A row a model, variant, set, column, group and measure, faces without a group left out:
        n and other_n, faces on both sides; the figures of ``gaps.Gap``; p_holm, corrected for all
        tests of the table; detectable, the gap that would be seen with 80% power; and the verdict.
        Of two groups each is the other's others: they are one test.
    """
    told = []
    for name, faces in sets.items():
        wanted: list[tuple[str, str, dict[str, np.ndarray]]] = [
            (FACES, variant, {"found": found[np.newaxis].astype(np.float64)})
            for variant, found in faces.found.items()
        ]
        for (model, variant), answers in rows.items():
            found = faces.found[variant] if model in sees_landmarks else None
            values = measures(answers[name], found, faces.labels)
            if faces.labels is not None:
                values[BALANCED] = values["accuracy"]
            wanted.append((model, variant, values))
        for model, variant, values in wanted:
            for column in faces.groups:
                told += [
                    {"model": model, "variant": variant, "set": name, "column": column, **gap}
                    for gap in _gaps(faces, str(column), values, smallest)
                ]
    columns = [*TEST, "n", "other_n", "seeds", "second", *Gap._fields]
    table = pd.DataFrame(told, columns=columns)
    second = table.pop("second").astype(bool)
    tested = ~second & table["p"].notna()
    table["p_holm"] = np.nan
    table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"].to_numpy(float))
    # The second of two groups takes the test of the first.
    pair = table.groupby([k for k in TEST if k != "group"], sort=False)["p_holm"]
    table.loc[second, "p_holm"] = pair.transform("max")[second]
    table["detectable"] = detectable(table.pop("error").to_numpy(float), int(tested.sum()))
    table.loc[table["p_holm"].isna(), "detectable"] = np.nan
    beyond = table["p_holm"] < ALPHA
    judged = [table["p_holm"].isna(), beyond & (table["difference"].abs() >= LEAST), beyond]
    table["verdict"] = np.select(judged, [FEW, GAP, SMALL], NONE)
    return table


def _gaps(
    faces: Faces, column: str, values: Mapping[str, np.ndarray], smallest: int
) -> list[dict[str, object]]:
    """Each group of a column against the others, by each measure."""
    groups = faces.groups[column].to_numpy(str)
    known = np.flatnonzero(groups != NOT_TOLD)
    names = sorted(np.unique(groups[known]), key=_rank)
    if len(names) < 2:
        return []
    gaps = []
    for group in names:
        member = groups[known] == group
        sizes = int(member.sum()), int((~member).sum())
        for measure in (*MEASURES, *EMOTIONS):
            if measure not in values:
                continue
            labels = faces.labels if measure == BALANCED else None
            emotions = None if labels is None else labels[known]
            gap = compare(values[measure][:, known], member, emotions)
            if min(sizes) < smallest:
                gap = gap._replace(p=float("nan"))
            gaps.append(
                {
                    "group": group,
                    "measure": measure,
                    "n": sizes[0],
                    "other_n": sizes[1],
                    "seeds": len(values[measure]),
                    "second": len(names) == 2 and group == names[1],
                    **gap._asdict(),
                }
            )
    return gaps


def _rank(group: str) -> tuple[float, bool, str]:
    """Bands and other numbers from the lowest, then words by the alphabet."""
    number = re.search(r"\d+", group)
    least = float(number[0]) if number else float("inf")
    return least, not group.startswith("under "), group


def worst(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """The widest gaps beyond chance: one of a row, set, column and measure, errors first.

    Errors are gaps in accuracy, balanced or not, in calibration, and in what is found or answered;
    those in shares of emotions and in confidence come after them.
    """
    gaps = table[table["verdict"] == GAP]
    order = pd.DataFrame(
        {
            "answer": gaps["measure"].isin([*EMOTIONS, "confidence"]),
            "size": -gaps["difference"].abs(),
        }
    ).sort_values(["answer", "size"], kind="stable")
    kinds = [key for key in TEST if key != "group"]
    return gaps.loc[order.index].drop_duplicates(kinds).head(most)
