"""Names for clusters: from a few labelled faces that are never scored, or from a person (4.1).

The paper's person names clusters from pictures. Here labelled faces set aside for it (the part
"naming" of the split) name them when nobody does, and a person's ``names.csv`` wins over them.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from facesort.emotions import EMOTIONS
from facesort.job import InputError

MIXED: Final = "mixed"
"""A person's name for a cluster that shows no one emotion; scored as wrong."""

COLUMNS: Final = ("cluster", "emotion", "origin", "votes", "clustering")
METHODS: Final = ("plurality", "one_to_one")
_MAX_BYTES = 1_000_000


Labels = Sequence[str] | np.ndarray
"""Emotions, one a face."""


@dataclass(frozen=True)
class Names:
    """A name for each cluster of one clustering."""

    emotions: list[str]
    """Entry k names cluster k: one of ``EMOTIONS``, or ``MIXED``."""
    origin: str
    """Who named them: "automatic" or "person"."""
    clustering: str
    """Digest of the clustering that they name."""


def count_votes(clusters: np.ndarray, labels: Labels, count: int) -> np.ndarray:
    """Count the naming faces of each emotion in each cluster.

    Args:
        clusters: int (n,), a cluster for each naming face.
        labels: their emotions.
        count: number of clusters.

    Returns:
        int64 (count, 8), emotions in the order of ``EMOTIONS``.

    Raises:
        InputError: if an emotion has no naming face.
    """
    votes = np.zeros((count, len(EMOTIONS)), np.int64)
    np.add.at(votes, (clusters, np.array([EMOTIONS.index(label) for label in labels], int)), 1)
    for emotion, total in zip(EMOTIONS, votes.sum(axis=0), strict=True):
        if not total:
            raise InputError(
                f"naming faces: there is none of {emotion}; give each emotion at least one "
                "(config: split.naming) or write a names.csv"
            )
    return votes


def name_clusters(
    votes: np.ndarray,
    centroids: np.ndarray,
    embeddings: np.ndarray,
    labels: Labels,
    method: str = "plurality",
) -> list[str]:
    """Name every cluster from the naming faces.

    An emotion's claim to a cluster is the share of its naming faces that fall into it, so that an
    emotion with more naming faces claims no more. Among equal claims, which are common with ten
    faces an emotion, the emotion whose mean embedding is nearer to the centroid goes first; a
    cluster without any naming face is a tie of all eight.

    ``plurality`` gives each cluster its largest claim. It maximises the balanced accuracy on the
    naming faces, and emotions may name several clusters or none, as the paper's person may.
    ``one_to_one`` gives each emotion one cluster, by the assignment with the largest sum of claims
    (Kuhn 1955, doi:10.1002/nav.3800020109); clusters in excess of eight are named by plurality. It
    is better only where every emotion does have a cluster of its own: with weak clusters, those of
    the paper, it names worse.

    Args:
        votes: int (K, 8), from ``count_votes``.
        centroids: float32 (K, D).
        embeddings: float32 (n, D) of the naming faces.
        labels: their emotions.
        method: one of ``METHODS``.

    Returns:
        K emotions.
    """
    claims = votes / votes.sum(axis=0)
    means = _class_means(embeddings, labels)
    distances = np.stack([np.linalg.norm(means - centroid, axis=1) for centroid in centroids])
    # Too small to outweigh a difference between claims, so it decides among equals alone.
    claims -= 1e-9 * distances / max(float(distances.max()), np.finfo(float).tiny)
    chosen = claims.argmax(axis=1)
    if method == "one_to_one":
        rows, columns = linear_sum_assignment(claims, maximize=True)
        chosen[rows] = columns
    elif method != "plurality":
        raise ValueError(f"unknown method {method!r}; there are {', '.join(METHODS)}")
    return [EMOTIONS[emotion] for emotion in chosen]


def _class_means(embeddings: np.ndarray, labels: Labels) -> np.ndarray:
    given = np.asarray(labels)
    return np.stack(
        [embeddings[given == emotion].mean(axis=0, dtype=np.float64) for emotion in EMOTIONS]
    )


def read_person_names(path: str | Path, clusters: int, clustering: str) -> Names:
    """Read the names that a person gave: CSV with the columns ``cluster`` and ``emotion``.

    The digest of the clustering, which a ``names.csv`` of the workflow carries in its column
    ``clustering`` (or a line ``# clustering: <digest>``), is checked where it is given. Other
    columns are ignored, so an edited copy of that file is a person's file.

    Args:
        path: the person's file.
        clusters: number of clusters that need a name.
        clustering: digest of the clustering to name.

    Raises:
        InputError: naming file and line, if the file is not such a CSV, a cluster is missing, named
            twice or unknown, an emotion is unknown, or the names are another clustering's.
    """
    emotions, _ = _parse(path, clusters, clustering)
    return Names(emotions, "person", clustering)


def write_names(names: Names, votes: np.ndarray, path: str | Path) -> None:
    """Write ``names.csv``: cluster, emotion, origin, votes (naming faces by emotion), clustering.

    Args:
        votes: int (K, 8), from ``count_votes``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for cluster, (emotion, row) in enumerate(zip(names.emotions, votes, strict=True)):
            order = np.argsort(-row, kind="stable")
            tally = " ".join(f"{EMOTIONS[i]}:{row[i]}" for i in order if row[i])
            writer.writerow([cluster, emotion, names.origin, tally, names.clustering])
    part.replace(path)


def read_names(path: str | Path, clusters: int, clustering: str) -> Names:
    """Read what ``write_names`` wrote, checked as a person's file is.

    Raises:
        InputError: as ``read_person_names``.
    """
    emotions, origins = _parse(path, clusters, clustering)
    return Names(emotions, "automatic" if origins == {"automatic"} else "person", clustering)


def _parse(path: str | Path, clusters: int, clustering: str) -> tuple[list[str], set[str]]:
    """Emotions by cluster, and what stands in the column ``origin``."""
    lines = _read_text(path).splitlines()
    digest_given = False
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            key, _, value = line.lstrip("# ").partition(":")
            if key.strip() == "clustering":
                _check_digest(path, number, value.strip(), clustering)
                digest_given = True
            # An empty line, which the CSV reader skips, so that line numbers stay right.
            lines[number - 1] = ""
    reader = csv.reader(lines, delimiter=";" if any(";" in line for line in lines) else ",")
    rows = ((reader.line_num, fields) for fields in reader if fields)
    found: dict[int, str] = {}
    origins: set[str] = set()
    try:
        columns = [name.strip().lower() for name in next(rows, (0, []))[1]]
        for column in ("cluster", "emotion"):
            if column not in columns:
                raise InputError(
                    f"{path}: no column {column} in its first line; write cluster,emotion there"
                )
        for number, fields in rows:
            row = defaultdict(str, zip(columns, fields, strict=False))
            if given := row["clustering"].strip():
                _check_digest(path, number, given, clustering)
                digest_given = True
            cluster = _cluster_number(path, number, row["cluster"], clusters)
            if cluster in found:
                raise InputError(f"{path}: line {number} names cluster {cluster} again; keep one")
            found[cluster] = _emotion(path, number, row["emotion"])
            origins.add(row["origin"])
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} is no CSV ({error})") from None
    if missing := [str(cluster) for cluster in range(clusters) if cluster not in found]:
        raise InputError(
            f"{path}: no name for cluster {', '.join(missing)}; add a line for each, "
            f"with {MIXED} where no emotion fits"
        )
    if not digest_given:
        print(f"note: {path} does not say which clustering it names; taken to be {clustering}")
    return [found[cluster] for cluster in range(clusters)], origins


def _read_text(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise InputError(f"{path}: over {_MAX_BYTES:,} bytes, too long for a list of names")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from None
    if "\0" in text:
        raise InputError(f"{path}: not text; save it as CSV in UTF-8")
    return text


def _emotion(path: str | Path, line: int, text: str) -> str:
    value = text.strip().lower()
    if value not in (*EMOTIONS, MIXED):
        raise InputError(
            f"{path}: line {line}: {_shown(text)} is no emotion; "
            f"write one of {', '.join(EMOTIONS)}, or {MIXED}"
        )
    return value


def _cluster_number(path: str | Path, line: int, text: str, clusters: int) -> int:
    value = text.strip()
    # isascii, since int() also reads other scripts' digits; five digits bound the work.
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) < clusters):
        raise InputError(
            f"{path}: line {line}: {_shown(text)} is no cluster; they are 0 to {clusters - 1}"
        )
    return int(value)


def _check_digest(path: str | Path, line: int, given: str, clustering: str) -> None:
    if given != clustering:
        raise InputError(
            f"{path}: line {line}: these names are for clustering {_shown(given)}, but this one is "
            f"{clustering}; look at its pictures and name its clusters anew, or remove the file "
            "for automatic names"
        )


def _shown(text: str) -> str:
    """A hostile value, quoted and short."""
    return repr(text[:40])
