"""Photos of the web that are left out (``fetch.exclude``): not asked for, and erased.

Lines are told by their numbers alone, so that no log has a URL that somebody wants forgotten.
"""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from facesort.common.job import InputError
from facesort.fetch.journal import Journal, is_left_out
from facesort.fetch.urls import photo_key


def read_exclusions(path: str | Path | None) -> set[str]:
    """Read the URLs that must not be asked for, one a line, as keys to compare URLs by.

    Blank lines, and those that begin with #, are skipped. http and https are the same photo.

    Raises:
        InputError: if the file cannot be read, or a line is no URL.
    """
    if path is None:
        return set()
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error} (config: fetch.exclude)") from None
    keys = set()
    for row, line in enumerate(map(str.strip, lines), start=1):
        if line and not line.startswith("#"):
            if not line.lower().startswith(("http://", "https://")):
                raise InputError(f"{path}, row {row}: not a URL (config: fetch.exclude)")
            keys.add(photo_key(line))
    return keys


def without(faces: pd.DataFrame, excluded: Collection[str]) -> pd.DataFrame:
    """A sample's faces but for those of some photos; all others are as they were.

    Args:
        faces: column url.
        excluded: keys, as of ``read_exclusions``.

    Raises:
        InputError: if none is left.
    """
    left = faces[~faces["url"].map(photo_key).isin(excluded)].reset_index(drop=True)
    if len(faces) and not len(left):
        raise InputError("fetch.exclude leaves out every face of the sample")
    return left


def erase(state: Path, excluded: Collection[str], kept: Collection[str], photos: str | None) -> int:
    """Erase some photos from the journals of faces of all sizes.

    Args:
        state: folder of the journals.
        excluded: keys, as of ``read_exclusions``; also of where redirects ended.
        kept: ``face_id`` of the sample's faces, which stay though their photo has the same bytes.
        photos: the folder of whole photos (``fetch.keep_photos``), None without one.

    Returns:
        How many URLs were known.
    """
    if not excluded:
        return 0
    sizes = [int(folder.name.removesuffix("px")) for folder in sorted(state.glob("*px"))]
    urls, digests, others = set[str](), set[str](), set[str]()
    for size in sizes:
        with Journal(state, size) as journal:
            for url, end, digest in journal.photos():
                left_out = is_left_out(url, end, excluded)
                if left_out:
                    urls.add(url)
                if digest is not None:
                    (digests if left_out else others).add(digest)
    # First: once the journals have forgotten a photo, nobody would know its file.
    for digest in digests - others if photos else ():
        whole = Path(str(photos), digest)
        try:
            # A kill may have left a part of one.
            for path in (whole, *whole.parent.glob(f"{digest}.*.part")):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{photos}: {error.strerror} (config: fetch.keep_photos)") from None
    stay = set(kept)
    for size in sizes:
        with Journal(state, size) as journal:
            journal.erase(excluded, stay)
    return len(urls)
