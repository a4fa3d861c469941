"""ExpW: label.lst names faces within photos, each with a box.

A line is "image_name face_id top left right bottom confidence expression", the edges in pixels.
Expressions: 0 anger, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.
Source: Zhang, Luo, Loy, Tang 2017, https://arxiv.org/abs/1609.06426, and the set's own readme
"""

from typing import Final

from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.listing import Listing, Settings, Tree, read_files
from facesort.faces.layouts.tables import Line, join
from facesort.fetch.fec import numbered_lines

TABLE: Final = "label.lst"


def fits(tree: Tree, settings: Settings) -> bool:
    return bool(tree.named(TABLE))


def read(tree: Tree, settings: Settings) -> Listing:
    """List the faces, of which a photo may have several; photos without any are left out.

    Raises:
        InputError: if the table is missing, or as ``tables.join``.
    """
    table = settings.table or tree.only(TABLE)
    if not table:
        raise InputError(f"{tree.tell('')}: no {TABLE} in it (config: data.layout)")
    lines, refused = [], []
    for number, line in numbered_lines(tree.root / table, "data.labelled"):
        cells = line.decode("utf-8", "surrogateescape").strip().rsplit(maxsplit=7)
        try:
            name, *numbers, _, label = cells
            face, top, left, right, bottom = map(int, numbers)
        except ValueError:
            refused.append((f"{table}:{number}", "not a name, a face, its box and its label"))
            continue
        lines.append(Line(f"row {number}", name, label, face=face, box=(left, top, right, bottom)))
    rows, left_out = join(
        lines, tree.images(), settings.known("fer2013"), shown(table), every_file=False
    )
    return Listing(rows, refused + left_out, read_files(tree.root), [table])
