"""Every trace of a photo or a face, searched for in all bytes that runs have left in a project."""

import base64
import re
from hashlib import sha256

import pyarrow.parquet as pq


def traces(project, needles, apart=" "):
    """Which files of results/ and .snakemake/ hold which needles: {needle's name: files}.

    Bytes are searched as they lie on the disk; those of Parquet also column by column, those of
    pages and scripts also behind base64. File names are searched too.

    Args:
        needles: {name: list of bytes}, of which one is enough.
        apart: a folder that is not searched.
    """
    found = {}
    for top in ("results", ".snakemake"):
        for path in sorted((project / top).rglob("*")):
            if str(path.relative_to(project)).startswith(apart):
                continue
            texts = [
                str(path.relative_to(project)).encode(),
                *(_texts(path) if path.is_file() else ()),
            ]
            for name, parts in needles.items():
                if any(part in text for part in parts for text in texts):
                    found.setdefault(name, []).append(str(path.relative_to(project)))
    return found


def _texts(path):
    data = path.read_bytes()
    yield data
    if path.suffix == ".parquet":
        for column in pq.read_table(path).itercolumns():
            for value in column.to_pylist():
                if isinstance(value, (str, bytes)):
                    yield value.encode() if isinstance(value, str) else value
    elif path.suffix in (".js", ".html", ".json"):
        for run in re.findall(rb"[A-Za-z0-9+/]{64,}", data.replace(rb"\n", b"\n")):
            yield base64.b64decode(run[: len(run) // 4 * 4])


def of_jpeg(data):
    """Slices of a JPEG's pixels: one of them is enough, as databases keep blobs in pieces."""
    start = data.index(b"\xff\xda") + 14
    step = max(32, (len(data) - start) // 12)
    return [data[at : at + 32] for at in range(start, len(data) - 32, step)]


def of_file(path, name):
    """Needles of a file: its name below the archive, its SHA-256 as digits and as bytes."""
    digest = sha256(path.read_bytes())
    return {
        "name": [name.encode()],
        "digits": [digest.hexdigest().encode()],
        "digest": [digest.digest()],
        "content": of_jpeg(path.read_bytes()),
    }
