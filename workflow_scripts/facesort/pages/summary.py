"""All results on one page: the finding first, then tables, costs, provenance and limits."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup

from facesort.pages.costs import by_rule
from facesort.pages.page import data_url, render

# Headings of the texts, by the names of their files.
HEADINGS = {
    "table1": "Table 1",
    "causes": "Where accuracy is lost",
    "table2": "Positive against negative",
    "ensembles": "Ensembles",
    "elsewhere": "On other sets",
    "triplets": "Agreement with people's comparisons",
    "few_labels": "Few labels",
    "audit": "Groups of people",
    "counterfactual": "What changes answers, and should not",
}
# By name of PNG, the text that it stands with, and what it shows.
FIGURES = {
    "few_labels": (
        "few_labels",
        "Scores by labels per emotion, a line per model, with 95% intervals. Dashed: labels had "
        "taught the embedding before.",
    ),
    "label_first": (
        "few_labels",
        "Gain of typical and of central faces over faces drawn at random, with 95% intervals.",
    ),
    "elsewhere": (
        "elsewhere",
        "Markers are other sets, with 95% intervals; rings are the main scored faces. The longer "
        "the dotted line between them, the more a row loses. Dashed lines are chance.",
    ),
    "audit": (
        "audit",
        "How many points each group lies above or below the others. A number is beyond chance. "
        "Grey: too few faces to tell.",
    ),
}
PACKAGES = ("snakemake", "numpy", "pandas", "scikit-learn", "openTSNE", "umap-learn", "matplotlib")
MOST_URLS = 300


def markdown(text: str) -> Markup:
    """HTML of our Markdown: what stands below a ``###`` heading is folded away.

    HTML in the text is shown as text, and links that run code are refused.
    """
    first, *parts = re.split(r"^### (.+)$", text, flags=re.M)
    folded = "".join(
        f"<details><summary>{Markup.escape(heading)}</summary>{as_html(body)}</details>"
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    )
    return Markup(as_html(first) + folded)


def as_html(text: str) -> str:
    """HTML of Markdown whose own HTML is shown as text, and whose wide tables scroll."""
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    # A wide table scrolls by itself, and can be reached by keyboard.
    html = html.replace(
        "<table>", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'
    )
    return html.replace("</table>", "</table></div>")


def below_the_table(text: str) -> str:
    """Table 1's Markdown without its finding and its table, which the page shows in its own way."""
    return re.sub(r"\A.*?^\|.*?\n(?=[^|])", "", text, count=1, flags=re.M | re.S)


def summary(
    *,
    finding: Sequence[str],
    chart: Markup,
    strip: Markup,
    table_1: Markup,
    texts: dict[str, str],
    figures: Mapping[str, bytes],
    confusion: Markup,
    agreement: pd.DataFrame,
    costs: pd.DataFrame,
    ledger: pd.DataFrame,
    refused: pd.DataFrame,
    faces: int,
    cells: list[dict[str, Any]],
    digests: dict[str, str],
    config: str,
    data: str,
    demo: bool,
    unscored: bool = False,
    pages: Sequence[str] = (),
    folder: bool = False,
) -> str:
    """The page.

    Args:
        finding: sentences, the first of which is the page's heading.
        chart, strip, table_1: of ``facesort.pages.finding``; empty where nothing is scored.
        confusion: of ``facesort.pages.confusion``; empty likewise.
        texts: Markdown by name of file, in the order of reading.
        figures: PNGs by name, each of ``FIGURES``.
        agreement: results/agreement.csv.
        costs: a row a job, as ``read_costs`` gives it.
        ledger: a row a URL, or a file of a folder: url, outcome, status, error.
        refused: a row a lost face: cause.
        faces: how many faces the pool has.
        cells: model, variant, seed, code, device, versions, and clustering (a digest or "").
        digests: of each input file.
        config: the whole config, as JSON.
        data: what the run was made from.
        unscored: whether nothing is scored.
        pages: the cells' maps and naming pages, and the data sheets, as paths from the folder of
            this page.
        folder: whether the faces are from a folder, and not fetched.
    """
    lost = ledger[ledger["outcome"] != "fetched"]
    # Without what follows the colon, such as a file's first bytes.
    kinds = refused["cause"].astype(str).str.split(":").str[0]
    causes = kinds.value_counts().rename_axis("cause").reset_index(name="faces")
    urls = (
        lost[["url", "error"]]
        .assign(error=lost["error"].where(lost["error"].notna(), ""))
        .head(MOST_URLS)
    )
    things = "files" if folder else "URLs"
    headings = {name: HEADINGS[name] for name in texts}
    if confusion:
        # Behind Table 1.
        first = {"table1": headings.pop("table1")} if "table1" in headings else {}
        headings = {**first, "confusion": "What is taken for what", **headings}
    headings |= {"people": "Names by people", "lost": f"Lost {things}"}
    headings |= {"costs": "Time and memory", "provenance": "Provenance", "limits": "Limits of use"}
    shown = {
        name: markdown(below_the_table(text) if name == "table1" else text)
        for name, text in texts.items()
    }
    return render(
        "summary",
        {},
        parts=("finding", "confusion"),
        title="What facesort found",
        finding=finding,
        chart=chart,
        strip=strip,
        table_1=table_1,
        headings=headings,
        texts=shown,
        figures=[
            (text, data_url(figures[name], "image/png"), words)
            for name, (text, words) in FIGURES.items()
            if name in figures
        ],
        confusion=confusion,
        agreement=agreement.to_dict("records"),
        rules=by_rule(costs).to_dict("records"),
        total=costs["cpu_seconds"].sum(),
        jobs=len(costs),
        urls=len(ledger),
        lost_urls=len(lost),
        shown_urls=urls.to_dict("records"),
        faces=faces,
        lost_faces=len(refused),
        causes=causes.to_dict("records"),
        cells=cells,
        digests=digests,
        versions=installed(),
        config=config,
        data_words=data,
        demo=demo,
        unscored=unscored,
        pages=pages,
        sheets="data_sheets.html",
        things=things,
    )


def frame(page: str) -> str:
    """The page in a frame of its own, whose style and scripts touch nothing around it."""
    return f'<iframe title="Summary" srcdoc="{Markup.escape(page)}"></iframe>\n'


def installed() -> dict[str, str]:
    """Versions of the packages that drew the conclusions, as far as this environment has them."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, its first 16 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
