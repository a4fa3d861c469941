"""A CSV or Parquet of paths and labels, beside images in any folders.

Columns have their usual names (``tables.NAMES``), or those of ``data.columns``. Where there are
several such tables, as train.csv and test.csv, each one's name tells the part.
"""

from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts import parquet
from facesort.faces.layouts.listing import Listing, Settings, Tree, is_image, read_files
from facesort.faces.layouts.matching import parts_of
from facesort.faces.layouts.tables import Line, has_columns, join, listed, read_csv, read_labels
from facesort.faces.layouts.words import part_of

ENDINGS = (".csv", ".tsv", ".parquet")


def fits(tree: Tree, settings: Settings) -> bool:
    return bool(_tables(tree, settings))


def read(tree: Tree, settings: Settings) -> Listing:
    """List the images that the tables name.

    Raises:
        InputError: if there is no such table, or it is unclear which of several, or as
            ``tables.join``.
    """
    tables = _tables(tree, settings)
    if not tables:
        raise InputError(
            f"{tree.tell('')}: no CSV or Parquet with a column of paths and one of labels "
            "(config: data.table, data.columns)"
        )
    parts = {table: part_of(table.rpartition("/")[2]) for table in tables}
    if len(tables) > 1 and len(set(parts.values()) - {None}) < len(tables):
        raise InputError(
            f"which table holds the labels, {' or '.join(map(shown, tables))}? (config: data.table)"
        )
    lines: list[Line] = []
    refused = []
    for table, part in parts.items():
        where = shown(table)
        reader = parquet.read_labels if _is_parquet(table) else read_labels
        found, unread = reader(tree.root / table, where, settings)
        told = f"{where}, " if len(tables) > 1 else ""
        lines += [line._replace(at=told + line.at, part=line.part or part) for line in found]
        refused += unread
    where = shown(tables[0]) if len(tables) == 1 else "the tables"
    # What a table names is an image, whatever it ends in.
    named = {parts_of(line.path)[-1:] for line in lines}
    images = [path for path in tree.files if is_image(path) or parts_of(path)[-1:] in named]
    rows, left_out = join(lines, images, settings, where)
    return Listing(rows, refused + left_out, read_files(tree.root), tables)


def _tables(tree: Tree, settings: Settings) -> list[str]:
    """The tables that have both columns; the one that the config names, whatever it has."""
    if settings.table:
        return [settings.table]
    return [path for path in _candidates(tree) if not _fault(tree, path, settings)]


def faults(tree: Tree, settings: Settings) -> list[str]:
    """Why the folder's tables are none of labels, a line a table."""
    return [fault for path in _candidates(tree) if (fault := _fault(tree, path, settings))]


def _candidates(tree: Tree) -> list[str]:
    return [path for path in tree.files if path.casefold().endswith(ENDINGS)]


def _fault(tree: Tree, path: str, settings: Settings) -> str:
    try:
        if _is_parquet(path):
            header = parquet.text_columns(tree.root / path, path)
        else:
            header = next(read_csv(tree.root / path)).cells
    except InputError as error:
        return str(error)
    if has_columns(header, settings):
        return ""
    return f"{shown(path)} has no columns of paths and labels, but {listed(header)}"


def _is_parquet(path: str) -> bool:
    return path.casefold().endswith(".parquet")
