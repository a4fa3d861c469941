"""Table 2 by hand."""

import pandas as pd
import pytest

from facesort.score.table2 import COLUMNS, make_valence_table, valence_markdown

CELL = [{"model": "supervised", "variant": "rgb", "seed": 0}]


def predictions(labels, predicted):
    return pd.DataFrame({"face": range(len(labels)), "label": labels, "predicted": predicted})


def test_both_sets_of_classes_by_hand():
    labels = ["happy", "happy", "sad", "anger", "fear", "neutral", "neutral", "surprise"]
    given = ["happy", "surprise", "disgust", "happy", "neutral", "neutral", "sad", "happy"]
    table = make_valence_table(CELL, [predictions(labels, given)]).set_index("classes")
    two = table.loc["positive/negative"]
    # Of five, happy for happy and disgust for sad are right; surprise and neutral are neither.
    assert (two["n_test"], two["accuracy"], two["neither"]) == (5, 0.4, pytest.approx(0.4))
    assert two["balanced_accuracy"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert (two["majority"], two["always_majority"], two["chance"]) == ("negative", 0.6, 0.5)
    assert two["gain"] == pytest.approx(-0.2)
    three = table.loc["positive/negative/neutral"]
    assert (three["n_test"], three["accuracy"]) == (7, pytest.approx(3 / 7))
    assert three["neither"] == pytest.approx(1 / 7)
    assert three["balanced_accuracy"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)
    assert three["chance"] == pytest.approx(1 / 3)
    text = valence_markdown(table.reset_index(), data="made-up faces")
    assert "made-up faces" in text and "Positive: happy." in text
    assert text.startswith("Best on positive, negative: supervised on rgb, 40.0 [")
    assert "always answering negative scores 60.0%" in text


def test_mixed_answers_are_of_neither_and_missing_classes_have_no_rows():
    table = make_valence_table(CELL, [predictions(["happy", "sad"], ["mixed", "sad"])])
    assert list(table["neither"]) == [0.5]
    # Without neutral both sets of classes are one.
    assert list(table["classes"]) == ["positive/negative"]
    table = make_valence_table(CELL, [predictions(["happy", "neutral"], ["happy", "sad"])])
    assert list(table["classes"]) == ["positive/neutral"] and list(table["chance"]) == [0.5]


def test_faces_of_one_valence_are_told(tmp_path):
    table = make_valence_table(CELL, [predictions(["sad", "fear"], ["sad", "sad"])])
    assert table.empty and list(table.columns) == COLUMNS
    text = valence_markdown(table, data="made-up faces")
    assert text.startswith("The scored faces are all positive or all negative")


def test_seeds_are_gathered():
    tables = [predictions(["happy", "sad"], given) for given in (["happy", "sad"], ["sad"] * 2)]
    cells = [CELL[0] | {"seed": seed} for seed in (0, 1)]
    table = make_valence_table(cells, tables)
    assert list(table["accuracy"]) == [0.75] and list(table["seeds"]) == [2]
