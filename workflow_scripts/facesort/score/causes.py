"""Where accuracy is lost: in the embedding, the clusters, the names, or beyond the learnt faces."""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.cluster.naming import DRAWS, METHODS
from facesort.common.emotions import MIXED
from facesort.score.cells import gather
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.markdown import percent, table_lines, with_interval
from facesort.score.probes import PROBES
from facesort.train.models import MODELS

# Losses smaller than this are not spoken of.
SLIGHT: Final = 0.02
# What a classifier may lose between the faces that it learnt from and others.
GENERALISES: Final = 0.1
MEANS: Final = {
    "peeking_majority_accuracy": "oracle_accuracy",
    "peeking_one_to_one_accuracy": "oracle_one_to_one_accuracy",
    "peeking_by_chance": "oracle_by_chance",
    "nmi": "nmi",
    "ari": "ari",
    "silhouette_groups": "silhouette_groups",
    "silhouette_emotions": "silhouette_emotions",
    "learnt_accuracy": "learnt_accuracy",
    "renamed_accuracy": "renamed_accuracy",
    "renamed_accuracy_low": "renamed_accuracy_low",
    "renamed_accuracy_high": "renamed_accuracy_high",
    "renamed_balanced_accuracy": "renamed_balanced_accuracy",
    "renamed_balanced_accuracy_low": "renamed_balanced_accuracy_low",
    "renamed_balanced_accuracy_high": "renamed_balanced_accuracy_high",
}
SHOWN: Final = ("nmi", "ari", "silhouette_groups", "silhouette_emotions")


def make_causes(
    cells: list[dict[str, Any]], predictions: list[pd.DataFrame], metrics: list[dict[str, Any]]
) -> pd.DataFrame:
    """Gather what each cell's predictions and metrics tell of its losses.

    Args:
        cells: of each its ``model``, ``variant`` and ``seed``.
        predictions: columns face, label, predicted and those of ``PROBES``; of models that are
            clustered those of ``METHODS`` too; a row a test face.
        metrics: of each cell, as in metrics.json.

    Returns:
        A row a model and variant, means over seeds; "peeking" columns name groups by the scored
        labels themselves; ``unanswered`` is the share of faces in clusters called "mixed", by the
        names given and (``facs_unanswered``) by anatomy. ``lost_in`` is embedding, clusters, names,
        generalisation, prototypes, last layers, neighbours or nothing; ``why`` says it in words.
    """
    rows = []
    for (model, variant), numbers in gather(cells, predictions).items():
        tables = [predictions[number] for number in numbers]
        labels = tables[0]["label"].to_numpy(str)
        row: dict[str, Any] = {
            "model": model,
            "variant": variant,
            "seeds": len(tables),
            "n_test": len(labels),
            "naming": "+".join(sorted({metrics[number]["naming"] for number in numbers})),
        }
        methods = [method for method in METHODS if method in tables[0]]
        for name in ("predicted", *methods, *PROBES):
            correct = np.stack([table[name].to_numpy(str) == labels for table in tables])
            name = "" if name == "predicted" else f"{name}_"
            low, high = accuracy_interval(correct)
            balanced = estimate(correct, labels)
            row |= {
                f"{name}accuracy": float(correct.mean()),
                f"{name}accuracy_low": low,
                f"{name}accuracy_high": high,
                f"{name}balanced_accuracy": balanced.mean,
                f"{name}balanced_accuracy_low": max(balanced.low, 0.0),
                f"{name}balanced_accuracy_high": min(balanced.high, 1.0),
            }
        for column, name in {"unanswered": "predicted", "facs_unanswered": "facs"}.items():
            told = [(table[name] == MIXED).mean() for table in tables if name in table]
            row[column] = float(np.mean(told)) if told else np.nan
        for column, metric in MEANS.items():
            # None where a cell has no such figure, NaN here.
            row[column] = np.mean(np.array([metrics[n].get(metric) for n in numbers], np.float64))
        _, counts = np.unique(labels, return_counts=True)
        row["always_majority_accuracy"] = counts.max() / len(labels)
        row["lost_in"], row["why"] = where_lost(row)
        rows.append(row)
    return pd.DataFrame(rows)


def where_lost(row: dict[str, Any]) -> tuple[str, str]:
    """Where a cell loses most, and why we think so: by these rules, in this order.

    1. A linear probe no better than always answering the commonest emotion: the embedding.
    2. Clusters: the best possible names gain less over chance than half of what the probe gains
       over the commonest emotion: the clusters. Else, if the names given are worse: the names.
    3. Classifiers: ``GENERALISES`` less right than on the faces learnt from (generalisation);
       less right than the probe (last layers, the nearest labelled faces that answer, or, where
       no label taught them, the prototypes).
    4. Else nothing: what the embedding holds is told.
    """
    accuracy, probe, majority, oracle, luck, learnt = (
        f"{percent(row[name])}%"
        for name in (
            *("accuracy", "linear_probe_accuracy", "always_majority_accuracy"),
            *("peeking_majority_accuracy", "peeking_by_chance", "learnt_accuracy"),
        )
    )
    reached = f"a linear probe reaches {probe}"
    if row["linear_probe_accuracy_low"] <= row["always_majority_accuracy"]:
        return "embedding", (
            f"the embedding holds little about emotions: {reached}, always answering the "
            f"commonest emotion {majority}"
        )
    gained = row["linear_probe_accuracy"] - row["always_majority_accuracy"]
    missed = row["linear_probe_accuracy"] - row["accuracy"]
    if row["naming"] != "none":
        if row["peeking_majority_accuracy"] - row["peeking_by_chance"] < gained / 2:
            return "clusters", (
                f"the clusters do not follow the emotions: {reached}, the best possible names "
                f"{oracle} ({luck} by chance), the names given {accuracy}"
            )
        if row["peeking_majority_accuracy"] - row["accuracy"] > SLIGHT:
            return "names", (
                f"the clusters have poor names: the best possible names reach {oracle}, the names "
                f"given {accuracy}; {reached}"
            )
        return "nothing", f"clusters and names tell most of what a linear probe finds ({probe})"
    if row["learnt_accuracy"] - row["accuracy"] > GENERALISES:
        return "generalisation", (
            f"right for {learnt} of the faces it learnt from and {accuracy} of others; {reached}"
        )
    if missed > SLIGHT and MODELS[row["model"]].answers == "neighbours":
        return "neighbours", f"{reached}, the votes of the nearest labelled faces {accuracy}"
    if missed > SLIGHT and MODELS[row["model"]].supervision == "none":
        return "prototypes", f"{reached}, prototypes without a label {accuracy}"
    if missed > SLIGHT:
        return "last layers", f"{reached}, its own last layers {accuracy}"
    return "nothing", f"it tells what a linear probe finds in its embedding ({probe})"


def causes_markdown(causes: pd.DataFrame, *, data: str) -> str:
    """The causes for reading: the finding first."""
    headers = ["model, variant", "named by", "accuracy", "names from other faces"]
    headers += ["best one-to-one names", "best names (by chance)", "linear probe"]
    headers += ["balanced probe, balanced", "nearest neighbours", "NMI", "ARI"]
    headers += ["silhouette of groups", "of emotions"]
    rows = [
        [
            *(f"{row['model']}, {row['variant']}", row["naming"].replace("none", "-")),
            with_interval(row, "accuracy"),
            with_interval(row, "renamed_accuracy"),
            percent(row["peeking_one_to_one_accuracy"]),
            f"{percent(row['peeking_majority_accuracy'])} ({percent(row['peeking_by_chance'])})",
            with_interval(row, "linear_probe_accuracy"),
            with_interval(row, "balanced_probe_balanced_accuracy"),
            with_interval(row, "knn_accuracy"),
            *("-" if np.isnan(row[name]) else f"{row[name]:.3f}" for name in SHOWN),
        ]
        for row in causes.to_dict("records")
    ]
    counts = causes["lost_in"].value_counts()
    lost = [f"{where} ({count})" for where, count in counts.items() if where != "nothing"]
    lead = f"Of {len(causes)} rows, most accuracy is lost in: {', '.join(lost) or 'none'}."
    if nothing := int(counts.get("nothing", 0)):
        lead += f" Rows that lose little: {nothing}."
    return "\n".join(
        [
            lead,
            "",
            "### Why, row by row",
            "",
            *cause_lines(causes),
            "",
            "### Figures",
            "",
            *table_lines(headers, rows, 2),
            "",
            f"- Scores are in percent. Data: {data}.",
            "- Names from other faces: had as many other faces of the naming and training parts "
            f"named the clusters. Mean and middle 95% of {DRAWS} draws.",
            "- Best names look at the scored labels, so they flatter. `By chance` is what they "
            "give when the labels are shuffled. For classifiers a group is a predicted emotion.",
            "- The probes learnt from the labelled faces of the training part, which are not "
            "scored; their settings were chosen within it. A balanced probe weighs all emotions "
            "alike, however rare.",
            "",
            *names_lines(causes),
        ]
    )


def names_lines(causes: pd.DataFrame) -> list[str]:
    """The clusters by each way of naming: what labelled faces are worth, against none."""
    if "facs_accuracy" not in causes:
        return []
    headers = ["model, variant", "plurality", "one_to_one", "facs, without a label"]
    rows = [
        [
            f"{row['model']}, {row['variant']}",
            *(
                f"{with_interval(row, f'{method}_accuracy')}, "
                f"{percent(row[f'{method}_balanced_accuracy'])}"
                for method in METHODS
            ),
            percent(row["facs_unanswered"]),
        ]
        for row in causes[causes["facs_accuracy"].notna()].to_dict("records")
    ]
    return [
        "### The same clusters by each way of naming",
        "",
        *table_lines([*headers, "unanswered by facs"], rows, 1),
        "",
        "- Accuracy with its 95% interval, then balanced accuracy, in percent.",
        "- Plurality and one_to_one use the labelled faces of the naming part. facs uses none: it "
        "names a cluster by what its faces of the pool do. A cluster that moves like no emotion is "
        "mixed: its faces have no answer, and count as wrong.",
        "",
    ]


def cause_lines(causes: pd.DataFrame) -> list[str]:
    """A line a model and variant: where it loses most, and why we think so."""
    return [
        f"- {row['model']}, {row['variant']}: **{row['lost_in']}**; {row['why']}."
        for row in causes.to_dict("records")
    ]


def luck_lines(causes: pd.DataFrame) -> list[str]:
    """What intervals leave out: how far accuracy depends on the faces that name the clusters."""
    lines = [
        f"- {row['model']}, {row['variant']}: {percent(row['renamed_accuracy_low'])} to "
        f"{percent(row['renamed_accuracy_high'])}"
        for row in causes.to_dict("records")
        if not np.isnan(row["renamed_accuracy"])
    ]
    if not lines:
        return []
    return [
        "### If other faces had named the clusters",
        "",
        "The intervals leave out which faces name the clusters. With as many other faces of the "
        f"naming and training parts, accuracy in 95% of {DRAWS} draws would be:",
        "",
        *lines,
        "",
    ]
