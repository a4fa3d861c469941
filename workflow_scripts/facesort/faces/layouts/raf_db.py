"""RAF-DB's basic set: EmoLabel/list_patition_label.txt (so spelt) and Image/aligned.

A line is "train_00001.jpg 5", whose face is train_00001_aligned.jpg. Emotions: 1 surprise, 2 fear,
3 disgust, 4 happy, 5 sad, 6 anger, 7 neutral. The part is how the name begins.
Source: Li, Deng, Du 2017, http://www.whdeng.cn/raf/model1.html
"""

from pathlib import PurePosixPath
from typing import Final

from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.listing import Listing, Settings, Tree, read_files
from facesort.faces.layouts.tables import Line, join
from facesort.faces.layouts.words import part_of
from facesort.fetch.fec import numbered_lines

TABLES: Final = ("list_patition_label.txt", "list_partition_label.txt")
ALIGNED: Final = "_aligned"


def fits(tree: Tree, settings: Settings) -> bool:
    return bool(tree.named(*TABLES))


def read(tree: Tree, settings: Settings) -> Listing:
    """List the aligned faces.

    Raises:
        InputError: if the table or the aligned faces are missing, or as ``tables.join``.
    """
    table = settings.table or tree.only(*TABLES)
    if not table:
        raise InputError(f"{tree.tell('')}: no {TABLES[0]} in it (config: data.layout)")
    faces = [path for path in tree.images() if PurePosixPath(path).stem.endswith(ALIGNED)]
    if not faces:
        raise InputError(f"{tree.tell('')}: no *{ALIGNED}.jpg in it; unpack RAF-DB's aligned.zip")
    lines, refused = [], []
    for number, line in numbered_lines(tree.root / table, "data.labelled"):
        cells = line.decode("utf-8", "surrogateescape").strip().rsplit(maxsplit=1)
        if len(cells) < 2:
            refused.append((f"{table}:{number}", "not a name and a number"))
            continue
        name = PurePosixPath(cells[0])
        face = f"{name.stem}{ALIGNED}{name.suffix}"
        lines.append(Line(f"row {number}", face, cells[1], part=part_of(name.name)))
    rows, left_out = join(lines, faces, settings.known("raf_db"), shown(table))
    return Listing(rows, refused + left_out, read_files(tree.root), [table])
