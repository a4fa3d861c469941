"""The page of best shots: of each folder its summary, its head shots, its series with reasons."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pandas as pd

from facesort.album.shards import Key, write_shards
from facesort.common.job import unreadable
from facesort.pages.page import render

FOLDER: Final = "album"
# Of each folder so many series are shown, and of each so many photos; the tables have all.
SERIES, SHOTS = 12, 6


def album_page(
    tables: tuple[str | Path, str | Path, str | Path],
    previews: Sequence[str | Path],
    thumbnails: Sequence[str | Path],
    shards: str | Path,
    link: str = "",
) -> str:
    """Write the pictures, and return the page that loads them.

    Args:
        tables: bursts.csv, headshots.csv and album.csv.
        previews: files with columns photo and jpeg.
        thumbnails: files with columns photo, face and jpeg.
        shards: the folder to write, which must lie beside the page and be called ``FOLDER``.
        link: URL of the photos' folder, up to and with the last "/"; without it nothing is linked.

    Raises:
        InputError: if a table cannot be read, or they are not of the same run.
    """
    bursts, heads, album = map(_read, tables)
    shown = [_of_folder(*each, link) for each in _by_folder(album, heads, bursts)]
    write_shards(shards, [each.pop("keys") for each in shown], [*previews, *thumbnails])
    return render(
        "album",
        {},
        Path(__file__).parent,
        more=("shards",),
        title="Best shots",
        folders=shown,
        stand=len(album),
        heads=len(heads),
        series=bursts["series"].nunique(),
        in_series=len(bursts),
    )


def _read(path: str | Path) -> pd.DataFrame:
    """A table as text: a folder may be called NA."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise unreadable(path, "a readable CSV", error) from None


def _by_folder(*tables: pd.DataFrame) -> Iterator[tuple[str, list[pd.DataFrame]]]:
    """Each folder of the first table, with its rows of all."""
    parts = [{str(name): part for name, part in table.groupby("folder")} for table in tables]
    for name in sorted(parts[0]):
        yield name, [of.get(name, table[:0]) for of, table in zip(parts, tables, strict=True)]


def _of_folder(name: str, tables: list[pd.DataFrame], link: str) -> dict[str, Any]:
    """What the page shows of a folder; ``keys``: photo and face (None: all) of its pictures."""
    album, heads, bursts = tables
    keys: dict[Key, int] = {}

    def pictured(row: dict[Any, Any], *words: str, face: int | None = None) -> dict[str, Any]:
        photo = row["photo"]
        # Where bytes of a path could not be written as they are, it leads nowhere.
        url = link + quote(photo) if link and "\\" not in photo else ""
        at = keys.setdefault((photo, face), len(keys))
        last = photo.rpartition("/")[2]
        return {"at": at, "name": last, "url": url, "words": [each for each in words if each]}

    stand = [
        pictured(row, row["taken"][:16], _words(row["looks"]), _stands_for(row["stands_for"]))
        for row in album.to_dict("records")
    ]
    faces = [
        pictured(row, _words(row["tags"]), face=int(row["face"]))
        for row in heads.to_dict("records")
    ]
    of_series = list(bursts.groupby("series", sort=False))
    series = [
        {
            "of": len(part),
            "by": part["by"].iloc[0],
            "shots": [pictured(row, row["reasons"]) for row in part[:SHOTS].to_dict("records")],
        }
        for _, part in of_series[:SERIES]
    ]
    about = {"photos": stand, "heads": faces, "series": series, "count": len(of_series)}
    return about | {"name": name, "keys": list(keys)}


def _words(tags: str) -> str:
    return tags.replace(";", ", ")


def _stands_for(count: str) -> str:
    return f"represents {count} photos" if int(count) > 1 else ""
