"""AffectNet as its authors give it: images/ID.jpg and annotations/ID_exp.npy, perhaps per part.

Expressions: 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt, 8 none,
9 uncertain, 10 no face; the last three are left out. Parts are train_set and val_set.
Source: Mollahosseini, Hasani, Mahoor 2017, https://arxiv.org/abs/1708.03985
"""

from pathlib import Path
from typing import Final

import numpy as np

from facesort.faces.layouts.listing import Listing, Settings, Tree, read_files
from facesort.faces.layouts.tables import Line, join
from facesort.faces.layouts.words import part_of

ENDING: Final = "_exp.npy"
# Valence, arousal and landmarks lie there too.
ANNOTATIONS: Final = (ENDING, "_val.npy", "_aro.npy", "_lnd.npy")
# A file of one number has some 130.
MOST_BYTES: Final = 1_000


def fits(tree: Tree, settings: Settings) -> bool:
    return any(map(_is_annotation, tree.files))


def read(tree: Tree, settings: Settings) -> Listing:
    """List the images that have an annotation, or should have one."""
    lines, refused, images = [], [], []
    for path in tree.files:
        folders, _, name = path.rpartition("/")
        if _is_annotation(path):
            label = _read_number(tree.root / path)
            if label is None:
                refused.append((path, "not a whole number"))
                continue
            base = folders[: -len("annotations")]
            # Whatever it ends in: see matching.py.
            image = f"{base}images/{name.removesuffix(ENDING)}.jpg"
            lines.append(Line(path, image, label, part=part_of(base)))
        elif folders.rpartition("/")[2].casefold() == "images":
            images.append(path)
    rows, left_out = join(lines, images, settings.known("affectnet"), "annotations")
    tables = [path for path in tree.files if path.endswith(ANNOTATIONS)]
    return Listing(rows, refused + left_out, read_files(tree.root), tables)


def _is_annotation(path: str) -> bool:
    return path.endswith(ENDING) and "annotations" in path.casefold().split("/")[-2:-1]


def _read_number(path: Path) -> str | None:
    """The whole number in a file: AffectNet's are text in an array without dimensions."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        array = np.load(path, allow_pickle=False)
        number = float(array.reshape(-1)[0])
        return str(int(number)) if array.size == 1 and number.is_integer() else None
    except Exception:  # NumPy raises many kinds for hostile bytes
        return None
