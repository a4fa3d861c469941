"""Faces from disk to the device: read by a thread ahead of the training, in flat memory."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from mmap import mmap
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facesort.common.job import InputError

AHEAD = 2  # batches that are read while one is learnt from


class FaceReader:
    """Reads rows of a ``.npy`` file without mapping them.

    Mapped pages would count as this process's memory until the kernel wants them back: on all of
    FEC 19 GB, for which a scheduler may kill the job. A read leaves them in the page cache alone.

    Args:
        faces: uint8 (N, H, W, C), mapped as by ``facesort.common.arrays.open_array``, or in memory.
    """

    def __init__(self, faces: np.ndarray) -> None:
        self.faces = faces
        self.file = None
        # A part of a mapped array has the whole one's offset.
        if isinstance(faces, np.memmap) and faces.filename and isinstance(faces.base, mmap):
            self.file = Path(faces.filename).open("rb", buffering=0)  # noqa: SIM115
            self.offset = faces.offset

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The faces of int64 ``rows`` (n,): uint8 (n, H, W, C).

        Raises:
            InputError: if the file has been cut short.
        """
        if self.file is None:
            return np.ascontiguousarray(self.faces[rows])
        out = np.empty((len(rows), *self.faces.shape[1:]), self.faces.dtype)
        size = out[0].nbytes if len(rows) else 0
        for place, row in zip(out, rows, strict=True):
            if os.preadv(self.file.fileno(), [place.data], self.offset + int(row) * size) != size:
                raise InputError(f"{self.file.name}: ends before face {row}; delete it and rerun")
        return out


def shuffled_batches(rows: np.ndarray, size: int, seed: list[int]) -> list[np.ndarray]:
    """Cut the rows, shuffled by the seed, into batches; each sorted, as disks like."""
    order = np.random.default_rng(seed).permutation(rows)
    return [np.sort(order[start : start + size]) for start in range(0, len(order), size)]


def read_batches(
    faces: np.ndarray,
    batches: Iterable[np.ndarray],
    device: torch.device,
    groups: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Yield the rows of each batch, and its faces on the device as ``to_input`` makes them.

    Args:
        groups: int64 (G, k), rows of ``faces``; a batch's rows are then rows of it, and its faces
            all of those groups, one group after another.

    A thread reads ahead. For a GPU it reads into pinned memory, from which the copy runs beside
    the arithmetic.
    """
    reader = FaceReader(faces)

    def read(rows: np.ndarray) -> Tensor:
        shown = rows if groups is None else groups[rows].reshape(-1)
        batch = torch.from_numpy(reader.read(shown))
        return batch.pin_memory() if device.type == "cuda" else batch

    waiting: deque[tuple[np.ndarray, object]] = deque()
    with ThreadPoolExecutor(1, "reader") as pool:
        for rows in batches:
            waiting.append((rows, pool.submit(read, rows)))
            if len(waiting) > AHEAD:
                yield _arrived(waiting, device)
        while waiting:
            yield _arrived(waiting, device)


def _arrived(waiting: deque, device: torch.device) -> tuple[np.ndarray, Tensor]:
    rows, future = waiting.popleft()
    return rows, to_input(future.result(), device)


def to_input(faces: np.ndarray | Tensor, device: torch.device) -> Tensor:
    """Turn uint8 (B, H, W, C) into float32 (B, C, H, W) in [0, 1], rescaled on the device.

    What is no image, such as float landmarks, stays as it is. The memory format stays
    channels-last, which is the faster one for convolutions.
    """
    batch = torch.from_numpy(np.array(faces)) if isinstance(faces, np.ndarray) else faces
    if batch.is_floating_point():
        return batch.to(device, non_blocking=True)
    return batch.to(device, non_blocking=True).permute(0, 3, 1, 2).float().div_(255)
