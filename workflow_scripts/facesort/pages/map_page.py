"""The interactive map: every face a point, and the face itself where the pointer rests."""

from typing import Any

import numpy as np
import pandas as pd

from facesort.cluster.anatomy import Anatomy
from facesort.cluster.chance import TITLE, WORDS
from facesort.faces.facs import reliable
from facesort.faces.spread import MOST
from facesort.faces.units import both_sides
from facesort.pages.colours import UNGROUPED, Group
from facesort.pages.page import SHEET, packed, render, sheets, spread, thumbnail_side, thumbnails

NONE = 65535
# The sets in words.
SETS = {"pool": "unlabelled", "test": "scored"}
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
    colourings: dict[str, list[Group]],
    movements: pd.DataFrame,
    *,
    title: str,
    at_chance: bool,
    totals: dict[str, int],
) -> str:
    """The page of one cell's maps.

    Args:
        places: columns face, set, tsne_x, tsne_y, umap_x, umap_y, perhaps near_1 and so on; set by
            set.
        faces: of each set uint8 (N, H, W, C), from which ``face`` is a row; may be memory-mapped.
        colourings: what points can be coloured by; groups hold bool (len(places),). A point of no
            group is small and hollow.
        movements: what points can be coloured by besides, as of ``strengths``.
        at_chance: whether the clusters do not follow expression, which the page then says.
        totals: faces of each set, of which ``places`` may hold a sample.
    """
    side = thumbnail_side(next(iter(faces.values())).shape[1], len(places))
    sets = list(dict.fromkeys(places["set"]))
    small = [
        thumbnails(faces[name], places.loc[places["set"] == name, "face"].to_numpy(), side)
        for name in sets
    ]
    counts = {name: int((places["set"] == name).sum()) for name in sets}
    nearest = places.filter(like="near_").to_numpy()
    data: dict[str, Any] = {
        "side": side,
        "columns": SHEET // side,
        "sheets": list(sheets(np.concatenate(small))),
        "sets": [SETS[name] for name in sets],
        "set": packed(places["set"].map(sets.index).to_numpy(), "<u1"),
        "face": packed(places["face"].to_numpy(), "<u4"),
        "nearest": packed(nearest, "<u2"),
        "neighbours": nearest.shape[1],
        "maps": {
            name: [
                packed(spread(places[f"{name}_x"].to_numpy()), "<u2"),
                packed(spread(-places[f"{name}_y"].to_numpy()), "<u2"),
            ]
            for name in ("tsne", "umap")
        },
        "colourings": {
            name: {
                "labels": [group.label for group in groups],
                "marks": [group.mark for group in groups],
                "light": [group.colour.light for group in groups],
                "dark": [group.colour.dark for group in groups],
                "group": packed(_numbers(groups, len(places)), "<u2"),
            }
            for name, groups in colourings.items()
        },
        "ungrouped": UNGROUPED._asdict(),
        "movements": {
            name: packed(_steps(values.to_numpy()), "<u1") for name, values in movements.items()
        },
        "strengths": {"most": MOST, "steps": STEPS, "bounds": BOUNDS}
        | {"labels": LABELS, "light": LIGHT, "dark": DARK},
    }
    samples = [
        f"{counts[name]:,} of {totals[name]:,} {SETS[name]} faces, drawn at random"
        for name in sets
        if counts[name] < totals[name]
    ]
    return render(
        "map_page",
        data,
        title=title + TITLE if at_chance else title,
        at_chance=WORDS if at_chance else "",
        colourings=list(colourings),
        movements=list(movements),
        sets=[(SETS[name], counts[name]) for name in sets],
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


def _numbers(groups: list[Group], count: int) -> np.ndarray:
    numbers = np.full(count, NONE)
    for number, group in enumerate(groups):
        numbers[group.chosen] = number
    return numbers


def _steps(values: np.ndarray) -> np.ndarray:
    """Strengths as bytes: 0 to ``STEPS``, or ``UNMEASURED``."""
    steps = np.round((np.clip(values, -MOST, MOST) + MOST) / (2 * MOST) * STEPS)
    return np.where(np.isnan(values), UNMEASURED, steps)
