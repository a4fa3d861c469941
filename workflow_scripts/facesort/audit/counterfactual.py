"""How often each row's answer changes within rendered pairs, to what, and whether rightly.

The two faces of a pair show the same expression at the same strength, so a change is a fault of the
model, whatever it answers. Every pair of a factor shows another person: pairs are independent.
"""

from collections import Counter
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.audit.factors import ANOTHER, LEVELS, NOTHING
from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS, UNNAMED
from facesort.faces.facs import PRESENT
from facesort.score.comparisons import LEVEL
from facesort.score.elsewhere.answers import answers_by_cluster, column, most_probable
from facesort.score.intervals import accuracy_interval, estimate, holm, paired_p
from facesort.score.markdown import percent, table_lines, with_interval
from facesort.train.models import MODELS

# What is answered for a face without any probability.
NO_ANSWER: Final = "no answer"
RESAMPLES: Final = 10_000


def answers_by_name_or_number(
    embeddings: np.ndarray, clustering: Clustering, names: pd.DataFrame
) -> np.ndarray:
    """As ``answers_by_cluster``; a cluster without a name answers "cluster 3": str (n,)."""
    known = names["emotion"] != UNNAMED
    numbered = "cluster " + names["cluster"].astype(str)
    named = names.assign(emotion=names["emotion"].where(known, numbered))
    return answers_by_cluster(embeddings, clustering, named)


def answers_by_probability(
    probabilities: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable emotion, and the probability of the one that is drawn.

    Args:
        probabilities: float (n, 8); of a row that is not finite, or all 0, nothing is answered.
        labels: str (n,).

    Returns:
        str (n,), and float64 (n,), NaN where nothing is answered.
    """
    values = np.asarray(probabilities, np.float64)
    told = np.isfinite(values).all(1) & (values > 0).any(1)
    given = np.where(told, most_probable(np.nan_to_num(values)), NO_ANSWER)
    drawn = values[np.arange(len(values)), [EMOTIONS.index(label) for label in labels]]
    return given, np.where(told, drawn, np.nan)


def make_counterfactual_table(
    cells: list[dict[str, Any]],
    answers: pd.DataFrame,
    pairs: pd.DataFrame,
    presence: dict[str, np.ndarray],
    *,
    seed: int,
) -> pd.DataFrame:
    """Compare the two answers of every pair, for each model and variant.

    Args:
        cells: model, variant and seed of each.
        answers: a row a face: each cell's answer (``column``), and as ``<column> drawn`` the
            probability of the emotion that is drawn, of those that give one.
        pairs: as of ``plan_pairs``.
        presence: by variant, float (faces,), of the variants whose landmarks a model sees; a cell
            of ``cells`` with ``landmarks`` true sees them.
        seed: of permutations.

    Returns:
        A row a model, variant and factor (``NOTHING`` and ``ANOTHER`` too); shares are of pairs,
        means over seeds, with 95% intervals over pairs and seeds. changed; nothing, the same of
        the same persons where nothing was changed; beyond, how much more often than that, with
        beyond_p; accuracy_first and accuracy_second, of the faces of either level (NaN if no answer
        is an emotion), their difference, with difference_p; right_to_wrong, wrong_to_right;
        drawn, the mean change in the probability of the drawn emotion; commonest_from,
        commonest_to, commonest, the change that most pairs have; unanswered and guessed: pairs in
        which a face got no emotion, or has landmarks that are a guess. p values are corrected for
        all of the table (Holm).
    """
    rows: list[dict[str, Any]] = []
    gathered: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in cells:
        gathered.setdefault((cell["model"], cell["variant"]), []).append(cell)
    labels = pairs["label"].to_numpy(str)
    for (model, variant), own in gathered.items():
        given = np.stack([answers[column(cell)].to_numpy(str) for cell in own])
        ends = [given[:, pairs[end].to_numpy()] for end in ("first", "second")]
        changed, right = ends[0] != ends[1], [end == labels for end in ends]
        named = bool(np.isin(given, EMOTIONS).any())
        unanswered = np.any([~np.isin(end, EMOTIONS).all(0) for end in ends], axis=0)
        told = [f"{column(cell)} drawn" for cell in own]
        drawn = answers[told].mean(axis=1) if set(told) <= set(answers) else None
        guess = presence[variant] <= PRESENT if own[0].get("landmarks") else None
        still = pd.Series(
            np.flatnonzero(pairs["factor"] == NOTHING),
            pairs.loc[pairs["factor"] == NOTHING, "person"],
        )
        for factor in (NOTHING, *LEVELS, ANOTHER):
            at = np.flatnonzero(pairs["factor"] == factor)
            same = still.loc[pairs["person"].iloc[at]].to_numpy()
            row: dict[str, Any] = {
                "model": model,
                "supervision": MODELS[model].supervision,
                "variant": variant,
                "seeds": len(own),
                "factor": factor,
                "first": LEVELS[factor][0] if factor in LEVELS else "as drawn",
                "second": LEVELS[factor][1] if factor in LEVELS else factor,
                "pairs": len(at),
                **_interval("changed", changed[:, at]),
                "nothing": float(changed[:, same].mean()),
                **_difference("beyond", changed[:, at] * 1.0 - changed[:, same], seed),
            }
            first, second = (end[:, at] for end in right)
            row |= {
                "accuracy_first": float(first.mean()) if named else np.nan,
                "accuracy_second": float(second.mean()) if named else np.nan,
                **_difference("difference", second * 1.0 - first, seed, named),
                "right_to_wrong": float((first & ~second).mean()) if named else np.nan,
                "wrong_to_right": float((~first & second).mean()) if named else np.nan,
                "drawn": np.nan if drawn is None else _drawn_change(drawn, pairs.iloc[at]),
                **_commonest(ends[0][:, at], ends[1][:, at]),
                "unanswered": int(unanswered[at].sum()),
                "guessed": np.nan if guess is None else _guesses(guess, pairs.iloc[at]),
            }
            rows.append(row)
    table = pd.DataFrame(rows)
    tested = table["factor"].isin(LEVELS).to_numpy()
    names = ["beyond_p", "difference_p"]
    found = table.loc[tested, names].to_numpy(float, copy=True)
    known = np.isfinite(found)
    found[known] = holm(found[known])
    table[names] = table[names].astype(float)
    table.loc[~tested, names] = np.nan
    table.loc[tested, names] = found
    return table


def _interval(name: str, values: np.ndarray) -> dict[str, float]:
    low, high = accuracy_interval(values)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}


def _difference(name: str, values: np.ndarray, seed: int, known: bool = True) -> dict[str, float]:
    """Mean of (seeds, n) with interval and p value, over pairs and, if there are several, seeds."""
    ends = (name, f"{name}_low", f"{name}_high", f"{name}_p")
    if not known:
        return dict.fromkeys(ends, float("nan"))
    found = estimate(values) if values.shape[1] > 1 else estimate(np.repeat(values, 2, axis=1))
    p = paired_p(values, resamples=RESAMPLES, seed=seed)
    p = p if len(values) == 1 else max(p, found.p)
    return dict(zip(ends, (found.mean, found.low, found.high, p), strict=True))


def _drawn_change(drawn: pd.Series, pairs: pd.DataFrame) -> float:
    values = drawn.to_numpy()
    return float(np.nanmean(values[pairs["second"]] - values[pairs["first"]]))


def _guesses(guess: np.ndarray, pairs: pd.DataFrame) -> int:
    return int((guess[pairs["first"]] | guess[pairs["second"]]).sum())


def _commonest(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    found = commonest_changes(first, second)
    (one, other), count = found[0] if found else (("", ""), 0)
    return {"commonest_from": one, "commonest_to": other, "commonest": count / first.size}


def commonest_changes(first: np.ndarray, second: np.ndarray) -> list[tuple[tuple[str, str], int]]:
    """The changes of answers, (from, to) and how many, the commonest first."""
    moved = first != second
    return Counter(zip(first[moved].tolist(), second[moved].tolist(), strict=True)).most_common()


def worst(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table beyond chance, those that change most beyond nothing first."""
    found = table[table["factor"].isin(LEVELS) & (table["beyond_p"] < LEVEL)]
    return found[found["beyond"] > 0].sort_values("beyond", ascending=False, kind="stable")


def gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table whose two levels differ in accuracy beyond chance, the widest first."""
    found = table[table["difference_p"] < LEVEL]
    return found.loc[found["difference"].abs().sort_values(ascending=False, kind="stable").index]


def finding_lines(table: pd.DataFrame) -> list[str]:
    """What was found, in words, a sentence each."""
    tests = int(table["factor"].isin(LEVELS).sum())
    found, wide = worst(table), gaps(table)
    if found.empty:
        lines = [
            f"Beyond chance, no answer changed more often by {words_of(list(LEVELS))} than when "
            f"nothing was changed (of {tests} rows and factors)."
        ]
    else:
        row = found.iloc[0]
        lines = [
            f"What must not matter changes answers, most of all {row['factor']}: {_row_name(row)} "
            f"changed its answer in {percent(row['changed'])}% of the pairs.",
            f"When nothing was changed, it was {percent(row['nothing'])}%.",
            f"Beyond chance: {len(found)} of {tests} rows and factors.",
        ]
    lines += best_words(table)
    if wide.empty:
        return [*lines, "No accuracy differed beyond chance between the two faces of pairs."]
    return [*lines, gap_words(wide.iloc[0])]


def most_right(table: pd.DataFrame) -> pd.DataFrame:
    """A row a model and variant, those most often right of the persons as drawn first."""
    drawn = table[table["factor"] == ANOTHER]
    return drawn.sort_values("accuracy_first", ascending=False, kind="stable")


def best_words(table: pd.DataFrame) -> list[str]:
    """What changes the answers of the row that is most often right; nothing without names."""
    best = most_right(table).iloc[0]
    if np.isnan(best["accuracy_first"]):
        return []
    own = table[(table["model"] == best["model"]) & (table["variant"] == best["variant"])]
    row = own[own["factor"].isin(LEVELS)].sort_values("beyond", kind="stable").iloc[-1]
    return [
        f"{_row_name(best)} is right most often ({percent(best['accuracy_first'])}% of the faces "
        f"as first drawn): {row['factor']} changed {percent(row['changed'])}% of its answers, and "
        f"{percent(row['nothing'])}% changed when nothing was changed."
    ]


def gap_words(row: pd.Series) -> str:
    """How much more often a row is right of one level than of the other."""
    ends = [(row["accuracy_first"], row["first"]), (row["accuracy_second"], row["second"])]
    (more, better), (less, worse) = sorted(ends, key=lambda end: -end[0])
    return (
        f"{_row_name(row)} is right for {percent(more)}% of faces with {better}, and for "
        f"{percent(less)}% of the same faces with {worse}."
    )


def words_of(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]


def _row_name(row: pd.Series) -> str:
    return f"{row['model']} on {row['variant']}"


def counterfactual_markdown(table: pd.DataFrame, *, pairs: int, faces: int, data: str) -> str:
    """The table for reading.

    Args:
        pairs: of each factor.
        faces: how many were rendered.
        data: what the run was made from.
    """
    rows = {
        f"{model} on {variant}": part.set_index("factor")
        for (model, variant), part in table.groupby(["model", "variant"], sort=False)
    }
    matrix = [
        [row.replace(" on ", ", "), *(_cell(part.loc[name]) for name in part.index)]
        for row, part in rows.items()
    ]
    wide = gaps(table)
    lines = [
        " ".join(finding_lines(table)),
        "",
        "The pairs, with both answers: [counterfactual.html](counterfactual.html).",
        "",
        "### How often answers change",
        "",
        *table_lines(["model, variant", NOTHING, *LEVELS, ANOTHER], matrix, 1),
        "",
        "Percent of pairs whose answer changed. **Bold**: more often than when nothing was "
        "changed, beyond chance.",
        "",
        "### Where accuracy differs",
        "",
    ]
    if wide.empty:
        lines += ["Nowhere beyond chance.", ""]
    else:
        headers = ["model, variant", "first, second", "right, first", "right, second", "difference"]
        headers += ["right to wrong", "wrong to right"]
        lines += [*table_lines(headers, [_gap(row) for _, row in wide.iterrows()], 2), ""]
    found = worst(table)
    lines += ["### What answers change to", ""]
    if found.empty:
        lines += ["No change is beyond chance.", ""]
    else:
        headers = ["model, variant", "first, second", "commonest change", "of all pairs", "changed"]
        headers += ["nothing", "probability of the drawn emotion"]
        lines += [*table_lines(headers, [_change(row) for _, row in found.iterrows()], 3), ""]
    lines += ["### Notes", "", *(f"- {note}" for note in _notes(table, pairs, faces, data))]
    for row, part in rows.items():
        guessed, unanswered, every = (
            int(part[name].sum()) for name in ("guessed", "unanswered", "pairs")
        )
        if guessed:
            lines.append(
                f"- {row}: in {guessed:,} of {every:,} pairs the landmarks of a face were a guess. "
                "They count all the same."
            )
        if unanswered:
            lines.append(
                f"- {row}: {unanswered:,} of {every:,} pairs have a face that got no emotion. Its "
                f"answer is then “mixed”, “{NO_ANSWER}” or the cluster's number."
            )
    return "\n".join([*lines, ""])


def _cell(row: pd.Series) -> str:
    figure = percent(row["changed"])
    return f"**{figure}**" if row["beyond_p"] < LEVEL and row["beyond"] > 0 else figure


def _gap(row: pd.Series) -> list[str]:
    return [
        f"{row['model']}, {row['variant']}",
        f"{row['first']}, {row['second']}",
        percent(row["accuracy_first"]),
        percent(row["accuracy_second"]),
        with_interval(row, "difference", signed=True),
        percent(row["right_to_wrong"]),
        percent(row["wrong_to_right"]),
    ]


def _change(row: pd.Series) -> list[str]:
    return [
        f"{row['model']}, {row['variant']}",
        f"{row['first']}, {row['second']}",
        f"{row['commonest_from']} to {row['commonest_to']}",
        percent(row["commonest"]),
        with_interval(row, "changed"),
        percent(row["nothing"]),
        percent(row["drawn"], signed=True),
    ]


def _notes(table: pd.DataFrame, pairs: int, faces: int, data: str) -> list[str]:
    several = table["seeds"].max() > 1
    return [
        f"{pairs:,} rendered pairs of each factor, {faces:,} faces in all; each pair of a factor "
        "shows another person, an adult. Both faces show the same expression at the same strength. "
        "All that the change does not touch is equal to the pixel.",
        f"“{NOTHING}”: the same picture, moved by one pixel and saved as a JPEG once more. "
        f"“{ANOTHER}”: all is changed but the expression. The two say what is little and what is "
        "much.",
        f"Data of the run: {data}. Its models answer as for any other faces; nothing is learnt or "
        "named. Where a model sees movements, they are set against those of the rendered "
        "faces.",
        f"95% intervals cover {'pairs and seeds' if several else 'pairs (there is one seed)'}. "
        f"A bold figure, and a difference, has p < {LEVEL} after Holm's correction for all rows, "
        "factors and both questions (McNemar's test, or signs turned at random).",
        "Few changes do not make a model right: one that always answers the same never changes. "
        "Many do not make it unfair: changes may go both ways. Read the share of right answers "
        "too.",
        "Rendered faces are drawings. A change tells of the model, not of people. It does not tell "
        "how often the model errs on photographs. A factor is one way to draw it: one beard, one "
        "pair of glasses.",
    ]
