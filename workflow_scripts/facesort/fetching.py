"""From a sample of faces to arrays: fetch each photo once, cut its faces out, keep account.

Results go into an SQLite file a photo at a time, so that a job may be killed at any moment: what
was stored is not asked for again, and what was not is. Arrays are written from it at the end, in
the sample's order, whatever order the photos came in.
"""

import asyncio
import hashlib
import sqlite3
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from facesort.arrays import create_array, write_index
from facesort.http import Answer, Client
from facesort.imaging import Box, ImageError, cut_faces
from facesort.job import InputError, Progress

LEDGER: Final = (
    "url",
    "outcome",
    "status",
    "attempts",
    "bytes",
    "sha256",
    "width",
    "height",
    "error",
    "fetched_at",
)
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS urls (
    url TEXT PRIMARY KEY, outcome TEXT, status INTEGER, attempts INTEGER, bytes INTEGER,
    sha256 TEXT, width INTEGER, height INTEGER, error TEXT, fetched_at TEXT);
CREATE TABLE IF NOT EXISTS crops (face_id TEXT PRIMARY KEY, pixels BLOB);
"""


class Store:
    """What has been fetched so far, in ``folder``; faces of another size lie in another file."""

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"faces_{size}.sqlite"
        try:
            self.db = sqlite3.connect(path, isolation_level=None)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path}: {error}; delete it, and photos are fetched anew") from None
        self.size = size

    def forget_failures(self) -> None:
        self.db.execute("DELETE FROM urls WHERE outcome != 'fetched'")

    def has(self, url: str, face_ids: list[str]) -> bool:
        """Whether this URL is done with, for all of these faces."""
        row = self.db.execute("SELECT outcome FROM urls WHERE url = ?", (url,)).fetchone()
        if row is None or row[0] == "excluded":
            return False
        return row[0] == "failed" or all(self.pixels(face_id) for face_id in face_ids)

    def pixels(self, face_id: str) -> bytes | None:
        row = self.db.execute("SELECT pixels FROM crops WHERE face_id = ?", (face_id,)).fetchone()
        return row[0] if row else None

    def add(self, entry: dict[str, Any], crops: dict[str, bytes]) -> None:
        """Store a photo's entry and its faces: both or neither."""
        self.db.execute("BEGIN")
        self.db.execute(
            f"INSERT OR REPLACE INTO urls VALUES ({','.join('?' * len(LEDGER))})",
            [entry.get(column) for column in LEDGER],
        )
        self.db.executemany("INSERT OR REPLACE INTO crops VALUES (?, ?)", crops.items())
        self.db.execute("COMMIT")

    def ledger(self, urls: list[str]) -> pd.DataFrame:
        """The entries of these URLs, in their order."""
        found = pd.read_sql("SELECT * FROM urls", self.db).set_index("url")
        ledger = found.reindex(urls).reset_index()
        integers = ["status", "attempts", "bytes", "width", "height"]
        return ledger.astype(dict.fromkeys(integers, "Int64"))


def interleave_hosts(urls: list[str]) -> Iterator[str]:
    """Order URLs so that hosts take turns: a slow one does not hold up the others."""
    queues: dict[str, deque[str]] = {}
    for url in urls:
        queues.setdefault(urlsplit(url).netloc.lower(), deque()).append(url)
    while queues:
        for host in list(queues):
            yield queues[host].popleft()
            if not queues[host]:
                del queues[host]


def read_exclusions(path: str | None) -> set[str]:
    """Read the URLs that must not be asked, one a line; empty lines and # comments are skipped."""
    if path is None:
        return set()
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error} (config: fetch.exclude)") from None
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def process(
    url: str, answer: Answer, faces: dict[str, Box], settings: dict[str, Any], size: int
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Make a ledger entry and face crops from an answer. Runs in a worker thread."""
    entry: dict[str, Any] = {
        "url": url,
        "outcome": "failed",
        "status": answer.status,
        "attempts": answer.attempts,
        "error": answer.error,
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if answer.body is None:
        return entry, {}
    digest = hashlib.sha256(answer.body).hexdigest()
    entry |= {"bytes": len(answer.body), "sha256": digest}
    try:
        cut, (width, height) = cut_faces(
            answer.body, list(faces.values()), size, settings["max_pixels"]
        )
    except ImageError as error:
        return entry | {"error": f"no image: {error}"}, {}
    if folder := settings["keep_photos"]:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / digest).write_bytes(answer.body)
    entry |= {"outcome": "fetched", "width": width, "height": height}
    return entry, {face_id: face.tobytes() for face_id, face in zip(faces, cut, strict=True)}


async def fetch_all(
    sample: pd.DataFrame, store: Store, settings: dict[str, Any], workers: int
) -> None:
    """Fetch every photo of the sample that the store lacks."""
    excluded = read_exclusions(settings["exclude"])
    faces: dict[str, dict[str, Box]] = {}
    boxes = sample[["left", "right", "top", "bottom"]].to_numpy().tolist()
    for url, face_id, box in zip(sample["url"], sample["face_id"], boxes, strict=True):
        faces.setdefault(url, {})[face_id] = tuple(box)
    todo = [url for url in faces if url not in excluded and not store.has(url, list(faces[url]))]
    for url in excluded & faces.keys():
        store.add({"url": url, "outcome": "excluded", "error": "on the exclusion list"}, {})
    progress = Progress(
        len(sample), "fetching", start=len(sample) - sum(len(faces[url]) for url in todo)
    )
    causes: Counter[str] = Counter()
    queue = interleave_hosts(todo)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(workers) as pool:
        async with Client(settings) as client:

            async def work() -> None:
                # All workers draw from one queue, so only `concurrency` photos are in memory.
                for url in queue:
                    answer = await client.fetch(url)
                    entry, crops = await loop.run_in_executor(
                        pool, process, url, answer, faces[url], settings, store.size
                    )
                    store.add(entry, crops)
                    if entry["outcome"] == "failed":
                        causes[entry["error"].split(":")[0]] += 1
                    progress.update(len(faces[url]), **dict(causes.most_common(3)))

            await asyncio.gather(*(work() for _ in range(settings["concurrency"])))
    progress.close()


def assemble(
    sample: pd.DataFrame, store: Store, faces_path: str, index_path: str, refused_path: str
) -> pd.DataFrame:
    """Write the fetched faces in the sample's order, and the ledger's causes for the lost ones.

    Returns:
        The ledger, a row a URL, sorted by URL.

    Raises:
        InputError: if not one face was fetched.
    """
    ledger = store.ledger(sorted(set(sample["url"])))
    photos = ledger.set_index("url")
    fetched = (photos["outcome"].reindex(sample["url"]) == "fetched").to_numpy()
    if not fetched.any():
        causes = photos["error"].fillna("").str.split(":").str[0].value_counts()
        told = ", ".join(f"{cause} ({count})" for cause, count in causes.head(5).items())
        raise InputError(f"not one of {len(photos)} photos could be fetched: {told}")
    shape = (int(fetched.sum()), store.size, store.size, 3)
    with create_array(faces_path, shape, "uint8") as out:
        for row, face_id in enumerate(sample["face_id"][fetched]):
            pixels = store.pixels(face_id)
            assert pixels is not None
            out[row] = np.frombuffer(pixels, np.uint8).reshape(shape[1:])
    index = sample[fetched].join(photos[["width", "height", "sha256"]], on="url")
    write_index(index.reset_index(drop=True), index_path)
    lost = sample.loc[~fetched, ["face_id", "url", "row", "slot"]].copy()
    lost["cause"] = photos["error"].reindex(lost["url"]).to_numpy()
    write_index(lost.reset_index(drop=True), refused_path)
    return ledger
