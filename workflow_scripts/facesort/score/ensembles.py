"""Ensembles of the cells, and what they gain over the best single one (the paper's section 7).

Members are whole families (all variants of a model, all models), so none is chosen by its score.
Classifiers are joined by the mean of their probabilities; clusterings by a vote of their names, or
by co-association: faces that share clusters in many members make a cluster, which is named again.
Source of co-association: Fred and Jain 2005, https://doi.org/10.1109/TPAMI.2005.113
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.cluster.anatomy import Anatomy, against_others, name_by_fits
from facesort.cluster.kmeans import Clustering, fit_clusters
from facesort.cluster.naming import automatic_names, count_votes
from facesort.common.emotions import EMOTIONS
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.markdown import percent, table_lines, with_interval

COLUMNS: Final = [
    *("kind", "how", "over", "members", "seeds", "n_test"),
    *("accuracy", "accuracy_low", "accuracy_high", "mean_member_accuracy"),
    *("best_member", "best_member_accuracy", "gain", "gain_low", "gain_high"),
]


@dataclass(frozen=True)
class Member:
    """A cell that may be joined with others.

    Attributes:
        model, variant, seed: of the cell.
        predicted: str (n,), its predictions of the test faces.
        scores: float (n, 8), what it gives each emotion; means of these make the ensemble's answer.
        clustering: of a cell that is clustered.
    """

    model: str
    variant: str
    seed: int
    predicted: np.ndarray
    scores: np.ndarray
    clustering: Clustering | None = None


def name_scores(
    clustering: Clustering,
    predicted: np.ndarray,
    labels: np.ndarray,
    naming: np.ndarray,
    test: np.ndarray,
    anatomy: Anatomy | None = None,
) -> np.ndarray:
    """A clustering's vote: 1 for its name of each face, and less than that to break ties.

    Ties go to the emotion that most of the naming faces of the face's clusters have, or, where no
    labelled face may name, to the one that the clusters' faces of the pool fit best.

    Args:
        predicted: str (n,), names of the test faces; "mixed" votes for none.
        labels: int (M,), emotions of all labelled faces, of which only naming faces are looked at.
        naming: bool (M,).
        test: int (n,), rows of the test faces.
        anatomy: of the pool, in place of naming faces.

    Returns:
        float64 (n, 8).
    """
    clusters = len(clustering.centroids)
    if anatomy is None:
        votes = count_votes(clustering.labelled[naming], labels[naming], clusters)
        # An emotion that the labelled set lacks breaks no tie.
        counts = (votes + 1) * votes.any(0)
    else:
        counts = np.exp(against_others(anatomy.fits, clustering.pool, anatomy.seen, clusters))
    shares = counts / counts.sum(1, keepdims=True)
    named = predicted[:, None] == np.array(EMOTIONS)
    return named + 1e-3 * shares[clustering.labelled[test]]


def make_ensembles(
    members: list[Member],
    labels: np.ndarray,
    naming: np.ndarray,
    test: np.ndarray,
    *,
    clustering: dict[str, int],
    method: str,
    anatomies: dict[str, Anatomy] | None = None,
) -> pd.DataFrame:
    """Join cells, and compare each ensemble with its best member on the same faces and seeds.

    The best member is chosen by its accuracy on the scored faces, so gains are if anything
    understated.

    Args:
        members: all cells.
        labels: int (M,), emotions of all labelled faces; those of test faces only score.
        naming: bool (M,), the faces that may name clusters.
        test: int (n,), rows of the test faces.
        clustering: ``clusters`` and ``starts`` of the co-association's K-means.
        method: of naming its clusters.
        anatomies: of each variant's pool, which name in place of naming faces where there are any.

    Returns:
        A row an ensemble, with ``COLUMNS``; empty where there is nothing to join.
    """
    truth = np.array(EMOTIONS)[labels[test]]
    seeds = sorted({member.seed for member in members})
    rows = []
    for kind in ("classifiers", "clusterings"):
        own = [m for m in members if (m.clustering is not None) == (kind == "clusterings")]
        for over, family in _families(own).items():
            by_seed = [[m for m in family if m.seed == seed] for seed in seeds]
            how = "mean of probabilities" if kind == "classifiers" else "vote of names"
            answers = {(how, over): np.stack([_mean_answer(joined) for joined in by_seed])}
            if len(seeds) > 1:
                everything = _mean_answer(family)
                answers[how, f"{over} and seeds"] = np.stack([everything] * len(seeds))
            if kind == "clusterings":
                answers["co-association", over] = np.stack(
                    [
                        _co_association(
                            joined, labels, naming, test, seed, clustering, method, anatomies
                        )
                        for seed, joined in zip(seeds, by_seed, strict=True)
                    ]
                )
            for (way, what), given in answers.items():
                count = len(family) if what.endswith("seeds") else len(by_seed[0])
                row = {"kind": kind, "how": way, "over": what, "members": count}
                rows.append(row | _gain(given == truth, family, truth, seeds))
    return pd.DataFrame(rows, columns=COLUMNS)


def _families(members: list[Member]) -> dict[str, list[Member]]:
    """All variants of each model, and all models; those of two cells a seed or more."""
    models = list(dict.fromkeys(m.model for m in members))
    families = {
        f"{model}, all variants": [m for m in members if m.model == model] for model in models
    }
    if len(models) > 1:
        families["all models and variants"] = members
    return {
        name: family
        for name, family in families.items()
        if len({(m.model, m.variant) for m in family}) > 1
    }


def _mean_answer(joined: list[Member]) -> np.ndarray:
    return np.array(EMOTIONS)[np.mean([m.scores for m in joined], axis=0).argmax(1)]


def _co_association(
    joined: list[Member],
    labels: np.ndarray,
    naming: np.ndarray,
    test: np.ndarray,
    seed: int,
    settings: dict[str, int],
    method: str,
    anatomies: dict[str, Anatomy] | None,
) -> np.ndarray:
    """Cluster again by the members' clusters: str (n,), names of the test faces.

    With a 1 for each member's cluster of a face, the squared distance of two faces is twice the
    number of members that part them, so K-means groups what is often together.
    """
    found = [m.clustering for m in joined if m.clustering is not None]
    pool, labelled = (
        np.concatenate(
            [np.eye(len(c.centroids), dtype=np.float32)[getattr(c, which)] for c in found], axis=1
        )
        for which in ("pool", "labelled")
    )
    together = fit_clusters(pool, labelled, seed=seed, **settings)
    if not anatomies:
        names = automatic_names(together, labelled, labels, naming, method)["emotion"].to_list()
    else:
        # A face's fit is its mean over the members' variants.
        seen = np.all([anatomies[m.variant].seen for m in joined], axis=0)
        fits = np.mean([anatomies[m.variant].fits for m in joined], axis=0)
        names = name_by_fits(fits, together.pool, seen, len(together.centroids))
    return np.array(names, str)[together.labelled[test]]


def _gain(
    correct: np.ndarray, family: list[Member], truth: np.ndarray, seeds: list[int]
) -> dict[str, Any]:
    """An ensemble beside its members: correct is bool (seeds, n)."""
    single: dict[str, np.ndarray] = {}
    for member in sorted(family, key=lambda m: m.seed):
        right = (member.predicted == truth)[None]
        name = f"{member.model}, {member.variant}"
        single[name] = np.concatenate([single[name], right]) if name in single else right
    best = max(single, key=lambda name: single[name].mean())
    gain = estimate(correct.astype(np.float64) - single[best])
    low, high = accuracy_interval(correct)
    return {
        "seeds": len(seeds),
        "n_test": len(truth),
        "accuracy": correct.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "mean_member_accuracy": np.mean([right.mean() for right in single.values()]),
        "best_member": best,
        "best_member_accuracy": single[best].mean(),
        "gain": gain.mean,
        "gain_low": gain.low,
        "gain_high": gain.high,
    }


def ensembles_markdown(table: pd.DataFrame, *, data: str) -> str:
    """The ensembles for reading."""
    rows = [
        [
            row["over"].replace("all models", f"all {row['kind']}"),
            *(row["how"], row["members"]),
            with_interval(row, "accuracy"),
            percent(row["mean_member_accuracy"]),
            f"{percent(row['best_member_accuracy'])} ({row['best_member']})",
            with_interval(row, "gain", signed=True),
        ]
        for row in table.to_dict("records")
    ]
    gains = table[table["gain_low"] > 0]
    if table.empty:
        lead = "There is nothing to join."
    elif gains.empty:
        lead = "No ensemble is found better than its best member."
    else:
        best = gains.nlargest(1, "gain").iloc[0]
        gain = with_interval(best, "gain", signed=True)
        lead = (
            f"Ensembles found better than their best member: {len(gains)} of {len(table)}. The "
            f"largest gain: {best['kind']}, {best['over']} ({best['how']}), {gain} points."
        )
    headers = ["over", "joined by", "members", "accuracy", "mean member", "best member", "gain"]
    return "\n".join(
        [
            lead,
            "",
            "### Figures",
            "",
            *table_lines(headers, rows, 2),
            "",
            f"- Scores are in percent, with 95% intervals. Data: {data}.",
            "- Members are whole families (all variants of a model, or all models), chosen without "
            "a look at the scored labels.",
            "- Gain is over the best member, on the same faces and seeds. That member is the one "
            "that scored best on them, so gains are if anything understated. An interval that "
            "holds 0 shows no gain.",
            "",
        ]
    )
