"""Table 1: every model on every variant, beside the paper's figures."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.score.causes import luck_lines
from facesort.score.cells import gather
from facesort.score.comparisons import comparison_lines, ties, verdicts
from facesort.score.intervals import accuracy_interval
from facesort.score.markdown import percent, table_lines, with_interval
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


# Those of the reading tables.
SHOWN: Final = ("balanced_accuracy", "macro_f1", "oracle_accuracy")
# Signs of the reading tables; their meaning stands below Table 1.
RANKS: Final = {"best": "★", "tied": "≈", "": ""}
AGAINST_CHANCE: Final = {"above": "▲", "at": "○", "below": "▼"}


def make_table(
    cells: list[dict[str, Any]],
    predictions: list[pd.DataFrame],
    comparisons: pd.DataFrame,
    causes: pd.DataFrame,
    emotions: Collection[str] = EMOTIONS,
) -> pd.DataFrame:
    """Gather all cells' predictions into Table 1.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: columns face, label, group, predicted; a row a test face.
        comparisons: of ``facesort.score.comparisons.compare``.
        causes: of ``facesort.score.causes.make_causes``.
        emotions: those of the labelled set.

    Returns:
        A row a model and variant; scores are means over seeds. Chance is 1 / emotions; rank is
        "best", "tied" (not told apart from the best) or ""; against_chance is above, at or below;
        named_by is person, automatic, facs, several of them joined by "+", or none of a classifier.

    Raises:
        InputError: if two cells were not scored on the same faces.
    """
    best, tied = ties(cells, predictions)
    against_chance = verdicts(comparisons)
    why = causes.set_index(["model", "variant"])
    rows = []
    for (model, variant), numbers in gather(cells, predictions).items():
        tables = [predictions[number] for number in numbers]
        correct = np.stack([(t["label"] == t["predicted"]).to_numpy() for t in tables])
        scores = [
            score(t["label"].to_numpy(str), t["predicted"].to_numpy(str), t["group"].to_numpy())
            for t in tables
        ]
        low, high = accuracy_interval(correct)
        key = (model, variant)
        rows.append(
            {
                "model": model,
                "variant": variant,
                "rank": "best" if key == best else "tied" if key in tied else "",
                "seeds": len(tables),
                "n_test": correct.shape[1],
                "accuracy": correct.mean(),
                "accuracy_low": low,
                "accuracy_high": high,
                "against_chance": against_chance[key],
                **{name: float(np.mean([s[name] for s in scores])) for name in SCORES},
                "paper_accuracy": PAPER.get(model, {}).get(variant, np.nan),
                "chance": 1 / len(emotions),
                "lost_in": why.loc[key, "lost_in"],
                "supervision": MODELS[model].supervision,
                "named_by": why.loc[key, "naming"],
            }
        )
    return pd.DataFrame(rows)


def finding_lines(table: pd.DataFrame, rendered: bool) -> list[str]:
    """What Table 1 found, in sentences: the best row, what it is worth, and the clusterings.

    Args:
        table: of ``make_table``.
        rendered: whether the scored faces are the workflow's own.
    """
    best = table[table["rank"] == "best"].iloc[0]
    mean, low, high = (percent(best[f"accuracy{end}"]) for end in ("", "_low", "_high"))
    lines = [
        f"Best: {best['model']} on {best['variant']}, {mean}% (95% interval {low} to {high}); "
        f"chance is {percent(best['chance'])}%."
    ]
    tied = table[table["rank"] == "tied"]
    if len(tied) > 3:
        lines.append(f"{len(tied)} other rows are not told apart from it.")
    elif len(tied):
        names = " and ".join(f"{row.model} on {row.variant}" for row in tied.itertuples())
        lines.append(f"Not told apart from it: {names}.")
    if rendered and untold(best["model"]):
        lines.append(
            "The program that rendered these faces taught it too, so this says nothing about "
            "photographs."
        )
        rendered = False
        others = table[~table["model"].map(untold)]
        if len(others):
            lines.append(f"Best of the others: {_told(others.nlargest(1, 'accuracy').iloc[0])}.")
    if not (table["against_chance"] == "above").any():
        return [*lines, "No row beats chance."]
    lines += _clusterings(table[table["named_by"] != "none"])
    if rendered:
        lines.append("Rendered faces say nothing about photographs.")
    return lines


def _clusterings(rows: pd.DataFrame) -> list[str]:
    """What the clusterings are worth. Names may be lucky, so it is asked whether clusters are."""
    if rows.empty:
        return []
    above = rows["against_chance"] == "above"
    vague = rows["lost_in"].isin(["clusters", "embedding"])
    if not above.any():
        why = ": their clusters hardly follow expression" if vague.all() else ""
        return [f"The clusterings are at chance{why}."]
    beats = "beats" if above.sum() == 1 else "beat"
    line = f"Of {len(rows)} clusterings, {above.sum()} {beats} chance with the names given"
    if doubtful := int((above & vague).sum()):
        which = "" if doubtful == above.sum() else f" of {doubtful} of them"
        line += f", but the clusters{which} hardly follow expression"
    return [f"{line}."]


def _told(row: pd.Series) -> str:
    mean, low, high = (percent(row[f"accuracy{end}"]) for end in ("", "_low", "_high"))
    return f"{row['model']} on {row['variant']}, {mean}% [{low}, {high}]"


def naming_lines(cells: list[dict[str, Any]], origins: list[str], per_emotion: int) -> list[str]:
    """Who or what named the clusters: a line each; none where there are no clusters.

    Args:
        origins: of each cell's names: "person", "automatic", "facs", or "none" of a classifier.
        per_emotion: labelled faces that name automatically.
    """
    ways = {
        "automatic": f"Named automatically: by {per_emotion} labelled faces per emotion, which are "
        "never scored.",
        "facs": "Named by facs: by what the faces do, without a labelled face. Tables of the "
        "literature say which movements make an emotion. Where they fit none, faces have no answer "
        "and count as wrong (shares in causes.md).",
    }
    persons = [
        "{variant}/{model}/seed{seed}".format(**cell)
        for cell, origin in zip(cells, origins, strict=True)
        if origin == "person"
    ]
    lines = [f"Named by a person: {', '.join(persons)}."] if persons else []
    return lines + [way for origin, way in ways.items() if origin in origins]


def lack_lines(emotions: Collection[str], scored: Collection[str]) -> list[str]:
    """Which of the eight emotions the labelled set lacks, and which are not scored."""
    lines = []
    if lacks := [emotion for emotion in EMOTIONS if emotion not in emotions]:
        lines.append(
            f"The labelled set has no {', '.join(lacks)}. So our figures are of {len(emotions)} "
            f"emotions; the paper's are of {len(EMOTIONS)}, with a chance of "
            f"{percent(1 / len(EMOTIONS))}%."
        )
    if unscored := [e for e in EMOTIONS if e in emotions and e not in scored]:
        lines.append(f"No face of {', '.join(unscored)} is among those scored.")
    return lines


def choice_lines(choices: dict[str, dict[str, Any]]) -> list[str]:
    """What was chosen without labels, and by which criterion; no line if nothing was."""
    if not choices:
        return []
    lines = []
    for cell, choice in choices.items():
        best, tried = choice["chosen"], choice["tried"]
        setting = f"{choice['setting']} {best['candidate']:g}"
        epoch = f" after epoch {best['epoch']}" if best["epoch"] else ""
        lines.append(f"- {cell}: {setting}{epoch} ({best['stability']:.3f}; {len(tried)} tried)")
    criterion = next(iter(choices.values()))["criterion"]
    return [
        "### Chosen without labels",
        "",
        f"Before anything was scored, by {criterion}.",
        "",
        *lines,
        "",
    ]


def table_markdown(
    table: pd.DataFrame,
    comparisons: pd.DataFrame,
    causes: pd.DataFrame,
    *,
    data: str,
    seeds: list[int],
    naming: list[str],
    labels: pd.Series,
    emotions: Collection[str] = EMOTIONS,
    choices: dict[str, dict[str, Any]] | None = None,
    rendered: bool = False,
) -> str:
    """Table 1 for reading, with what its figures were made from and where accuracy is lost.

    Args:
        naming: lines that say who or what named.
        labels: of the scored faces.
        emotions: those of the labelled set.
        choices: of the cells whose settings were chosen without labels, what model.json tells.
        rendered: whether the scored faces are the workflow's own.
    """
    headers = ["model, variant", "accuracy", "chance", "paper", "balanced", "macro F1"]
    headers += ["best names", "lost in", "supervision", "named by"]
    rows = [
        [
            f"{RANKS[row['rank']]} {row['model']}, {row['variant']}".strip(),
            with_interval(row, "accuracy"),
            AGAINST_CHANCE[row["against_chance"]],
            percent(row["paper_accuracy"]),
            *(percent(row[name]) for name in SHOWN),
            *(
                row["lost_in"].replace("nothing", "-"),
                row["supervision"],
                row["named_by"].replace("none", "-"),
            ),
        ]
        for row in table.to_dict("records")
    ]
    counts = labels.value_counts()
    ranks, sides = set(table["rank"]), set(table["against_chance"])
    covers = "images and seeds" if len(seeds) > 1 else "images (there is one seed)"
    always = f"Always answering {counts.index[0]} scores {percent(counts.iloc[0] / len(labels))}%."
    notes = [
        f"Scores are in percent, with 95% intervals over {covers}. Chance is "
        f"{percent(1 / len(emotions))}%.",
        *([always] if counts.nunique() > 1 else []),
        "★ is the highest accuracy" + "; ≈ is not told apart from it" * ("tied" in ranks) + ".",
        "▲ beats chance, ○ is at chance (not told apart from it)"
        + ", ▼ is below chance" * ("below" in sides)
        + ".",
        *unanswered_lines(causes),
        f"Every row is scored on the same {len(labels):,} labelled faces, which name nothing and "
        f"train nothing. Seeds: {', '.join(map(str, seeds))}. Data: {data}.",
        *lack_lines(emotions, counts.index),
        "The paper's figures are of other images (AffectNet), so they do not compare directly.",
        *taught_lines(table, rendered),
        *naming,
        "Best names: the score if the clusters had the best possible names. These look at the "
        "scored labels, so they flatter.",
        "Lost in: where most accuracy is lost; - if nowhere. Why: causes.md.",
    ]
    return "\n".join(
        [
            " ".join(finding_lines(table, rendered)),
            "",
            *table_lines(headers, rows, 1),
            "",
            *(f"- {note}" for note in notes),
            "",
            "### Tests",
            "",
            *(f"- {line}" for line in comparison_lines(comparisons, len(seeds))),
            "- ≈: a paired t test against the best row, corrected for all pairs of rows "
            "(Bonferroni).",
            "",
            *luck_lines(causes),
            *choice_lines(choices or {}),
        ]
    )


def unanswered_lines(causes: pd.DataFrame) -> list[str]:
    """Rows that leave faces without an answer, which count as wrong; and what ○ then means."""
    rows = [
        f"{row['model']}, {row['variant']} ({percent(row['unanswered'])}% of the faces)"
        for row in causes.to_dict("records")
        if row["unanswered"] > 0
    ]
    if not rows:
        return []
    return [
        f"Without an answer, as their clusters are called mixed: {'; '.join(rows)}. These faces "
        "count as wrong. ▲ and ○ compare such a row with guessing as often as it answers."
    ]


def taught_lines(table: pd.DataFrame, rendered: bool) -> list[str]:
    """What must be said of rows that people taught less, or rendered faces more, than it seems."""
    lines = []
    for model in table["model"].unique():
        if MODELS[model].supervision == "comparisons":
            lines.append(
                f"Weakly supervised: {model} learnt from people's comparisons of faces. The "
                "nearest labelled faces of the training part answer."
            )
        if untold(model):
            lines.append(
                f"No person labelled a face for {model}. It learnt from published tables of which "
                "movements make an emotion, and from rendered faces whose emotion is known."
            )
        if untold(model) and rendered:
            lines[-1] += (
                " The faces scored here come from the same program as those that taught it, so its "
                "figures are no evidence about photographs. There it is right far less often "
                "(docs/tried.md)."
            )
    return lines


def untold(model: str) -> bool:
    """Whether a model answers by itself, and no person told it anything."""
    return (MODELS[model].answers, MODELS[model].supervision) == ("classifier", "none")
