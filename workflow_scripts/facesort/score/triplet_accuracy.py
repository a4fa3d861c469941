"""How well an embedding's distances agree with people's comparisons: triplet accuracy.

A comparison is right if the two faces that people find most alike are nearer to each other than
either is to the third. Source: Vemulapalli and Agarwala 2019, https://arxiv.org/abs/1811.11283
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.score.intervals import accuracy_interval
from facesort.score.markdown import percent, table_lines, with_interval
from facesort.train.models import MODELS

CHANCE: Final = 1 / 3
KINDS: Final = ("one", "two", "three")
# Of wide embeddings so many numbers are held at once.
BLOCK: Final = 8_000_000


def agree_with_people(embeddings: np.ndarray, triplets: pd.DataFrame) -> np.ndarray:
    """Whether the embedding's nearest pair is the one that people find most alike; ties are wrong.

    Args:
        embeddings: float32 (N, D) of the pool; may be memory-mapped.
        triplets: columns ``first``, ``second`` and ``odd``, rows of it.

    Returns:
        bool (T,).
    """
    faces = triplets[["first", "second", "odd"]].to_numpy()
    right = np.empty(len(faces), bool)
    step = max(1, BLOCK // (3 * embeddings.shape[1]))
    for start in range(0, len(faces), step):
        part = slice(start, start + step)
        first, second, odd = (np.asarray(embeddings[rows], np.float64) for rows in faces[part].T)
        pair, *others = (
            ((a - b) ** 2).sum(1) for a, b in ((first, second), (first, odd), (second, odd))
        )
        right[part] = pair < np.minimum(*others)
    return right


def triplet_score(right: np.ndarray, triplets: pd.DataFrame) -> dict[str, Any]:
    """Triplet accuracy with its 95% interval, and by kind (None where there is no such row).

    Args:
        right: bool (seeds, T).
        triplets: columns ``kind`` and ``agreement``.
    """
    low, high = accuracy_interval(right)
    kinds = triplets["kind"].to_numpy(str)
    by_kind = {kind: right[:, kinds == kind] for kind in KINDS}
    return {
        "comparisons": right.shape[1],
        "triplet_accuracy": float(right.mean()),
        "triplet_accuracy_low": low,
        "triplet_accuracy_high": high,
        **{
            f"{kind}_class_accuracy": float(part.mean()) if part.size else None
            for kind, part in by_kind.items()
        },
        "chance": CHANCE,
        "people_agreement": float(triplets["agreement"].mean()),
    }


def make_triplet_table(
    cells: list[dict[str, Any]], answers: list[pd.DataFrame], triplets: pd.DataFrame
) -> pd.DataFrame:
    """A row a model and variant, over seeds, in the order of the cells.

    Args:
        cells: of each its ``model``, ``variant`` and ``seed``.
        answers: of each a row a held-out comparison, with the column ``right``.
        triplets: the held-out comparisons.
    """
    rows = []
    for model, variant in dict.fromkeys((cell["model"], cell["variant"]) for cell in cells):
        right = np.stack(
            [
                table["right"].to_numpy(bool)
                for cell, table in zip(cells, answers, strict=True)
                if (cell["model"], cell["variant"]) == (model, variant)
            ]
        )
        rows.append(
            {
                "model": model,
                "variant": variant,
                "seeds": len(right),
                "learnt_from_comparisons": MODELS[model].supervision == "comparisons",
                **triplet_score(right, triplets),
            }
        )
    return pd.DataFrame(rows)


def triplets_markdown(
    table: pd.DataFrame, triplets: pd.DataFrame, lost: pd.DataFrame, *, data: str
) -> str:
    """The table for reading.

    Args:
        table: of ``make_triplet_table``.
        triplets: all comparisons, with ``part`` and ``annotators``.
        lost: rows of the file left out: ``cause`` and ``rows``.
    """
    rows = [
        [
            f"{row['model']}, {row['variant']}",
            with_interval(row, "triplet_accuracy"),
            *(percent(row[f"{kind}_class_accuracy"]) for kind in KINDS),
        ]
        for row in table.to_dict("records")
    ]
    best = table.nlargest(1, "triplet_accuracy").iloc[0]
    parts = triplets["part"].value_counts()
    taught = ", ".join(dict.fromkeys(table.loc[table["learnt_from_comparisons"], "model"]))
    left_out = "; ".join(f"{row.cause}: {row.rows:,}" for row in lost.itertuples())
    headers = ["model, variant", "agreement", "one emotion", "two", "three"]
    return "\n".join(
        [
            f"Best: {best['model']} on {best['variant']} agrees with people in "
            f"{with_interval(best, 'triplet_accuracy')}% of their comparisons; chance is "
            f"{percent(CHANCE)}%.",
            "",
            "### Figures",
            "",
            *table_lines(headers, rows, 1),
            "",
            f"- In percent, with 95% intervals. Data: {data}.",
            "- Agreement: how often the two of three faces that lie nearest are those that people "
            f"find most alike. It is over {parts['held_out']:,} comparisons on which annotators "
            "agree; then over those of faces of one, two or three emotions.",
            f"- {percent(table['people_agreement'].iloc[0])}% of the annotators' own answers in "
            "these rows are the one that counts, which they decided themselves. Vemulapalli and "
            "Agarwala report 81.8% for their embedding and 86.2% for people, on other rows and "
            "photos.",
            f"- Weakly supervised: {taught or 'none'}, by {parts['train']:,} other comparisons. No "
            "photo of these is in those. Other models may have seen the held-out faces, but no "
            "answer.",
            "- Intervals treat comparisons as if no face were in two of them.",
            f"- Rows of the file left out: {left_out or 'none'}.",
            "",
        ]
    )
