"""Pictures beside a page: a folder's in one script, which is loaded when it is to be seen."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from facesort.common.job import InputError

# A photo and a face of it, or None for the whole photo.
Key = tuple[str, int | None]


def write_shards(folder: str | Path, keys: list[list[Key]], files: Sequence[str | Path]) -> None:
    """Write ``0.js`` and so on, one for each list of pictures, in its order.

    Args:
        folder: is made.
        files: Parquet files with columns photo and jpeg, those of faces with face too.

    Raises:
        InputError: if a picture is not there.
    """
    pictures = _pictures(files, {key for each in keys for key in each})
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(keys):
        if lacking := [key for key in each if key not in pictures]:
            told = f"{lacking[0][0]!r} has no picture; delete results/archive/album.csv and rerun"
            raise InputError(told)
        text = "\n".join(pictures[key] for key in each)
        line = f"shard({number},{json.dumps(text)})\n"
        (folder / f"{number}.js").write_text(line, encoding="ascii")


def _pictures(files: Sequence[str | Path], wanted: set[Key]) -> dict[Key, str]:
    """Those of the wanted pictures that the files have, as base64."""
    photos, found = pa.array(sorted({photo for photo, _ in wanted}), pa.string()), {}
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(1000):
            for row in batch.filter(pc.is_in(batch["photo"], photos)).to_pylist():
                key = row["photo"], row.get("face")
                if key in wanted:
                    found[key] = base64.b64encode(row["jpeg"]).decode()
    return found
