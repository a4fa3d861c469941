"""All cells' curves over the number of labels, with intervals over draws, images and seeds."""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.score.cells import gather
from facesort.score.few_labels.label_first import WAYS
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.markdown import percent, table_lines, with_interval

# How a row's embedding is marked, by what people told it.
MARKS: Final = {"none": "", "comparisons": " (comparisons)", "labels": " (labels)"}
METRICS: Final = ("accuracy", "balanced_accuracy")
# What each way's gains are over; anatomy's is over labels alone, of the same faces.
BASES: Final = {way: "random" for way in WAYS if way != "random"} | {"anatomy": "equal"}


def make_few_labels_table(
    cells: list[dict[str, Any]],
    tables: list[pd.DataFrame],
    answers: list[np.ndarray],
    labels: np.ndarray,
    supervision: dict[str, str],
) -> pd.DataFrame:
    """Gather what few labels gave in every cell.

    Intervals treat draws and images as both drawn at random, and crossed. With several seeds a
    seed's draws count by their mean, so that seeds are drawn too.

    Args:
        cells: of each table its ``model``, ``variant`` and ``seed``.
        tables, answers: of each cell, as ``few_labels`` gives them.
        labels: str (n,), true emotions of the test faces.
        supervision: of each model: none, comparisons or labels.

    Returns:
        A row a model, variant, way of choosing and budget. Means over draws and seeds: labels (how
        many taught), emotions (how many had any), fewest (labels of the rarest that there is),
        accuracy, balanced_accuracy and macro_f1, the first two with interval (_low, _high) and _sd,
        the standard deviation of one draw; and their _gain over the way of ``BASES``, with interval
        (NaN where there is none). The way ``anatomy`` is of cells that have it.

    Raises:
        InputError: if a cell's answers do not fit its table or the test faces.
    """
    for cell, table, given in zip(cells, tables, answers, strict=True):
        if given.shape != (len(table), len(labels)):
            raise InputError(
                f"{cell['variant']}/{cell['model']}/seed{cell['seed']}: few_labels.npy has "
                f"{given.shape} answers for {len(table)} rows of few_labels.csv and {len(labels)} "
                "test faces; delete both and rerun"
            )
    truth = np.array([EMOTIONS.index(label) for label in labels])
    # Those of the training part, of each of which some draw has a face.
    own = [emotion for emotion in EMOTIONS if tables[0][emotion].any()]
    test = pd.DataFrame({"face": np.arange(len(labels)), "label": labels})
    rows = []
    for (model, variant), numbers in gather(cells, [test] * len(cells)).items():
        for budget in sorted(set(tables[numbers[0]]["per_emotion"])):
            drawn, right = {}, {}
            tried = set(tables[numbers[0]]["way"])
            for way in (way for way in (*WAYS, "anatomy") if way in tried):
                of_way = [
                    ((tables[n]["way"] == way) & (tables[n]["per_emotion"] == budget)).to_numpy()
                    for n in numbers
                ]
                pairs = list(zip(numbers, of_way, strict=True))
                drawn[way] = pd.concat([tables[n][chosen] for n, chosen in pairs])
                right[way] = np.stack([answers[n][chosen] == truth for n, chosen in pairs])
            for way in drawn:
                counts = drawn[way][own].to_numpy()
                rows.append(
                    {
                        "model": model,
                        "variant": variant,
                        "supervision": supervision[model],
                        "seeds": len(numbers),
                        "draws": right[way].shape[1],
                        "n_test": len(labels),
                        "way": way,
                        "per_emotion": budget,
                        "labels": drawn[way]["labels"].mean(),
                        "emotions": (counts > 0).sum(1).mean(),
                        "fewest": counts.min(1).mean(),
                        **_scores(right[way], truth),
                        "macro_f1": drawn[way]["macro_f1"].mean(),
                        **(_gains(right[way], right[BASES[way]], truth) if way in BASES else {}),
                        "always_commonest": np.bincount(truth).max() / len(truth),
                        "chance": 1 / len(np.unique(truth)),
                    }
                )
    return pd.DataFrame(rows)


def _by_seed(right: np.ndarray) -> np.ndarray:
    """(seeds, draws, n) to what is drawn at random beside images: (draws, n), or (seeds, n)."""
    return np.asarray(right[0] if len(right) == 1 else right.mean(1))


def _scores(right: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Both scores with intervals and deviations.

    Args:
        right: bool (seeds, draws, n), whether each test face was right.
        truth: int (n,), its emotion.
    """
    if (right == right[:1, :1]).all():
        low, high = accuracy_interval(right[0, :1])
    else:
        low, high = accuracy_interval(_by_seed(right))
    balanced = estimate(_by_seed(right), truth)
    recall = np.stack([right[..., truth == k].mean(-1) for k in np.unique(truth)], axis=-1)
    several = right.shape[1] > 1
    return {
        "accuracy": right.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_sd": right.mean(-1).std(1, ddof=1).mean() if several else np.nan,
        "balanced_accuracy": balanced.mean,
        "balanced_accuracy_low": max(balanced.low, 0.0),
        "balanced_accuracy_high": balanced.high,
        "balanced_accuracy_sd": recall.mean(-1).std(1, ddof=1).mean() if several else np.nan,
    }


def _gains(right: np.ndarray, base: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Both scores' gains over another way, on the same test faces."""
    difference = _by_seed(right.astype(np.float64) - base)
    found: dict[str, float] = {}
    for metric, classes in zip(METRICS, (None, truth), strict=True):
        gain = estimate(difference, classes)
        found |= {f"{metric}_gain": gain.mean}
        found |= {f"{metric}_gain_low": gain.low, f"{metric}_gain_high": gain.high}
    return found


def few_labels_markdown(table: pd.DataFrame, *, data: str, emotions: int = len(EMOTIONS)) -> str:
    """The curves for reading: the finding, each score by labels per emotion, which to label first.

    Args:
        emotions: how many the training part has.
    """
    budgets = sorted(set(table["per_emotion"]))
    first = table.iloc[0]
    equal = table[table["way"] == "equal"]
    lines = [_finding(equal, budgets[0])]
    if ways := _ways_lead(table):
        lines[0] += f" {ways}"
    lines += ["", "### Scores by labels per emotion", ""]
    for metric in METRICS:
        rows = [
            [name, *(with_interval(row, metric) for row in group.to_dict("records"))]
            for name, group in _named(equal)
        ]
        lines += [f"{_title(metric)}:", "", *table_lines(["", *map(str, budgets)], rows, 1), ""]
    lines += [_had(table), "", *_anatomy_lines(table, budgets)]
    lines += ["### Which faces to label first, without knowing any emotion", ""]
    for metric in METRICS:
        rows = [
            [name, way, *(with_interval(row, figure, signed) for row in shown)]
            for name, group in _named(table)
            for way, figure, signed in (
                ("random", metric, False),
                ("typical", f"{metric}_gain", True),
                ("central", f"{metric}_gain", True),
            )
            for shown in [group[group["way"] == way].to_dict("records")]
        ]
        headers = ["", "faces", *(str(emotions * budget) for budget in budgets)]
        lines += [
            f"{_title(metric)} of random faces, and the gain of others over it, by labels in all:",
            "",
            *table_lines(headers, rows, 2),
            "",
        ]
    covers = "draws, images and seeds" if first["seeds"] > 1 else "draws and images"
    lines += [
        "- Random: faces drawn at random. Typical: as many clusters as labels, and of each the "
        "face in the densest place. Central: of each of the model's own clusters in turn (or, if "
        "it has none, of K-means on the training part), the face nearest to the centroid. None of "
        "the three looks at a label.",
        "- Nothing is drawn for central faces, so their interval covers the draws of the random "
        "faces alone.",
        "",
        "### Notes",
        "",
        f"- Scores are in percent. Data: {data}. A logistic regression on each embedding learnt "
        "from so many faces of the training part and no other label. It was scored on the same "
        f"{first['n_test']:,} test faces as Table 1.",
        f"- Means of {table['draws'].max()} draws. Intervals cover {covers}, and are not corrected "
        "for their number. Nothing was chosen by these figures. How far one draw alone may lie "
        "from the mean: few_labels.csv (_sd).",
        f"- Always answering the commonest emotion scores {percent(first['always_commonest'])}% "
        f"(balanced {percent(first['chance'])}%).",
    ]
    if (table["supervision"] == "labels").any():
        lines.append(
            "- Rows marked (labels) do not tell what few labels give: the training part's labels, "
            "all or a share of them, taught their embeddings before any was counted here."
        )
    if (table["supervision"] == "comparisons").any():
        lines.append(
            "- Rows marked (comparisons) learnt from people's comparisons of faces: no emotion "
            "labels, but a human signal."
        )
    return "\n".join([*lines, ""])


def _title(metric: str) -> str:
    return metric.replace("_", " ").capitalize()


def _finding(equal: pd.DataFrame, budget: int) -> str:
    """The best balanced accuracy by the fewest labels, of an embedding that no label taught."""
    rows = equal[equal["per_emotion"] == budget]
    unlabelled = rows[rows["supervision"] != "labels"]
    rows = rows if unlabelled.empty else unlabelled
    best = rows.nlargest(1, "balanced_accuracy").iloc[0]
    which = "" if unlabelled.empty else ", of embeddings that no label taught"
    return (
        f"Best with {budget} labels per emotion{which}: {best['model']} on {best['variant']}, "
        f"{with_interval(best, 'balanced_accuracy')}% balanced accuracy."
    )


def _ways_lead(table: pd.DataFrame) -> str:
    """Whether choosing the faces to label is found to help, or to harm."""
    said = []
    for way in ("typical", "central"):
        rows = table[table["way"] == way]
        if len(rows):
            better = (rows["balanced_accuracy_gain_low"] > 0).sum()
            worse = (rows["balanced_accuracy_gain_high"] < 0).sum()
            said.append(f"{way} faces are better in {better} and worse in {worse} of {len(rows)}")
    return f"Against random faces, {'; '.join(said)} comparisons." if said else ""


def _anatomy_lines(table: pd.DataFrame, budgets: list[int]) -> list[str]:
    """What anatomy beside the embeddings adds to labels; no line where it was not tried."""
    if not (table["way"] == "anatomy").any():
        return []
    rows = [
        [name, what, *(with_interval(row, figure, signed) for row in group.to_dict("records"))]
        for name, group in _named(table[table["way"] == "anatomy"])
        for what, figure, signed in (
            ("anatomy and labels", "balanced_accuracy", False),
            ("gain", "balanced_accuracy_gain", True),
        )
    ]
    return [
        "### Anatomy and labels",
        "",
        "The same faces teach. Beside the embedding, the regression sees what action_units sees of "
        "a face, and what it answers without any label. Balanced accuracy, and the gain over "
        "labels alone, by labels per emotion:",
        "",
        *table_lines(["", "", *map(str, budgets)], rows, 2),
        "",
    ]


def _named(table: pd.DataFrame) -> Any:
    """The rows by model and variant, with the model's mark."""
    marks = table["supervision"].map(MARKS)
    named = table.assign(named=table["model"] + ", " + table["variant"] + marks)
    return named.groupby("named", sort=False)


def _had(table: pd.DataFrame) -> str:
    """Where there were fewer labels than asked for."""
    equal = table[table["way"] == "equal"].groupby("per_emotion", sort=True)
    short = [
        f"at {number}, the rarest had {row['fewest']:g} and all together {row['labels']:g}"
        for number, row in equal[["fewest", "labels"]].first().iterrows()
        if row["fewest"] < number
    ]
    if not short:
        return "The training part had as many faces of each emotion."
    return f"Where an emotion has fewer faces, all of them taught: {'; '.join(short)}."
