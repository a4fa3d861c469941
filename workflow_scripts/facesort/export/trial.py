"""An exported model on trial: bytes, time, scores beside those of float32, answers of the pool."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.archive.face_detector import session
from facesort.export.onnx_files import PRECISIONS, Inputs, answers, batches
from facesort.score.intervals import estimate

# Faces at a time that are timed, and how often: the shortest counts, as other work only adds.
RUNS: Final = {1: 100, 32: 3}


def try_files(
    folder: Path,
    test: Inputs,
    labels: np.ndarray,
    pool: Inputs,
    by_workflow: Callable[[Inputs], np.ndarray],
) -> tuple[pd.DataFrame, np.ndarray]:
    """Try the files of one model.

    Args:
        folder: holds them.
        test: what they take of the scored faces; labels: int (n,), their emotions.
        pool: what they take of the pool's faces.
        by_workflow: what the workflow's own code answers to such, float32 (N, 8).

    Returns:
        A table with a row a precision: bytes; ms_1 and ms_32, milliseconds of CPU a face, one and
        32 faces at a time; n scored faces; accuracy and balanced_accuracy; accuracy_change and
        balanced_change from float32, with 95% intervals (_low, _high) over images; equal, the share
        of faces of both sets (of ``compared``) that get the answer of float32; furthest, how far a
        probability is from the workflow's own at most. And what ``float32`` answers of the scored
        faces, float32 (n, 8).
    """
    own = np.concatenate([by_workflow(test), by_workflow(pool)])
    right, told, rows = {}, {}, []
    for precision in PRECISIONS:
        path = folder / f"{precision}.onnx"
        run = session(path).run
        told[precision] = np.concatenate([answers(run, test), answers(run, pool)])
        answered = told[precision].argmax(1)
        right[precision] = (answered[: len(labels)] == labels).astype(np.float64)
        change = right[precision] - right["float32"]
        row: dict[str, Any] = {"precision": precision, "bytes": path.stat().st_size}
        row |= {f"ms_{size}": milliseconds(run, test, size) for size in RUNS}
        row |= {
            "n": len(labels),
            "accuracy": right[precision].mean(),
            "balanced_accuracy": estimate(right[precision][None], labels).mean,
        }
        for name, classes in (("accuracy_change", None), ("balanced_change", labels)):
            found = estimate(change[None], classes)
            row |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
        row |= {
            "compared": len(own),
            "equal": (answered == told["float32"].argmax(1)).mean(),
            "furthest": abs(told[precision] - own).max(),
        }
        rows.append(row)
    return pd.DataFrame(rows), told["float32"][: len(labels)]


def milliseconds(run: Callable[..., Any], faces: Inputs, size: int) -> float:
    """CPU time a face, with so many at a time, or all there are: the shortest of some runs."""
    batch = next(batches(faces, size))
    took = []
    for _ in range(RUNS[size]):
        before = time.process_time()
        run(None, batch)
        took.append(time.process_time() - before)
    return 1000 * min(took) / len(batch["faces"])
