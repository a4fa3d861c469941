"""The finding of a run: a chart of Table 1, the table itself, and a strip of faces."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup

from facesort.common.emotions import EMOTIONS
from facesort.pages.page import image_url, part
from facesort.score.markdown import percent
from facesort.score.table1 import AGAINST_CHANCE, RANKS, SHOWN

# With more rows the chart shows each model's best variant alone, and the table all.
MOST_ROWS: Final = 18
# Faces of each emotion in the strip, and its faces where there are no emotions.
OF_EACH: Final = 2
UNLABELLED: Final = 16


def chart(table: pd.DataFrame) -> Markup:
    """A dot and interval for each model and variant, with chance and the paper's figure.

    Args:
        table: of ``facesort.score.table1.make_table``.
    """
    shown = table
    if len(table) > MOST_ROWS:
        shown = table.loc[table.groupby("model", sort=False)["accuracy"].idxmax()]
    ends = table[["accuracy_high", "paper_accuracy", "chance"]].max().max()
    # The next tenth, as the end of the scale.
    end = min(1.0, np.ceil(10 * ends + 0.2) / 10)
    step = 0.1 if end <= 0.5 else 0.2
    return part(
        "finding",
        "chart",
        rows=[
            {
                **row,
                "first": row["model"] != before,
                "words": f"{percent(row['accuracy'])}%, 95% interval "
                f"{percent(row['accuracy_low'])} to {percent(row['accuracy_high'])}",
                "paper": None if np.isnan(row["paper_accuracy"]) else row["paper_accuracy"],
            }
            for row, before in zip(shown.to_dict("records"), [None, *shown["model"]], strict=False)
        ],
        all_rows=len(shown) == len(table),
        has_paper=shown["paper_accuracy"].notna().any(),
        chance=table["chance"].iloc[0],
        ticks=np.arange(0, end + 1e-9, step).tolist(),
        end=end,
    )


def table_1(table: pd.DataFrame, pages: Sequence[str], seed: int) -> Markup:
    """Table 1 with signs, and links to each row's pages.

    Args:
        table: of ``facesort.score.table1.make_table``.
        pages: of all cells, as ``<variant>/<model>/seed<n>/map.html``; others are not linked.
        seed: whose pages there are.
    """
    rows = []
    for row, before in zip(table.to_dict("records"), [None, *table["model"]], strict=False):
        folder = f"{row['variant']}/{row['model']}/seed{seed}"
        links = {
            name.removesuffix(".html"): f"{folder}/{name}"
            for name in ("map.html", "naming.html")
            if f"{folder}/{name}" in pages
        }
        rows.append(
            {
                **row,
                "first": row["model"] != before,
                "links": links,
                "rank_sign": RANKS[row["rank"]],
                "chance_sign": AGAINST_CHANCE[row["against_chance"]],
                "interval": f"{percent(row['accuracy_low'])}, {percent(row['accuracy_high'])}",
                "scores": [percent(row[name]) for name in ("accuracy", "paper_accuracy", *SHOWN)],
                "named_by": row["named_by"].replace("none", "-"),
            }
        )
    return part("finding", "table_1", rows=rows)


def strip(faces: np.ndarray, about: pd.DataFrame | None, title: str) -> Markup:
    """A strip of faces, drawn at random by a fixed seed: what they are, and what was answered.

    Args:
        faces: uint8 (N, H, W, C), may be memory-mapped; only the faces shown are read.
        about: columns face (rows of faces), label, predicted: ``OF_EACH`` faces of each label are
            drawn. None draws any faces.
    """
    generator = np.random.default_rng(0)
    shown: list[dict[str, Any]] = []
    if about is None:
        rows = generator.permutation(len(faces))[:UNLABELLED]
        shown = [{"face": row, "label": ""} for row in np.sort(rows)]
    else:
        for emotion in EMOTIONS:
            group = about[about["label"] == emotion]
            order = generator.permutation(len(group))[:OF_EACH]
            chosen = group.iloc[order]
            shown += [
                {"face": face, "label": emotion, "predicted": predicted}
                for face, predicted in zip(chosen["face"], chosen["predicted"], strict=True)
            ]
    for each in shown:
        each["url"] = image_url(faces[each["face"]], 96)
    return part("finding", "strip", faces=shown, title=title)


def best_cell(table: pd.DataFrame, cells: Sequence[dict[str, Any]]) -> int:
    """The number of the first of all cells that is of Table 1's best row."""
    best = table.loc[table["rank"] == "best"].iloc[0]
    of_best = (best["model"], best["variant"])
    return [(cell["model"], cell["variant"]) for cell in cells].index(of_best)
