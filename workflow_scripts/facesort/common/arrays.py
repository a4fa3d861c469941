"""Sets of faces on disk: one uint8 array and one Parquet index, row for row.

Arrays are plain ``.npy`` files, so every stage maps them into memory and reads only what it needs.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pandas as pd

from facesort.common.job import InputError, unreadable

# What is read of a memory-mapped array at once, in bytes.
BLOCK: Final = 32_000_000


@contextmanager
def create_array(path: str | Path, shape: tuple[int, ...], dtype: str) -> Iterator[np.ndarray]:
    """Map a new ``.npy`` file for writing; it takes its name only once it is whole.

    Yields:
        A writable memory-mapped array of the given shape and dtype.
    """
    with write_whole(path) as part:
        array = np.lib.format.open_memmap(part, mode="w+", dtype=np.dtype(dtype), shape=shape)
        # Without room, the first page that does not fit would kill the job without a word.
        with part.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
        yield array
        array.flush()


@contextmanager
def append_array(path: str | Path, shape: tuple[int, ...], dtype: str) -> Iterator[BinaryIO]:
    """Open a new ``.npy`` file whose rows are written in order; named only once it is whole.

    Unlike the pages of a mapped file, what was written does not count as this process's memory.

    Yields:
        A file for the bytes of an array of the given shape and dtype, in C order.
    """
    path = Path(path)
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False}
    with write_whole(path) as part, part.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": shape})
        start = file.tell()
        yield file
        if file.tell() - start != np.dtype(dtype).itemsize * math.prod(shape):
            raise ValueError(f"{path}: {file.tell() - start} bytes for shape {shape}")


@contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Give a path to write to; the file takes its name only once it is whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        yield part
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    os.replace(part, path)


def open_array(path: str | Path) -> np.ndarray:
    """Map an ``.npy`` file for reading.

    Raises:
        InputError: if the file is missing, cut short or no array. Pickled objects are refused.
    """
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unreadable(path, "a readable .npy array", error) from None
    return array


def row_blocks(array: np.ndarray) -> Iterator[slice]:
    """Slices of some 32 MB that cover the rows of (N, D)."""
    step = max(1, BLOCK // (array.itemsize * max(1, array.shape[1])))
    for start in range(0, len(array), step):
        yield slice(start, min(start + step, len(array)))


def rows_at_once(size: int, most: int | None = None) -> int:
    """How many rows of so many bytes are read at once: some 64 MB, and no more than ``most``."""
    fit = max(1, 2 * BLOCK // max(1, size))
    return fit if most is None else min(most, fit)


def read_blocks(
    path: str | Path, rows: np.ndarray | None = None, at_once: int | None = None
) -> Iterator[np.ndarray]:
    """Rows of an ``.npy`` file in turn, a block of the file at a time.

    They are read, not mapped: what is mapped counts as the job's memory until it is given back.

    Args:
        rows: int (n,), ascending; None for all.
        at_once: rows of the file that make a block, if they are no more than some 64 MB.

    Yields:
        The chosen rows of the next block, (m, ...); m may be 0.

    Raises:
        InputError: if the file is missing, cut short or no array.
    """
    array = open_array(path)
    width = math.prod(array.shape[1:])
    step = rows_at_once(width * array.itemsize, at_once)
    with Path(path).open("rb") as file:
        file.seek(array.offset)  # type: ignore[attr-defined]
        for start in range(0, len(array), step):
            count = min(step, len(array) - start)
            block = np.fromfile(file, array.dtype, count * width).reshape(count, *array.shape[1:])
            if rows is not None:
                low, high = np.searchsorted(rows, [start, start + count])
                block = block[rows[low:high] - start]
            yield block


def read_index(path: str | Path, rows: int | None = None) -> pd.DataFrame:
    """Read a Parquet index.

    Raises:
        InputError: if it cannot be read, or has another number of rows than ``rows``.
    """
    try:
        index = pd.read_parquet(path)
    except Exception as error:
        raise unreadable(path, "a readable Parquet file", error) from None
    if rows is not None and len(index) != rows:
        raise InputError(f"{path}: {len(index)} rows for {rows} faces; delete both and rerun")
    return index


def write_index(index: pd.DataFrame, path: str | Path) -> None:
    """Write a Parquet index; it takes its name only once it is whole."""
    with write_whole(path) as part:
        # In groups, so that a reader can take it in pieces too.
        index.to_parquet(part, index=False, row_group_size=20_000)
