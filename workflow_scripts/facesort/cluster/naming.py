"""Names for clusters: a person's, automatic ones from a few labelled faces, or from anatomy."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS, MIXED, UNNAMED
from facesort.common.job import InputError

# The ways of naming that need no person: by labelled faces, and by none (``anatomy``).
BY_LABELS: Final = ("plurality", "one_to_one")
METHODS: Final = (*BY_LABELS, "facs")
# How often other naming faces are drawn.
DRAWS: Final = 100
COLUMNS = ("cluster", "emotion", "clustering")
# What the naming page writes beside a cluster whose suggestion was opened.
OPENED: Final = "opened"
_MAX_BYTES = 100_000


def count_votes(groups: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Labelled faces by cluster and emotion: int64 (K, 8).

    Args:
        groups: int (n,), cluster of each face.
        labels: int (n,), emotion of each face, as an index of ``EMOTIONS``.
    """
    votes = np.zeros((clusters, len(EMOTIONS)), np.int64)
    np.add.at(votes, (groups, labels), 1)
    return votes


def name_automatically(
    votes: np.ndarray, distances: np.ndarray, method: str, emotions: Sequence[str] = EMOTIONS
) -> list[str]:
    """Name each cluster from the naming faces, of which every emotion has equally many.

    Args:
        votes: int (K, E), naming faces by cluster and emotion.
        distances: float (K, E), from each centroid to the mean of each emotion's naming faces. It
            decides ties and clusters without a vote.
        method: "plurality" takes each cluster's most frequent emotion, the maximum-likelihood
            choice from its own votes, so that several clusters may share a name; "one_to_one"
            maximises the votes agreed with over assignments that use no name twice (the
            Hungarian method), and names clusters beyond the number of emotions by plurality. It
            names better only where each emotion does have a cluster of its own.
        emotions: the E that have naming faces, in the order of ``EMOTIONS``.

    Returns:
        K emotions.
    """
    # Too small to outweigh a vote even when summed over clusters: distance only breaks ties.
    score = votes - 1e-6 * distances / (distances.max() + 1e-12)
    names = score.argmax(1)
    if method == "one_to_one":
        rows, columns = linear_sum_assignment(score, maximize=True)
        names[rows] = columns
    return [emotions[name] for name in names]


def automatic_names(
    clustering: Clustering,
    embeddings: np.ndarray,
    labels: np.ndarray,
    naming: np.ndarray,
    method: str,
) -> pd.DataFrame:
    """Name a clustering from the naming faces alone.

    Args:
        embeddings: float32 (M, D) of all labelled faces.
        labels: int (M,), indices of ``EMOTIONS``.
        naming: bool (M,), the faces that may be looked at.

    Returns:
        Columns cluster, emotion, origin ("automatic"), votes (of the chosen emotion), clustering.
    """
    names, votes = _names_by(np.flatnonzero(naming), clustering, embeddings, labels, method)
    return pd.DataFrame(
        {
            "cluster": range(len(names)),
            "emotion": names,
            "origin": "automatic",
            "votes": [int(votes[c, EMOTIONS.index(name)]) for c, name in enumerate(names)],
            "clustering": clustering.digest,
        }
    )


def unvoted_names(
    clustering: Clustering, origin: str, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """As ``automatic_names``, where no labelled face voted.

    Args:
        origin: who or what named: "person", "facs", or "none".
        names: K emotions; without them ``UNNAMED``.
    """
    clusters = len(clustering.centroids)
    return pd.DataFrame(
        {
            "cluster": range(clusters),
            "emotion": [UNNAMED] * clusters if names is None else names,
            "origin": origin,
            "votes": 0,
            "clustering": clustering.digest,
        }
    )


def names_by_draws(
    clustering: Clustering,
    embeddings: np.ndarray,
    labels: np.ndarray,
    naming: np.ndarray,
    others: np.ndarray,
    method: str,
    seed: int,
) -> np.ndarray:
    """Names that other naming faces would have given, to see how much of a score is their luck.

    Args:
        clustering, embeddings, labels, method: as of ``automatic_names``.
        naming: bool (M,), the faces that named; as many of each emotion are drawn.
        others: bool (M,), the faces to draw from beside those; none that is scored.
        seed: of the draws.

    Returns:
        str (DRAWS, K), emotions.
    """
    generator = np.random.default_rng(seed)
    counts = np.bincount(labels[naming], minlength=len(EMOTIONS))
    pools = [np.flatnonzero((naming | others) & (labels == e)) for e in range(len(EMOTIONS))]
    names = []
    for _ in range(DRAWS):
        drawn = [
            generator.choice(pool, count, replace=False)
            for pool, count in zip(pools, counts, strict=True)
        ]
        faces = np.sort(np.concatenate(drawn))
        names.append(_names_by(faces, clustering, embeddings, labels, method)[0])
    return np.array(names, str)


def _names_by(
    faces: np.ndarray,
    clustering: Clustering,
    embeddings: np.ndarray,
    labels: np.ndarray,
    method: str,
) -> tuple[list[str], np.ndarray]:
    """Names from the faces of these rows, int (n,), and their votes, int (K, 8)."""
    votes = count_votes(clustering.labelled[faces], labels[faces], len(clustering.centroids))
    seen = np.asarray(embeddings[faces], np.float64)
    # An emotion that the labelled set lacks is no name.
    own = np.unique(labels[faces])
    means = np.stack([seen[labels[faces] == e].mean(0) for e in own])
    # A cluster at a time: all differences at once are a gigabyte for wide embeddings.
    distances = np.stack([np.linalg.norm(means - c, axis=1) for c in clustering.centroids])
    names = name_automatically(votes[:, own], distances, method, [EMOTIONS[e] for e in own])
    return names, votes


def read_person_names(path: str | Path, clustering: Clustering, page: str | Path) -> pd.DataFrame:
    """Read the names that a person gave: columns cluster, emotion, and clustering (its digest).

    Names without a digest are refused: after another training, cluster 3 is something else.

    Commas or semicolons divide the columns, as spreadsheets do in some countries; other columns are
    ignored, so an edited copy of the workflow's own ``names.csv`` will do.

    Args:
        page: where this clustering is named, for a message.

    Returns:
        As ``automatic_names``, and ``opened``: whether the person had opened the suggestion for the
        cluster, as the naming page notes it in a column ``suggestion``.

    Raises:
        InputError: naming the row, if the file is no such CSV, a cluster is missing, unknown or
            named twice, an emotion is unknown, or the names belong to another clustering.
    """
    clusters = len(clustering.centroids)
    lines = _read_text(path).splitlines()
    names: dict[int, str] = {}
    opened: set[int] = set()
    reader = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if lacking := [name for name in COLUMNS if name not in reader.fieldnames]:
        raise InputError(
            f"{path}: no column {' and '.join(lacking)} in its first row; name the clusters on "
            f"{page}, whose file has all columns"
        )
    for row in reader:
        where = f"{path}, row {reader.line_num}"
        cluster, emotion, digest = (
            (row.get(column) or "").strip() for column in ("cluster", "emotion", "clustering")
        )
        if digest != clustering.digest:
            raise InputError(
                f"{where}: named for clustering {_shown(digest)}, but this is "
                f"{clustering.digest}; to name again, end the command with -- {page} and open that "
                "page; for automatic names, move the file elsewhere"
            )
        # No more than five digits, since int() itself refuses thousands of them.
        if not re.fullmatch("[0-9]{1,5}", cluster) or int(cluster) >= clusters:
            raise InputError(f"{where}: {_shown(cluster)} is no cluster of 0 to {clusters - 1}")
        if int(cluster) in names:
            raise InputError(f"{where}: cluster {cluster} is named twice; keep one row")
        if emotion.lower() not in (*EMOTIONS, MIXED):
            raise InputError(
                f"{where}: {_shown(emotion)} is not one of {', '.join(EMOTIONS)} or {MIXED}"
            )
        names[int(cluster)] = emotion.lower()
        if (row.get("suggestion") or "").strip() == OPENED:
            opened.add(int(cluster))
    if missing := sorted(set(range(clusters)) - set(names)):
        raise InputError(
            f"{path}: no name for cluster {', '.join(map(str, missing))}; add a row for each, "
            f"with {MIXED} where no emotion fits"
        )
    table = unvoted_names(clustering, "person", [names[cluster] for cluster in range(clusters)])
    return table.assign(opened=[cluster in opened for cluster in range(clusters)])


def _read_text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(raw) > _MAX_BYTES:
        raise InputError(f"{path}: over {_MAX_BYTES:,} bytes, too long for names of clusters")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not in UTF-8; save it again as CSV in UTF-8") from None


def _shown(text: str) -> str:
    """A value of the file, quoted and cut, for a message."""
    return repr(text[:40])
