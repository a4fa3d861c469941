"""Table 1: its columns, its means, its words."""

import pandas as pd
import pytest

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.score.comparisons import compare
from facesort.score.table1 import lack_words, make_table, naming_words, table_markdown


def cell(predicted, faces=(1, 2, 3, 4)):
    labels = ["happy", "sad", "fear", "fear"]
    return pd.DataFrame(
        {"face": faces, "label": labels, "predicted": predicted, "group": [0, 1, 2, 2]}
    )


CELLS = [{"model": "supervised", "variant": "rgb", "seed": seed} for seed in (0, 1)]


def test_table_1_has_its_columns_and_means():
    right, half = cell(["happy", "sad", "fear", "fear"]), cell(["happy", "sad", "anger", "anger"])
    table = make_table(CELLS, [right, half])
    assert ",".join(table.columns) == (
        "model,told,variant,seeds,n_test,accuracy,accuracy_low,accuracy_high,balanced_accuracy,"
        "macro_f1,oracle_accuracy,oracle_balanced_accuracy,paper_accuracy,chance"
    )
    row = table.iloc[0]
    assert (row["seeds"], row["n_test"], row["accuracy"]) == (2, 4, 0.75)
    assert (row["oracle_accuracy"], row["paper_accuracy"], row["chance"]) == (1, 0.5615, 0.125)
    assert row["accuracy_low"] <= 0.75 <= row["accuracy_high"]
    comparisons = compare(CELLS, [right, half], pairs=["models"], resamples=100, seed=0)
    luck = {"renamed_accuracy": 0.6, "renamed_accuracy_low": 0.4, "renamed_accuracy_high": 0.81}
    causes = table.assign(naming="none", lost_in="names", why="they are wrong", **luck)
    text = table_markdown(
        table,
        comparisons,
        causes,
        data="made-up faces",
        seeds=[0, 1],
        naming="",
        labels=right["label"],
    )
    assert "made-up faces" in text and "fear would score 0.500" in text
    assert "- supervised, rgb: **names**; they are wrong." in text
    assert "0.400 to 0.810 (causes.md)" in text and "nan" not in text


def test_cells_scored_on_other_faces_are_refused():
    tables = [cell(["sad"] * 4), cell(["sad"] * 4, faces=(1, 2, 3, 5))]
    with pytest.raises(InputError, match=r"rgb/supervised/seed1 .* other faces"):
        make_table(CELLS, tables)


def test_table_1_says_what_taught_the_rows_that_need_it_said():
    truth = pd.DataFrame(
        {"face": range(8), "label": EMOTIONS, "predicted": EMOTIONS, "group": range(8)}
    )
    columns = ["question", "first", "second", "difference", "p_holm"]

    def text(model, naming="none", **how):
        table = make_table([{"model": model, "variant": "rgb", "seed": 0}], [truth])
        return table_markdown(
            table,
            pd.DataFrame(columns=columns),
            table.assign(naming=naming, lost_in="", why="", renamed_accuracy=float("nan")),
            data="made-up faces",
            seeds=[0],
            naming="",
            labels=truth["label"],
            **how,
        )

    assert "Weakly supervised: triplet, which learnt from people's comparisons" in text("triplet")
    assert "eakly" not in text("supervised")
    words = "action_units's figures are no evidence about photographs"
    assert words in text("action_units", rendered=True) and words not in text("action_units")
    assert "no evidence" not in text("supervised", rendered=True)
    # Names are a help too, but those that anatomy gives.
    assert "| stacked | nothing | rgb |" in text("stacked", "automatic")
    assert "| stacked | nothing, names included | rgb |" in text("stacked", "facs")
    assert "| action_units | nothing, names included | rgb |" in text("action_units")


def test_table_1_says_who_or_what_named():
    cells = [{"model": "stacked", "variant": "rgb", "seed": seed} for seed in range(3)]
    labelled = "10 labelled faces an emotion that are never scored"
    words = naming_words(cells, ["automatic", "none", "automatic"], 10)
    assert words == f"Clusters were named automatically from {labelled}."
    words = naming_words(cells, ["person", "automatic", "person"], 10)
    assert words == (
        "A person named the clusters of rgb/stacked/seed0, rgb/stacked/seed2; others automatically "
        f"from {labelled}."
    )
    words = naming_words(cells, ["facs"] * 3, 10)
    assert "by what their faces do, without a labelled face" in words and "10" not in words
    assert naming_words(cells, ["person"] * 3, 10).endswith("rgb/stacked/seed2.")
    assert naming_words(cells, ["none"] * 3, 10) == ""


def test_table_1_says_which_emotions_the_set_lacks():
    emotions = [emotion for emotion in EMOTIONS if emotion not in ("contempt", "anger")]
    assert lack_words(EMOTIONS, EMOTIONS) == ""
    words = lack_words(emotions, emotions)
    assert words.startswith("The labelled set has no anger, contempt: all figures but the")
    assert "the paper's are of 8, with a chance of 0.125" in words and "scored" not in words
    assert "No face of sad is among those scored." in lack_words(EMOTIONS, set(EMOTIONS) - {"sad"})
    table = make_table(CELLS[:1], [cell(["happy", "sad", "fear", "fear"])], emotions)
    assert table["chance"].item() == pytest.approx(1 / 6)
    assert table["paper_accuracy"].item() == 0.5615
