"""Table 1: every model on every variant, beside the paper's figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from facesort.emotions import EMOTIONS
from facesort.job import InputError
from facesort.scoring import bootstrap_accuracy, commonest_label_share, confusion, scores

PAPER_ACCURACY: Final = {
    "stacked": {"rgb": 0.1226, "grayscale": 0.1253, "cropped": 0.1184},
    "convolutional": {"rgb": 0.1098, "grayscale": 0.1217, "cropped": 0.1777},
    "semi_supervised": {"rgb": 0.3431, "grayscale": 0.4358, "cropped": 0.4150},
    "supervised": {"rgb": 0.5615, "grayscale": 0.5751, "cropped": 0.5789},
}
"""Accuracy on AffectNet in "Categorizing Facial Expressions" (2023), section 5."""

TITLES: Final = {
    "stacked": "Stacked autoencoder",
    "convolutional": "Stacked convolutional autoencoder",
    "semi_supervised": "Semi-supervised",
    "supervised": "Supervised",
}
MODELS: Final = tuple(PAPER_ACCURACY)
VARIANTS: Final = tuple(PAPER_ACCURACY["stacked"])
CHANCE: Final = 1 / len(EMOTIONS)


class Cell(NamedTuple):
    """One training of one cell of the table."""

    model: str
    variant: str
    seed: int

    def __str__(self) -> str:
        return f"{self.variant}/{self.model}/seed{self.seed}"


Predictions = Mapping[Cell, pd.DataFrame]
"""``scoring.scored_predictions`` of each training."""


def check_same_faces(predictions: Predictions) -> None:
    """Refuse cells that were scored on different faces, which cannot stand in one table.

    Raises:
        InputError: naming the first cell that differs.
    """
    (first, expected), *others = predictions.items()
    for cell, frame in others:
        for column in ("face", "path", "label"):
            if not np.array_equal(frame[column].to_numpy(), expected[column].to_numpy()):
                raise InputError(
                    f"results/{cell}/predictions.parquet: scored on other faces than {first} "
                    f"(column {column}); delete both files and rerun"
                )


def table1(predictions: Predictions, *, resamples: int, seed: int) -> pd.DataFrame:
    """Score every cell on the same faces.

    Scores are means over a cell's seeds; ``seeds`` is their number. The interval is the 95%
    percentile interval of ``scoring.bootstrap_accuracy``. ``oracle_accuracy`` is
    ``scoring.best_naming_accuracy``, also for the classifiers, where the groups are the predicted
    classes.

    Args:
        predictions: those of at least one training.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        A row a model and variant that has predictions, in the paper's order.

    Raises:
        InputError: if cells were scored on different faces.
    """
    check_same_faces(predictions)
    rows, correct = [], []
    for model in MODELS:
        for variant in VARIANTS:
            frames = [
                predictions[cell]
                for cell in sorted(predictions)
                if (cell.model, cell.variant) == (model, variant)
            ]
            if not frames:
                continue
            measured = pd.DataFrame([scores(frame) for frame in frames]).mean()
            correct.append(np.stack([(f["label"] == f["predicted"]).to_numpy() for f in frames]))
            rows.append(
                {
                    "model": model,
                    "variant": variant,
                    "seeds": len(frames),
                    "n_test": len(frames[0]),
                    "accuracy": measured["accuracy"],
                    "accuracy_low": np.nan,
                    "accuracy_high": np.nan,
                    "balanced_accuracy": measured["balanced_accuracy"],
                    "macro_f1": measured["macro_f1"],
                    "oracle_accuracy": measured["oracle_accuracy"],
                    "paper_accuracy": PAPER_ACCURACY[model][variant],
                    "chance": CHANCE,
                }
            )
    table = pd.DataFrame(rows)
    means = bootstrap_accuracy(correct, resamples, seed)
    table["accuracy_low"], table["accuracy_high"] = np.quantile(means, [0.025, 0.975], axis=1)
    return table.round(6)


def table1_markdown(
    table: pd.DataFrame, predictions: Predictions, *, data: str, pool: int, parts: Mapping[str, int]
) -> str:
    """Table 1 for reading, and what it is measured on.

    Args:
        table: from ``table1``.
        predictions: those it was made from.
        data: the data in a few words, such as "rendered demo faces, 48 x 48 pixels".
        pool: unlabelled faces fetched to train on.
        parts: how many labelled faces are in "naming", "train" and "test".
    """
    lines = [
        "# Table 1: accuracy by model and variant",
        "",
        f"Data: {_one_line(data)}; {pool:,} unlabelled faces, "
        f"{sum(parts.values()):,} labelled faces.",
        "",
        "| model | variant | accuracy [95% interval] | balanced accuracy | macro F1 "
        "| best possible naming (peeks at scored labels) | paper's accuracy |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.itertuples():
        lines.append(
            f"| {TITLES[str(row.model)]} | {row.variant} "
            f"| {row.accuracy:.3f} [{row.accuracy_low:.3f}, {row.accuracy_high:.3f}] "
            f"| {row.balanced_accuracy:.3f} | {row.macro_f1:.3f} | {row.oracle_accuracy:.3f} "
            f"| {row.paper_accuracy:.3f} |"
        )
    labels = next(iter(predictions.values()))["label"].to_numpy()
    common = EMOTIONS[int(confusion(labels, labels).sum(axis=1).argmax())]
    lines += [
        "",
        f"- Scored: all cells on the same {len(labels):,} labelled faces; of the others, "
        f"{parts.get('naming', 0):,} name clusters and {parts.get('train', 0):,} may train "
        "classifiers.",
        f"- For comparison: chance is {CHANCE:.3f}; always answering {common}, the commonest "
        f"label, scores {commonest_label_share(labels):.3f} (balanced accuracy {CHANCE:.3f}).",
        _seeds_line(table),
        *_naming_lines(predictions, parts),
        "- Best possible naming gives each cluster (of a classifier: each predicted class) its "
        "commonest scored label. It bounds what any naming could reach and is no result.",
        "- The paper's accuracy is on AffectNet, with other splits; figures measured on other "
        "data, rendered faces among them, are not AffectNet figures.",
    ]
    return "\n".join(lines) + "\n"


def _seeds_line(table: pd.DataFrame) -> str:
    counts = sorted(set(table["seeds"]))
    if counts == [1]:
        return "- One seed: the intervals cover the choice of images only, not of seeds."
    number = " or ".join(str(count) for count in counts)
    line = f"- {number} seeds a cell; the intervals are bootstrapped over images and seeds"
    few = ", and with so few seeds they understate how much seeds differ" if counts[0] < 6 else ""
    return line + few + "."


def _naming_lines(predictions: Predictions, parts: Mapping[str, int]) -> list[str]:
    by: dict[str, list[str]] = {}
    for cell, frame in predictions.items():
        by.setdefault(frame["named_by"].iloc[0], []).append(str(cell))
    lines = []
    if "automatic" in by:
        whose = "Clusters" if "person" not in by else "All other clusters"
        lines = [f"- {whose} were named automatically from the {parts.get('naming', 0):,} faces."]
    if "person" in by:
        lines.insert(0, f"- A person named the clusters of {', '.join(sorted(by['person']))}.")
    return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())


def write_text(text: str, path: str | Path) -> None:
    """Write UTF-8 text with ``\\n`` line ends, on every system."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8", newline="\n")
