"""The page of model cards or data sheets: of each its finding, and the whole of it folded away."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from facesort.pages.page import render
from facesort.pages.summary import as_html


class Shown(NamedTuple):
    """A card as the page shows it; ``front`` is the YAML at its head, or empty."""

    title: Markup
    finding: Markup
    body: Markup
    front: str


def cards_page(title: str, cards: Sequence[str]) -> str:
    """The page of some cards, each Markdown that begins with a title and a paragraph.

    Args:
        cards: in the order of reading; YAML may stand at their heads.
    """
    return render("cards_page", parts=("summary",), title=title, cards=[_shown(c) for c in cards])


def _shown(card: str) -> Shown:
    front, text = re.fullmatch(r"(?:---\n(.*?)\n---\n)?\s*(.*)", card, re.S).groups()  # type: ignore[union-attr]
    title, finding, body = text.split("\n\n", 2)
    title = as_html(title.removeprefix("# ")).strip().removeprefix("<p>").removesuffix("</p>")
    # Below the heading that the page gives each card.
    body = re.sub("^##", "###", body, flags=re.M)
    return Shown(Markup(title), Markup(as_html(finding)), Markup(as_html(body)), front or "")
