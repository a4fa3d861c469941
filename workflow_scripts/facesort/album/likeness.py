"""How alike photos are, told by their small pictures: no photo is opened again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import simplejpeg

from facesort.common.job import InputError
from facesort.faces.duplicates import SIDE, best_correlation, prepare

# Photos within seconds from this correlation on are of one series. 2,069 pairs of shots of rendered
# hand-held bursts are alike by .85 and more, 2,480 of strangers by .47 at most; of 60,000 pairs of
# portraits of photographs, all framed alike, one in 4,000 is.
ALIKE: Final = 0.75
# A photo's colours are compared in so many tiles a side.
TILES: Final = 8


def read(
    previews: Sequence[str | Path], photos: pd.Series, closely: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is compared of photos.

    Args:
        previews: Parquet files with columns photo and jpeg, of all photos.
        photos: their names, each once.
        closely: bool (N,), of which photos ``alike`` will be asked.

    Returns:
        float16 (N, 192), each photo's colours in ``TILES`` tiles a side (CIE Lab), and float16
        (number of ``closely``, 48, 48), the pixels of those, as of ``duplicates.prepare``.

    Raises:
        InputError: if a photo has no picture.
    """
    index = pd.Index(photos)
    colours = np.zeros((len(index), TILES * TILES * 3), np.float16)
    found = np.zeros(len(index), bool)
    pixels = np.zeros((int(closely.sum()), SIDE, SIDE), np.float16)
    at = np.cumsum(closely) - 1
    for names, squares in _squares(previews):
        rows = index.get_indexer(pd.Index(names))
        squares, rows = squares[rows >= 0], rows[rows >= 0]
        for row, square in zip(rows, squares, strict=True):
            colours[row] = _colours(square)
        found[rows] = True
        near = closely[rows]
        if near.any():
            pixels[at[rows[near]]] = prepare([squares[near]]).pixels
    if not found.all():
        lacking = index[int(found.argmin())]
        told = "delete results/archive/photos.parquet and rerun"
        raise InputError(f"{lacking!r} has no small picture; {told}")
    return colours, pixels


def _squares(previews: Iterable[str | Path]) -> Iterable[tuple[list[str], np.ndarray]]:
    for path in previews:
        for batch in pq.ParquetFile(path).iter_batches(500, columns=["photo", "jpeg"]):
            if len(batch):
                decoded = (simplejpeg.decode_jpeg(jpeg) for jpeg in batch["jpeg"].to_pylist())
                size = (SIDE, SIDE)
                squares = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in decoded]
                yield batch["photo"].to_pylist(), np.stack(squares)


def _colours(square: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(square, cv2.COLOR_RGB2LAB)
    tiles = cv2.resize(lab, (TILES, TILES), interpolation=cv2.INTER_AREA)
    return tiles.ravel().astype(np.float16) / 255


def alike(pixels: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Which pairs of rows of ``pixels`` are of one scene: bool (P,)."""
    found = np.zeros(len(first), bool)
    for start in range(0, len(first), 2048):
        part = slice(start, start + 2048)
        found[part] = best_correlation(pixels[first[part]], pixels[second[part]]) >= ALIKE
    return found
