"""All results on one page: tables, causes, lost URLs, costs, provenance and limits."""

import hashlib
from collections.abc import Sequence
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
    "causes": "Where the loss arises",
    "table2": "Positive against negative",
    "ensembles": "Ensembles",
    "elsewhere": "On other sets",
    "triplets": "Agreement with people's comparisons",
    "few_labels": "Few labels",
}
PACKAGES = ("snakemake", "numpy", "pandas", "scikit-learn", "openTSNE", "umap-learn", "matplotlib")
MOST_URLS = 300


def markdown(text: str) -> Markup:
    """HTML of our Markdown; HTML in it is shown as text, and links that run code are refused."""
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    # A wide table scrolls by itself, and can be reached by keyboard.
    html = html.replace(
        "<table>", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>'
    )
    return Markup(html.replace("</table>", "</table></div>"))


def summary(
    *,
    texts: dict[str, str],
    confusion: bytes,
    agreement: pd.DataFrame,
    costs: pd.DataFrame,
    ledger: pd.DataFrame,
    refused: pd.DataFrame,
    faces: int,
    cells: list[dict[str, Any]],
    digests: dict[str, str],
    config: str,
    demo: bool,
    unscored: str = "",
    folder: bool = False,
    few_labels: Sequence[bytes] = (),
    elsewhere: bytes = b"",
) -> str:
    """The page.

    Args:
        texts: Markdown by name of file, in the order of reading.
        confusion: PNG of the confusion matrices; empty if nothing is scored.
        agreement: results/agreement.csv.
        costs: a row a job, as ``read_costs`` gives it.
        ledger: a row a URL, or a file of a folder: url, outcome, status, error.
        refused: a row a lost face: cause.
        faces: how many faces the pool has.
        cells: model, variant, seed, code, device, versions, and clustering (a digest or "").
        digests: of each input file.
        config: the whole config, as JSON.
        unscored: why nothing is scored; empty if something is.
        folder: whether the faces are from a folder, and not fetched.
        few_labels: PNGs of the curves, and of which faces to label first; or none.
        elsewhere: PNG of the scores from set to set, which stands below their table; or empty.
    """
    rules = by_rule(costs)
    lost = ledger[ledger["outcome"] != "fetched"]
    # Without what follows the colon, such as a file's first bytes.
    kinds = refused["cause"].astype(str).str.split(":").str[0]
    causes = kinds.value_counts().rename_axis("cause").reset_index(name="faces")
    urls = (
        lost[["url", "error"]]
        .assign(error=lost["error"].where(lost["error"].notna(), ""))
        .head(MOST_URLS)
    )
    return render(
        "summary",
        {},
        title="What facesort found",
        texts=[
            (name, HEADINGS.get(name, name.capitalize()), markdown(text))
            for name, text in texts.items()
        ],
        confusion=data_url(confusion, "image/png") if confusion else "",
        few_labels=[data_url(figure, "image/png") for figure in few_labels],
        elsewhere=data_url(elsewhere, "image/png") if elsewhere else "",
        agreement=agreement.to_dict("records"),
        rules=rules.to_dict("records"),
        longest=max(rules["seconds"].max(), 1e-9) if len(rules) else 1.0,
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
        demo=demo,
        unscored=unscored,
        things="files" if folder else "URLs",
    )


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
