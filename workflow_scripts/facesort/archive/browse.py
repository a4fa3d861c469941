"""The page to browse an archive on: faces found by look, movement, size and pose, and judged.

The page itself is small. What it shows lies beside it in shards: scripts of one line that hand it
a text, since a page opened as a file may load scripts and nothing else. A shard holds a column of
all faces, or the pictures of a few; it is loaded when something of it is to be seen.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet

from facesort.archive.browse_review import proposals
from facesort.archive.precision import FEWEST
from facesort.archive.review import NOBODY
from facesort.archive.tables import BOX, KEY, UNSURE
from facesort.archive.tags import may_have
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, unreadable
from facesort.faces import facs
from facesort.faces.spread import MOST, standardised
from facesort.pages.page import packed, render

FOLDER: Final = "browse"
# Pictures in a shard: some 200 kB, so that a screen of faces from everywhere is soon there.
FACES, PHOTOS = 50, 12
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
        shares: of tags at whose faces persons have looked, by words: how often they are right, by
            how many looks; columns looks, share, low and high.

    Raises:
        InputError: if a table cannot be read, or they are not of the same run.
    """
    shards = Path(shards)
    movements, strengths = _movements()
    wanted = {*KEY, *NUMBERS, *TAGS, "state", "look", "tags", *strengths}
    of_photos = _read(photos, {"photo", "width", "height"})
    of_faces = _read(faces, wanted)
    of_photos, seen = _pictures_first(of_photos, photos, previews, ["photo"])
    of_faces, shown = _pictures_first(of_faces, faces, thumbnails, ["photo", "face"])
    photo = pd.Index(of_photos["photo"]).get_indexer(of_faces["photo"])
    if (photo < 0).any():
        stray = of_faces["photo"].iloc[int(photo.argmin())]
        raise InputError(f"{photos}: lacks {stray!r}, a photo of {faces}")
    # Where no emotion was asked for, their columns are empty.
    emotions = [name for name in EMOTIONS if name in of_faces and of_faces[name].notna().any()]
    tags = [name for name in TAGS if name in emotions or name not in EMOTIONS]
    listed = of_faces["tags"].fillna("").str.split(";")
    given = np.array([[TAGS[name].words in each for name in tags] for each in listed], bool)
    given = given.reshape(len(of_faces), len(tags))

    words = [*(TAGS[name].words for name in emotions), UNSURE]
    columns = _columns(of_faces, tags, given, words, photo)
    names = of_photos["photo"].rank(method="first").to_numpy()
    columns["place"] = np.empty(len(of_faces), "<u4")
    columns["place"][np.lexsort([of_faces["face"], names[photo]])] = np.arange(len(of_faces))
    columns["movements"] = _quantised(of_faces[strengths], of_faces["state"] == "answered")
    columns |= {f"photo_{name}": of_photos[name].to_numpy("<u4") for name in ("width", "height")}
    for name, column in columns.items():
        _write(shards, f"columns/{name}", packed(column, column.dtype.str))
    _write(shards, "names", json.dumps(of_photos["photo"].tolist()))
    # Not as persons have answered: whom they rejected is still one of those that chance drew from.
    least = thresholds[[TAGS[name].words for name in TAGS]].fillna(np.inf).to_numpy()
    by_program = may_have(of_faces[list(TAGS)]) & (of_faces[list(TAGS)] >= least).to_numpy()
    offered = {
        name: _offered(of_faces, name, by_program[:, at])
        for at, name in enumerate(TAGS)
        if name in tags
    }
    _write(shards, "proposals", json.dumps(offered))
    answers = (NOBODY if reviewed is None else reviewed).to_csv(index=False, float_format="%.15g")
    _write(shards, "reviewed", answers)
    _write_pictures(shards, "faces", thumbnails, FACES)
    _write_pictures(shards, "photos", previews, PHOTOS)

    states = of_faces["state"].value_counts().reindex(list(STATES), fill_value=0)
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
        "faces": len(of_faces),
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
        photos=len(of_photos),
        refused=refused,
        with_faces=len(np.unique(photo)),
        with_read=len(np.unique(photo[(of_faces["state"] == "answered").to_numpy()])),
        faces=len(of_faces),
        answered=int(states["answered"]),
        emotions=bool(emotions),
        tagged=int(given.any(axis=1).sum()),
        sure=int(of_faces["look"].isin(words[:-1]).sum()),
        unsure=int(of_faces["look"].eq(UNSURE).sum()),
        states=[(at, told, int(states[name])) for at, (name, told) in enumerate(STATES.items())],
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


def _columns(
    faces: pd.DataFrame, tags: list[str], given: np.ndarray, looks: list[str], photo: np.ndarray
) -> dict[str, np.ndarray]:
    """What the page searches of each face: arrays (N,) of little-endian numbers.

    ``state`` and ``look`` are numbers in their lists, 255 if there is no look; bit i of ``tags`` is
    the i-th tag; certainties are shares of 65534, 65535 if the face was not answered.
    """
    state = pd.Index(list(STATES)).get_indexer(pd.Index(faces["state"]))
    if (state < 0).any():
        unknown = faces["state"].iloc[int(state.argmin())]
        raise InputError(f"faces.parquet: state {unknown!r} is none of {', '.join(STATES)}")
    bits = given.astype(np.uint16) << np.arange(len(tags), dtype=np.uint16)
    found = {
        "photo": photo.astype("<u4"),
        "face": faces["face"].to_numpy("<u4"),
        "state": state.astype("u1"),
        "look": pd.Index(looks).get_indexer(pd.Index(faces["look"])).astype("u1"),
        "tags": bits.sum(axis=1).astype("<u2"),
    }
    found |= {name: faces[name].to_numpy("<f4") for name in NUMBERS}
    for name in tags:
        share = np.round(faces[name].to_numpy(np.float64) * 65534)
        found[name] = np.nan_to_num(share, nan=65535).astype("<u2")
    return found


def _quantised(strengths: pd.DataFrame, answered: pd.Series) -> np.ndarray:
    """Movements against the archive's own median and spread: uint8 (N, columns without the head's).

    0 and 255 are ``MOST`` spreads below and above the median.
    """
    found = standardised(strengths, answered.to_numpy(float))[:, : -len(HEAD)]
    return np.round((np.nan_to_num(found) + MOST) * 255 / (2 * MOST)).astype("u1")


def _offered(faces: pd.DataFrame, tag: str, given: np.ndarray) -> dict[str, Any]:
    """Of ``proposals`` what the page needs: strata, and in their order rows, strata and places."""
    found = proposals(faces["photo"], faces["face"], tag, faces[tag].to_numpy(np.float64), given)
    strata = found.drop_duplicates("stratum")[["stratum", "given", "stratum_faces"]]
    return {
        "strata": strata.to_dict("records"),
        "stratum": pd.Index(strata["stratum"]).get_indexer(found["stratum"]).tolist(),
        "row": found["row"].tolist(),
        "place": found["stratum_place"].tolist(),
    }


def _read(path: str | Path, wanted: set[str]) -> pd.DataFrame:
    """The wanted columns of a table, as far as it has them."""
    try:
        names = parquet.read_schema(path).names
        return pd.read_parquet(path, columns=[name for name in names if name in wanted])
    except Exception as error:
        raise unreadable(path, "a readable Parquet file", error) from None


def _pictures_first(
    table: pd.DataFrame, path: str | Path, files: Sequence[str | Path], keys: list[str]
) -> tuple[pd.DataFrame, int]:
    """The rows in the order of their pictures, then those without one; and how many have one."""
    pictured = pd.concat([table.loc[[], keys], *(_read(file, set(keys)) for file in files)])
    rows = pictured.merge(table[keys].assign(row=range(len(table))), "left", on=keys)["row"]
    if rows.isna().any() or rows.duplicated().any():
        raise InputError(f"{path}: another run's than its pictures; delete both and rerun")
    rest = np.setdiff1d(np.arange(len(table)), rows)
    order = np.concatenate([rows, rest]).astype(int)
    return table.iloc[order].reset_index(drop=True), len(rows)


def _write_pictures(shards: Path, kind: str, files: Sequence[str | Path], each: int) -> None:
    """Shards of so many JPEGs each, a line of base64 a picture."""
    pictures = (
        base64.b64encode(jpeg.as_buffer()).decode()
        for file in files
        for batch in parquet.ParquetFile(file).iter_batches(1000, columns=["jpeg"])
        for jpeg in batch.column(0)
    )
    for number, part in enumerate(batched(pictures, each)):
        _write(shards, f"{kind}/{number}", "\n".join(part))


def batched(items: Iterator[str], each: int) -> Iterator[list[str]]:
    """Lists of so many items, the last perhaps of fewer."""
    while part := list(islice(items, each)):
        yield part


def _write(shards: Path, name: str, text: str) -> None:
    """One shard: a script that hands the page a text under a name."""
    path = shards / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"shard({json.dumps(name)},{json.dumps(text)})\n", encoding="ascii")
