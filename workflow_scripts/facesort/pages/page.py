"""What all pages share: frame and style, data that cannot become code, and faces as images."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from facesort.common import limits
from facesort.pages.figures import as_shown, montage
from facesort.score.markdown import percent

PAGES = Path(__file__).resolve().parent
SHEET = 2000


def render(
    name: str,
    data: dict[str, Any] | None = None,
    folder: Path = PAGES,
    more: tuple[str, ...] = (),
    parts: tuple[str, ...] = (),
    connects: str = "'none'",
    **values: Any,
) -> str:
    """The page of a template: ``<name>.html`` with ``<name>.css`` and ``<name>.js`` inside.

    Everything put into the page is escaped, and a content security policy lets no script run but
    the template's own, and nothing be loaded but, if there are ``more``, scripts that these add.

    Args:
        data: what the script reads, as JSON.
        folder: where the template lies.
        more: further scripts of the folder, which stand before the template's own.
        parts: further styles of this folder: those of the page's ``part``s.
        connects: whom the page may ask, as a source of the policy.
        values: what the template shows.
    """
    styles = [
        PAGES / "page.css",
        *(PAGES / f"{each}.css" for each in parts),
        folder / f"{name}.css",
    ]
    style = "".join(map(_read, styles))
    script = "".join(_read(folder / f"{part}.js") for part in (*more, name))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    source = f"'sha256-{digest}'" + (" 'strict-dynamic'" if more else "")
    return (
        _environment(folder)
        .get_template(f"{name}.html")
        .render(
            style=Markup(style),
            # Browsers compare the digest with the very text between the tags.
            script=Markup(script),
            script_source=Markup(source if script else "'none'"),
            connects=Markup(connects),
            data=json_text(data),
            **values,
        )
    )


def part(name: str, macro: str, **values: Any) -> Markup:
    """A part of a page: a macro of ``<name>.html``, whose style is ``<name>.css``."""
    return Markup(getattr(_environment(PAGES).get_template(f"{name}.html").module, macro)(**values))


def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, PAGES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["limits_of_use"] = limits
    environment.filters |= {"thousands": "{:,}".format, "percent": percent}
    return environment


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def json_text(data: Any) -> Markup:
    """JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def packed(values: np.ndarray, dtype: str) -> str:
    """Numbers as base64 of little-endian bytes, for a typed array."""
    return base64.b64encode(np.ascontiguousarray(values, np.dtype(dtype)).tobytes()).decode()


def data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def image_url(face: np.ndarray, side: int, quality: int = 85) -> str:
    """A JPEG data URL of a face, uint8 (H, W, C), of at most so many pixels a side."""
    image = Image.fromarray(as_shown(face))
    image.thumbnail((side, side))
    return data_url(_jpeg(image, quality), "image/jpeg")


def thumbnail_side(size: int, faces: int) -> int:
    """Pixels a side at which the sheets of so many faces stay below 40 megapixels (some 8 MB)."""
    return int(min(size, 64, np.sqrt(40e6 / max(1, faces))))


def thumbnails(faces: np.ndarray, rows: np.ndarray, side: int) -> np.ndarray:
    """Faces made smaller: uint8 (n, side, side, 3).

    Args:
        faces: uint8 (N, H, W, C), may be memory-mapped; only the rows are read.
        rows: int (n,).
    """
    small = np.empty((len(rows), side, side, 3), np.uint8)
    for start in range(0, len(rows), 64):
        part = as_shown(faces[rows[start : start + 64]])
        # Faces side by side, made smaller in one go.
        strip = np.ascontiguousarray(part.swapaxes(0, 1)).reshape(part.shape[1], -1, 3)
        resized = Image.fromarray(strip).resize((len(part) * side, side), Image.Resampling.BOX)
        small[start : start + 64] = np.asarray(resized).reshape(side, -1, side, 3).swapaxes(0, 1)
    return small


def sheets(small: np.ndarray) -> Iterator[str]:
    """JPEG data URLs of sheets of thumbnails, ``SHEET // side`` squared on each, in rows.

    Args:
        small: uint8 (N, side, side, 3).
    """
    columns = SHEET // small.shape[1]
    for start in range(0, len(small), columns**2):
        part = montage(small[start : start + columns**2], columns, gap=0)
        yield data_url(_jpeg(Image.fromarray(part), 72), "image/jpeg")


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def spread(values: np.ndarray) -> np.ndarray:
    """Coordinates as uint16, least to greatest: what a page needs of a place."""
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    return np.round((values - low) / ((high - low) or 1) * 65535).astype(np.uint16)
