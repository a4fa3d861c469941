"""The table of other sets: every row's scores there beside those on the main scored faces."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.score.cells import gather
from facesort.score.elsewhere.answers import column
from facesort.score.intervals import accuracy_interval, estimate, with_interval
from facesort.score.scores import score
from facesort.score.table1 import untold
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
                    "told": MODELS[model].signal,
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
    lines = [
        "Every row of Table 1 on labelled sets that no model learnt from, no cluster was named by "
        "and nothing was chosen by. The last column repeats the row's figures on the "
        f"{len(main_labels):,} main scored faces. A loss is how much lower balanced accuracy is "
        f"than there. Data of the run: {data}.",
        "",
    ]
    for name, other in sets.items():
        rows = table[table["set"] == name]
        lines += [
            f"**{name}**",
            "",
            "| model | people told it | variant | accuracy [95% interval] "
            "| balanced accuracy [95% interval] | its loss [95% interval] | macro F1 "
            "| main scored faces: accuracy, balanced, macro F1 |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *(_line(row) for row in rows.to_dict("records")),
            "",
            set_words(other, rows.iloc[0], set(main_labels)),
            "",
        ]
    covers = "images and seeds" if seeds > 1 else "images alone, there being one seed"
    lines += [
        f"Intervals cover {covers}; those of a loss cover the images of both sets. The sets differ "
        "in their number of faces, in the people and pictures, in how frequent each emotion is, "
        "and in who labelled and how. A loss is of all this together and proves no single cause. "
        "Balanced accuracy compares better than accuracy, which moves with the shares of the "
        "emotions; that of an emotion with few faces is uncertain.",
        "",
    ]
    return "\n".join(lines)


def _line(row: dict[Any, Any]) -> str:
    common = not np.isnan(row["loss"])
    balanced = f"{row['main_balanced_accuracy']:.3f}" if common else "-"
    figures = [
        with_interval(row, "accuracy"),
        with_interval(row, "balanced_accuracy"),
        with_interval(row, "loss", "+.3f"),
        f"{row['macro_f1']:.3f}",
        f"{row['main_accuracy']:.3f}, {balanced}, {row['main_macro_f1']:.3f}",
    ]
    told = row["told"] + (", names included" if untold(row["model"]) else "")
    return "| " + " | ".join([row["model"], told, row["variant"], *figures]) + " |"


def set_words(other: OtherSet, first: pd.Series, main_emotions: set[str]) -> str:
    """What was read, left out and scored of a set; and which emotions it or the main set lacks."""
    labels = other.answers["label"]
    counts = ", ".join(f"{emotion} {(labels == emotion).sum():,}" for emotion in EMOTIONS)
    pool, train, naming, test = (other.seen[p] for p in ("pool", "train", "naming", "test"))
    left_out = pool + train + naming
    words = (
        f"Read from {other.folder}: {len(labels) + left_out:,} faces; {other.refused:,} other "
        f"images or rows were left out. {left_out:,} faces are not scored, as near duplicates "
        f"of the pool ({pool:,}), the training part ({train:,}) or the naming faces ({naming:,}). "
        f"Scored: {len(labels):,}; {counts}. Chance is {first['chance']:.3f}; always answering "
        f"{first['commonest']} would score {first['always_commonest']:.3f}."
    )
    if test:
        words += f" {test:,} of the scored are near duplicates of main scored faces."
    own = set(labels)
    if lacks := [e for e in EMOTIONS if e in main_emotions - own]:
        words += (
            f" It has no {', '.join(lacks)}: balanced accuracy and macro F1 are over "
            f"{first['emotions']} emotions. Loss, and balanced accuracy in the last column, are "
            "over those that both have."
        )
    if more := [e for e in EMOTIONS if e in own - main_emotions]:
        words += (
            f" The main scored faces have no {', '.join(more)}, which count here but in the loss."
        )
    return words
