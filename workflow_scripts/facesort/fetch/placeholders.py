"""Placeholders: pictures that hosts give in place of photos that are gone.

One counts as such where all photos of the sample together leave no doubt, so neither the order in
which they came nor the number of shards matters. Two photos never suffice; see docs/fetching.md.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any, Final

from facesort.fetch.imaging import Box
from facesort.fetch.journal import Journal
from facesort.fetch.urls import photo_key
from facesort.fetch.worklist import WorkList

# Photos that were redirected to one address, or that share bytes and show other faces.
LEAST: Final = 3
# Photos that share bytes, whatever faces they should show.
MANY: Final = 10
# Two boxes are of one face from this intersection over union on.
SAME_FACE: Final = 0.5
# ``name`` is a photo's path and query: what mirrors, http and https have in common. It is NULL
# where a manifest names the bytes, for there they are wanted.
SCHEMA: Final = """
CREATE TABLE photos (url TEXT, name TEXT, sha256 TEXT, final TEXT);
CREATE INDEX by_sha256 ON photos (sha256, name);
CREATE INDEX by_final ON photos (final, name) WHERE final IS NOT NULL;
"""
REDIRECTED: Final = """
SELECT DISTINCT sha256 FROM photos WHERE final IN (
    SELECT final FROM photos WHERE final IS NOT NULL
    GROUP BY final HAVING count(DISTINCT name) >= ?)
"""
SHARED: Final = """
SELECT sha256, count(DISTINCT name) AS names FROM photos GROUP BY sha256 HAVING names >= ?
"""
ONE_A_NAME: Final = """
SELECT min(url) FROM photos WHERE sha256 = ? AND name IS NOT NULL GROUP BY name
"""


def find_placeholders(
    worklist: WorkList, journal: Journal, settings: dict[str, Any]
) -> dict[str, str]:
    """Find the placeholders among a sample's photos.

    Args:
        settings: the config's block ``fetch.placeholders``: sha256 of pictures to allow, though
            many photos give them, and to forbid.

    Returns:
        The sha256 of each, and the cause of loss of the photos that gave it; the most frequent
        first.
    """
    allowed, forbidden = ({each.lower() for each in settings[key]} for key in ("allow", "forbid"))
    # The empty name stands for a temporary file: there may be more photos than fit into memory.
    with closing(sqlite3.connect("", isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; " + SCHEMA)
        db.execute("BEGIN")
        for photos in worklist.batches():
            entries = journal.entries(photo.url for photo in photos)
            rows = []
            for url, _, _, wanted in photos:
                if (entry := entries.get(url)) and entry.outcome == "fetched":
                    name = photo_key(url).partition("/")[2] if wanted is None else None
                    final = photo_key(entry.final_url) if entry.final_url else None
                    rows.append((url, name, entry.sha256, final))
            db.executemany("INSERT INTO photos VALUES (?, ?, ?, ?)", rows)
        db.execute("COMMIT")
        found = forbidden | {digest for (digest,) in db.execute(REDIRECTED, (LEAST,))}
        for digest, names in db.execute(SHARED, (LEAST,)):
            urls = (url for (url,) in db.execute(ONE_A_NAME, (digest,)))
            if names >= MANY or _faces(worklist.wanted(url).boxes for url in urls) >= LEAST:
                found.add(digest)
        counts = {
            digest: db.execute(
                "SELECT count(*) FROM photos WHERE sha256 = ?", (digest,)
            ).fetchone()[0]
            for digest in found - allowed
        }
    return {
        digest: f"placeholder: in place of {count:,} photo{'s' * (count > 1)}"
        for digest, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count
    }


def _faces(photos: Iterable[list[Box]]) -> int:
    """How many of some photos should show faces that none before them does."""
    seen: list[Box] = []
    count = 0
    for boxes in photos:
        if not any(_overlap(box, other) >= SAME_FACE for box in boxes for other in seen):
            count += 1
            seen += boxes
        if count >= LEAST:
            break
    return count


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[1], other[1]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[2], other[2])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(right - left) * (bottom - top) for left, right, top, bottom in (one, other)]
    return both / (sum(areas) - both)
