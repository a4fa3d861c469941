"""How often looks that no label tells are right on photographs of others, and which are not given.

``photographed.csv`` has a row a look: how many of FER2013's faces had it, how many of these rightly
by FER+'s labels, and of all faces of that label the share that had it
(tests/benchmarks/archive_tags_on_photographs.py). No threshold was set by them.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facesort.archive.precision import share

TABLE: Final = Path(__file__).with_suffix(".csv")
# Who told, as thresholds.csv has it.
PHOTOGRAPHED: Final = "photographs of others"
# A look that was right in a smaller share of its faces is not given.
LEAST_RIGHT: Final = 0.5


def on_photographs(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of looks by photographs in the place of those by rendered faces.

    Args:
        table: as of ``tags.built_in``.
    """
    table = table.copy()
    for words, row in pd.read_csv(TABLE, index_col="tag").iterrows():
        right = np.arange(row["faces"]) < row["right"]
        found = share(right, np.ones(len(right)))
        told = [found.value, found.low, found.high, found.looks, row["found"], PHOTOGRAPHED]
        table.loc[words, ["right", "low", "high", "faces", "found", "told_by"]] = told
        if found.value < LEAST_RIGHT:
            table.loc[words, "threshold"] = np.nan
    return table
