"""Colours of emotions and clusters, which all readers tell apart, on light ground and on dark.

Emotions and clusters are coloured apart: a cluster keeps its own colour whatever it is called, and
two clusters of one name differ.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
from matplotlib.colors import to_hex, to_rgb

from facesort.common.emotions import EMOTIONS, MIXED


class Colour(NamedTuple):
    """One colour on light ground, and what stands for it on dark ground."""

    light: str
    dark: str


class Group(NamedTuple):
    """Points of one colour: bool (n,) of n points, and what is written amid them, if anything."""

    label: str
    colour: Colour
    chosen: np.ndarray
    mark: str = ""


# The categorical palettes of IBM's Carbon, made for a contrast of 3 to light and to dark ground:
# https://carbondesignsystem.com/data-visualization/color-palettes. Of all choices of nine these
# are among those that stay farthest apart to the colour-blind; tests/pages/test_colours.py measures
# it. The last five are too near others for that, and are for clusters beyond nine alone.
PALETTE: Final = (
    Colour("#ee5396", "#fa4d56"),
    Colour("#8a3800", "#ba4e00"),
    Colour("#198038", "#6fdc8c"),
    Colour("#012749", "#fff1f1"),
    Colour("#b28600", "#d2a106"),
    Colour("#a56eff", "#d4bbff"),
    Colour("#002d9c", "#4589ff"),
    Colour("#009d9a", "#007d79"),
    Colour("#520408", "#8a3ffc"),
    Colour("#1192e8", "#33b1ff"),
    Colour("#005d5d", "#08bdba"),
    Colour("#9f1853", "#d02670"),
    Colour("#fa4d56", "#ff7eb6"),
    Colour("#6929c4", "#bae6ff"),
)
BY_EMOTION: Final = dict(zip((*EMOTIONS, MIXED), PALETTE, strict=False))
# Points that are in no group. They are drawn small and hollow, since no grey is far from all.
UNGROUPED: Final = Colour("#c6c6c6", "#525252")


def emotion_groups(emotions: np.ndarray, own: Collection[str] = EMOTIONS) -> list[Group]:
    """Groups of points by emotion, str (n,): those of the labelled set, and others that occur."""
    found = [name for name in BY_EMOTION if name in own or (emotions == name).any()]
    return [Group(name, BY_EMOTION[name], emotions == name) for name in found]


def cluster_groups(clusters: np.ndarray, names: list[str]) -> list[Group]:
    """Groups of points by cluster, int (n,), given the clusters' names; each has its number."""
    return [
        Group(f"{number}: {name}", cluster_colour(number), clusters == number, str(number))
        for number, name in enumerate(names)
    ]


def cluster_colour(number: int) -> Colour:
    """Beyond the palette its colours come again, darker on light ground and lighter on dark."""
    light, dark = PALETTE[number % len(PALETTE)]
    kept = 0.65 ** (number // len(PALETTE))
    return Colour(_mixed(light, kept, 0), _mixed(dark, kept, 1))


def _mixed(colour: str, kept: float, ground: float) -> str:
    return to_hex(kept * np.array(to_rgb(colour)) + (1 - kept) * ground)
