"""Where accuracy is lost: in the embedding, the clusters, the names, or beyond the learnt faces."""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.cluster.naming import DRAWS, METHODS
from facesort.common.emotions import MIXED
from facesort.score.cells import gather
from facesort.score.intervals import accuracy_interval, estimate, with_interval
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
    accuracy, probe = row["accuracy"], row["linear_probe_accuracy"]
    majority, oracle = row["always_majority_accuracy"], row["peeking_majority_accuracy"]
    if row["linear_probe_accuracy_low"] <= majority:
        return "embedding", (
            f"the embedding holds little of the emotions: a linear probe reaches {probe:.3f}, "
            f"always answering the commonest emotion {majority:.3f}"
        )
    if row["naming"] != "none":
        if oracle - row["peeking_by_chance"] < (probe - majority) / 2:
            return "clusters", (
                f"the clusters do not follow the emotions: a linear probe reaches {probe:.3f}, the "
                f"best possible names {oracle:.3f} ({row['peeking_by_chance']:.3f} by chance), the "
                f"names given {accuracy:.3f}"
            )
        if oracle - accuracy > SLIGHT:
            return "names", (
                f"the clusters are named badly: the best possible names reach {oracle:.3f}, "
                f"the names given {accuracy:.3f}; a linear probe reaches {probe:.3f}"
            )
        return "nothing", f"clusters and names tell most of what a linear probe finds ({probe:.3f})"
    if row["learnt_accuracy"] - accuracy > GENERALISES:
        return "generalisation", (
            f"right for {row['learnt_accuracy']:.3f} of the faces that it learnt from and "
            f"{accuracy:.3f} of others; a linear probe on its embedding reaches {probe:.3f}"
        )
    if probe - accuracy > SLIGHT and MODELS[row["model"]].answers == "neighbours":
        return "neighbours", (
            f"a linear probe on its embedding reaches {probe:.3f}, the votes of the nearest "
            f"labelled faces {accuracy:.3f}"
        )
    if probe - accuracy > SLIGHT and MODELS[row["model"]].signal == "nothing":
        return "prototypes", (
            f"a linear probe on its embedding reaches {probe:.3f}, prototypes without a label "
            f"{accuracy:.3f}"
        )
    if probe - accuracy > SLIGHT:
        return "last layers", (
            f"a linear probe on its embedding reaches {probe:.3f}, its own last layers "
            f"{accuracy:.3f}"
        )
    return "nothing", f"it tells what a linear probe finds in its embedding ({probe:.3f})"


def causes_markdown(causes: pd.DataFrame, *, data: str) -> str:
    """The causes for reading."""
    lines = [
        "| model | variant | names | accuracy | of names from other faces "
        "| best one-to-one names (peeks) "
        "| best names (peeks; by chance) | linear probe | balanced accuracy of a balanced one "
        "| nearest neighbours | NMI | ARI "
        "| silhouette of groups | of emotions |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in causes.to_dict("records"):
        figures = [
            with_interval(row, "accuracy"),
            with_interval(row, "renamed_accuracy"),
            f"{row['peeking_one_to_one_accuracy']:.3f}",
            f"{row['peeking_majority_accuracy']:.3f} ({row['peeking_by_chance']:.3f})",
            with_interval(row, "linear_probe_accuracy"),
            with_interval(row, "balanced_probe_balanced_accuracy"),
            with_interval(row, "knn_accuracy"),
            *(_figure(row[name]) for name in SHOWN),
        ]
        named = [str(row[name]) for name in ("model", "variant", "naming")]
        lines.append("| " + " | ".join(named + figures) + " |")
    lines += [
        "",
        f"Data: {data}. Names from other faces: had as many other faces of the naming and training "
        f"parts named the clusters, mean and middle 95% of {DRAWS} draws. The probes "
        "were taught by the labelled faces of the training part, which are not scored; their "
        "settings were chosen within it. To a balanced probe all emotions weigh alike, however "
        "rare. Peeking columns name the groups by the scored labels themselves, and so flatter: "
        "`by chance` is what they give when the labels are dealt out anew. For classifiers a group "
        "is a predicted emotion.",
        "",
        *names_lines(causes),
        "Where most is lost:",
        "",
        *cause_lines(causes),
        "",
    ]
    return "\n".join(lines)


def names_lines(causes: pd.DataFrame) -> list[str]:
    """The clusters by each way of naming: what labelled faces are worth, against none."""
    if "facs_accuracy" not in causes:
        return []
    lines = [
        "The same clusters by each way of naming, accuracy and balanced accuracy:",
        "",
        "| model | variant | plurality | one_to_one | facs, without a label "
        "| faces that facs leaves without an answer |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in causes[causes["facs_accuracy"].notna()].to_dict("records"):
        figures = [
            f"{with_interval(row, f'{method}_accuracy')}, {row[f'{method}_balanced_accuracy']:.3f}"
            for method in METHODS
        ]
        cells = [row["model"], row["variant"], *figures, f"{row['facs_unanswered']:.3f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return [
        *lines,
        "",
        "Plurality and one_to_one ask the labelled faces of the naming part; facs asks none: it "
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
    spans = [
        f"{row['model']}, {row['variant']} {row['renamed_accuracy_low']:.3f} to "
        f"{row['renamed_accuracy_high']:.3f}"
        for row in causes.to_dict("records")
        if not np.isnan(row["renamed_accuracy"])
    ]
    if not spans:
        return []
    return [
        "Intervals leave out which faces name the clusters. Had as many other faces of the naming "
        f"and training parts named them, accuracy in 95% of {DRAWS} draws: "
        f"{'; '.join(spans)} (causes.md).",
        "",
    ]


def _figure(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"
