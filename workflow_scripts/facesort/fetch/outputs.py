"""From a journal of crops to the sample's arrays and tables, some rows at a time."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from facesort.common.arrays import append_array, write_whole
from facesort.common.job import InputError
from facesort.fetch.journal import Entry, Journal
from facesort.fetch.worklist import BOX, WorkList, sample_batches

LEDGER: Final = pa.schema(
    [
        ("url", pa.string()),
        ("outcome", pa.string()),
        ("status", pa.int64()),
        ("attempts", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("error", pa.string()),
        ("fetched_at", pa.timestamp("us", tz="UTC")),
        ("final_url", pa.string()),
    ]
)
SAMPLE: Final = pa.schema(
    [("face_id", pa.string()), ("url", pa.string())]
    + [(edge, pa.float64()) for edge in BOX]
    + [("row", pa.int64()), ("slot", pa.int64())]
)
PHOTO: Final = [("width", pa.int64()), ("height", pa.int64()), ("sha256", pa.string())]
INDEX: Final = pa.schema([*SAMPLE, *(pa.field(*about) for about in PHOTO)])
REFUSED: Final = pa.schema(
    [SAMPLE.field(name) for name in ("face_id", "url", "row", "slot")]
    + [pa.field("cause", pa.string())]
)
MANIFEST: Final = pa.schema([INDEX.field(name) for name in ("url", *BOX, "sha256")])
OUTCOMES: Final = ("fetched", "failed", "excluded")
PRIVATE: Final = "private address refused"
# What helps where a cause may be of this machine's or this config's making.
HINTS: Final = {
    PRIVATE: "if these hosts are yours, set fetch.allow_private to true",
    "placeholder": "if some are photos, name them in fetch.placeholders.allow",
    "bad certificate": "if a proxy signs with its own certificate, name that in the "
    "environment's SSL_CERT_FILE",
    **dict.fromkeys(
        ("no connection to the proxy", "proxy status 407", "status 407"),
        "see the environment's HTTP_PROXY and HTTPS_PROXY",
    ),
    **dict.fromkeys(
        ("connection refused", "no connection", "name not looked up", "unknown host"),
        "if the web is reached only through a proxy, name it in HTTP_PROXY and HTTPS_PROXY",
    ),
}
# Crops held at once.
BATCH: Final = 64


def write_ledger(
    worklist: WorkList, journal: Journal, placeholders: dict[str, str], path: str | Path
) -> Counter[str]:
    """Write what became of every photo, in order of URL.

    Args:
        placeholders: as ``find_placeholders`` gives them: photos of these sha256 are lost.

    Returns:
        Photos by outcome: all of ``OUTCOMES``. They add up to the photos requested.

    Raises:
        InputError: if not one photo was fetched. Failures are then forgotten: the next run asks
            again.
    """
    counts = Counter(dict.fromkeys(OUTCOMES, 0))
    causes: Counter[str] = Counter()
    with write_whole(path) as part, pq.ParquetWriter(part, LEDGER) as writer:
        for photos in worklist.batches(by_url=True):
            entries = journal.entries(photo.url for photo in photos)
            rows = [_settled(entries[photo.url], placeholders) for photo in photos]
            counts.update(entry.outcome for entry in rows)
            causes.update(cause_of(entry.error) for entry in rows if entry.error is not None)
            writer.write_table(_ledger_table(rows))
        if set(counts) != set(OUTCOMES) or counts.total() != worklist.photos:
            raise AssertionError(f"{counts} of {worklist.photos} photos requested")
        if not counts["fetched"]:
            journal.forget_lost()
            told = ", ".join(f"{cause} ({urls:,})" for cause, urls in causes.most_common(5))
            hints = dict.fromkeys(
                HINTS[cause] for cause, _ in causes.most_common(5) if cause in HINTS
            )
            raise InputError(
                f"none of {worklist.photos:,} photos could be fetched: "
                + "; ".join([told or "no faces", *hints])
            )
        # Theirs alone are surely not the web's losses.
        if causes[PRIVATE]:
            print(
                f"warning: {causes[PRIVATE]:,} of {worklist.photos:,} photos are on private hosts, "
                f"which were not asked; {HINTS[PRIVATE]}"
            )
    return counts


def _settled(entry: Entry, placeholders: dict[str, str]) -> Entry:
    """A photo's row, with a placeholder as a loss."""
    if entry.outcome == "fetched" and entry.sha256 in placeholders:
        return entry._replace(outcome="failed", error=placeholders[entry.sha256])
    return entry


def cause_of(error: str) -> str:
    """The fixed words of an error, without its details."""
    return error.partition(":")[0]


def _ledger_table(entries: list[Entry]) -> pa.Table:
    columns = {name: [getattr(entry, name) for entry in entries] for name in LEDGER.names}
    columns["fetched_at"] = pa.array(columns["fetched_at"]).cast(LEDGER.field("fetched_at").type)
    return pa.table(columns, LEDGER)


def write_faces(
    sample: str | Path,
    journal: Journal,
    placeholders: dict[str, str],
    faces: str | Path,
    index: str | Path,
    refused: str | Path,
    manifest: str | Path,
) -> tuple[int, int]:
    """Write the stored faces of a sample in its order, and a table of the lost ones.

    Args:
        sample: Parquet file with a row a face.
        placeholders: as for ``write_ledger``.
        faces: for uint8 (faces, size, size, 3), RGB.
        index: for the sample's columns with width and height (pixels) and sha256 of the photo.
        refused: for the lost faces: face_id, url, row, slot and cause.
        manifest: for a CSV from which the same faces can be fetched again: url, left, right, top,
            bottom and sha256 of the photo. Numbers are written so that they read back exactly.

    Returns:
        How many faces were written, and how many are lost.
    """
    total = stored = 0
    for table in sample_batches(sample):
        total += len(table)
        stored += sum(_whole(table, journal, placeholders))
    with ExitStack() as stack:
        # As in the FEC file: URLs in quotes.
        quoted = csv.WriteOptions(quoting_style="needed")
        shape = (stored, journal.size, journal.size, 3)
        pixels = stack.enter_context(append_array(faces, shape, "uint8"))
        parts = [stack.enter_context(write_whole(path)) for path in (index, refused, manifest)]
        index_writer = stack.enter_context(pq.ParquetWriter(parts[0], INDEX))
        refused_writer = stack.enter_context(pq.ParquetWriter(parts[1], REFUSED))
        manifest_writer = stack.enter_context(
            csv.CSVWriter(str(parts[2]), MANIFEST, write_options=quoted)
        )
        lost = 0
        for table in sample_batches(sample):
            whole = pa.array(_whole(table, journal, placeholders), pa.bool_())
            table = table.select(SAMPLE.names).cast(SAMPLE)
            rows = table.filter(whole)
            photos: list[tuple[int, int, str]] = []
            for start in range(0, len(rows), BATCH):
                keys = _keys(rows.slice(start, BATCH))
                crops = journal.crops(keys)
                for crop in (crops[face_id] for face_id, _ in keys):
                    photos.append((crop.width, crop.height, crop.sha256))
                    pixels.write(crop.pixels.data)
            for number, (name, kind) in enumerate(PHOTO):
                values = pa.array([photo[number] for photo in photos], kind)
                rows = rows.append_column(name, values)
            index_writer.write_table(rows)
            manifest_writer.write_table(rows.select(MANIFEST.names))
            missing = table.filter(pc.invert(whole)).select(REFUSED.names[:-1])
            entries = journal.entries(missing["url"].to_pylist())
            causes = [
                _settled(entries[url], placeholders).error for url in missing["url"].to_pylist()
            ]
            refused_writer.write_table(
                missing.append_column("cause", pa.array(causes, pa.string()))
            )
            lost += len(missing)
    if stored + lost != total:
        raise AssertionError(f"{stored} faces and {lost} lost ones of {total} requested")
    return stored, lost


def _whole(table: pa.Table, journal: Journal, placeholders: dict[str, str]) -> list[bool]:
    """Which faces of a part of the sample are stored, and of the photo that is wanted."""
    keys = _keys(table)
    stored = journal.stored(keys)
    known = "sha256" in table.column_names
    wanted = table["sha256"].to_pylist() if known else [None] * len(table)
    return [
        face_id in stored
        and stored[face_id] not in placeholders
        and digest in (None, stored[face_id])
        for (face_id, _), digest in zip(keys, wanted, strict=True)
    ]


def _keys(table: pa.Table) -> list[tuple[str, str]]:
    """``face_id`` and URL of every face, as the journal asks for them."""
    return list(zip(table["face_id"].to_pylist(), table["url"].to_pylist(), strict=True))
