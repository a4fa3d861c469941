"""Table 1: every model on every variant, beside the paper's figures."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.score.causes import cause_lines, luck_lines
from facesort.score.cells import gather
from facesort.score.comparisons import best_models, comparison_lines
from facesort.score.intervals import accuracy_interval
from facesort.score.scores import score
from facesort.train.models import MODELS

# Accuracies of the paper's section 5.
PAPER: Final = {
    "stacked": {"rgb": 0.1226, "grayscale": 0.1253, "cropped": 0.1184},
    "convolutional": {"rgb": 0.1098, "grayscale": 0.1217, "cropped": 0.1777},
    "semi_supervised": {"rgb": 0.3431, "grayscale": 0.4358, "cropped": 0.4150},
    "supervised": {"rgb": 0.5615, "grayscale": 0.5751, "cropped": 0.5789},
}
SCORES: Final = (
    *("balanced_accuracy", "macro_f1"),
    *("oracle_accuracy", "oracle_balanced_accuracy"),
)


def make_table(
    cells: list[dict[str, Any]],
    predictions: list[pd.DataFrame],
    emotions: Collection[str] = EMOTIONS,
) -> pd.DataFrame:
    """Gather all cells' predictions into Table 1.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: columns face, label, group, predicted; a row a test face.
        emotions: those of the labelled set.

    Returns:
        A row a model and variant; scores are means over seeds. Chance is 1 / emotions.

    Raises:
        InputError: if two cells were not scored on the same faces.
    """
    rows = []
    for (model, variant), numbers in gather(cells, predictions).items():
        tables = [predictions[number] for number in numbers]
        correct = np.stack([(t["label"] == t["predicted"]).to_numpy() for t in tables])
        scores = [
            score(t["label"].to_numpy(str), t["predicted"].to_numpy(str), t["group"].to_numpy())
            for t in tables
        ]
        low, high = accuracy_interval(correct)
        rows.append(
            {
                "model": model,
                "told": MODELS[model].signal,
                "variant": variant,
                "seeds": len(tables),
                "n_test": correct.shape[1],
                "accuracy": correct.mean(),
                "accuracy_low": low,
                "accuracy_high": high,
                **{name: float(np.mean([s[name] for s in scores])) for name in SCORES},
                "paper_accuracy": PAPER.get(model, {}).get(variant, np.nan),
                "chance": 1 / len(emotions),
            }
        )
    return pd.DataFrame(rows)


def naming_words(cells: list[dict[str, Any]], origins: list[str], per_emotion: int) -> str:
    """Who or what named the clusters; empty where there are none.

    Args:
        origins: of each cell's names: "person", "automatic", "facs", or "none" of a classifier.
        per_emotion: labelled faces that name automatically.
    """
    ways = {
        "automatic": f"automatically from {per_emotion} labelled faces an emotion that are never "
        "scored",
        "facs": "by what their faces do, without a labelled face: tables of the literature say "
        "which movements make an emotion, and where they fit none, faces have no answer and count "
        "as wrong (shares in causes.md)",
    }
    persons = [
        "{variant}/{model}/seed{seed}".format(**cell)
        for cell, origin in zip(cells, origins, strict=True)
        if origin == "person"
    ]
    words = [f"A person named the clusters of {', '.join(persons)}"] if persons else []
    for origin, way in ways.items():
        if origin in origins:
            words.append(f"others {way}" if persons else f"Clusters were named {way}")
    return "; ".join(words) + "." if words else ""


def lack_words(emotions: Collection[str], scored: Collection[str]) -> str:
    """Which of the eight emotions the labelled set lacks, and which are not scored; else empty."""
    words = ""
    if lacks := [emotion for emotion in EMOTIONS if emotion not in emotions]:
        words += (
            f"The labelled set has no {', '.join(lacks)}: all figures but the paper's are of "
            f"{len(emotions)} emotions; the paper's are of {len(EMOTIONS)}, with a chance of "
            f"{1 / len(EMOTIONS):.3f}. "
        )
    if unscored := [e for e in EMOTIONS if e in emotions and e not in scored]:
        words += f"No face of {', '.join(unscored)} is among those scored. "
    return words


def choice_lines(choices: dict[str, dict[str, Any]]) -> list[str]:
    """What was chosen without labels, and by which criterion; no line if nothing was."""
    if not choices:
        return []
    words = []
    for cell, choice in choices.items():
        best, tried = choice["chosen"], choice["tried"]
        setting = f"{choice['setting']} {best['candidate']:g}"
        epoch = f" after epoch {best['epoch']}" if best["epoch"] else ""
        words.append(f"{cell}: {setting}{epoch} ({best['stability']:.3f}; {len(tried)} tried)")
    criterion = next(iter(choices.values()))["criterion"]
    return [
        f"Chosen without labels, before anything was scored, by {criterion}. {'; '.join(words)}.",
        "",
    ]


def table_markdown(
    table: pd.DataFrame,
    comparisons: pd.DataFrame,
    causes: pd.DataFrame,
    *,
    data: str,
    seeds: list[int],
    naming: str,
    labels: pd.Series,
    emotions: Collection[str] = EMOTIONS,
    choices: dict[str, dict[str, Any]] | None = None,
    rendered: bool = False,
) -> str:
    """Table 1 for reading, with what its figures were made from and where accuracy is lost.

    Args:
        labels: of the scored faces.
        emotions: those of the labelled set.
        choices: of the cells whose settings were chosen without labels, what model.json tells.
        rendered: whether the scored faces are the workflow's own.
    """
    lines = [
        "| model | people told it | variant | accuracy [95% interval] | balanced accuracy "
        "| macro F1 | best possible naming (peeks at the scored labels): accuracy, balanced "
        "| paper |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    best = best_models(comparisons, table)
    by_anatomy = causes[causes["naming"] == "facs"]
    unhelped = set(zip(by_anatomy["model"], by_anatomy["variant"], strict=True))
    for row in table.to_dict("records"):
        bold = "**" if (row["model"], row["variant"]) in best else ""
        alone = untold(row["model"]) or (row["model"], row["variant"]) in unhelped
        told = row["told"] + (", names included" if alone else "")
        paper = "-" if np.isnan(row["paper_accuracy"]) else f"{row['paper_accuracy']:.4f}"
        lines.append(
            f"| {row['model']} | {told} | {row['variant']} "
            f"| {bold}{row['accuracy']:.3f}{bold} "
            f"[{row['accuracy_low']:.3f}, {row['accuracy_high']:.3f}] "
            f"| {row['balanced_accuracy']:.3f} | {row['macro_f1']:.3f} "
            f"| {row['oracle_accuracy']:.3f}, {row['oracle_balanced_accuracy']:.3f} | {paper} |"
        )
    weakly = "".join(
        f"Weakly supervised: {model}, which learnt from people's comparisons of faces; the nearest "
        "labelled faces of the training part answer. "
        for model in table["model"].unique()
        if MODELS[model].signal == "comparisons"
    )
    unnamed = "".join(
        f"No person told {model} anything, names included: tables of the literature and rendered "
        "faces say which movements make an emotion. "
        + rendered
        * (
            "The faces scored here come from the same program as those that taught it, so "
            f"{model}'s figures are no evidence about photographs, on which it is right far less "
            "often. "
        )
        for model in table["model"].unique()
        if untold(model)
    )
    counts = labels.value_counts()
    covers = "images and seeds" if len(seeds) > 1 else "images alone, there being one seed"
    lines += [
        "",
        f"Data: {data}. Every cell is scored on the same {len(labels):,} labelled faces, kept out "
        f"of naming and training. {weakly}{unnamed}Seeds: {', '.join(map(str, seeds))}. {naming} "
        f"Intervals cover {covers}. Chance is {1 / len(emotions):.3f}; always answering "
        f"{counts.index[0]} would score {counts.iloc[0] / len(labels):.3f}. "
        f"{lack_words(emotions, counts.index)}The paper's figures "
        "are from other images (AffectNet), so its column does not compare directly.",
        "",
        " ".join(comparison_lines(comparisons, len(seeds))),
        "",
        *luck_lines(causes),
        *choice_lines(choices or {}),
        "Where most is lost (figures in causes.md):",
        "",
        *cause_lines(causes),
        "",
    ]
    return "\n".join(lines)


def untold(model: str) -> bool:
    """Whether a model answers by itself, and no person told it anything."""
    return (MODELS[model].answers, MODELS[model].signal) == ("classifier", "nothing")
