"""The table of other sets: every row's scores there beside those on the main scored faces."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.score.cells import gather
from facesort.score.elsewhere.answers import column
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.markdown import percent, table_lines, with_interval
from facesort.score.scores import score
from facesort.train.models import MODELS


@dataclass(frozen=True)
class OtherSet:
    """What is told of a set beside its scores.

    Attributes:
        answers: a row a face that is scored: label, and the answer of each cell (``column``).
        folder: where it was read.
        refused: images and rows that could not be read or had no label.
        seen: faces that are not scored, by the part of which they are near duplicates (pool,
            train, naming); under "test" near duplicates of main scored faces, which are scored.
    """

    answers: pd.DataFrame
    folder: str
    refused: int
    seen: Counter[str]


def make_elsewhere_table(
    cells: list[dict[str, Any]], predictions: list[pd.DataFrame], sets: dict[str, OtherSet]
) -> pd.DataFrame:
    """Score every model and variant on each of the other sets.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: of the main scored faces: columns face, label, predicted.
        sets: by name.

    Returns:
        A row a set, model and variant; scores are means over seeds. n faces are scored, of so many
        ``emotions``; balanced accuracy and macro F1 are over these, and chance is one over them.
        Columns ``main_...`` are of the main scored faces; main_balanced_accuracy and loss (of
        balanced accuracy, positive where the main set's is higher; NaN if there is none) are over
        the emotions that both have. Intervals are of 95%, over images and seeds.
    """
    rows = []
    for name, other in sets.items():
        labels = other.answers["label"].to_numpy(str)
        kinds, counts = np.unique(labels, return_counts=True)
        for (model, variant), numbers in gather(cells, predictions).items():
            given = np.stack([other.answers[column(cells[n])].to_numpy(str) for n in numbers])
            main_labels = predictions[numbers[0]]["label"].to_numpy(str)
            main_given = np.stack([predictions[n]["predicted"].to_numpy(str) for n in numbers])
            right, main_right = given == labels, main_given == main_labels
            low, high = accuracy_interval(right)
            balanced = estimate(right, labels)
            rows.append(
                {
                    "model": model,
                    "supervision": MODELS[model].supervision,
                    "variant": variant,
                    "set": name,
                    "seeds": len(numbers),
                    "n": len(labels),
                    "accuracy": float(right.mean()),
                    "accuracy_low": low,
                    "accuracy_high": high,
                    "balanced_accuracy": balanced.mean,
                    "balanced_accuracy_low": max(balanced.low, 0.0),
                    "balanced_accuracy_high": min(balanced.high, 1.0),
                    "macro_f1": _macro_f1(labels, given),
                    "emotions": len(kinds),
                    "chance": 1 / len(kinds),
                    "commonest": kinds[counts.argmax()],
                    "always_commonest": counts.max() / len(labels),
                    "main_n": len(main_labels),
                    "main_accuracy": float(main_right.mean()),
                    "main_macro_f1": _macro_f1(main_labels, main_given),
                    **losses(main_right, main_labels, right, labels),
                }
            )
    return pd.DataFrame(rows)


def losses(
    main_right: np.ndarray, main_labels: np.ndarray, right: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """What balanced accuracy loses from the main scored faces to another set's.

    Half the loss is the mean over emotions and sets of each emotion's recall, the other set's taken
    negative; so one estimate covers the images of both, and the seeds, which are the same in both.

    Args:
        main_right, right: bool (seeds, n), whether each face was told right; of other faces.
        main_labels, labels: str (n,).

    Returns:
        main_balanced_accuracy, loss, loss_low, loss_high: over the emotions that both sets have.
    """
    shared = np.intersect1d(main_labels, labels)
    if not len(shared):
        names = ("main_balanced_accuracy", "loss", "loss_low", "loss_high")
        return dict.fromkeys(names, float("nan"))
    here, there = np.isin(main_labels, shared), np.isin(labels, shared)
    main = estimate(main_right[:, here], main_labels[here]).mean
    values = np.concatenate([main_right[:, here], -right[:, there].astype(float)], axis=1)
    classes = np.concatenate(
        [np.char.add("here ", main_labels[here]), np.char.add("there ", labels[there])]
    )
    half = estimate(values, classes)
    return {
        "main_balanced_accuracy": main,
        "loss": 2 * half.mean,
        "loss_low": max(2 * half.low, -1.0),
        "loss_high": min(2 * half.high, 1.0),
    }


def _macro_f1(labels: np.ndarray, given: np.ndarray) -> float:
    """Mean over seeds, str (seeds, n), of the table's macro F1."""
    return float(np.mean([score(labels, one, one)["macro_f1"] for one in given]))


def elsewhere_markdown(
    table: pd.DataFrame,
    sets: dict[str, OtherSet],
    main_labels: np.ndarray,
    *,
    data: str,
    seeds: int,
) -> str:
    """The table for reading: a part a set.

    Args:
        main_labels: str (n,), of the main scored faces.
        data: what the run was made from.
        seeds: how many there are.
    """
    headers = ["model, variant", "accuracy", "balanced", "loss of balanced", "macro F1"]
    headers += ["main: accuracy", "main: balanced", "main: macro F1", "supervision"]
    lead, parts = [], []
    for name, other in sets.items():
        rows = table[table["set"] == name]
        best = rows.nlargest(1, "balanced_accuracy").iloc[0]
        line = (
            f"Best on {name}: {best['model']} on {best['variant']}, "
            f"{with_interval(best, 'balanced_accuracy')}% balanced accuracy"
        )
        if not np.isnan(best["loss"]):
            line += f" ({percent(best['main_balanced_accuracy'])}% on the main scored faces)"
        lead.append(f"{line}.")
        parts += [
            f"### {name}",
            "",
            *table_lines(headers, [_row(row) for row in rows.to_dict("records")], 1),
            "",
            *(f"- {said}" for said in set_lines(other, rows.iloc[0], set(main_labels))),
            "",
        ]
    covers = "images and seeds" if seeds > 1 else "images (there is one seed)"
    return "\n".join(
        [
            " ".join(lead),
            "",
            *parts,
            "### Notes",
            "",
            "- Every row of Table 1 is scored on labelled sets that trained no model, named no "
            f"cluster and chose nothing. Data of the run: {data}. Main: the row's figures on the "
            f"{len(main_labels):,} main scored faces. Loss: how much lower balanced accuracy is "
            "than there.",
            f"- Scores are in percent. 95% intervals cover {covers}; those of a loss cover the "
            "images of both sets.",
            "- The sets differ in their number of faces, in people and pictures, in how frequent "
            "each emotion is, and in who labelled and how. A loss comes from all this together, "
            "and proves no single cause.",
            "- Balanced accuracy compares better than accuracy, which depends on how frequent each "
            "emotion is. With few faces of an emotion it is uncertain.",
            "",
        ]
    )


def _row(row: dict[Any, Any]) -> list[str]:
    return [
        f"{row['model']}, {row['variant']}",
        with_interval(row, "accuracy"),
        with_interval(row, "balanced_accuracy"),
        with_interval(row, "loss", signed=True),
        *(percent(row[name]) for name in ("macro_f1", "main_accuracy")),
        "-" if np.isnan(row["loss"]) else percent(row["main_balanced_accuracy"]),
        *(percent(row["main_macro_f1"]), row["supervision"]),
    ]


def set_lines(other: OtherSet, first: pd.Series, main_emotions: set[str]) -> list[str]:
    """What was read, left out and scored of a set; which emotions it or the main set lacks."""
    labels = other.answers["label"]
    counts = ", ".join(f"{emotion} {(labels == emotion).sum():,}" for emotion in EMOTIONS)
    pool, train, naming, test = (other.seen[p] for p in ("pool", "train", "naming", "test"))
    left_out = pool + train + naming
    lines = [
        f"Read from {other.folder}: {len(labels) + left_out:,} faces; {other.refused:,} other "
        "images or rows were left out.",
        f"Not scored: {left_out:,} near duplicates of the pool ({pool:,}), the training part "
        f"({train:,}) or the naming faces ({naming:,}).",
        f"Scored: {len(labels):,}; {counts}.",
        f"Chance is {percent(first['chance'])}%. Always answering {first['commonest']} would score "
        f"{percent(first['always_commonest'])}%.",
    ]
    if test:
        lines.append(f"{test:,} of the scored are near duplicates of main scored faces.")
    own = set(labels)
    if lacks := [e for e in EMOTIONS if e in main_emotions - own]:
        lines.append(
            f"It has no {', '.join(lacks)}: balanced accuracy and macro F1 are over "
            f"{first['emotions']} emotions. Loss, and main balanced accuracy, are over those that "
            "both have."
        )
    if more := [e for e in EMOTIONS if e in own - main_emotions]:
        lines.append(
            f"The main scored faces have no {', '.join(more)}. These count here, but not in the "
            "loss."
        )
    return lines
