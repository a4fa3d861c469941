"""A folder for each emotion, perhaps below train, val and test, and perhaps with labels.csv.

Folders bear words, or numbers in the order of AffectNet (0 to 7) or RAF-DB (1 to 7). With
``labels.csv``, as in Kaggle's AffectNet subset, folder and label may disagree, and names of files
repeat across folders; so a face is known by its path, and nothing is moved.
Source: https://www.kaggle.com/datasets/noamsegal/affectnet-training-data
"""

from typing import Final

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.common.trees import shown
from facesort.faces.layouts.listing import Listing, Row, Settings, Tree, is_image, read_files
from facesort.faces.layouts.tables import join, read_labels
from facesort.faces.layouts.words import is_number, meaning_of, meanings, part_of

TABLE: Final = "labels.csv"


def fits(tree: Tree, settings: Settings) -> bool:
    return any(map(_is_class, _class_folders(tree)))


def read(tree: Tree, settings: Settings) -> Listing:
    """List the images of class folders.

    Raises:
        InputError: if a class folder is empty or bears no emotion's name, or as ``tables.join``.
    """
    parts = _class_folders(tree)
    inside: dict[str, list[str]] = {folder: [] for folder in parts}
    outside = []
    depth = 1 + any("/" in folder for folder in parts)
    for path in tree.files:
        folder = "/".join(path.split("/")[:depth])
        if folder in inside:
            inside[folder].append(path)
        elif is_image(path):
            outside.append(path)
    # Folders of a class or a part that are links to nothing, say, would be missed silently.
    tree.demand(*(path for path, _ in tree.refused if _is_place(path, depth)))
    for folder, paths in inside.items():
        faulty = any(path.startswith(f"{folder}/") for path, _ in tree.refused)
        if _is_class(folder) and not paths and not faulty:
            raise InputError(f"{tree.tell(folder)}: an empty class folder; add images or delete it")
    by_table = settings.label_from != "folder"
    table = (settings.table or _table(tree)) if by_table else None
    if table:
        where = shown(table)
        files = [path for paths in inside.values() for path in paths] + outside
        lines, unread = read_labels(tree.root / table, where, settings)
        rows, refused = join(lines, [path for path in files if path != table], settings, where)
        place = {path: folder for folder, paths in inside.items() for path in paths}
        rows = [row._replace(part=row.part or parts.get(place.get(row.path, ""))) for row in rows]
        return Listing(rows, unread + refused, read_files(tree.root), [table])
    if by_table:
        print(f"{tree.tell(TABLE)}: not there; the folders' names are the labels")
    names = {folder: folder.rpartition("/")[2] for folder in parts}
    meaning = meanings(names.values(), settings.numbers, tree.tell(""))
    rows, refused = [], [(path, "in no class folder") for path in outside]
    for folder, paths in inside.items():
        if names[folder] not in meaning:
            raise InputError(
                f"{tree.tell(folder)}: the folder's name is none of {', '.join(EMOTIONS)}"
            )
        if emotion := meaning[names[folder]]:
            rows += [Row(path, emotion, part=parts[folder]) for path in paths]
        else:
            refused += [(path, f"folder {names[folder]} is not an emotion") for path in paths]
    return Listing(sorted(rows), refused, read_files(tree.root))


def _table(tree: Tree) -> str | None:
    """The table of labels in the set's own folder, in any letters."""
    tree.demand(*(path for path, _ in tree.refused if path.casefold() == TABLE))
    found = [path for path in tree.files if path.casefold() == TABLE]
    return TABLE if TABLE in found else next(iter(found), None)


def _is_place(path: str, depth: int) -> bool:
    """Whether a path is where a class folder, or the folder of a part, would be."""
    level = path.count("/") + 1
    # Among words, a number may well be the name of a file.
    is_class = level == depth and meaning_of(path.rpartition("/")[2]) is not None
    return is_class or (depth == 2 and level == 1 and part_of(path) is not None)


def _class_folders(tree: Tree) -> dict[str, str | None]:
    """The class folders, and the part of the set that each is of."""
    top = [folder for folder in tree.folders if "/" not in folder]
    below = {
        folder: part
        for folder in tree.folders
        if folder.count("/") == 1 and (part := part_of(folder.partition("/")[0]))
    }
    if not any(map(_is_class, top)) and any(map(_is_class, below)):
        return below | {folder: None for folder in top if part_of(folder) is None}
    return dict.fromkeys(top)


def _is_class(folder: str) -> bool:
    name = folder.rpartition("/")[2]
    return meaning_of(name) is not None or is_number(name)
