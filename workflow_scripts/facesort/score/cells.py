"""Cells of one model and variant gathered over seeds, in the paper's order."""

from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.common.job import InputError
from facesort.train.models import MODELS

VARIANTS: Final = ("rgb", "grayscale", "cropped")


def gather(
    cells: list[dict[str, Any]], predictions: list[pd.DataFrame]
) -> dict[tuple[str, str], list[int]]:
    """The numbers of each model's and variant's cells, seeds ascending.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: with columns face and label.

    Raises:
        InputError: if two cells were not scored on the same faces.
    """
    for cell, table in zip(cells, predictions, strict=True):
        for column in ("face", "label"):
            if not np.array_equal(table[column], predictions[0][column]):
                raise InputError(
                    f"{cell['variant']}/{cell['model']}/seed{cell['seed']} was scored on other "
                    "faces than the first cell; delete its predictions.parquet and rerun"
                )
    gathered = {
        (model, variant): [
            number
            for number, cell in sorted(enumerate(cells), key=lambda pair: int(pair[1]["seed"]))
            if (cell["model"], cell["variant"]) == (model, variant)
        ]
        for model in MODELS
        for variant in VARIANTS
    }
    return {key: numbers for key, numbers in gathered.items() if numbers}
