"""The page to browse an archive on: faces found by look, movement, size and pose, and judged.

The page itself is small. What it shows lies beside it in shards: scripts of one line that hand it
a text, since a page opened as a file may load scripts and nothing else. A shard holds a column of
all faces, or the pictures of a few; it is loaded when something of it is to be seen.

Tables are read a column or some thousand rows at a time, and paths are numbers as soon as they can
be: an archive may have millions of faces.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from facesort.archive.browse_review import proposals
from facesort.archive.precision import FEWEST
from facesort.archive.review import NOBODY
from facesort.archive.tables import BOX, UNSURE
from facesort.archive.tags import may_have
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, unreadable
from facesort.faces import facs
from facesort.faces.spread import MOST, Spread
from facesort.pages.page import packed, render

FOLDER: Final = "browse"
# Pictures in a shard: some 200 kB, so that a screen of faces from everywhere is soon there.
FACES, PHOTOS = 50, 12
# More than a photo has.
MOST_FACES: Final = 1 << 32
# States of faces, and how the page says them.
STATES: Final = {
    "answered": "read",
    "small": "too small",
    "covered": "covered",
    "turned": "turned too far",
    "blurred": "blurred",
}
NUMBERS: Final = (*BOX, "size", "sharpness", "yaw", "pitch", "roll")
HEAD: Final = ("headYaw", "headPitch", "headRoll")
# Faces that tell what movements are usual, at most.
SAMPLE: Final = 100_000
# Rows that are looked at at a time; by three, so that their base64 can be joined.
BLOCK: Final = 3 * 5_000


class Tag(NamedTuple):
    """How a tag is said of a face, what a person is asked, and what the tag means."""

    words: str
    question: str
    meaning: str


def _looks(words: str, meaning: str) -> Tag:
    return Tag(f"looks {words}", f"Does the face look {words}?", meaning)


TAGS: Final = {
    "smiling": Tag("smiling", "Is the face smiling?", "lip corners pulled up"),
    "mouth_open": Tag("mouth open", "Is the mouth open?", "lips or jaw apart"),
    "brows_raised": Tag("brows raised", "Are the brows raised?", "brows pulled up"),
    "frowning": Tag("frowning", "Is the face frowning?", "brows pulled down or together"),
    "eyes_closed": Tag("eyes closed", "Are the eyes closed?", "both lids down"),
    "anger": _looks("angry", "most people would call this look angry"),
    "contempt": _looks("contemptuous", "most people would call this look contemptuous"),
    "disgust": _looks("disgusted", "most people would call this look disgusted"),
    "fear": _looks("afraid", "most people would call this look afraid"),
    "happy": _looks("happy", "most people would call this look happy"),
    "neutral": _looks("neutral", "most people would see no expression"),
    "sad": _looks("sad", "most people would call this look sad"),
    "surprise": _looks("surprised", "most people would call this look surprised"),
}


def browse_page(
    faces: str | Path,
    photos: str | Path,
    thumbnails: Sequence[str | Path],
    previews: Sequence[str | Path],
    shards: str | Path,
    thresholds: pd.Series,
    link: str = "",
    reviewed: pd.DataFrame | None = None,
    refused: int = 0,
    left_out: int = 0,
    shares: pd.DataFrame | None = None,
) -> str:
    """Write the shards, and return the page that loads them.

    Args:
        faces: results/archive/faces.parquet, a row a face.
        photos: results/archive/photos.parquet, a row a photo.
        thumbnails: files with columns photo, face, jpeg; of faces without one the page shows none.
        previews: files with columns photo, jpeg.
        shards: the folder to write, which must lie beside the page and be called ``FOLDER``.
        thresholds: by a tag's words, from which probability on it is given; NaN if it never is.
        link: URL of the photos' folder, up to and with the last "/"; without it photos are named
            and not linked.
        reviewed: the answers that the run has used, as of ``review.read_answers``.
        refused: how many files are no photos.
        left_out: how many files are left out.
        shares: of tags at whose faces persons have looked, by words: how often they are right, by
            how many looks; columns looks, share, low and high.

    Raises:
        InputError: if a table cannot be read, or they are not of the same run.
    """
    shards = Path(shards)
    movements, strengths = _movements()
    names = _read(photos, "photo")["photo"]
    order, seen = _pictures_first(
        np.arange(len(names)),
        np.concatenate([_rows(_read(file, "photo")["photo"], names) for file in previews]),
        photos,
    )
    names = names.take(order)
    keys, stray = _keys(faces, names)
    if stray:
        raise InputError(f"{photos}: lacks {stray!r}, a photo of {faces}")
    pictured = np.concatenate([_keys(file, names)[0] for file in thumbnails])
    rows, shown = _pictures_first(keys, pictured, faces)
    photo, face = np.divmod(keys[rows], MOST_FACES)

    def column(name: str) -> pa.ChunkedArray:
        return _read(faces, name)[name].take(rows)

    certain = pd.DataFrame({name: column(name).to_numpy() for name in TAGS}, copy=False)
    # Where no emotion was asked for, their columns are empty.
    emotions = [name for name in EMOTIONS if certain[name].notna().any()]
    tags = [name for name in TAGS if name in emotions or name not in EMOTIONS]
    given = _given(column("tags"), tags)

    def write(name: str, values: np.ndarray, dtype: str) -> None:
        blocks = (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))
        _write(shards, f"columns/{name}", (packed(block, dtype) for block in blocks))

    words = [*(TAGS[name].words for name in emotions), UNSURE]
    state = _states(column("state"))
    # What the page searches of each face. State and look are numbers in their lists, 255 if there
    # is no look; bit i of tags is the i-th tag.
    write("photo", photo, "<u4")
    write("face", face, "<u4")
    write("state", state, "u1")
    look = _rows(column("look"), pa.chunked_array([words]))
    write("look", look & 255, "u1")
    bits = np.zeros(len(rows), "<u2")
    for at in range(len(tags)):
        bits |= given[:, at].astype("<u2") << at
    write("tags", bits, "<u2")
    for name in NUMBERS:
        write(name, column(name).to_numpy(), "<f4")
    # Certainties are shares of 65534; 65535 if the face was not answered.
    for name in tags:
        share = np.round(certain[name].to_numpy(np.float64) * 65534)
        write(name, np.nan_to_num(share, nan=65535), "<u2")
    by_name = np.empty(len(names), np.int64)
    by_name[pc.sort_indices(names).to_numpy()] = np.arange(len(names))
    place = np.empty(len(rows), "<u4")
    place[np.lexsort([face, by_name[photo]])] = np.arange(len(rows))
    write("place", place, "<u4")
    write("movements", _quantised(faces, strengths, rows), "u1")
    for name in ("width", "height"):
        write(f"photo_{name}", _read(photos, name)[name].take(order).to_numpy(), "<u4")
    _write(shards, "names", [json.dumps(names.to_pylist())])
    # Not as persons have answered: whom they rejected is still one of those that chance drew from.
    least = thresholds[[TAGS[name].words for name in TAGS]].fillna(np.inf).to_numpy()
    by_program = may_have(certain) & (certain >= least).to_numpy()
    paths = pd.Series(pd.Categorical.from_codes(photo, names.to_pandas()))
    offered = {
        name: _offered(paths, pd.Series(face), name, certain[name], by_program[:, at])
        for at, name in enumerate(TAGS)
        if name in tags
    }
    _write(shards, "proposals", [json.dumps(offered)])
    answers = (NOBODY if reviewed is None else reviewed).to_csv(index=False, float_format="%.15g")
    _write(shards, "reviewed", [answers])
    _write_pictures(shards, "faces", thumbnails, FACES)
    _write_pictures(shards, "photos", previews, PHOTOS)

    states = np.bincount(state, minlength=len(STATES)).tolist()
    told = {} if shares is None else shares.to_dict("index")
    looks = [
        {
            "name": name,
            **TAGS[name]._asdict(),
            "emotion": name in EMOTIONS,
            "count": int(given[:, at].sum()),
            "told": told.get(TAGS[name].words),
            **_rule(thresholds[TAGS[name].words], given[:, at], by_program[:, [*TAGS].index(name)]),
        }
        for at, name in enumerate(tags)
    ]
    data = {
        "folder": FOLDER,
        "fewest": FEWEST,
        "link": link,
        "faces": len(rows),
        "pictured": {"faces": shown, "photos": seen},
        "each": {"faces": FACES, "photos": PHOTOS},
        "states": list(STATES.values()),
        "looks": words,
        "tags": looks,
        "movements": movements,
    }
    return render(
        "browse",
        data,
        Path(__file__).parent,
        more=("browse_review",),
        title="Faces in these photographs",
        photos=len(names),
        refused=refused,
        left_out=left_out,
        with_faces=len(np.unique(photo)),
        with_read=len(np.unique(photo[state == 0])),
        faces=len(rows),
        answered=states[0],
        emotions=bool(emotions),
        tagged=int(given.any(axis=1).sum()),
        sure=int(((look >= 0) & (look < len(emotions))).sum()),
        unsure=int((look == len(emotions)).sum()),
        states=[(at, told, states[at]) for at, told in enumerate(STATES.values())],
        tags=looks,
        movements=movements,
    )


def _rule(threshold: float, given: np.ndarray, by_program: np.ndarray) -> dict[str, Any]:
    """From which probability on a tag is given, and whether persons' answers have changed that."""
    least = None if np.isnan(threshold) else float(threshold)
    edited = bool((given != by_program).any())
    return {"least": least, "edited": edited, "never": least is None and not given.any()}


def _movements() -> tuple[list[dict[str, Any]], list[str]]:
    """Movements of the face that are found well, and the columns of these and of the head's turn.

    Each movement has its words, and which of the columns are its (one, or one a side).
    """
    rows = facs.reliable()
    rows = rows[rows["unit"] < facs.HEAD]
    told: list[dict[str, Any]] = []
    columns: list[str] = []
    for name, row in rows.iterrows():
        own = facs.columns(rows.loc[[name]])
        at = list(range(len(columns), len(columns) + len(own)))
        told.append({"name": name, "words": row["plain"], "columns": at})
        columns += own
    return told, [*columns, *HEAD]


def _given(told: pa.ChunkedArray, tags: list[str]) -> np.ndarray:
    """Which of some tags faces have, bool (N, tags), of the column that joins their words."""
    listed = told.combine_chunks().dictionary_encode()
    words = [set(each.split(";")) for each in listed.dictionary.to_pylist()]
    given = np.array([[TAGS[name].words in each for name in tags] for each in words], bool)
    found: np.ndarray = given.reshape(-1, len(tags))[listed.indices.to_numpy()]
    return found


def _states(told: pa.ChunkedArray) -> np.ndarray:
    """Numbers of faces' states in ``STATES``, int (N,)."""
    found = _rows(told, pa.chunked_array([list(STATES)]))
    if (found < 0).any():
        unknown = told[int(found.argmin())].as_py()
        raise InputError(f"faces.parquet: state {unknown!r} is none of {', '.join(STATES)}")
    return found


def _quantised(faces: str | Path, strengths: list[str], rows: np.ndarray) -> np.ndarray:
    """Movements against the archive's own median and spread: uint8 (N, columns without the head's).

    0 and 255 are ``MOST`` spreads below and above the median.

    Args:
        rows: of the table, in the order in which they are wanted.
    """
    answered = np.flatnonzero(pc.equal(_read(faces, "state")["state"], "answered").to_numpy())
    if len(answered) > SAMPLE:
        answered = np.sort(np.random.default_rng(0).choice(answered, SAMPLE, replace=False))
    sample = {name: _read(faces, name)[name].take(answered).to_numpy() for name in strengths}
    usual = Spread(pd.DataFrame(sample), np.ones(len(answered)))
    place = np.empty(len(rows), np.int64)
    place[rows] = np.arange(len(rows))
    movements, done = np.empty((len(rows), len(strengths) - len(HEAD)), "u1"), 0
    for batch in parquet.ParquetFile(faces).iter_batches(BLOCK, columns=strengths):
        found = usual(batch.select(strengths).to_pandas())[:, : -len(HEAD)]
        found = np.round((np.nan_to_num(found) + MOST) * 255 / (2 * MOST))
        movements[place[done : done + len(found)]] = found
        done += len(found)
    return movements


def _offered(
    photos: pd.Series, faces: pd.Series, tag: str, certain: pd.Series, given: np.ndarray
) -> dict[str, Any]:
    """Of ``proposals`` what the page needs: strata, and in their order rows, strata and places."""
    found = proposals(photos, faces, tag, certain.to_numpy(np.float64), given)
    strata = found.drop_duplicates("stratum")[["stratum", "given", "stratum_faces"]]
    return {
        "strata": strata.to_dict("records"),
        "stratum": pd.Index(strata["stratum"]).get_indexer(found["stratum"]).tolist(),
        "row": found["row"].tolist(),
        "place": found["stratum_place"].tolist(),
    }


def _read(path: str | Path, *columns: str) -> pa.Table:
    try:
        return parquet.read_table(path, columns=list(columns))
    except Exception as error:
        raise unreadable(path, "a readable Parquet file", error) from None


def _rows(wanted: pa.ChunkedArray, names: pa.ChunkedArray) -> np.ndarray:
    """Of each name its place among others, -1 if it is not there: int64 (N,)."""
    found = pc.index_in(wanted, value_set=names.combine_chunks())
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)


def _keys(path: str | Path, names: pa.ChunkedArray) -> tuple[np.ndarray, str]:
    """Which faces a table's rows are of: int64 (N,), the photo's place times ``MOST_FACES``.

    Returns:
        The same, and a photo that is not among those known, if there is one.
    """
    table = _read(path, "photo", "face")
    photo = _rows(table["photo"], names)
    stray = str(table["photo"][int(photo.argmin())]) if (photo < 0).any() else ""
    return photo * MOST_FACES + table["face"].to_numpy(), stray


def _pictures_first(
    keys: np.ndarray, pictured: np.ndarray, path: str | Path
) -> tuple[np.ndarray, int]:
    """The rows in the order of their pictures, then those without one; and how many have one.

    Args:
        keys: int (N,), of a table's rows, each once.
        pictured: int (n,), those of the pictures.
        path: of the table.
    """
    order = np.argsort(keys, kind="stable")
    if not np.isin(pictured, keys).all() or len(np.unique(pictured)) < len(pictured):
        raise InputError(f"{path}: another run's than its pictures; delete both and rerun")
    rows = order[np.searchsorted(keys, pictured, sorter=order)]
    return np.concatenate([rows, np.setdiff1d(np.arange(len(keys)), rows)]), len(rows)


def _write_pictures(shards: Path, kind: str, files: Sequence[str | Path], each: int) -> None:
    """Shards of so many JPEGs each, a line of base64 a picture."""
    pictures = (
        base64.b64encode(jpeg.as_buffer()).decode()
        for file in files
        for batch in parquet.ParquetFile(file).iter_batches(1000, columns=["jpeg"])
        for jpeg in batch.column(0)
    )
    for number, part in enumerate(batched(pictures, each)):
        _write(shards, f"{kind}/{number}", ["\n".join(part)])


def batched(items: Iterator[str], each: int) -> Iterator[list[str]]:
    """Lists of so many items, the last perhaps of fewer."""
    while part := list(islice(items, each)):
        yield part


def _write(shards: Path, name: str, texts: Iterable[str]) -> None:
    """One shard: a script that hands the page a text under a name; the text may come in parts."""
    path = shards / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        file.write(f'shard({json.dumps(name)},"')
        file.writelines(json.dumps(text)[1:-1] for text in texts)
        file.write('")\n')
