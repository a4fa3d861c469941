"""Which faces to label first, where there is time for few.

Four ways to spend so many labels:

- ``equal``: equally many faces of each emotion, drawn at random. It takes one who knows the
  emotions already: the usual curve, not a way to begin.
- ``random``: faces drawn at random, so rare emotions may have no label.
- ``central``: of each of the model's clusters in turn, the face nearest to the centroid.
- ``typical``: as many clusters as labels, and of each the face in the densest place (TypiClust:
  Hacohen, Dekel and Weinshall 2022, https://arxiv.org/abs/2202.02794; their code stops at 500
  clusters and measures density within each, here it is measured among all faces, once).

The last three look at no label.
"""

import warnings
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from facesort.common.arrays import row_blocks

WAYS: Final = ("equal", "random", "central", "typical")
# Faces are clustered along so many of their principal directions; distances in more cost time,
# and tell little more.
DIRECTIONS: Final = 64
# A place is as dense as its nearest so many faces are near (TypiClust's number).
NEAREST: Final = 20


class Choice(NamedTuple):
    """Faces to label: a way and a budget, which draw of several, and int (n,), the faces."""

    way: str
    per_emotion: int
    draw: int
    faces: np.ndarray


def choices(
    faces: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    distances: np.ndarray,
    *,
    per_emotion: list[int],
    draws: int,
    seeds: tuple[int, int],
) -> Iterator[Choice]:
    """Choose faces in each way, for each budget of ``per_emotion`` times the emotions there are.

    A draw's faces of a smaller budget are among those of a larger one, but for ``typical``, whose
    clusters are others. ``central`` has one draw, as nothing is drawn. Where there are fewer faces
    than the budget asks for, all are taken.

    Args:
        faces: float32 (n, m), those that may be labelled.
        labels: int (n,), emotions; only ``equal`` looks at which face has which.
        groups, distances: int and float (n,), the model's cluster of each face, and how far it is
            from that one's centroid.
        seeds: of the draws; two, so that each training of a model has draws of its own, which all
            models share.
    """
    narrow = leading(faces)
    sparse = sparsity(narrow)
    kinds = len(np.unique(labels))
    budgets = {number: min(number * kinds, len(faces)) for number in per_emotion}
    for draw in range(draws):
        generator = np.random.default_rng((*seeds, draw))
        order = generator.permutation(len(faces))
        place = places(labels, order.argsort())
        starts = spread_out(narrow, max(budgets.values()), generator)
        for number, budget in budgets.items():
            yield Choice("equal", number, draw, np.flatnonzero(place < number))
            yield Choice("random", number, draw, order[:budget])
            clusters = cluster(narrow, starts[:budget])
            yield Choice("typical", number, draw, in_turn(clusters, sparse, budget, generator))
    for number, budget in budgets.items():
        generator = np.random.default_rng(seeds)
        yield Choice("central", number, 0, in_turn(groups, distances, budget, generator))


def in_turn(
    groups: np.ndarray, distances: np.ndarray, budget: int, generator: np.random.Generator
) -> np.ndarray:
    """Take a face of each group in turn, larger groups first, the one of least distance.

    Groups that have no more are passed over. Ties are decided by lot: faces may lie in the order
    of their emotions.

    Args:
        groups: int (n,).
        distances: float (n,).

    Returns:
        int (budget,), in the order taken.
    """
    lot = generator.permutation(len(groups))
    sizes = np.bincount(groups)[groups]
    return np.lexsort((lot, -sizes, places(groups, distances, lot)))[:budget]


def places(groups: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """The place of each row within its group, from 0, by the first key, then the next: int (n,)."""
    order = np.lexsort((*reversed(keys), groups))
    _, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    found = np.empty(len(groups), np.int64)
    found[order] = np.arange(len(groups)) - np.repeat(first, counts)
    return found


def leading(faces: np.ndarray) -> np.ndarray:
    """Coordinates of float32 (n, m) along at most ``DIRECTIONS`` principal directions."""
    if faces.shape[1] <= DIRECTIONS:
        return faces
    centred = faces - faces.mean(0)
    return np.asarray(centred @ np.linalg.eigh(centred.T @ centred)[1][:, -DIRECTIONS:])


def sparsity(faces: np.ndarray) -> np.ndarray:
    """Mean distance to the nearest other faces: float (n,), 0 where there is no other."""
    others = min(NEAREST, len(faces) - 1)
    if others < 1:
        return np.zeros(len(faces))
    # Asked for no other faces, it counts none as its own neighbour.
    nearest = NearestNeighbors(n_neighbors=others, algorithm="brute").fit(faces)
    return np.asarray(nearest.kneighbors()[0].mean(1))


def spread_out(faces: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw faces far from each other, as k-means++ does: int (count,), each prefix drawn so too.

    Each next face has a chance proportional to its squared distance to the nearest one drawn.
    Source: Arthur and Vassilvitskii 2007, https://doi.org/10.5555/1283383.1283494
    """
    squares = np.einsum("nd,nd->n", faces, faces)
    drawn = np.empty(count, np.int64)
    nearest = np.ones(len(faces))
    for number, chance in enumerate(generator.random(count)):
        reached = nearest.cumsum()
        drawn[number] = min(np.searchsorted(reached, chance * reached[-1]), len(faces) - 1)
        here = faces[drawn[number]]
        apart = np.maximum(squares - 2 * (faces @ here) + here @ here, 0)
        nearest = np.minimum(nearest, apart) if number else apart.astype(np.float64)
    return drawn


def cluster(faces: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """K-means from given faces, int (k,): the cluster of each face, int32 (n,)."""
    with warnings.catch_warnings():
        # Equal faces make fewer clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        kmeans = KMeans(len(starts), init=faces[starts], n_init=1).fit(faces)
    return np.asarray(kmeans.labels_)


def to_own_centroid(
    embeddings: np.ndarray, groups: np.ndarray, centroids: np.ndarray
) -> np.ndarray:
    """Distance of each row to its group's centroid: float64 (N,), in blocks of rows.

    Args:
        embeddings: float32 (N, D); may be memory-mapped.
        groups: int (N,).
        centroids: float32 (K, D).
    """
    found = np.empty(len(embeddings))
    for block in row_blocks(embeddings):
        found[block] = np.linalg.norm(embeddings[block] - centroids[groups[block]], axis=1)
    return found
