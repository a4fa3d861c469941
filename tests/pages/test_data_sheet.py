"""Data sheets: every figure is that of the table it came from, and what is unknown is said so."""

import hashlib
import re

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from read_cards import items, table

from facesort.common.emotions import EMOTIONS
from facesort.pages.cards import DEMO
from facesort.pages.data_sheet import (
    labelled_sheet,
    other_sheet,
    pool_sheet,
    set_digest,
    source_words,
)

HOSTILE = 'a|b<img src=x onerror="x"> [x](javascript:y)'
SHARED = {"size": 48, "variants": ["rgb", "cropped"], "limits": "A look is not a feeling."}
POLITE = {"obey_robots": True, "obey_noai": False}


def pool(**changed):
    urls = [f"http://host{n % 3}.org/{n}.jpg" for n in range(10)]
    fetched = ["fetched"] * 7 + ["failed"] * 3
    days = pd.to_datetime(["2026-11-27 10:00", "2026-11-29 01:00", *[None] * 8], utc=True)
    given = {
        "name": "faces.csv",
        "faces": pd.DataFrame({"width": [640] * 9, "height": [100, *[300] * 7, 480]}),
        "ledger": pd.DataFrame({"url": urls, "outcome": fetched, "fetched_at": days}),
        "refused": pd.DataFrame({"cause": ["status 404", "status 404", "no such host: x"]}),
        "unread": pd.DataFrame({"reason": ["no number"] * 2}),
        "leaks": pd.DataFrame({"face": [1, 1, 2], "labelled": [5, 6, 7]}),
        "kept": 7,
        "joined": 0,
        "digest": "d" * 64,
        "doubted": None,
        "source": "a CSV",
        "learners": ["stacked"],
        "polite": POLITE,
    }
    return pool_sheet(**given | SHARED | changed)


def made_index(relfcs=True):
    labels = [name for place, name in enumerate(EMOTIONS[:7]) for _ in range(4 + place)]
    index = pd.DataFrame({"path": range(len(labels)), "label": labels, "part": None})
    clear = np.linspace(0.5, 1, len(index)) if relfcs else np.nan
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in index["path"]]
    return index.assign(relFCs=clear, digest=digests)


def labelled(index=None, **changed):
    index = made_index() if index is None else index
    parts = np.array(["naming", "train", "train", "test"])[np.arange(len(index)) % 4]
    given = {
        "name": "fer",
        "index": index,
        "refused": pd.DataFrame(
            {"path": ["a", "b"], "reason": ["relFCs 0.1 is not 0.8 or more"] * 2}
        ),
        "duplicates": pd.DataFrame({"first": [0, 0, 4], "second": [1, 2, 5]}),
        "split": pd.DataFrame({"part": parts, "semi": np.arange(len(index)) % 4 == 1}),
        "doubted": 3,
        "learners": ["semi_supervised", "supervised"],
    }
    return labelled_sheet(**given | SHARED | changed)


def other(**changed):
    given = {
        "name": "raf",
        "folder": "RAF-DB",
        "index": made_index(relfcs=False),
        "refused": pd.DataFrame({"path": [], "reason": []}),
        "overlap": pd.DataFrame(
            {"face": [0, 4, 8, 9], "part": ["pool", "train", "naming", "test"]}
        ),
    }
    return other_sheet(**given | SHARED | changed)


def counts(sheet):
    return {row["what"]: row["number"] for row in table(sheet, "what")}


def test_counts_of_the_pool_are_those_of_its_tables():
    sheet = pool()
    assert counts(sheet) == {
        "faces of the CSV that could not be read": "2",
        "photos asked for": "10",
        "photos lost": "3",
        "faces lost with them": "3",
        "faces": "9",
        "near duplicates of labelled faces, which teach nothing": "2",
        "faces that models may learn from": "7",
    }
    causes = {row["cause"]: row["number"] for row in table(sheet, "cause")}
    assert causes == {"status N": "2", "no such host": "1"}
    told = " ".join(items(sheet, "How it was collected"))
    assert "From: a CSV *faces.csv*." in told and "on 3 hosts" in told and "d" * 64 in told
    assert "fetched from 2026-11-27 to 2026-11-29" in told
    assert "100 at least, 300 in the middle, 480 at most" in told
    assert "robots.txt forbids was not asked for" in told and "AI was not looked at" in told
    joined = counts(pool(joined=40, doubted=5))
    assert joined["labelled faces that join them, without their labels"] == "40"
    assert joined["of both, faces that the landmark network doubts"] == "5"


def test_a_folder_as_the_pool_has_no_hosts():
    ledger = pd.DataFrame({"url": ["a.jpg"], "outcome": "fetched", "fetched_at": [pd.NaT]})
    sheet = pool(unread=None, ledger=ledger, source="a folder", learners=[])
    assert counts(sheet)["files asked for"] == "1" and "could not be read" not in sheet
    assert "host" not in " ".join(items(sheet, "How it was collected"))
    assert "To learn from: no model of this run." in sheet
    nothing = pool(faces=pd.DataFrame({"width": [], "height": []}))
    assert "Shorter side" not in nothing and counts(nothing)["faces"] == "0"


def test_labels_by_part_are_counts_of_the_tables():
    index = made_index()
    sheet = labelled(index)
    parts = np.array(["naming", "train", "train", "test"])[np.arange(len(index)) % 4]
    *rows, total = table(sheet, "median relFCs")
    assert [row["label"] for row in rows] == list(EMOTIONS)
    for row in rows:
        of = (index["label"] == row["label"]).to_numpy()
        assert row["faces"] == str(of.sum()) and row["%"] == f"{100 * of.mean():.1f}"
        for part in ("naming", "train", "test"):
            assert row[part] == str((of & (parts == part)).sum())
        assert row["semi"] == str((of & (np.arange(len(of)) % 4 == 1)).sum())
        median = f"{index['relFCs'][of].median():.2f}" if of.any() else "-"
        assert row["median relFCs"] == median
    for name in ("faces", "naming", "train", "test", "semi"):
        assert total[name] == str(sum(int(row[name]) for row in rows))
    assert counts(sheet) == {
        "images and rows left out": "2",
        "faces": str(len(index)),
        "faces with a near duplicate among them": "5",
        "exact copies of another file": "0",
        "faces that the landmark network doubts": "3",
    }
    assert table(sheet, "cause") == [{"cause": "relFCs N is not N or more", "number": "2"}]
    below = 100 * (index["relFCs"] < 0.8).mean()
    assert f"{below:.1f}% have less than 0.80" in sheet
    assert "semi" not in table(labelled(learners=["supervised"]), "faces")[0]


def test_a_set_elsewhere_tells_what_is_scored_and_what_was_seen():
    sheet = other()
    index = made_index()
    found = counts(sheet)
    assert found["faces with a near duplicate in the pool"] == "1"
    assert found["faces with a near duplicate among the main scored faces"] == "1"
    assert found["faces that are scored"] == str(len(index) - 3)
    *rows, total = table(sheet, "scored")
    for row in rows:
        seen = index["label"].iloc[[0, 4, 8]].eq(row["label"]).sum()
        assert int(row["faces"]) - int(row["scored"]) == seen
    assert total["scored"] == found["faces that are scored"]
    assert "does not say how far people agreed" in sheet
    assert "From: a folder called *RAF-DB*." in sheet and "relFCs" not in sheet


def test_another_number_in_a_table_makes_another_sheet():
    index = made_index()
    fewer = index.drop(index=[3]).reset_index(drop=True)
    assert labelled(fewer) != labelled(index)
    assert set_digest(fewer) != set_digest(index) == set_digest(index.sample(frac=1))
    relabelled = index.assign(label=index["label"].replace("anger", "sad"))
    assert set_digest(relabelled) != set_digest(index)
    for name, value in (("kept", 6), ("joined", 1), ("doubted", 0), ("digest", "e" * 64)):
        assert pool(**{name: value}) != pool(), name
    copied = index.assign(digest=index["digest"].iloc[0])
    assert counts(labelled(copied))["exact copies of another file"] == str(len(index) - 1)


def test_many_causes_are_counted_together():
    causes = [letter * 3 for letter in "abcdefghijklmnopqrstuvwxyz"]
    rows = table(pool(refused=pd.DataFrame({"cause": [*causes, "aaa"]})), "cause")
    assert len(rows) == 21 and rows[0] == {"cause": "aaa", "number": "2"}
    assert rows[-1] == {"cause": "6 other causes", "number": "6"}
    assert sum(int(row["number"]) for row in rows) == 27


def test_what_no_file_tells_is_said_to_be_unknown():
    for sheet in (pool(), labelled(), other()):
        unknown = " ".join(items(sheet, "What the run does not know"))
        assert "Who is shown: age, gender, skin tone" in unknown
        assert "does not know the licence" in sheet and "does not know who made it" in sheet
        assert "A look is not a feeling." in sheet
    for sheet in (pool(name=DEMO), labelled(name=DEMO)):
        assert "No person is shown" in sheet and "Who is shown" not in sheet
        assert "licence of facesort, MIT" in sheet


def test_hostile_names_stay_text():
    refused = pd.DataFrame({"path": ["x"], "reason": [HOSTILE], "cause": [HOSTILE]})
    for sheet in (
        pool(name=HOSTILE, refused=refused),
        labelled(name=HOSTILE, refused=refused),
        other(name=HOSTILE, folder=HOSTILE, refused=refused),
    ):
        html = MarkdownIt("commonmark", {"html": True}).enable("table").render(sheet)
        assert "<img" not in html and 'href="javascript' not in html
        assert len(re.findall("<h1", html)) == 1


@pytest.mark.parametrize(
    ("key", "words"), [("faces", "a folder"), ("manifest", "the list"), ("fec_csv", "a CSV")]
)
def test_the_source_is_what_the_config_names(key, words):
    data = dict.fromkeys(("fec_csv", "manifest", "faces", "labelled"))
    assert source_words(data | {key: "/x"}).startswith(words)
    assert source_words(data) == "faces that facesort rendered"
