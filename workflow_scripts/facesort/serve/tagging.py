"""What a photo shows, told by the archive's own detector, mesh, movements, answers and thresholds.

Runs in a process that may die over a photo (workers.py). Photos stay in memory.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch
from jsonschema import Draft202012Validator

from facesort.archive.analysis import Analysis
from facesort.archive.answers import LabelFree, sampled
from facesort.archive.face_reader import numbers, states
from facesort.archive.joining import summed, tagged
from facesort.archive.photographed import on_photographs
from facesort.archive.pictures import jpeg
from facesort.archive.raw_previews import is_raw, read_raw
from facesort.archive.review import NOBODY
from facesort.archive.tables import APPARENT, BOX, FOUND, MOVEMENTS, NAMED, READ
from facesort.archive.tags import built_in
from facesort.archive.xmp import XmpError, embedded, parse
from facesort.common.emotions import EMOTIONS
from facesort.common.job import unreadable
from facesort.common.schema_errors import default_config
from facesort.common.trees import shown
from facesort.fetch.imaging import ImageError, read_photo, stored_box
from facesort.pages.page import data_url
from facesort.serve.limits import Limits, Refused
from facesort.serve.openapi import description
from facesort.sidecars.merging import Face, beginning, merged, taken_out

PROBABILITIES: Final = (*APPARENT, *EMOTIONS)
# A photo's longer side on the page, pixels.
PICTURE: Final = 1280
# HTTP's statuses of photos that are refused; all others are of a kind that is not read.
TOO_LARGE: Final = ("too many pixels", "too large for the memory")
DAMAGED: Final = ("damaged image", "truncated image")


class Tagger:
    """Tags photos, one at a time; holds the networks.

    Args:
        limits: of them the pixels.
        archive: a folder of an archive's tables, ``results/archive``, whose thresholds and usual
            movements count; None for those that come with facesort.

    Raises:
        InputError: if the folder is none.
    """

    def __init__(self, limits: Limits, archive: str | None = None) -> None:
        torch.set_num_threads(1)
        config = default_config()["archive"]
        settings = {key: config[key] for key in ("detect_at", "tiles", "min_face")}
        self.analysis = Analysis("", settings | {"max_pixels": limits.pixels})
        self.emotions = config["emotions"]
        self.thresholds, found = on_photographs(built_in()), []
        if archive:
            found = sorted(map(str, Path(archive, "found").glob("*.parquet")))
            table = Path(archive, "thresholds.csv")
            try:
                self.thresholds = pd.read_csv(table, index_col="tag").loc[[*self.thresholds.index]]
            except (OSError, ValueError, KeyError) as error:
                raise unreadable(table, "an archive's table of thresholds", error) from None
        self.tell = LabelFree(sampled(found) if found else np.zeros((0, len(MOVEMENTS))))
        # The first photo is to take no longer than others.
        self.tag("", jpeg(np.zeros((1, 1, 3), np.uint8)), False)

    def tag(self, name: str, data: bytes, picture: bool) -> dict[str, Any]:
        """The schema ``Photo`` of openapi.yaml.

        Args:
            name: what its file is called; tells raw files.
            data: its bytes.
            picture: whether it is also sent back as a JPEG that browsers can show.

        Raises:
            Refused: if it is no photo that is read.
        """
        try:
            seen = self.analysis.look("", data, None, is_raw(name))
            shown_as = {"picture": self._picture(name, data)} if picture else {}
        except ImageError as error:
            raise _refused(error) from None
        except (MemoryError, cv2.error):
            raise Refused(413, TOO_LARGE[1]) from None
        found = numbers(seen.faces, seen.reading)
        state = states(found, self.analysis.reader.least)
        found[state != "answered", len(FOUND) :] = np.nan
        rows = pd.DataFrame(found, columns=[*FOUND, *MOVEMENTS])
        rows = rows.assign(photo=name, face=np.arange(len(rows), dtype="int32"), state=state)
        faces = tagged(rows, self._answers(rows), self.emotions, self.thresholds, NOBODY)
        photo = seen.photo
        about = dict(zip(READ.names[1:8], photo[1:8], strict=True))
        read = pd.DataFrame([{"photo": name, **about, "faces": len(faces), "keywords": ""}])
        summary = summed(read, faces, NAMED.empty_table().to_pandas()).iloc[0]
        return {
            "name": shown(name),
            "sha256": hashlib.sha256(data).hexdigest(),
            "width": photo.width,
            "height": photo.height,
            "orientation": photo.orientation,
            "problem": summary["problem"],
            "faces": [_face(row) for row in faces.to_dict("records")],
            **shown_as,
        }

    def _answers(self, rows: pd.DataFrame) -> pd.DataFrame:
        table = pa.Table.from_pandas(rows, preserve_index=False)
        table = table.filter(pc.equal(table["state"].cast(pa.string()), "answered"))
        told = self.tell(table) if len(table) else np.zeros((0, len(EMOTIONS)))
        keys = rows.loc[rows["state"] == "answered", ["photo", "face"]].reset_index(drop=True)
        return keys.join(pd.DataFrame(told, columns=list(EMOTIONS)))

    def _picture(self, name: str, data: bytes) -> str:
        read = read_raw if is_raw(name) else read_photo
        pixels = read(data, self.analysis.settings["max_pixels"], PICTURE, None).pixels
        factor = PICTURE / max(pixels.shape[:2])
        if factor < 1:
            size = tuple(max(1, round(side * factor)) for side in pixels.shape[1::-1])
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return data_url(jpeg(pixels), "image/jpeg")


def _face(row: dict[Any, Any]) -> dict[str, Any]:
    told = {name: round(float(row[name]), 3) for name in PROBABILITIES if not np.isnan(row[name])}
    return {
        "box": {edge: round(float(row[edge]), 1) for edge in BOX},
        "state": row["state"],
        "tags": row["tags"].split(";") if row["tags"] else [],
        "look": row["look"],
        "probabilities": told,
    }


def _refused(error: ImageError) -> Refused:
    why = str(error)
    if why.startswith(TOO_LARGE):
        return Refused(413, why)
    return Refused(422 if why.startswith(DAMAGED) else 415, why)


def sidecar(data: bytes, answer: str) -> bytes:
    """XMP of a photo with the tags of an answer, which a person may have corrected.

    It starts from the XMP inside the photo, which it would hide otherwise.

    Args:
        data: the photo's file.
        answer: JSON of the schema ``Photo``.

    Raises:
        Refused: if the answer is none, or the XMP inside the photo cannot be read.
    """
    photo = _read_answer(answer)
    faces = []
    for face in photo["faces"]:
        if face["state"] == "answered":
            left, top, width, height = (face["box"][edge] for edge in BOX)
            edges = [left / photo["width"], (left + width) / photo["width"]]
            edges += [top / photo["height"], (top + height) / photo["height"]]
            box = stored_box((edges[0], edges[1], edges[2], edges[3]), photo["orientation"])
            faces.append(Face(box, face["tags"], face["probabilities"]))
    try:
        packet, keywords = embedded(data)
        packet = packet and taken_out(packet, None)
        tree = parse(packet) if packet else None
        start = beginning(parse(packet) if packet else None, photo["orientation"])
        return merged(start, faces, True, lambda: (tree, keywords))[0]
    except XmpError as error:
        raise Refused(422, f"the XMP inside the photo: {error}") from None


def _read_answer(answer: str) -> dict[str, Any]:
    def no_number(text: str) -> None:
        raise ValueError(f"{text} is no number of JSON")

    try:
        photo: dict[str, Any] = json.loads(answer, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(422, f"answer: no JSON ({error})"[:200]) from None
    components = description(Limits())["components"]
    schema = {"$ref": "#/components/schemas/Photo", "components": components}
    checks = Draft202012Validator(schema)
    if wrong := next(checks.iter_errors(photo), None):
        raise Refused(422, f"answer: {wrong.json_path}: {wrong.message}"[:200])
    return photo


# Of the process that runs this, once it has started.
_tagger: Tagger | None = None


def start(limits: Limits, archive: str | None) -> None:
    """Prepare this process for ``tag``."""
    global _tagger
    _tagger = Tagger(limits, archive)


def tag(name: str, data: bytes, picture: bool) -> dict[str, Any]:
    """As of ``Tagger.tag``."""
    assert _tagger
    return _tagger.tag(name, data, picture)
