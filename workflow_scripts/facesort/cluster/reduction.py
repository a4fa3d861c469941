"""Wide embeddings made narrow, in memory that does not grow with the number of faces."""

from typing import Final

import numpy as np

from facesort.common.arrays import BLOCK, row_blocks

# Embeddings no wider than this are used as they are.
NARROW: Final = 512


def principal_directions(array: np.ndarray, rows: np.ndarray, components: int) -> np.ndarray:
    """Principal directions of some rows of a wide array, exact for those rows.

    By way of the rows' Gram matrix, a block of columns at a time: the array may be memory-mapped.

    Args:
        array: float32 (N, D).
        rows: int (n,), the rows to look at.
        components: at most so many directions; fewer if the rows span fewer.

    Returns:
        float32 (D, m), orthonormal columns, by falling variance.
    """
    width = array.shape[1]
    step = max(1, BLOCK // (4 * len(rows)))
    columns = [slice(start, min(start + step, width)) for start in range(0, width, step)]
    gram = np.zeros((len(rows), len(rows)))
    for part in columns:
        centred = _centred(array, rows, part)
        gram += centred @ centred.T
    values, vectors = np.linalg.eigh(gram)
    kept = np.flatnonzero(values > 1e-6 * values[-1])[::-1][:components]
    scaled = (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    directions = np.empty((width, len(kept)), np.float32)
    for part in columns:
        directions[part] = _centred(array, rows, part).T @ scaled
    return directions


def _centred(array: np.ndarray, rows: np.ndarray, columns: slice) -> np.ndarray:
    part = np.asarray(array[rows, columns], np.float32)
    return part - part.mean(0, dtype=np.float64).astype(np.float32)


def project(array: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Coordinates along directions: float32 (N, m). One pass over the array."""
    out = np.empty((len(array), directions.shape[1]), np.float32)
    for block in row_blocks(array):
        np.matmul(array[block], directions, out=out[block])
    return out
