"""What changed since an earlier audit: whether the worst served group gained, and what it cost."""

from typing import Final

import numpy as np
import pandas as pd

from facesort.audit.gap_table import BALANCED
from facesort.score.markdown import percent, table_lines

ROW: Final = ["model", "variant", "set", "column", "measure"]
# Of an earlier table, what is read.
READ: Final = (*ROW, "group", "n", "value", "p_holm")
MEASURES: Final = {"accuracy": "accuracy", BALANCED: "balanced accuracy"}
NOTE: Final = (
    "Worst group: the group with the lowest figure, of those with enough faces for a verdict. All: "
    "the mean over all faces whose group is told (of balanced accuracy, over the groups). Both "
    "runs' intervals stand in their own tables; a change within them may be chance."
)


def changes(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Set two audits side by side.

    Args:
        now, before: as of ``gap_table.make_audit``; of the latter only ``READ``.

    Returns:
        A row a model, variant, set, column and measure of ``MEASURES`` that both have: worst_group
        (of the earlier audit), worst_before, worst_now (of that group), gap_before, gap_now
        (highest less lowest group), all_before, all_now, and same_faces: whether groups have as
        many faces as before.
    """
    both = []
    earlier = dict(list(before.groupby(ROW)))
    for key, groups in now[now["measure"].isin(MEASURES)].groupby(ROW, sort=False):
        if key not in earlier:
            continue
        first, second = (each.set_index("group") for each in (earlier[key], groups))
        judged = [name for name in first.index[first["p_holm"].notna()] if name in second.index]
        if not judged:
            continue
        old, new = (each.loc[judged, "value"] for each in (first, second))
        worst = old.idxmin()
        both.append(
            dict(zip(ROW, key, strict=True))
            | {
                "worst_group": worst,
                "worst_before": old[worst],
                "worst_now": new[worst],
                "gap_before": old.max() - old.min(),
                "gap_now": new.max() - new.min(),
                "all_before": _mean(first, str(key[-1])),
                "all_now": _mean(second, str(key[-1])),
                "same_faces": first["n"].to_dict() == second["n"].to_dict(),
            }
        )
    columns = [*ROW, "worst_group", "worst_before", "worst_now", "gap_before", "gap_now"]
    columns += ["all_before", "all_now", "same_faces"]
    return pd.DataFrame(both, columns=columns)


def _mean(groups: pd.DataFrame, measure: str) -> float:
    told = groups.dropna(subset="value")
    if told.empty:
        return float("nan")
    return float(np.average(told["value"], weights=None if measure == BALANCED else told["n"]))


def changes_lines(table: pd.DataFrame) -> list[str]:
    """The changes as Markdown: a sentence, a table, and what its columns mean.

    Args:
        table: as of ``changes``.
    """
    if table.empty:
        return ["The earlier audit has no row and group of this one with a verdict on errors."]
    gained = table["worst_now"] > table["worst_before"]
    cost = table["all_now"] < table["all_before"]
    lines = [
        f"Since the earlier audit the worst served group gained in {gained.sum()} of {len(table)} "
        f"comparisons. In {cost.sum()} the mean over all people fell.",
        "",
    ]
    if not table["same_faces"].all():
        lines += ["The earlier audit scored other faces, so these figures cannot be compared.", ""]
    rows = [
        [
            f"{row['model']} on {row['variant']}",
            MEASURES[row["measure"]],
            f"{row['column']}: {row['worst_group']}",
            *(_moved(row, name) for name in ("worst", "gap", "all")),
        ]
        for row in table.to_dict("records")
    ]
    heads = ["row", "measure", "worst group before", "its figure", "widest gap", "all"]
    return [*lines, *table_lines(heads, rows, 3), "", NOTE]


def _moved(row: dict[object, float], name: str) -> str:
    before, now = row[f"{name}_before"], row[f"{name}_now"]
    return f"{percent(before)} → {percent(now)} ({percent(now - before, True)})"
