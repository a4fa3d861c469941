"""Table 2: positive against negative emotions, without and with neutral (the paper's section 7).

Made from the predictions of the eight emotions; nothing is trained anew. Surprise counts as
neither: it may be a good one or a bad one (Russell 1980, https://doi.org/10.1037/h0077714), so
faces labelled so are not scored, and an answer of surprise is wrong.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.score.cells import gather
from facesort.score.intervals import accuracy_interval, estimate

VALENCE: Final = {
    "anger": "negative",
    "contempt": "negative",
    "disgust": "negative",
    "fear": "negative",
    "happy": "positive",
    "neutral": "neutral",
    "sad": "negative",
}
CLASSES: Final = (("positive", "negative"), ("positive", "negative", "neutral"))
COLUMNS: Final = [
    *("classes", "model", "variant", "seeds", "n_test"),
    *("accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "neither"),
    *("chance", "majority", "always_majority", "gain", "gain_low", "gain_high"),
]


def make_valence_table(
    cells: list[dict[str, Any]], predictions: list[pd.DataFrame]
) -> pd.DataFrame:
    """Score the predictions by valence.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: columns face, label, predicted; a row a test face.

    Returns:
        A row a model, variant and set of classes, means over seeds: accuracy with its interval,
        balanced accuracy (mean recall), neither (share of answers that are none of the classes,
        which are wrong), chance (1 / classes), always_majority, and gain over always_majority with
        its interval. Classes of which there is no face are left out of their set; one that then
        has fewer than two, or those of the set before, has no rows.
    """
    rows = []
    gathered = gather(cells, predictions)
    found = predictions[0]["label"].map(VALENCE)
    sets = [tuple(name for name in classes if (found == name).any()) for classes in CLASSES]
    for classes in dict.fromkeys(each for each in sets if len(each) > 1):
        for (model, variant), numbers in gathered.items():
            tables = [predictions[number] for number in numbers]
            truth = tables[0]["label"].map(VALENCE).to_numpy()
            scored = np.isin(truth.astype(str), classes)
            truth = truth[scored].astype(str)
            counts = {name: int((truth == name).sum()) for name in classes}
            given = np.stack(
                [t["predicted"].map(VALENCE).to_numpy()[scored].astype(str) for t in tables]
            )
            correct = given == truth
            low, high = accuracy_interval(correct)
            commonest = max(counts, key=lambda name: counts[name])
            gain = estimate(correct - (truth == commonest).astype(np.float64))
            rows.append(
                {
                    "classes": "/".join(classes),
                    "model": model,
                    "variant": variant,
                    "seeds": len(tables),
                    "n_test": len(truth),
                    "accuracy": correct.mean(),
                    "accuracy_low": low,
                    "accuracy_high": high,
                    "balanced_accuracy": np.mean(
                        [correct[:, truth == name].mean() for name in classes]
                    ),
                    "neither": 1 - np.isin(given, classes).mean(),
                    "chance": 1 / len(classes),
                    "majority": commonest,
                    "always_majority": counts[commonest] / len(truth),
                    "gain": gain.mean,
                    "gain_low": gain.low,
                    "gain_high": gain.high,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def valence_markdown(table: pd.DataFrame, *, data: str) -> str:
    """Table 2 for reading."""
    lines = []
    if table.empty:
        lines += ["The scored faces are of one valence: there is nothing to tell apart.", ""]
    for classes, rows in table.groupby("classes", sort=False):
        first = rows.iloc[0]
        lines += [
            f"{str(classes).replace('/', ', ')} ({first['n_test']:,} faces; chance "
            f"{first['chance']:.3f}, always {first['majority']} {first['always_majority']:.3f})",
            "",
            "| model | variant | accuracy [95% interval] | balanced accuracy "
            "| answers of neither | gain over always "
            f"{first['majority']} [95% interval] |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {row['model']} | {row['variant']} | {row['accuracy']:.3f} "
            f"[{row['accuracy_low']:.3f}, {row['accuracy_high']:.3f}] "
            f"| {row['balanced_accuracy']:.3f} | {row['neither']:.3f} "
            f"| {row['gain']:+.3f} [{row['gain_low']:+.3f}, {row['gain_high']:+.3f}] |"
            for row in rows.to_dict("records")
        ]
        lines.append("")
    by_class = {name: ", ".join(e for e, v in VALENCE.items() if v == name) for name in CLASSES[1]}
    lines += [
        f"Data: {data}. From the same predictions as Table 1. Positive: {by_class['positive']}. "
        f"Negative: {by_class['negative']}. Neutral: {by_class['neutral']}. Surprise may be "
        "pleasant or not, so faces labelled so are not scored, and an answer of surprise is wrong, "
        "as is one of neutral where that is no class: it is counted as an answer of neither.",
        "",
    ]
    return "\n".join(lines)
