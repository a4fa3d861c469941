"""Wide embeddings made narrow, in memory that does not grow with the number of faces."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from facesort.common.arrays import BLOCK, row_blocks

# Embeddings no wider than this are used as they are.
NARROW: Final = 512

Found = TypeVar("Found")


def in_threads(
    work: Callable[[slice], Found], parts: Iterable[slice], threads: int
) -> Iterator[Found]:
    """What ``work`` finds in each part, in the parts' order: sums do not depend on the threads."""
    # One core a thread: products in numpy let the other threads run.
    with ThreadPoolExecutor(threads, initializer=threadpool_limits, initargs=(1,)) as executor:
        yield from executor.map(work, parts)


def principal_directions(
    array: np.ndarray, rows: np.ndarray, components: int, threads: int = 1
) -> np.ndarray:
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

    def products(part: slice) -> np.ndarray:
        centred = _centred(array, rows, part)
        return centred @ centred.T

    gram = np.zeros((len(rows), len(rows)))
    for product in in_threads(products, columns, threads):
        gram += product
    values, vectors = np.linalg.eigh(gram)
    kept = np.flatnonzero(values > 1e-6 * values[-1])[::-1][:components]
    if not len(kept):  # all rows are equal
        return np.eye(width, 1, dtype=np.float32)
    scaled = (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    found = in_threads(lambda part: _centred(array, rows, part).T @ scaled, columns, threads)
    return np.concatenate(list(found))


def _centred(array: np.ndarray, rows: np.ndarray, columns: slice) -> np.ndarray:
    part = np.asarray(array[rows, columns], np.float32)
    return part - part.mean(0, dtype=np.float64).astype(np.float32)


def project(array: np.ndarray, directions: np.ndarray, threads: int = 1) -> np.ndarray:
    """Coordinates along directions: float32 (N, m). One pass over the array."""
    out = np.empty((len(array), directions.shape[1]), np.float32)

    def fill(block: slice) -> None:
        np.matmul(array[block], directions, out=out[block])

    list(in_threads(fill, row_blocks(array), threads))
    return out
