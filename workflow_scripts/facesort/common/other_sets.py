"""Labelled sets that are only scored on (``data.also_score``): their names, and how each is read.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import os
import re
import unicodedata
from pathlib import Path
from typing import Any

LONGEST = 40


def other_sets(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By its name, of each set its ``folder``, and ``settings``: the keys by which it is read."""
    return {
        name: {
            "folder": entry["folder"],
            "settings": {k: v for k, v in entry.items() if k not in ("folder", "name")},
        }
        for name, entry in named_entries(config)
    }


def named_entries(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and entry of each set: the name that is given, or one made of the folder's."""
    entries = map(as_block, config["data"]["also_score"])
    return [(entry.get("name") or name_of(entry["folder"]), entry) for entry in entries]


def as_block(entry: Any) -> Any:
    """An entry of ``data.also_score`` as a mapping; what is neither path nor mapping as it is."""
    return {"folder": entry} if isinstance(entry, str) else entry


def name_of(folder: str) -> str:
    """A folder's name as paths of results may have it: letters without accents, digits and _.

    Empty if nothing is left of it.
    """
    plain = unicodedata.normalize("NFKD", Path(folder).name)
    plain = re.sub("[^A-Za-z0-9-]+", "_", re.sub("[\u0300-\u036f]", "", plain))
    return plain.strip("_-")[:LONGEST]


def other_sets_errors(config: dict[str, Any]) -> list[str]:
    """What is wrong with the sets, one line each; that they are there is checked elsewhere."""
    data = config["data"]
    errors: list[str] = []
    taken: dict[str, str] = {}
    for number, (name, entry) in enumerate(named_entries(config)):
        key, folder = f"data.also_score.{number}", entry["folder"]
        # Some file systems do not tell Faces from faces.
        if (first := taken.setdefault(name.casefold(), key)) != key:
            errors.append(
                f"{key}: {folder}: its name, {name}, is that of {first} too; write {{folder: ..., "
                "name: ...}"
            )
        if not name:
            errors.append(
                f"{key}: {folder}: no name for results can be made of it; write {{folder: ..., "
                "name: ...}"
            )
        # os.path, since pathlib raises for names that are too long.
        if os.path.isfile(folder):  # noqa: PTH113
            errors.append(f"{key}: {folder}: a file; name its folder, and it in this set's table")
        if data["labelled"] and os.path.realpath(folder) == os.path.realpath(data["labelled"]):
            errors.append(f"{key}: {folder}: the folder of data.labelled, whose faces train")
    return errors
