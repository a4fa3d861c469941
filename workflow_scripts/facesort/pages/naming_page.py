"""The page on which a person names the clusters of one clustering, without others' names."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facesort.cluster.anatomy import (
    SLIGHT,
    Anatomy,
    against_others,
    cluster_movements,
    name_by_fits,
)
from facesort.cluster.chance import TITLE, WORDS
from facesort.cluster.kmeans import Clustering
from facesort.common.arrays import read_blocks
from facesort.common.emotions import EMOTIONS, MIXED
from facesort.faces import facs
from facesort.pages.page import image_url, packed, render, spread

SIDE = 96
# How many movements of a cluster are told, and how many emotions that they fit.
MOST_MOVEMENTS, MOST_FITS = 6, 3


def naming_page(
    faces: np.ndarray,
    clustering: Clustering,
    distances: np.ndarray,
    places: pd.DataFrame,
    anatomy: Anatomy,
    *,
    cell: dict[str, str],
    at_chance: bool,
    per_cluster: int,
) -> str:
    """The page, which knows of its clustering just what a person should see.

    Args:
        faces: uint8 (N, H, W, C), the training pool; may be memory-mapped.
        distances: float32 (N,), of each face to its centroid.
        places: columns face, tsne_x, tsne_y: faces of the pool on the t-SNE.
        anatomy: of the pool: what each cluster's faces do, and which name that suggests, is folded
            away below its faces.
        cell: variant, model and seed.
        at_chance: whether the clusters do not follow expression, which the page then says.
        per_cluster: faces of each random sample; half as many typical ones.
    """
    clusters = len(clustering.centroids)
    # Beyond some 3,000 faces the page would be long and large.
    random = max(6, min(per_cluster, 2000 // clusters))
    generator = np.random.default_rng(int(cell["seed"]))
    x, y = spread(places["tsne_x"].to_numpy()), spread(-places["tsne_y"].to_numpy())
    where = clustering.pool[places["face"]]
    of = (clustering.pool, anatomy.seen, clusters)
    movements = cluster_movements(anatomy, clustering.pool, clusters)
    fits = against_others(anatomy.fits, *of)
    best = (-fits).argsort(1, kind="stable")
    suggestions = name_by_fits(anatomy.fits, *of)
    shown = []
    for cluster in range(clusters):
        members = np.flatnonzero(clustering.pool == cluster)
        typical = members[np.argsort(distances[members], kind="stable")[: random // 2]]
        others = np.sort(generator.permutation(np.setdiff1d(members, typical))[:random])
        shown.append(
            {
                "cluster": cluster,
                "size": len(members),
                "share": len(members) / len(clustering.pool),
                "typical": [image_url(faces[face], SIDE) for face in typical],
                "random": [image_url(faces[face], SIDE) for face in others],
                "place": place_in_words(x[where == cluster], y[where == cluster]),
                "movements": strongest(movements.iloc[cluster]),
                "fits": [(EMOTIONS[e], fits[cluster, e]) for e in best[cluster, :MOST_FITS]],
                "suggestion": suggestions[cluster],
            }
        )
    data: dict[str, Any] = {
        "digest": clustering.digest,
        "clusters": clusters,
        "cell": [cell["variant"], cell["model"], f"seed{cell['seed']}"],
        "x": packed(x, "<u2"),
        "y": packed(y, "<u2"),
        "where": packed(where, "<u2"),
    }
    title = "Name the clusters: {model}, {variant}, seed {seed}".format(**cell)
    return render(
        "naming_page",
        data,
        title=title + TITLE if at_chance else title,
        at_chance=WORDS if at_chance else "",
        clusters=shown,
        faces=len(clustering.pool),
        digest=clustering.digest,
        choices=[*EMOTIONS, MIXED],
    )


def strongest(differences: pd.Series) -> list[tuple[str, float]]:
    """The movements that differ most, in plain words, the strongest one of each action unit.

    Args:
        differences: of a cluster, in deviations, as a row of ``cluster_movements``; those of less
            than ``SLIGHT`` are left out.
    """
    told = facs.reliable().assign(difference=differences)
    told = told.sort_values("difference", key=abs, ascending=False, kind="stable")
    told = told[told["difference"].abs() >= SLIGHT].drop_duplicates("unit").head(MOST_MOVEMENTS)
    return list(zip(told["plain"], told["difference"], strict=True))


def distances_to_centroids(path: str | Path, clustering: Clustering) -> np.ndarray:
    """Of each face of the pool to its own centroid: float32 (N,). The file is read in blocks."""
    found = []
    start = 0
    for block in read_blocks(path, np.arange(len(clustering.pool))):
        centroids = clustering.centroids[clustering.pool[start : start + len(block)]]
        found.append(np.linalg.norm(block - centroids, axis=1).astype(np.float32))
        start += len(block)
    return np.concatenate(found)


def place_in_words(x: np.ndarray, y: np.ndarray) -> str:
    """Where most of the points lie, for who cannot see the map; y grows downwards."""
    if not len(x):
        return "nowhere, since it is empty"
    column = ("left", "centre", "right")[min(2, int(np.median(x)) * 3 // 65536)]
    row = ("upper", "middle", "lower")[min(2, int(np.median(y)) * 3 // 65536)]
    return "the middle" if (row, column) == ("middle", "centre") else f"the {row} {column}"
