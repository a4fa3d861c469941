"""Near duplicates among faces: the same photo re-encoded, brighter, shifted a little or mirrored.

Two steps. Candidates: faces whose low frequencies agree, as in a perceptual hash, but compared as
numbers and not as signs, all pairs in one matrix product. Then the pixels of each candidate pair:
the best correlation over small shifts, of faces without their finest detail (noise) and their
coarsest (lighting, dark hair round a light face), in which faces of different people agree.

Source of the perceptual hash: Zauner 2010, https://www.phash.org/docs/pubs/thesis_zauner.pdf
"""

from collections.abc import Iterable
from itertools import chain
from typing import Final, NamedTuple

import cv2
import numpy as np
import pandas as pd

from facesort.common.job import InputError

# Side at which faces are compared, in pixels, and by how many of those they may be shifted.
SIDE: Final = 48
SHIFT: Final = 2
# Frequencies a side of the first step, and how well they must agree (cosine).
FREQUENCIES: Final = 16
CANDIDATE: Final = 0.85
# Correlation of pixels from which two faces are one photo. Of 15,000 grey faces of 48 pixels,
# pairs looked at from .92 on are one photo; of 12,000 colour ones, the most alike of different
# people reach .90, and what a JPEG of quality 30, a shift or a gamma of .7 leaves is .97 and more.
SAME: Final = 0.92


class Prepared(NamedTuple):
    """What the two steps compare, of a set of faces: some 6 KB a face.

    Attributes:
        frequencies: float32 (N, 255), of unit length.
        pixels: float16 (N, 48, 48), without their finest and coarsest detail.
    """

    frequencies: np.ndarray
    pixels: np.ndarray


def prepare(blocks: Iterable[np.ndarray]) -> Prepared:
    """Make what is compared of a set of faces.

    Args:
        blocks: uint8 (n, S, S, 3) each, RGB, the set's faces in turn.
    """
    none = np.empty((0, SIDE, SIDE, 3), np.uint8)  # there may be no block
    frequencies, pixels = zip(*map(_prepare, chain([none], blocks)), strict=True)
    return Prepared(np.concatenate(frequencies), np.concatenate(pixels))


def _prepare(faces: np.ndarray) -> Prepared:
    basis = _cosines()
    frequencies = np.empty((len(faces), FREQUENCIES**2 - 1), np.float32)
    pixels = np.empty((len(faces), SIDE, SIDE), np.float16)
    way = cv2.INTER_AREA if faces.shape[1] > SIDE else cv2.INTER_LINEAR
    for row, face in enumerate(faces):
        gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (SIDE, SIDE), interpolation=way).astype(np.float32)
        frequencies[row] = (basis @ small @ basis.T).ravel()[1:]
        pixels[row] = cv2.GaussianBlur(small, (0, 0), 1) - cv2.GaussianBlur(small, (0, 0), 6)
    lengths = np.linalg.norm(frequencies, axis=1, keepdims=True)
    return Prepared(frequencies / np.maximum(lengths, 1e-6), pixels)


def _cosines() -> np.ndarray:
    """The lowest rows of the discrete cosine transform: float32 (16, 48)."""
    order, place = np.arange(FREQUENCIES)[:, None], np.arange(SIDE)
    return np.cos(np.pi * order * (2 * place + 1) / (2 * SIDE)).astype(np.float32)


def find_pairs(faces: Prepared, others: Prepared | None = None) -> pd.DataFrame:
    """Near duplicates within a set of faces, or between two.

    Args:
        faces: N faces.
        others: M faces, of any size; None compares ``faces`` with themselves.

    Returns:
        A row a pair: first (row of ``faces``), second (row of ``others``, or a later row of
        ``faces``), similarity (0.92 to 1), mirrored (whether one is the other's mirror image).
    """
    frequencies, pixels = faces
    other_frequencies, other_pixels = faces if others is None else others
    # Mirroring turns the sign of every odd frequency across.
    signs = np.tile((-1.0) ** np.arange(FREQUENCIES), FREQUENCIES)[1:].astype(np.float32)
    found = []
    for start in range(0, len(pixels), 512):
        for mirrored in (False, True):
            part = frequencies[start : start + 512] * (signs if mirrored else 1)
            first, second = np.nonzero(part @ other_frequencies.T >= CANDIDATE)
            first += start
            if others is None:
                first, second = first[second > first], second[second > first]
            for piece in range(0, len(first), 2048):
                i, j = first[piece : piece + 2048], second[piece : piece + 2048]
                left = pixels[i, :, ::-1] if mirrored else pixels[i]
                similarity = best_correlation(left, other_pixels[j])
                same = similarity >= SAME
                found.append(
                    pd.DataFrame(
                        {
                            "first": i[same],
                            "second": j[same],
                            "similarity": similarity[same].astype(np.float32),
                            "mirrored": mirrored,
                        }
                    )
                )
    if not found:
        columns = {"first": "int64", "second": "int64", "similarity": "float32", "mirrored": "bool"}
        return pd.DataFrame(columns=list(columns)).astype(columns)
    pairs = pd.concat(found, ignore_index=True)
    # A face may be like another as it is and mirrored; the better counts.
    pairs = pairs.sort_values(["first", "second", "similarity"], ascending=[True, True, False])
    return pairs.drop_duplicates(["first", "second"]).reset_index(drop=True)


def best_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The highest correlation over shifts of up to ``SHIFT`` pixels: float64 (P,).

    Args:
        first, second: float (P, H, W).
    """
    height, width = first.shape[1:]
    inner = np.asarray(
        first[:, SHIFT : height - SHIFT, SHIFT : width - SHIFT].reshape(len(first), -1), np.float32
    )
    inner = inner - inner.mean(1, keepdims=True)
    inner /= np.linalg.norm(inner, axis=1, keepdims=True) + 1e-6
    second = np.asarray(second, np.float32)
    best = np.full(len(first), -1.0)
    for down in range(2 * SHIFT + 1):
        for across in range(2 * SHIFT + 1):
            moved = second[:, down : down + height - 2 * SHIFT, across : across + width - 2 * SHIFT]
            moved = moved.reshape(len(moved), -1)
            moved = moved - moved.mean(1, keepdims=True)
            moved /= np.linalg.norm(moved, axis=1, keepdims=True) + 1e-6
            best = np.maximum(best, np.einsum("pi,pi->p", inner, moved))
    return best


def without(count: int, leaks: np.ndarray) -> pd.DataFrame:
    """The faces that may train: column face, a row of the fetched faces, ascending.

    Args:
        count: number of fetched faces.
        leaks: int (L,), rows that may not; repeats do no harm.

    Raises:
        InputError: if none is left.
    """
    kept = np.setdiff1d(np.arange(count), leaks)
    if not len(kept):
        raise InputError(
            "every face of the pool is also in data.labelled; name other faces as the pool "
            "(config: data.fec_csv or data.faces)"
        )
    return pd.DataFrame({"face": kept})
