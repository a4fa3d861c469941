"""The page: photos dropped, chosen or taken; their boxes and tags, to correct and to save."""

from pathlib import Path

from facesort.archive.tables import APPARENT, LOOKS, TAGS, UNSURE
from facesort.pages.page import render
from facesort.serve.limits import Limits

# What the page says of a face that is not read, by its state.
STATES = {
    "answered": "",
    "small": "too small to be read",
    "covered": "covered, or no face",
    "turned": "turned too far to be read",
    "blurred": "too blurred to be read",
}


def tag_page(limits: Limits, token: bool, kept: bool) -> str:
    """The page, in one piece; it asks its own server and nobody else.

    Args:
        token: whether the server asks for one.
        kept: whether it keeps photos.
    """
    data = {
        "bytes": limits.bytes,
        "apparent": list(TAGS[: len(APPARENT)]),
        "looks": [*LOOKS.values(), UNSURE],
        "unsure": UNSURE,
        "states": STATES,
        "token": token,
    }
    return render(
        "tag_page",
        data,
        Path(__file__).parent,
        connects="'self'",
        title="Tags of faces",
        limits=limits,
        token=token,
        kept=kept,
    )
