"""Groups of people as results tell them: a row a face, a column a kind of group."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

# The group of a face of which the user's table says nothing.
NOT_TOLD: Final = "not told"


def count_groups(sets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How many faces each group has: columns set, column, group, faces."""
    counts = [
        {"set": name, "column": column, "group": group, "faces": faces}
        for name, groups in sets.items()
        for column in groups
        for group, faces in groups[column].value_counts(sort=False).sort_index().items()
    ]
    return pd.DataFrame(counts, columns=["set", "column", "group", "faces"])
