"""Table 1: its columns, its means, its words."""

import re

import pandas as pd
import pytest

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.score.comparisons import compare
from facesort.score.table1 import (
    finding_lines,
    lack_lines,
    make_table,
    naming_lines,
    table_markdown,
    unanswered_lines,
)


def cell(predicted, faces=(1, 2, 3, 4)):
    labels = ["happy", "sad", "fear", "fear"]
    return pd.DataFrame(
        {"face": faces, "label": labels, "predicted": predicted, "group": [0, 1, 2, 2]}
    )


CELLS = [{"model": "supervised", "variant": "rgb", "seed": seed} for seed in (0, 1)]


COLUMNS = (
    "model,variant,rank,seeds,n_test,accuracy,accuracy_low,accuracy_high,against_chance,"
    "balanced_accuracy,macro_f1,oracle_accuracy,oracle_balanced_accuracy,paper_accuracy,chance,"
    "lost_in,supervision,named_by"
)


def causes_of(cells, **more):
    """What find_causes would tell of these cells, as far as Table 1 asks."""
    keys = dict.fromkeys((cell["model"], cell["variant"]) for cell in cells)
    rows = [{"model": model, "variant": variant} for model, variant in keys]
    told = {
        "naming": "none",
        "lost_in": "names",
        "why": "",
        "unanswered": 0.0,
        "renamed_accuracy": float("nan"),
    }
    return pd.DataFrame(rows).assign(**told | more)


def tabled(cells, predictions, emotions=EMOTIONS, **more):
    """Table 1, its comparisons and its causes."""
    comparisons = compare(cells, predictions, pairs=["models"], resamples=100, seed=0)
    causes = causes_of(cells, **more)
    return make_table(cells, predictions, comparisons, causes, emotions), comparisons, causes


def test_table_1_has_its_columns_and_means():
    right, half = cell(["happy", "sad", "fear", "fear"]), cell(["happy", "sad", "anger", "anger"])
    luck = {"renamed_accuracy": 0.6, "renamed_accuracy_low": 0.4, "renamed_accuracy_high": 0.81}
    table, comparisons, causes = tabled(CELLS, [right, half], **luck)
    assert ",".join(table.columns) == COLUMNS
    row = table.iloc[0]
    assert (row["seeds"], row["n_test"], row["accuracy"]) == (2, 4, 0.75)
    assert (row["oracle_accuracy"], row["paper_accuracy"], row["chance"]) == (1, 0.5615, 0.125)
    assert row["accuracy_low"] <= 0.75 <= row["accuracy_high"]
    assert (row["rank"], row["lost_in"], row["named_by"]) == ("best", "names", "none")
    text = table_markdown(
        table,
        comparisons,
        causes,
        data="made-up faces",
        seeds=[0, 1],
        naming=["Named by a dog."],
        labels=right["label"],
    )
    assert text.startswith("Best: supervised on rgb, 75.0% (95% interval 0.0 to 100.0)")
    assert "made-up faces" in text and "Always answering fear scores 50.0%" in text
    assert "- Named by a dog." in text and "intervals over images and seeds" in text
    assert "- supervised, rgb: 40.0 to 81.0" in text and "nan" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("| ★ supervised, rgb")]
    assert re.sub(" +", " ", line).endswith("| 56.1 | 83.3 | 83.3 | 100.0 | names | labels | - |")


def test_cells_scored_on_other_faces_are_refused():
    tables = [cell(["sad"] * 4), cell(["sad"] * 4, faces=(1, 2, 3, 5))]
    with pytest.raises(InputError, match=r"rgb/supervised/seed1 .* other faces"):
        make_table(CELLS, tables, pd.DataFrame(), pd.DataFrame())


def test_table_1_says_what_taught_the_rows_that_need_it_said():
    truth = pd.DataFrame(
        {"face": range(8), "label": EMOTIONS, "predicted": EMOTIONS, "group": range(8)}
    )

    def text(model, named="none", **how):
        cells = [{"model": model, "variant": "rgb", "seed": 0}]
        table = tabled(cells, [truth], naming=named)
        told = table_markdown(
            *table, data="made-up faces", seeds=[0], naming=[], labels=truth["label"], **how
        )
        return re.sub(" +", " ", told)

    assert "Weakly supervised: triplet learnt from people's comparisons" in text("triplet")
    assert "eakly" not in text("supervised") and "(there is one seed)" in text("supervised")
    words = "so its figures are no evidence about photographs"
    assert words in text("action_units", rendered=True) and words not in text("action_units")
    assert "no evidence" not in text("supervised", rendered=True)
    # Names are a help too, but those that anatomy gives.
    assert "| none | automatic |" in text("stacked", "automatic")
    assert "| none | facs |" in text("stacked", "facs")
    assert "| none | - |" in text("action_units")


def row_of(model, accuracy, rank="", against="above", named="none", lost="nothing"):
    shares = {"accuracy": accuracy, "accuracy_low": accuracy, "accuracy_high": accuracy}
    told = {"rank": rank, "against_chance": against, "named_by": named, "lost_in": lost}
    return {"model": model, "variant": "rgb", "chance": 0.125, **shares, **told}


def test_the_finding_names_the_best_its_ties_and_what_clusters_are_worth():
    best = row_of("supervised", 0.366, "best")
    clusters = row_of("stacked", 0.12, against="at", named="automatic", lost="clusters")

    def said(*rows, rendered=False):
        return finding_lines(pd.DataFrame(rows), rendered)

    first = "Best: supervised on rgb, 36.6% (95% interval 36.6 to 36.6); chance is 12.5%."
    at_chance = "The clusterings are at chance"
    assert said(best) == [first]
    assert said(best, clusters) == [
        first,
        f"{at_chance}: their clusters hardly follow expression.",
    ]
    assert said(best, {**clusters, "lost_in": "names"})[-1] == f"{at_chance}."
    lucky = {**clusters, "against_chance": "above"}
    one = "Of 2 clusterings, 1 beats chance with the names given"
    # Names may be lucky.
    assert said(best, lucky, clusters)[-1] == (f"{one}, but the clusters hardly follow expression.")
    sound = {**lucky, "lost_in": "nothing"}
    assert said(best, sound, clusters)[-1] == f"{one}."
    assert said(best, lucky, sound)[-1] == (
        "Of 2 clusterings, 2 beat chance with the names given, but the clusters of 1 of them "
        "hardly follow expression."
    )
    tied = [row_of(model, 0.36, "tied") for model in ("transfer", "transformer")]
    assert said(best, *tied)[1] == (
        "Not told apart from it: transfer on rgb and transformer on rgb."
    )
    assert said(best, *tied * 2)[1] == "4 other rows are not told apart from it."
    poor = {**best, "against_chance": "at"}
    assert said(poor, clusters)[-1] == "No row beats chance."
    # The rendered faces taught action_units too.
    untold = row_of("action_units", 0.7, "best")
    words = said(untold, {**best, "rank": ""}, rendered=True)
    assert "says nothing about photographs" in words[1]
    assert words[2].startswith("Best of the others: supervised on rgb, 36.6%")
    assert len(said(untold, {**best, "rank": ""})) == 1
    assert said(best, rendered=True)[-1] == "Rendered faces say nothing about photographs."


def test_table_1_tells_of_faces_without_an_answer():
    causes = causes_of(CELLS[:1], unanswered=0.625)
    (line,) = unanswered_lines(causes)
    assert "supervised, rgb (62.5% of the faces)" in line and "guessing as often" in line
    assert unanswered_lines(causes.assign(unanswered=0.0)) == []


def test_table_1_says_who_or_what_named():
    cells = [{"model": "stacked", "variant": "rgb", "seed": seed} for seed in range(3)]
    automatic = "Named automatically: by 10 labelled faces per emotion, which are never scored."
    assert naming_lines(cells, ["automatic", "none", "automatic"], 10) == [automatic]
    assert naming_lines(cells, ["person", "automatic", "person"], 10) == [
        "Named by a person: rgb/stacked/seed0, rgb/stacked/seed2.",
        automatic,
    ]
    (line,) = naming_lines(cells, ["facs"] * 3, 10)
    assert "by what the faces do, without a labelled face" in line and "10" not in line
    assert naming_lines(cells, ["none"] * 3, 10) == []


def test_table_1_says_which_emotions_the_set_lacks():
    emotions = [emotion for emotion in EMOTIONS if emotion not in ("contempt", "anger")]
    assert lack_lines(EMOTIONS, EMOTIONS) == []
    (line,) = lack_lines(emotions, emotions)
    assert line.startswith("The labelled set has no anger, contempt. So our figures are of 6")
    assert "the paper's are of 8, with a chance of 12.5%" in line
    assert lack_lines(EMOTIONS, set(EMOTIONS) - {"sad"}) == [
        "No face of sad is among those scored."
    ]
    table, _, _ = tabled(CELLS[:1], [cell(["happy", "sad", "fear", "fear"])], emotions)
    assert table["chance"].item() == pytest.approx(1 / 6)
    assert table["paper_accuracy"].item() == 0.5615
