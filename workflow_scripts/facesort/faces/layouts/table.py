"""A CSV or Parquet of paths and labels, beside images in any folders.

Columns have their usual names (``tables.NAMES``), or those of ``data.columns``. Where there are
several such tables, as train.csv and test.csv, each one's name tells the part.
"""

from facesort.common.job import InputError
from facesort.faces.layouts import parquet
from facesort.faces.layouts.listing import Listing, Settings, Tree, read_files
from facesort.faces.layouts.tables import Line, has_columns, join, read_csv, read_labels
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
            f"which table holds the labels, {' or '.join(tables)}? (config: data.table)"
        )
    lines: list[Line] = []
    refused = []
    for table, part in parts.items():
        reader = parquet.read_labels if table.endswith(".parquet") else read_labels
        found, unread = reader(tree.root / table, table, settings)
        told = f"{table}, " if len(tables) > 1 else ""
        lines += [line._replace(at=told + line.at, part=line.part or part) for line in found]
        refused += unread
    where = tables[0] if len(tables) == 1 else "the tables"
    rows, left_out = join(lines, tree.images(), settings, where)
    return Listing(rows, refused + left_out, read_files(tree.root), tables)


def _tables(tree: Tree, settings: Settings) -> list[str]:
    """The tables that have both columns; the one that the config names, whatever it has."""
    if settings.table:
        return [settings.table]
    return [
        path for path in tree.files if path.endswith(ENDINGS) and _has_both(tree, path, settings)
    ]


def _has_both(tree: Tree, path: str, settings: Settings) -> bool:
    try:
        if path.endswith(".parquet"):
            header = parquet.text_columns(tree.root / path, path)
        else:
            header = next(read_csv(tree.root / path)).cells
    except InputError:
        return False
    return has_columns(header, settings)
