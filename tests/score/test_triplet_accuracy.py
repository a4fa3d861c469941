"""How well embeddings agree with people's comparisons, counted and told."""

import re

import numpy as np
import pandas as pd
import pytest

from facesort.score.triplet_accuracy import (
    agree_with_people,
    make_triplet_table,
    triplet_score,
    triplets_markdown,
)


def test_triplet_accuracy_counts_nearest_pairs():
    embeddings = np.array([[0, 0], [1, 0], [5, 0], [5, 5]], np.float32)
    table = pd.DataFrame([[0, 1, 2], [0, 2, 1], [2, 3, 0], [0, 0, 0]])
    table.columns = ["first", "second", "odd"]
    # 5 from 2 to 3, as from 2 to 0: a tie is no agreement.
    assert agree_with_people(embeddings, table).tolist() == [True, False, False, False]
    wide = np.tile(embeddings, (1, 2_000_000))
    assert agree_with_people(wide, table).tolist() == [True, False, False, False]


def test_the_table_of_triplets_reads_well():
    held_out = pd.DataFrame(
        {"kind": ["one"] * 30 + ["three"] * 70, "agreement": [0.7] * 50 + [0.9] * 50}
    )
    right = np.arange(100) < 65
    score = triplet_score(right[np.newaxis], held_out)
    assert score["triplet_accuracy"] == 0.65 and score["people_agreement"] == pytest.approx(0.8)
    assert score["triplet_accuracy_low"] < 0.6 < 0.7 < score["triplet_accuracy_high"]
    assert (score["one_class_accuracy"], score["two_class_accuracy"]) == (1, None)
    cells = [
        {"model": model, "variant": "rgb", "seed": seed}
        for model in ("stacked", "triplet")
        for seed in (0, 1)
    ]
    answers = [pd.DataFrame({"right": part}) for part in (right, ~right, right, right)]
    table = make_triplet_table(cells, answers, held_out)
    assert table["triplet_accuracy"].tolist() == [0.5, 0.65]
    assert table["learnt_from_comparisons"].tolist() == [False, True]
    triplets = pd.DataFrame({"part": ["held_out"] * 100 + ["train"] * 1200})
    lost = pd.DataFrame({"cause": ["too little agreement"], "rows": [1234]})
    text = triplets_markdown(table, triplets, lost, data="made-up faces")
    assert (
        re.search(r"\| triplet, rgb +\| 65.0 \[5", text)
        and "nan" not in text
        and "None" not in text
    )
    assert "Weakly supervised: triplet, by 1,200 other comparisons" in text
    assert (
        "too little agreement: 1,234" in text
        and "33.3%" in text
        and text.startswith("Best: triplet on rgb agrees")
    )
