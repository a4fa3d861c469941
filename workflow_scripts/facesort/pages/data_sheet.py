"""Data sheets: where a set of faces is from, what is in it, and what each face was used for.

Sections after Gebru et al. 2021, https://doi.org/10.1145/3458723. What no file of a run can answer
is said to be unknown.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.fetch.urls import host_of
from facesort.pages.cards import DEMO, SOURCES, fill, plain
from facesort.score.markdown import percent, table_lines

# Below this the landmark network doubts that a picture shows a face.
PRESENT: Final = 0.5
# Causes that are named; the rest are counted.
MOST_CAUSES: Final = 20
TEMPLATE: Final = Path(__file__).with_suffix(".md")


def pool_sheet(
    *,
    name: str,
    faces: pd.DataFrame,
    ledger: pd.DataFrame,
    refused: pd.DataFrame,
    unread: pd.DataFrame | None,
    leaks: pd.DataFrame,
    kept: int,
    joined: int,
    digest: str,
    doubted: int | None,
    **shared: Any,
) -> str:
    """The sheet of the unlabelled faces.

    Args:
        name: what the set is called.
        faces, ledger, refused, leaks: the tables of results/fetch.
        unread: results/sample/refused.parquet; None where the faces are from a folder.
        kept: faces that models may learn from; joined: labelled faces that join them unlabelled.
        digest: SHA-256 of the list of the faces.
        doubted: faces of which the landmark network doubts that they are any; None if not asked.
        shared: of the template: ``source``, where the set is from, in words; ``size``, pixels of a
            face's side; ``variants``; ``learners``, the models that learn from it; ``polite``, what
            hosts were asked for first, in words; ``limits``.
    """
    things = "files" if unread is None else "photos"
    lost = ledger["outcome"] != "fetched"
    counts = {
        f"{things} asked for": len(ledger),
        f"{things} lost": int(lost.sum()),
        "faces lost with them": len(refused),
        "faces": len(faces),
        "near duplicates of labelled faces, which teach nothing": leaks["face"].nunique(),
        "faces that models may learn from": kept,
    }
    if unread is not None:
        counts = {"faces of the CSV that could not be read": len(unread)} | counts
    if joined:
        counts["labelled faces that join them, without their labels"] = joined
    if doubted is not None:
        counts[f"{'of both, ' * bool(joined)}faces that the landmark network doubts"] = doubted
    sides = faces[["width", "height"]].min(axis=1)
    fetched = ledger["fetched_at"].dropna()
    return fill(
        TEMPLATE,
        kind="pool",
        name=name,
        total=len(faces),
        counts=_counts(counts),
        labels=[],
        causes=_causes(refused["cause"]),
        sides=[int(sides.quantile(q)) for q in (0, 0.5, 1)] if len(sides) else [],
        hosts=ledger["url"].map(host_of).nunique() if unread is not None else 0,
        days=sorted({str(day.date()) for day in (fetched.min(), fetched.max())})
        if len(fetched)
        else [],
        digest=digest,
        demo=name == DEMO,
        clear=None,
        **shared,
    )


def labelled_sheet(
    *,
    name: str,
    index: pd.DataFrame,
    refused: pd.DataFrame,
    duplicates: pd.DataFrame,
    split: pd.DataFrame,
    doubted: int | None,
    **shared: Any,
) -> str:
    """The sheet of the labelled faces; the tables are those of results/labelled."""
    paired = pd.unique(pd.concat([duplicates["first"], duplicates["second"]]))
    counts = {
        "images and rows left out": len(refused),
        "faces": len(index),
        "faces with a near duplicate among them": len(paired),
        "exact copies of another file": int(index["digest"].duplicated().sum()),
    }
    if doubted is not None:
        counts["faces that the landmark network doubts"] = doubted
    parts = pd.crosstab(index["label"], split["part"])
    if "semi_supervised" in shared["learners"]:
        parts["semi"] = index["label"][split["semi"]].value_counts()
    return fill(
        TEMPLATE,
        kind="labelled",
        name=name,
        total=len(index),
        counts=_counts(counts),
        labels=_labels(index, parts.fillna(0).astype(int)),
        causes=_causes(refused["reason"]),
        digest=set_digest(index),
        demo=name == DEMO,
        clear=_clear(index),
        **shared,
    )


def other_sheet(
    *,
    name: str,
    index: pd.DataFrame,
    refused: pd.DataFrame,
    overlap: pd.DataFrame,
    **shared: Any,
) -> str:
    """The sheet of a set that is only scored on; the tables are those of results/elsewhere."""
    seen = overlap.loc[overlap["part"] != "test", "face"]
    counts = {
        "images and rows left out": len(refused),
        "faces": len(index),
        **{
            f"faces with a near duplicate {where}": int((overlap["part"] == part).sum())
            for part, where in (
                ("pool", "in the pool"),
                ("train", "in the part train"),
                ("naming", "in the part naming"),
                ("test", "among the main scored faces"),
            )
        },
        "exact copies of another file": int(index["digest"].duplicated().sum()),
        "faces that are scored": len(index) - len(seen),
    }
    scored = index["label"].drop(seen).value_counts().rename("scored")
    parts = pd.DataFrame(scored).reindex(index["label"].unique(), fill_value=0)
    return fill(
        TEMPLATE,
        kind="other",
        name=name,
        total=len(index),
        counts=_counts(counts),
        labels=_labels(index, parts),
        causes=_causes(refused["reason"]),
        digest=set_digest(index),
        demo=False,
        learners=[],
        clear=_clear(index),
        **shared,
    )


def set_digest(index: pd.DataFrame) -> str:
    """SHA-256 of a labelled set: of its images' digests, each with its label, sorted."""
    lines = sorted(index["digest"] + " " + index["label"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _counts(counts: dict[str, int]) -> list[str]:
    return table_lines(["what", "number"], [[k, f"{v:,}"] for k, v in counts.items()], 1)


def _labels(index: pd.DataFrame, parts: pd.DataFrame) -> list[str]:
    """A row an emotion: its faces, those of each part, and how clear their labels are."""
    told = index["relFCs"].notna().any()
    headers = ["label", "faces", "%", *parts.columns, *(["median relFCs"] if told else [])]
    rows = []
    for emotion in EMOTIONS:
        of = index[index["label"] == emotion]
        row = [emotion, f"{len(of):,}", percent(len(of) / len(index))]
        row += [f"{parts[part].get(emotion, 0):,}" for part in parts]
        rows.append([*row, f"{of['relFCs'].median():.2f}" if len(of) else "-"][: len(headers)])
    total = ["all", f"{len(index):,}", percent(1), *(f"{parts[part].sum():,}" for part in parts)]
    rows.append([*total, f"{index['relFCs'].median():.2f}"][: len(headers)])
    return table_lines(headers, rows, 1)


def _clear(index: pd.DataFrame) -> dict[str, Any] | None:
    """How far the set says that its labels are clear; None if it does not."""
    told = index["relFCs"].dropna()
    if told.empty:
        return None
    return {"told": len(told), "median": told.median(), "below": float((told < 0.8).mean())}


def _causes(causes: Iterable[Any]) -> list[str]:
    """What was lost or left out, by cause: what differs from file to file is taken out."""
    kinds = pd.Series(list(causes), dtype=object).astype(str)
    kinds = kinds.str.split(":").str[0].map(lambda text: re.sub(r"\d[\d.]*", "N", text))
    found = kinds.value_counts()
    rows = [[plain(cause), f"{count:,}"] for cause, count in found.head(MOST_CAUSES).items()]
    if len(found) > MOST_CAUSES:
        rest = found.iloc[MOST_CAUSES:]
        rows.append([f"{len(rest):,} other causes", f"{rest.sum():,}"])
    return table_lines(["cause", "number"], rows, 1) if rows else []


def source_words(data: dict[str, Any]) -> str:
    """Where the pool is from, by the config's block ``data``."""
    named = (words for key, words in SOURCES.items() if data[key])
    return next(named, "faces that facesort rendered")
