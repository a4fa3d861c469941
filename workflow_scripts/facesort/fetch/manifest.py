"""The frozen manifest: URL, box and the photo's sha256 of every face of a set, to have it again."""

import re
from pathlib import Path
from typing import Final

import pandas as pd

from facesort.common.job import InputError
from facesort.fetch.fec import Face, Refused, numbered_lines, parse_face, split_line

COLUMNS: Final = ["url", "left", "right", "top", "bottom", "sha256"]


def read_manifest(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a manifest as a sample of faces, in its order.

    Returns:
        The faces (columns of ``fec.Face`` and sha256; ``row`` is the manifest's line, ``slot`` is
        1), and the refused ones, as ``fec.sample_faces`` does: none.

    Raises:
        InputError: if the file cannot be read, or a row is wrong. A manifest is written by this
            workflow, so a wrong row means that the file is not what it should be.
    """
    faces: dict[str, tuple[object, ...]] = {}
    digests: dict[str, tuple[str, int]] = {}
    header = True
    for row, line in numbered_lines(path, "data.manifest"):
        where = f"{path}, row {row} (config: data.manifest)"
        cells = split_line(line)
        if isinstance(cells, str):
            raise InputError(f"{where}: {cells}")
        if header:
            if cells != COLUMNS:
                raise InputError(f"{where}: the columns are not {','.join(COLUMNS)}")
            header = False
            continue
        if len(cells) != len(COLUMNS):
            raise InputError(f"{where}: {len(cells)} columns instead of {len(COLUMNS)}")
        face = parse_face(tuple(cells[:5]), row, 1)
        sha256 = cells[5].strip().lower()
        if not isinstance(face, Face):
            raise InputError(f"{where}: {face.reason}")
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise InputError(f"{where}: sha256 is not 64 hexadecimal digits")
        if face.face_id in faces:
            raise InputError(f"{where}: the same face as in row {faces[face.face_id][6]}")
        other, first = digests.setdefault(face.url, (sha256, row))
        if other != sha256:
            raise InputError(f"{where}: another sha256 of this photo than in row {first}")
        faces[face.face_id] = (*face, sha256)
    if not faces:
        raise InputError(f"{path}: no faces (config: data.manifest)")
    table = pd.DataFrame(list(faces.values()), columns=[*Face._fields, "sha256"])
    refused = pd.DataFrame(columns=list(Refused._fields)).astype(dict(Refused.__annotations__))
    return table.astype({**Face.__annotations__, "sha256": "str"}), refused
