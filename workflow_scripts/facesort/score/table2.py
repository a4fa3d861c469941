"""Table 2: positive against negative emotions, without and with neutral (the paper's section 7).

Made from the predictions of the eight emotions; nothing is trained again. Surprise counts as
neither: it may be a good one or a bad one (Russell 1980, https://doi.org/10.1037/h0077714), so
faces labelled so are not scored, and an answer of surprise is wrong.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.score.cells import gather
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.markdown import percent, table_lines, with_interval

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
    if table.empty:
        return "The scored faces are all positive or all negative: there is nothing to compare.\n"
    lead, parts = [], []
    for classes, rows in table.groupby("classes", sort=False):
        first, best = rows.iloc[0], rows.nlargest(1, "accuracy").iloc[0]
        names = str(classes).replace("/", ", ")
        always = f"always answering {first['majority']} scores {percent(first['always_majority'])}%"
        lead.append(
            f"Best on {names}: {best['model']} on {best['variant']}, "
            f"{with_interval(best, 'accuracy')}%; {always}."
        )
        parts += [
            f"### {names[0].upper()}{names[1:]}",
            "",
            *table_lines(
                ["model, variant", "accuracy", "balanced", "neither", "gain"],
                [
                    [
                        f"{row['model']}, {row['variant']}",
                        with_interval(row, "accuracy"),
                        *(percent(row["balanced_accuracy"]), percent(row["neither"])),
                        with_interval(row, "gain", signed=True),
                    ]
                    for row in rows.to_dict("records")
                ],
                1,
            ),
            "",
            f"{first['n_test']:,} faces. Chance is {percent(first['chance'])}%; {always}. Gain is "
            "over that.",
            "",
        ]
    by_class = {name: ", ".join(e for e, v in VALENCE.items() if v == name) for name in CLASSES[1]}
    return "\n".join(
        [
            " ".join(lead),
            "",
            *parts,
            "### Notes",
            "",
            f"- Scores are in percent, with 95% intervals. Data: {data}. From the same predictions "
            "as Table 1.",
            f"- Positive: {by_class['positive']}. Negative: {by_class['negative']}. Neutral: "
            f"{by_class['neutral']}.",
            "- Surprise may be pleasant or not. So faces labelled so are not scored, and an answer "
            "of surprise is wrong. So is an answer of neutral where that is no class. Both are "
            "counted as neither.",
            "",
        ]
    )
