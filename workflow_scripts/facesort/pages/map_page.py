"""The interactive map: every face a point, and the face itself where the pointer rests."""

from typing import Any

import numpy as np
import pandas as pd

from facesort.cluster.anatomy import Anatomy
from facesort.faces.facs import reliable
from facesort.faces.spread import MOST
from facesort.faces.units import both_sides
from facesort.pages.figures import Groups, on_dark
from facesort.pages.page import SHEET, packed, render, sheets, spread, thumbnail_side, thumbnails

NONE = 65535
# Strengths of movements, from -MOST to MOST, as so many steps; and one that was not measured.
STEPS, UNMEASURED = 254, 255
# What they are coloured by: bounds between groups, and each group's colour on light and dark.
BOUNDS = (-2, -1, -0.5, 0.5, 1, 2)
LABELS = ("below -2", "-2 to -1", "-1 to -0.5", "-0.5 to 0.5", "0.5 to 1", "1 to 2", "above 2")
LIGHT = ("#08519c", "#4292c6", "#9ecae1", "#d9d9d9", "#fdae6b", "#e6550d", "#8c2d04")
DARK = ("#6baed6", "#4292c6", "#2a5a80", "#4d5563", "#9a5a2a", "#e6762d", "#fdc086")


def map_page(
    places: pd.DataFrame,
    faces: dict[str, np.ndarray],
    colourings: dict[str, Groups],
    movements: pd.DataFrame,
    *,
    title: str,
    totals: dict[str, int],
) -> str:
    """The page of one cell's maps.

    Args:
        places: columns face, set, tsne_x, tsne_y, umap_x, umap_y; set by set.
        faces: of each set uint8 (N, H, W, C), from which ``face`` is a row; may be memory-mapped.
        colourings: what points can be coloured by; groups hold bool (len(places),). A point of no
            group is grey.
        movements: what points can be coloured by besides, as of ``strengths``.
        totals: faces of each set, of which ``places`` may hold a sample.
    """
    side = thumbnail_side(next(iter(faces.values())).shape[1], len(places))
    sets = list(dict.fromkeys(places["set"]))
    small = [
        thumbnails(faces[name], places.loc[places["set"] == name, "face"].to_numpy(), side)
        for name in sets
    ]
    counts = {name: int((places["set"] == name).sum()) for name in sets}
    data: dict[str, Any] = {
        "side": side,
        "columns": SHEET // side,
        "sheets": list(sheets(np.concatenate(small))),
        "sets": sets,
        "set": packed(places["set"].map(sets.index).to_numpy(), "<u1"),
        "face": packed(places["face"].to_numpy(), "<u4"),
        "maps": {
            name: [
                packed(spread(places[f"{name}_x"].to_numpy()), "<u2"),
                packed(spread(-places[f"{name}_y"].to_numpy()), "<u2"),
            ]
            for name in ("tsne", "umap")
        },
        "colourings": {
            name: {
                "labels": [label for label, _, _ in groups],
                "light": [colour for _, colour, _ in groups],
                "dark": [on_dark(colour) for _, colour, _ in groups],
                "group": packed(_numbers(groups, len(places)), "<u2"),
            }
            for name, groups in colourings.items()
        },
        "movements": {
            name: packed(_steps(values.to_numpy()), "<u1") for name, values in movements.items()
        },
        "strengths": {"most": MOST, "steps": STEPS, "bounds": BOUNDS}
        | {"labels": LABELS, "light": LIGHT, "dark": DARK},
    }
    samples = [
        f"{counts[name]:,} of {totals[name]:,} faces of the {name} set, drawn at random"
        for name in sets
        if counts[name] < totals[name]
    ]
    return render(
        "map_page",
        data,
        title=title,
        colourings=list(colourings),
        movements=list(movements),
        sets=[(name, counts[name]) for name in sets],
        sample=" and ".join(samples),
    )


def strengths(places: pd.DataFrame, anatomies: dict[str, Anatomy]) -> pd.DataFrame:
    """Strengths of movements of the faces on a map, against their own set's median and spread.

    Args:
        places: columns face and set.
        anatomies: of the sets that are measured, perhaps none; ``face`` is a row.

    Returns:
        A row a place, a column a movement that is found well, by its plain name; NaN where it was
        not measured. No column if nothing was.
    """
    found = np.full((len(places), len(reliable())), np.nan)
    for name, anatomy in anatomies.items():
        rows = (places["set"] == name).to_numpy()
        faces = places["face"].to_numpy()[rows]
        seen = anatomy.seen[faces, None]
        found[rows] = np.where(seen, both_sides(anatomy.movements[faces]), np.nan)
    return pd.DataFrame(found, columns=reliable()["plain"]).dropna(axis=1, how="all")


def _numbers(groups: Groups, count: int) -> np.ndarray:
    numbers = np.full(count, NONE)
    for number, (_, _, chosen) in enumerate(groups):
        numbers[chosen] = number
    return numbers


def _steps(values: np.ndarray) -> np.ndarray:
    """Strengths as bytes: 0 to ``STEPS``, or ``UNMEASURED``."""
    steps = np.round((np.clip(values, -MOST, MOST) + MOST) / (2 * MOST) * STEPS)
    return np.where(np.isnan(values), UNMEASURED, steps)
