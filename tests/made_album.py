"""Tables of an archive to choose from, as few columns as that needs."""

import pandas as pd

from facesort.album.faults import COLUMNS
from facesort.archive.tables import APPARENT
from facesort.common.emotions import EMOTIONS


def face(photo, number=0, **how):
    """A row of ``faces.parquet``: a face that looks at the camera, unless told otherwise."""
    row = dict.fromkeys(COLUMNS, 0.0) | {"photo": photo, "face": number, "state": "answered"}
    row |= dict.fromkeys([*APPARENT, *EMOTIONS], 0.1) | {"tags": "", "look": "unsure"}
    row |= {"left": 50 + 150 * number, "top": 40, "size": 100.0, "sharpness": 0.5} | how
    return row | {"width": row["size"], "height": row["size"]}


def photos(*rows):
    """``photos.parquet``: a path, and perhaps seconds, the camera's burst and sharpness, each."""
    table = pd.DataFrame(rows, columns=["photo", "seconds", "burst", "sharpness"])
    start = pd.Timestamp("2026-05-01 12:00:00").as_unit("ms")
    taken = start + pd.to_timedelta(table.pop("seconds"), unit="s").dt.as_unit("ms")
    return table.assign(taken=taken, faces=1)
