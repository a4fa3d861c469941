"""The interactive map: every face a point, and the face itself where the pointer rests."""

from typing import Any

import numpy as np
import pandas as pd

from facesort.pages.figures import Groups, on_dark
from facesort.pages.page import SHEET, packed, render, sheets, spread, thumbnail_side, thumbnails

NONE = 65535


def map_page(
    places: pd.DataFrame,
    faces: dict[str, np.ndarray],
    colourings: dict[str, Groups],
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
        sets=[(name, counts[name]) for name in sets],
        sample=" and ".join(samples),
    )


def _numbers(groups: Groups, count: int) -> np.ndarray:
    numbers = np.full(count, NONE)
    for number, (_, _, chosen) in enumerate(groups):
        numbers[chosen] = number
    return numbers
