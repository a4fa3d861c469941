"""What model cards and data sheets share: templates of Markdown, names as text, and their page."""

import os
import re
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from facesort.common import limits
from facesort.common.trees import shown
from facesort.score.markdown import percent

DEMO: Final = "rendered demo faces"
# Keys of the config's block ``data`` that name a pool, in words.
SOURCES: Final = {
    "faces": "a folder of pictures of faces,",
    "manifest": "the list of an earlier run,",
    "fec_csv": "a CSV of URLs and boxes in the format of Google FEC,",
}
# Signs by which Markdown or HTML could take a name for more than text.
SIGNS: Final = re.compile(r"([\\`*_\[\]<>&|#~!$])")


# As Markdown, which is passed on without the project's pages.
LIMITS: Final = (
    f"{limits.NOT} [The evidence]({limits.EVIDENCE_URL}).\n\n"
    f"{limits.LAW} [The regulation]({limits.LAW_URL})."
)


def names_of_sets(data: dict[str, Any]) -> dict[str, str]:
    """What cards call the sets "pool" and "labelled", by the config's block ``data``."""
    pool = next((data[key] for key in SOURCES if data[key]), None)
    return {"pool": name_of_set(pool), "labelled": name_of_set(data["labelled"])}


def plain(text: object) -> str:
    """A text as Markdown shows it, whatever signs are in it: no link, no HTML, no new line."""
    return SIGNS.sub(r"\\\1", shown(str(text)))


def name_of_set(path: str | None) -> str:
    """What a card calls a set: the last part of its path alone, which tells nothing of a machine.

    Without a path the set is rendered.
    """
    if path is None:
        return DEMO
    # os.path, since pathlib keeps "..".
    return shown(os.path.basename(os.path.abspath(path))) or "a whole disk"  # noqa: PTH100, PTH119


def fill(template: Path, **values: Any) -> str:
    """A template of Markdown with its values; names of others go through its filter ``plain``."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"thousands": "{:,}".format, "percent": percent, "plain": plain}
    text = environment.get_template(template.name).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text)
