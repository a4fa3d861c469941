"""The page of rendered pairs: faces side by side with both answers, commonest changes first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.audit.counterfactual import commonest_changes, finding_lines, gaps, most_right
from facesort.audit.factors import ANOTHER, LEVELS, NOTHING
from facesort.common.emotions import EMOTIONS
from facesort.pages.page import image_url, render
from facesort.score.comparisons import LEVEL
from facesort.score.elsewhere.answers import column

# Of each factor so many changes are shown, of each change so many pairs, in so many pixels.
CHANGES: Final = 2
PAIRS: Final = 3
SIDE: Final = 96


def pair_page(
    table: pd.DataFrame,
    cells: list[dict[str, Any]],
    answers: pd.DataFrame,
    pairs: pd.DataFrame,
    faces: np.ndarray,
    *,
    data: str,
) -> str:
    """The page: shares of all rows, then of each model's first variant and seed the pairs.

    Args:
        table: of ``make_counterfactual_table``.
        cells, answers, pairs: as that takes them.
        faces: uint8 (N, size, size, 3).
        data: what the run was made from.
    """
    factors = (NOTHING, *LEVELS, ANOTHER)
    wide = set(gaps(table).index)
    rows = [
        {
            "model": model,
            "variant": variant,
            "cells": [_share(row) for row in part.to_dict("records")],
        }
        for (model, variant), part in table.groupby(["model", "variant"], sort=False)
    ]
    # Of each model the first variant and seed; the model most often right first.
    firsts = {cell["model"]: cell for cell in reversed(cells)}
    models = []
    for model in dict.fromkeys(most_right(table)["model"]):
        cell = firsts[model]
        own = table[(table["model"] == model) & (table["variant"] == cell["variant"])]
        of = [
            _factor(row, at in wide, answers[column(cell)], pairs, faces)
            for at, row in own[own["factor"].isin(LEVELS)]
            .sort_values("changed", ascending=False, kind="stable")
            .iterrows()
        ]
        still = float(own.loc[own["factor"] == NOTHING, "changed"].iloc[0])
        models.append({"name": model, "variant": cell["variant"], "nothing": still, "factors": of})
    return render(
        "pair_page",
        folder=Path(__file__).parent,
        title="What changes answers, and should not",
        finding=finding_lines(table),
        factors=factors,
        rows=rows,
        models=models,
        pairs=int(table.loc[table["factor"] == ANOTHER, "pairs"].iloc[0]),
        faces=len(faces),
        data_words=data,
    )


def _share(row: Mapping[Any, Any] | pd.Series) -> dict[str, Any]:
    return {"changed": row["changed"], "beyond": row["beyond_p"] < LEVEL and row["beyond"] > 0}


def _factor(
    row: pd.Series, differs: bool, answers: pd.Series, pairs: pd.DataFrame, faces: np.ndarray
) -> dict[str, Any]:
    """What the page shows of a factor: its figures, and pairs of its commonest changes."""
    own = pairs[pairs["factor"] == row["factor"]]
    given = answers.to_numpy(str)
    first, second = (given[own[end].to_numpy()] for end in ("first", "second"))
    changes = []
    for (one, other), count in commonest_changes(first, second)[:CHANGES]:
        chosen = own[(first == one) & (second == other)].head(PAIRS)
        changes.append(
            {
                "one": one,
                "other": other,
                "count": count,
                "pairs": [
                    {
                        "drawn": pair["label"],
                        "faces": [
                            {
                                "image": image_url(faces[pair[end]], SIDE),
                                "with": row[end],
                                "answer": answer,
                                "right": answer == pair["label"],
                            }
                            for end, answer in (("first", one), ("second", other))
                        ],
                    }
                    for pair in chosen.to_dict("records")
                ],
            }
        )
    return {
        **_share(row),
        "title": row["factor"].capitalize(),
        "levels": (row["first"], row["second"]),
        "pairs": int(row["pairs"]),
        "accuracies": (row["accuracy_first"], row["accuracy_second"]),
        "named": bool(np.isin(given, EMOTIONS).any()),
        "differs": differs,
        "changes": changes,
    }
