"""Small results read back: CSV and JSON that an earlier rule wrote."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from facesort.common.job import InputError, unreadable


def read_table(path: str | Path, *columns: str) -> pd.DataFrame:
    """Read a CSV that a rule wrote.

    Args:
        columns: what it must have.

    Raises:
        InputError: if it cannot be read, ends within a line, or lacks a column.
    """
    try:
        if not Path(path).read_bytes().endswith(b"\n"):
            raise ValueError("cut short")
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, "a readable CSV", error) from None
    if missing := [column for column in columns if column not in table]:
        raise InputError(f"{path}: no column {', '.join(missing)}; delete it and rerun")
    return table


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object that a rule wrote.

    Raises:
        InputError: if it cannot be read or is another thing.
    """
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(read, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise unreadable(path, "readable JSON", error) from None
    return read
