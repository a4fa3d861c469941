"""Maps of the embeddings in the plane: t-SNE and UMAP, by way of 50 principal components."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facesort.common.arrays import read_blocks

COMPONENTS = 50
PERPLEXITY = 30.0
# Of Barnes and Hut's approximation: a quarter sooner than .5, and .6% from its divergence.
ANGLE = 0.8
UMAP_NEIGHBOURS = 15
# How many of a face's nearest are told.
NEAREST = 6


def choose(rows: np.ndarray, points: int, seed: int) -> np.ndarray:
    """At most so many of the rows, drawn at random by the seed, in ascending order."""
    if len(rows) <= points:
        return np.sort(rows)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:points])


def map_faces(sets: dict[str, tuple[Path, np.ndarray]], seed: int) -> pd.DataFrame:
    """Place faces of all sets on one t-SNE and one UMAP.

    One thread, so that the picture does not depend on the number of cores. Equal embeddings, from a
    model that gives every face the same, all lie at the origin.

    Args:
        sets: of each set the ``.npy`` file of its embeddings, float32 (N, D), and the rows to
            place, int (n,), ascending. The files are read in blocks, never whole.

    Returns:
        A row a face, set by set: face (its row in the file), set, tsne_x, tsne_y, umap_x, umap_y;
        near_1 to near_6, the rows of this table whose embeddings are nearest, as many as there are.
    """
    with threadpool_limits(1):
        reduced = principal_components(
            lambda: (block for path, rows in sets.values() for block in read_blocks(path, rows)),
            COMPONENTS,
            seed,
        )
        placed, embedded, nearest = place(reduced, seed)
    return pd.DataFrame(
        {
            "face": np.concatenate([rows for _, rows in sets.values()]).astype(np.int64),
            "set": np.repeat(list(sets), [len(rows) for _, rows in sets.values()]),
            **dict(zip(("tsne_x", "tsne_y"), placed.T.astype(np.float32), strict=True)),
            **dict(zip(("umap_x", "umap_y"), embedded.T.astype(np.float32), strict=True)),
            **{f"near_{k}": rows.astype(np.int32) for k, rows in enumerate(nearest.T, 1)},
        }
    )


def principal_components(
    blocks: Callable[[], Iterable[np.ndarray]], count: int, seed: int
) -> np.ndarray:
    """Scores on the leading principal components, in passes over blocks of rows.

    Memory is a block, some (D, count + 10) arrays and the answer, whatever the number of rows.

    Args:
        blocks: gives all rows anew at each call, as float32 (m, D) blocks.

    Returns:
        float32 (N, min(N, D, count)), of falling variance.

    Source: Halko, Martinsson and Tropp 2011, doi:10.1137/090771806, algorithm 4.4 on the covariance
    """
    rows, total = 0, np.zeros(1)
    for block in blocks():
        total = total + block.sum(0, dtype=np.float64)
        rows += len(block)
    mean = (total / rows).astype(np.float32)
    width = min(rows, len(mean), count + 10)
    basis = np.random.default_rng(seed).standard_normal((len(mean), width), np.float32)
    for _ in range(3):
        product = np.zeros_like(basis)
        for block in blocks():
            block = block - mean
            product += block.T @ (block @ basis)
        basis = np.linalg.qr(product)[0]
    scores = np.concatenate([(block - mean) @ basis for block in blocks()])
    _, directions = np.linalg.eigh(scores.T.astype(np.float64) @ scores)
    directions = directions[:, ::-1][:, :count]
    # An eigenvector's sign is free; this one makes the largest weight positive.
    largest = np.abs(directions).argmax(0)
    directions = directions * np.sign(directions[largest, range(directions.shape[1])])
    return np.asarray(scores @ directions.astype(np.float32))


def place(reduced: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """t-SNE and UMAP of float32 (N, D), and the exact nearest neighbours that both are made from.

    Returns:
        Two (N, 2), and int (N, ``NEAREST``), rows, the nearest first. Of fewer than 4 faces, or of
        faces that are all the same, nobody is told to be near: int (N, 0).

    Source: van der Maaten and Hinton 2008, by openTSNE; McInnes, Healy and Melville 2018,
    arXiv:1802.03426, by umap-learn
    """
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.initialization import rescale
    from openTSNE.nearest_neighbors import PrecomputedNeighbors
    from sklearn.neighbors import NearestNeighbors

    count = len(reduced)
    if count < 4 or (reduced == reduced[:1]).all():
        return np.zeros((count, 2)), np.zeros((count, 2)), np.zeros((count, 0), int)
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    k = min(count - 1, max(int(3 * perplexity), UMAP_NEIGHBOURS - 1))
    # Found by comparing all pairs: a second a thousand faces at worst, and the same each time.
    distances, neighbours = (
        NearestNeighbors(n_neighbors=k, algorithm="brute").fit(reduced).kneighbors()
    )
    start = reduced[:, :2] if reduced.shape[1] > 1 else np.repeat(reduced, 2, axis=1)
    affinities = PerplexityBasedNN(
        perplexity=perplexity, knn_index=PrecomputedNeighbors(neighbours, distances)
    )
    tsne = TSNE(theta=ANGLE, random_state=seed, n_jobs=1).fit(
        affinities=affinities, initialization=rescale(start)
    )
    return np.asarray(tsne), umap(neighbours, distances, start, seed), neighbours[:, :NEAREST]


def umap(neighbours: np.ndarray, distances: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    """UMAP from given neighbours (without the faces themselves) and start places (N, 2)."""
    from facesort.pages.umap_learn import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, as is wanted
        count = min(len(start), UMAP_NEIGHBOURS)
        itself = np.arange(len(start))[:, None]
        known = np.hstack([itself, neighbours[:, : count - 1]])
        lengths = np.hstack([np.zeros_like(itself), distances[:, : count - 1]]).astype(np.float32)
        scaled = 10 * start / np.abs(start).max()
        model = UMAP(
            n_neighbors=count,
            precomputed_knn=(known, lengths, None),
            init=scaled.astype(np.float32),
            random_state=seed,
        )
        return np.asarray(model.fit_transform(start))
