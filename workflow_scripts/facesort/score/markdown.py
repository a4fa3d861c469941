"""Tables for reading: figures in percent, aligned to the right."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate


def percent(share: float | None, signed: bool = False) -> str:
    """A share as percent with one decimal, "36.6"; "-" if there is none."""
    if share is None or np.isnan(share):
        return "-"
    return f"{100 * share:{'+' if signed else ''}.1f}"


def with_interval(row: Mapping[Any, Any] | pd.Series, name: str, signed: bool = False) -> str:
    """A row's figure and its interval (columns ``_low``, ``_high``) in percent; "-" if NaN."""
    if np.isnan(row[name]):
        return "-"
    mean, low, high = (percent(row[f"{name}{end}"], signed) for end in ("", "_low", "_high"))
    return f"{mean} [{low}, {high}]"


def table_lines(headers: Sequence[str], rows: Sequence[Sequence[Any]], names: int) -> list[str]:
    """A Markdown table: its first columns are ``names``, on the left; the others are figures."""
    sides = ["left"] * names + ["right"] * (len(headers) - names)
    cells = [[str(cell) for cell in row] for row in rows]
    return tabulate(
        cells, headers, "pipe", disable_numparse=True, colalign=sides if rows else None
    ).splitlines()
