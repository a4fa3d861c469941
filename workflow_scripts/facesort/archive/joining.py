"""From the jobs' tables to those of the whole archive, in the order of the photos.

They are joined some thousand photos at a time, so memory does not grow with the archive.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from facesort.archive import tables
from facesort.archive.review import common, matched
from facesort.archive.tables import BOX
from facesort.archive.tags import probabilities, tag
from facesort.common.arrays import write_whole

# With the mark by which table programs know UTF-8.
CSV: Final = "utf-8-sig"
# Photos that are joined at a time.
PHOTOS: Final = 2_000
# Other programs' boxes are wider or narrower than ours: intersection over union.
NEAR: Final = 0.25
# As times stand in CSV; left to itself, pandas writes each part as its own times allow.
TIME: Final = "%Y-%m-%d %H:%M:%S.%f"
TURNED: Final = {1: "lies on its side", 2: "upside down", 3: "lies on its side"}


class Sorted:
    """Tables of several jobs, each sorted by photo, read together from the first photo on."""

    def __init__(self, paths: list[str]) -> None:
        files = [pq.ParquetFile(path) for path in paths]
        # What models see is large, and nothing here looks at it.
        columns = [name for name in files[0].schema_arrow.names if name != "seen"]
        self._batches = [file.iter_batches(PHOTOS, columns=columns) for file in files]
        self._rest = [file.schema_arrow.empty_table().select(columns) for file in files]

    def upto(self, photo: str | None) -> pd.DataFrame:
        """Rows of photos up to one, all that are left for None; sorted."""
        parts = [self._of(job, photo) for job in range(len(self._rest))]
        rows: pd.DataFrame = pa.concat_tables(parts).to_pandas()
        by = [name for name in tables.KEY if name in rows]
        return rows.sort_values(by, ignore_index=True, kind="stable")

    def _of(self, job: int, photo: str | None) -> pa.Table:
        rest = self._rest[job]
        while photo is None or not len(rest) or rest["photo"][-1].as_py() <= photo:
            batch = next(self._batches[job], None)
            if batch is None:
                break
            rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
        count = len(rest)
        if photo is not None:
            count = pc.sum(pc.less_equal(rest["photo"], photo)).as_py() or 0
        self._rest[job] = rest.slice(count)
        return rest.slice(0, count)


def join(
    read: list[str],
    found: list[str],
    answers: list[str],
    named: list[str],
    faces: str,
    photos: str,
    faces_csv: str,
    photos_csv: str,
    emotions: bool,
    table: pd.DataFrame,
    reviewed: pd.DataFrame,
) -> Counter[str]:
    """Write ``faces.parquet``, ``photos.parquet``, and both as CSV.

    Args:
        read, found, answers, named: the jobs' tables, in the same order.
        emotions: whether emotions are told.
        table: curves and thresholds, as of ``tags.built_in``.
        reviewed: what persons said, as of ``review.read_reviewed``.

    Returns:
        How many "photos" and "faces" there are, faces in each state, and faces with each tag.
    """
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        paths = (faces, photos, faces_csv, photos_csv)
        parts = [stack.enter_context(write_whole(path)) for path in paths]
        face_rows = stack.enter_context(pq.ParquetWriter(parts[0], tables.FACES))
        photo_rows = stack.enter_context(pq.ParquetWriter(parts[1], tables.PHOTOS))
        face_lines, photo_lines = (
            stack.enter_context(part.open("w", encoding=CSV, newline="")) for part in parts[2:]
        )
        face_lines.write(",".join(tables.FACES_IN_SHORT) + "\n")
        photo_lines.write(",".join(tables.PHOTOS.names) + "\n")
        for about, seen, told, people in _chunks(read, found, answers, named):
            every = tagged(seen, told, emotions, table, reviewed)
            every["name"] = names_of(every, people)
            face_rows.write_table(_as_table(every, tables.FACES))
            summary = summed(about, every, people)
            photo_rows.write_table(_as_table(summary, tables.PHOTOS))
            short = every[list(tables.FACES_IN_SHORT)].round()
            short = short.astype(dict.fromkeys(tables.BOX, "int32"))
            for table_rows, file in ((short, face_lines), (summary, photo_lines)):
                table_rows.to_csv(
                    file, header=False, index=False, date_format=TIME, lineterminator="\n"
                )
            counts["photos"] += len(summary)
            counts["faces"] += len(every)
            counts.update(every["state"])
            counts.update(words for tags in every["tags"] for words in tags.split(";") if words)
            counts["unsure"] += int(summary["unsure"].sum())
    return counts


def _chunks(read: list[str], *others: list[str]) -> Iterator[list[pd.DataFrame]]:
    """Rows of all these tables, those of some thousand photos at a time."""
    names = pa.concat_tables([pq.read_table(path, columns=["photo"]) for path in read])
    names = names["photo"].take(pc.sort_indices(names["photo"]))
    every = [Sorted(paths) for paths in (read, *others)]
    for start in range(0, max(len(names), 1), PHOTOS):
        last = start + PHOTOS >= len(names)
        photo = None if last else names[start + PHOTOS - 1].as_py()
        yield [each.upto(photo) for each in every]


def tagged(
    found: pd.DataFrame,
    answers: pd.DataFrame,
    emotions: bool,
    table: pd.DataFrame,
    reviewed: pd.DataFrame,
) -> pd.DataFrame:
    """Rows of ``tables.FACES`` without names, of faces and, where ``emotions``, their answers."""
    if not emotions:
        answers = answers[:0]
    every = found.merge(answers, on=list(tables.KEY), how="left", validate="1:1")
    told = probabilities(every, table)
    every[told.columns] = told
    own = reviewed[reviewed["photo"].isin(every["photo"].unique())]
    said = np.full((len(every), len(tables.TAGS)), np.nan)
    rows = matched(own, every)
    for row, words, verdict in zip(rows, own["tag"], own["verdict"], strict=True):
        if row >= 0 and verdict != "skipped":
            said[row, tables.TAGS.index(words)] = verdict == "right"
    if not emotions:
        said[:, len(tables.APPARENT) :] = np.nan
    every = pd.concat([every, tag(told, table, said)], axis=1)
    return every[[name for name in tables.FACES.names if name != "name"]]


def names_of(faces: pd.DataFrame, people: pd.DataFrame) -> list[str]:
    """The name of each face, "" without: of regions that have enough in common, the nearest.

    A name goes to one face, and a face has one.

    Args:
        people: rows of ``tables.NAMED``.
    """
    found, boxes = [""] * len(faces), faces[list(BOX)].to_numpy(np.float64)
    of_photo = faces.groupby("photo").indices
    for photo, regions in people.groupby("photo"):
        rows = of_photo.get(photo, np.zeros(0, int))
        edges = regions[list(BOX)].to_numpy(np.float64)
        shares = np.stack([common(boxes[rows], box) for box in edges])
        while shares.max(initial=0) >= NEAR:
            person, face = divmod(int(shares.argmax()), len(rows))
            found[rows[face]] = regions["name"].iloc[person]
            shares[person], shares[:, face] = 0, 0
    return found


def summed(read: pd.DataFrame, faces: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``tables.PHOTOS``."""
    flags = pd.DataFrame({"photo": faces["photo"]})
    flags["answered"] = faces["state"] == "answered"
    flags["unsure"] = faces["look"] == tables.UNSURE
    of_face = [set(tags.split(";")) for tags in faces["tags"]]
    for words in tables.TAGS:
        flags[words.replace(" ", "_")] = [words in tags for tags in of_face]
    sums = flags.groupby("photo", sort=False).sum().reindex(read["photo"], fill_value=0)
    summary = read.merge(sums.astype("int32"), left_on="photo", right_index=True, how="left")
    turned = summary["turns"].map(TURNED).fillna("").to_numpy(object)
    none = [summary[name].to_numpy() == 0 for name in ("faces", "answered")]
    summary["problem"] = np.select(none, tables.PROBLEMS[:2], turned)
    names = people.groupby("photo")["name"].agg(";".join)
    summary["names"] = [names.get(photo, "") for photo in summary["photo"]]
    return summary[tables.PHOTOS.names]


def _as_table(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pandas(rows, schema, preserve_index=False)


def join_refused(listing: str, refused: list[str], path: str) -> Counter[str]:
    """Write ``refused.csv``: files that were refused by a job, and what is no file at all.

    Returns:
        How many there are by reason, without details.
    """
    rows = [pq.read_table(each) for each in refused]
    others = pq.read_table(listing, filters=[("bucket", "<", 0)], columns=["photo", "reason"])
    every = pa.concat_tables([*rows, others.cast(tables.REFUSED_FILES)]).to_pandas()
    every = every.sort_values("photo", ignore_index=True)
    with write_whole(path) as part:
        every.to_csv(part, index=False, lineterminator="\n", encoding=CSV)
    return Counter(reason.partition(":")[0] for reason in every["reason"])
