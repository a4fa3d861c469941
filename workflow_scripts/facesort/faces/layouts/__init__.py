"""How labelled sets lie on disk: a module a layout, each with ``fits`` and ``read``.

``fits(tree, settings)`` says whether a folder looks like the layout; ``read(tree, settings)`` lists
its images as ``listing.Listing``: a row an image with its label and part, what is left out and why,
and how to read the pictures. docs/labelled.md has a line a layout, with the published description.
"""

import os
from dataclasses import replace
from typing import Final

from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts import affectnet, expw, fer2013, folders, parquet, raf_db, table
from facesort.faces.layouts.listing import Listing, Settings, Tree

LAYOUTS: Final = {
    "folders": folders,
    "affectnet": affectnet,
    "fer2013": fer2013,
    "raf_db": raf_db,
    "expw": expw,
    "table": table,
    "parquet": parquet,
}


def list_images(tree: Tree, settings: Settings) -> Listing:
    """List a labelled set in the layout that the config names, or that it is seen to have.

    Raises:
        InputError: if no layout fits or several do, or as the layout's ``read``.
    """
    if settings.table:
        settings = replace(settings, table=_inside(tree, settings.table))
    name = settings.layout
    if name == "auto":
        name = _recognise(tree, settings)
        print(f"{tree.tell('')}: read in the layout {name} (config: data.layout)")
    return LAYOUTS[name].read(tree, settings)


def _inside(tree: Tree, table: str) -> str:
    """The path of the table that the config names, from the set's folder or from where we are."""
    for path in (table, os.path.relpath(os.path.expanduser(table), tree.root)):  # noqa: PTH111
        if (path := os.path.normpath(path)) in tree.files:
            return path
    tree.demand(table)
    raise InputError(f"{shown(str(tree.root / table))}: no such file (config: data.table)")


def _recognise(tree: Tree, settings: Settings) -> str:
    found = [name for name, layout in LAYOUTS.items() if layout.fits(tree, settings)]
    by_folder = settings.label_from == "folder"
    if by_folder and "folders" in found:
        return "folders"
    if len(found) > 1 and "table" in found:
        found.remove("table")  # many sets have tables beside
    if len(found) == 1 and not by_folder:
        return found[0]
    if by_folder and found:
        raise InputError(
            f"{tree.tell('')}: no class folders in it, but it may be read in the layout "
            f"{' or '.join(found)} (config: data.label_from, data.layout)"
        )
    asked = f"(config: data.layout: {', '.join(found or LAYOUTS)})"
    if found:
        raise InputError(
            f"{tree.tell('')}: several layouts fit, {' and '.join(found)}; name one {asked}"
        )
    top = sorted({path.partition("/")[0] for path in tree.files + tree.folders})
    holds = ", ".join(map(shown, top[:8])) + (", ..." if len(top) > 8 else "")
    why = "".join(f"; {fault}" for fault in table.faults(tree, settings)[:2])
    raise InputError(
        f"{tree.tell('')}: no labels are recognised in it; it holds {holds or 'nothing'}{why} "
        f"{asked}; docs/labelled.md describes each"
    )
