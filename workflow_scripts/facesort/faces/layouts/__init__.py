"""How labelled sets lie on disk: a module a layout, each with ``fits`` and ``read``.

``fits(tree, settings)`` says whether a folder looks like the layout; ``read(tree, settings)`` lists
its images as ``listing.Listing``: a row an image with its label and part, what is left out and why,
and how to read the pictures. docs/labelled.md has a line a layout, with the published description.
"""

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
    if settings.table and settings.table not in tree.files:
        raise InputError(f"{tree.tell(settings.table)}: no such file (config: data.table)")
    name = settings.layout
    if name == "auto":
        name = _recognise(tree, settings)
        print(f"{tree.tell('')}: read in the layout {name} (config: data.layout)")
    return LAYOUTS[name].read(tree, settings)


def _recognise(tree: Tree, settings: Settings) -> str:
    found = [name for name, layout in LAYOUTS.items() if layout.fits(tree, settings)]
    if len(found) > 1 and "table" in found:
        found.remove("table")  # many sets have tables beside
    if len(found) == 1:
        return found[0]
    asked = f"(config: data.layout: {', '.join(found or LAYOUTS)})"
    if found:
        raise InputError(f"{tree.tell('')}: in which layout, {' or '.join(found)}? {asked}")
    top = sorted({path.partition("/")[0] for path in tree.files + tree.folders})
    holds = ", ".join(map(shown, top[:8])) + (", ..." if len(top) > 8 else "")
    raise InputError(
        f"{tree.tell('')}: no labels are recognised in it; it holds {holds or 'nothing'} {asked}; "
        "docs/labelled.md describes each"
    )
