"""Photos and what was told of them, kept in a folder, if the server was asked to (--keep)."""

import json
import os
from pathlib import Path
from typing import Any

from facesort.common.arrays import write_whole
from facesort.serve.limits import Refused


def keep(folder: Path, name: str, data: bytes, answer: dict[str, Any]) -> None:
    """Write a photo and its answer, named by the photo's digest; the name that was sent is text.

    Raises:
        Refused: if the disk does not take them; it tells no path.
    """
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a name, perhaps of no path
    ending = ending if ending[1:].isalnum() and ending.isascii() and len(ending) < 6 else ""
    # That is the answer's.
    ending = "" if ending == ".json" else ending
    told = {key: value for key, value in answer.items() if key != "picture"}
    try:
        for path, content in (
            (folder / f"{answer['sha256']}{ending}", data),
            (folder / f"{answer['sha256']}.json", json.dumps(told, indent=1).encode()),
        ):
            with write_whole(path) as part:
                part.write_bytes(content)
    except OSError:
        raise Refused(507, "the photo could be read but not kept") from None
