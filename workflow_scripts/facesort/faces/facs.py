"""Which movement is of which action unit, and how well it is found.

Action units are those of the Facial Action Coding System (FACS). ``facs.csv`` has a row a movement;
``tests/benchmarks/movements_on_rendered_faces.py`` fills its last columns. Nothing heavy is
imported: models read it too.
"""

from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

TABLE: Final = Path(__file__).with_suffix(".csv")
SIDES: Final = ("Right", "Left")
# A movement is found well if it correlates so much with its action unit.
FOUND: Final = 0.25
# From here on the network that finds landmarks sees a face.
PRESENT: Final = 0.5
# From here on units are of the head and the eyes' direction.
HEAD: Final = 51


def table() -> pd.DataFrame:
    """A row a movement, indexed by its name without a side.

    Columns: ``sides``, 2 if there is a column for each; ``unit``, the number of its action unit (51
    to 64: head and eyes); ``what`` it is, in FACS's words; ``plain``, in words for all;
    ``tested_by``, what of the rendered faces it was set against (signed action units, whose sum
    counts, or head and gaze); correlations by the head's yaw in degrees, of all faces, and of all
    at 48 pixels; and ``found``: "yes", "no" (below ``FOUND``), or "untested" where rendered faces
    do not show it.
    """
    return _read().copy()


@cache
def _read() -> pd.DataFrame:
    return pd.read_csv(TABLE, index_col="movement", dtype={"unit": "Int64"})


def columns(movements: pd.DataFrame) -> list[str]:
    """The columns of strengths that the rows of a table have, in their order."""
    return [
        f"{name}{side}"
        for name, sides in movements["sides"].items()
        for side in (SIDES if sides == 2 else ("",))
    ]


def reliable() -> pd.DataFrame:
    """The rows of movements that are found well: the only ones to build on."""
    every = table()
    return every[every["found"] == "yes"]
