"""The model card of an exported model: front matter for model hubs, and what its users must know.

Sections after Mitchell et al. 2019, https://doi.org/10.1145/3287560.3287596; front matter after
https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from facesort.common.emotions import EMOTIONS
from facesort.export.about import own_name
from facesort.pages.cards import DEMO, fill, plain
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.markdown import percent, table_lines, with_interval
from facesort.score.scores import score
from facesort.train.models import MODELS

# As in CITATION.cff.
VERSION: Final = "0.1.0"
# Ranges of probability over which calibration is measured, after Guo et al. 2017,
# https://arxiv.org/abs/1706.04599
BINS: Final = 10
# Confusions that are named, and scored faces below which little can be said of an emotion.
WORST: Final = 5
FEW: Final = 30
# How far the accuracy of a file may be from that of the workflow without a word.
APART: Final = 0.01
# What hubs call a data set that is a folder of images.
FOLDER: Final = "imagefolder"
METRICS: Final = (
    ("accuracy", "accuracy", "accuracy"),
    ("recall", "balanced accuracy (mean recall)", "balanced"),
    ("f1", "macro F1", "macro_f1"),
)
SEES: Final = {
    "faces": "a picture of a face",
    "aligned": "a tight picture of a face, turned and scaled by its landmarks",
    "landmarks": "478 landmarks, which its file finds in a picture of a face",
    "movements": "strengths of facial movements, which its file measures in a picture of a face",
}


def evaluate(answers: pd.DataFrame) -> dict[str, Any]:
    """How right a file is on the scored faces.

    Args:
        answers: a row a scored face: label, and the probability of each of ``EMOTIONS``.

    Returns:
        n; chance; accuracy, balanced (mean recall) and macro_f1, the first two with 95% intervals
        (_low, _high) over images; ``emotions``, a table with a row an emotion: faces, answered
        (how often it is the answer), right with its interval, and taken_for, the most frequent
        wrong answer; ``confused``, the worst confusions: label, answer, faces, share of the label;
        confidence, the mean probability of the answers; calibration, the expected calibration
        error: how far probabilities are from shares of right answers.
    """
    labels = answers["label"].to_numpy(str)
    told = answers[list(EMOTIONS)].to_numpy()
    given = np.array(EMOTIONS)[told.argmax(1)]
    right, sure = given == labels, told.max(1)
    crossed = pd.crosstab(labels, given).reindex(index=EMOTIONS, columns=EMOTIONS, fill_value=0)
    wrong = crossed.mask(np.eye(len(EMOTIONS), dtype=bool), 0)
    rows = []
    for emotion in EMOTIONS:
        of = labels == emotion
        low, high = accuracy_interval(right[of][None]) if of.any() else (np.nan, np.nan)
        rows.append(
            {
                "emotion": emotion,
                "faces": int(of.sum()),
                "answered": int(crossed[emotion].sum()),
                "right": right[of].mean() if of.any() else np.nan,
                "right_low": low,
                "right_high": high,
                "taken_for": wrong.loc[emotion].idxmax() if wrong.loc[emotion].any() else "",
            }
        )
    pairs = (
        wrong.rename_axis("label")
        .reset_index()
        .melt("label", var_name="answer", value_name="faces")
    )
    pairs["share"] = pairs["faces"] / pairs["label"].map(crossed.sum(axis=1))
    pairs = pairs[pairs["faces"] > 0].sort_values("share", ascending=False, kind="stable")
    low, high = accuracy_interval(right[None])
    balanced = estimate(right[None], labels)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    apart = np.bincount(bins, sure - right, BINS)
    return {
        "n": len(labels),
        "chance": 1 / len(np.unique(labels)),
        "accuracy": right.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced": balanced.mean,
        "balanced_low": balanced.low,
        "balanced_high": balanced.high,
        "macro_f1": score(labels, given, told.argmax(1))["macro_f1"],
        "emotions": pd.DataFrame(rows),
        "confused": pairs.head(WORST),
        "confidence": sure.mean(),
        "calibration": abs(apart).sum() / len(labels),
    }


def limits_found(
    found: dict[str, Any],
    about: dict[str, Any],
    table: pd.DataFrame,
    taught: pd.Series | None,
    in_workflow: float,
) -> list[str]:
    """What the run itself has found against a model, a sentence each.

    Args:
        found: of ``evaluate``; about: ``model.json`` beside the files.
        table: of ``trial.try_files``.
        taught: of each emotion the number of faces that taught it; None without labels.
        in_workflow: accuracy of the workflow's own answers to the same faces.
    """
    chance, emotions = found["chance"], found["emotions"]
    scored = emotions[emotions["faces"] > 0]
    named = {
        "It gives this answer more than twice as often as it is the label": [
            f"{row.emotion} ({row.answered:,} answers, {row.faces:,} faces)"
            for row in scored.itertuples()
            if row.answered > 2 * row.faces
        ],
        "It cannot answer, as it had no such face to learn from": about["never_answered"],
        "It never gave this answer": [
            row.emotion
            for row in emotions.itertuples()
            if not row.answered and row.emotion not in about["never_answered"]
        ],
        "No scored face had this label, so nothing is known of it": [
            row.emotion for row in emotions.itertuples() if not row.faces
        ],
        f"Fewer than {FEW} scored faces had this label, so little is known of it": [
            f"{row.emotion} ({row.faces})" for row in scored.itertuples() if row.faces < FEW
        ],
        "Of these it is not surely right more often than by guessing": [
            f"{row.emotion} ({percent(row.right)}%)"
            for row in scored.itertuples()
            if row.right_low <= chance
        ],
    }
    lines = []
    if found["accuracy_low"] <= chance:
        lines.append(f"It is not surely better than guessing, which gives {percent(chance)}%.")
    lines += [f"{words}: {', '.join(names)}." for words, names in named.items() if names]
    if taught is not None and taught.min() < taught.max():
        lines.append(f"It learnt least of: {taught.idxmin()} ({taught.min():,} faces).")
    if abs(in_workflow - found["accuracy"]) >= APART:
        lines.append(
            f"In Table 1 of the workflow it is right in {percent(in_workflow)}% of the same faces."
        )
        if "strengths" in about["outputs"]:
            lines[-1] += " There each face is set against all others, and a file sees one alone."
    over = found["confidence"] - found["accuracy"]
    if abs(over) >= 0.05:
        which = "sure" if over > 0 else "unsure"
        lines.append(f"It is too {which} of itself, by {percent(abs(over))} points on average.")
    for row in table.to_dict("records"):
        if row["balanced_change_high"] < 0:
            lines.append(
                f"`{row['precision']}.onnx` is worse than `float32.onnx`: balanced accuracy "
                f"changes by {with_interval(row, 'balanced_change', signed=True)} points."
            )
    return lines


def front_matter(title: str, found: dict[str, Any], tags: list[str], scored_on: str) -> str:
    """The YAML at the head of a card, which model hubs read."""
    metrics = [
        {"type": kind, "name": name, "value": round(float(found[key]), 4)}
        for kind, name, key in METRICS
    ]
    of = {"name": scored_on, "type": FOLDER, "split": "test"}
    task = {"type": "image-classification", "name": "Apparent facial expression"}
    results = [{"task": task, "dataset": of, "metrics": metrics}]
    fields = {
        "license": "other",
        "license_name": "see-the-card",
        "library_name": "onnx",
        "pipeline_tag": "image-classification",
        "tags": ["facial-expression-recognition", "facesort", *tags],
        "datasets": [FOLDER],
        "metrics": [kind for kind, _, _ in METRICS],
        "model-index": [{"name": title, "results": results}],
    }
    # A long line would be broken, and is read the same.
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)


def model_card(
    *,
    made: dict[str, Any],
    about: dict[str, Any],
    table: pd.DataFrame,
    answers: pd.DataFrame,
    parts: pd.Series,
    taught: pd.Series | None,
    in_workflow: float,
    names: dict[str, str],
    limits: str,
    elsewhere: pd.DataFrame | None = None,
    audits: dict[str, str] | None = None,
) -> str:
    """The card, Markdown with YAML at its head.

    Args:
        made: the trained model's own ``model.json``; about: that beside the files.
        table: of ``trial.try_files``.
        answers: of ``float32.onnx``, as of ``evaluate``.
        parts: the part of each labelled face.
        taught, in_workflow: as of ``limits_found``.
        names: what the sets "pool" and "labelled" are called.
        limits: what no model of faces can tell, and where the law forbids it.
        elsewhere: rows of results/elsewhere.csv of this model and variant.
        audits: what audits found of this row, Markdown by heading.
    """
    kind, found = MODELS[made["model"]], evaluate(answers)
    title = f"facesort {made['model']}, {made['variant']}, seed {made['seed']}"
    settings = made["settings"]
    weights = settings.get("weights")
    start = [settings["backbone"], own_name(weights)] if weights else []
    emotions = found["emotions"]
    columns = ["emotion", "taught", "scored", "answered", "right [95%]", "taken for", "sure from"]
    by_emotion = [
        [
            row["emotion"],
            "-" if taught is None else f"{taught[row['emotion']]:,}",
            f"{row['faces']:,}",
            f"{row['answered']:,}",
            with_interval(row, "right"),
            row["taken_for"] or "-",
            "-" if (least := about["thresholds"].get(row["emotion"])) is None else percent(least),
        ]
        for row in emotions.to_dict("records")
    ]
    files = [
        [
            f"`{row['precision']}.onnx`",
            *(f"{row['bytes']:,}", f"{row['ms_1']:.1f}", percent(row["accuracy"])),
            with_interval(row, "balanced_change", signed=True),
            *(f"{100 * row['equal']:.2f}", f"{row['furthest']:.1e}"),
            f"`{about['files'][row['precision']]['sha256'][:16]}`",
        ]
        for row in table.to_dict("records")
    ]
    of_files = ["file", "bytes", "ms", "accuracy", "change of balanced", "equal", "furthest"]
    others = [
        [
            *(plain(row["set"]), f"{row['n']:,}", row["emotions"], percent(row["chance"])),
            *(with_interval(row, name) for name in ("accuracy", "balanced_accuracy")),
        ]
        for row in ([] if elsewhere is None else elsewhere.to_dict("records"))
    ]
    of_others = ["set", "faces", "emotions", "chance", "accuracy", "balanced"]
    return fill(
        Path(__file__).with_suffix(".md"),
        front=front_matter(title, found, ["emotion", made["variant"]], names["labelled"]),
        title=title,
        made=made,
        about=about,
        kind=kind,
        sees=SEES[settings.get("view", kind.view)],
        parameters=sum(layer["parameters"] for layer in made["layers"]),
        found=found,
        confused=found["confused"].to_dict("records"),
        files=table_lines([*of_files, "SHA-256"], files, 1),
        emotions=table_lines(columns, by_emotion, 1),
        others=table_lines(of_others, others, 1) if others else [],
        seeds=int(elsewhere["seeds"].iloc[0]) if others and elsewhere is not None else 0,
        parts=parts.value_counts().to_dict(),
        learnt=[
            (phase, faces, phase == "classify" or "pool" not in kind.learns_from)
            for phase, faces in made["faces"].items()
        ],
        names=names,
        demo=DEMO,
        start=start,
        data={own_name(path): digest for path, digest in made["data"].items()},
        limits_found=limits_found(found, about, table, taught, in_workflow),
        limits=limits,
        audits=audits or {},
        version=VERSION,
    )
