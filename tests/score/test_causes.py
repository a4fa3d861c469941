"""Causes of losses that were planted."""

import re

import numpy as np
import pandas as pd
import pytest

from facesort.score.causes import causes_markdown, luck_lines, make_causes, where_lost

ROW = {
    "model": "supervised",
    "naming": "automatic",
    "accuracy": 0.6,
    "linear_probe_accuracy": 0.6,
    "linear_probe_accuracy_low": 0.55,
    "peeking_majority_accuracy": 0.61,
    "peeking_by_chance": 0.2,
    "learnt_accuracy": np.nan,
    "always_majority_accuracy": 0.2,
}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, "nothing"),
        ({"linear_probe_accuracy": 0.22, "linear_probe_accuracy_low": 0.19}, "embedding"),
        ({"accuracy": 0.2, "peeking_majority_accuracy": 0.25}, "clusters"),
        ({"accuracy": 0.2, "peeking_majority_accuracy": 0.55}, "names"),
        ({"naming": "none", "learnt_accuracy": 0.95}, "generalisation"),
        ({"naming": "none", "learnt_accuracy": 0.62, "accuracy": 0.53}, "last layers"),
        (
            {"model": "triplet", "naming": "none", "learnt_accuracy": 0.52, "accuracy": 0.53},
            "neighbours",
        ),
        ({"naming": "none", "learnt_accuracy": 0.62}, "nothing"),
    ],
)
def test_losses_are_found_where_they_were_planted(change, where):
    found, why = where_lost(ROW | change)
    assert found == where and "nan" not in why


def test_causes_gather_seeds_and_read_well():
    truth = ["happy", "sad", "fear", "fear"]
    table = pd.DataFrame(
        {
            "face": range(4),
            "label": truth,
            "predicted": ["happy", "sad", "sad", "sad"],
            "linear_probe": truth,
            "balanced_probe": ["happy", "sad", "sad", "fear"],
            "knn": ["happy"] * 4,
            "plurality": ["happy", "sad", "sad", "sad"],
            "one_to_one": ["sad", "sad", "fear", "fear"],
            "facs": ["happy", "mixed", "mixed", "fear"],
        }
    )
    metrics = {
        "naming": "automatic",
        "oracle_accuracy": 0.75,
        "oracle_one_to_one_accuracy": 0.5,
        "oracle_by_chance": 0.4,
        "nmi": 0.3,
        "ari": 0.2,
        "silhouette_groups": None,
        "silhouette_emotions": 0.1,
    }
    cells = [{"model": "stacked", "variant": "rgb", "seed": seed} for seed in (1, 0)]
    causes = make_causes(cells, [table, table], [metrics, metrics | {"naming": "person"}])
    row = causes.iloc[0]
    assert (row["seeds"], row["naming"], row["n_test"]) == (2, "automatic+person", 4)
    assert (row["accuracy"], row["linear_probe_accuracy"], row["knn_accuracy"]) == (0.5, 1, 0.25)
    assert row["balanced_probe_balanced_accuracy"] == pytest.approx(5 / 6)
    assert row["balanced_probe_balanced_accuracy_low"] < 5 / 6
    assert row["always_majority_accuracy"] == 0.5 and np.isnan(row["silhouette_groups"])
    for method, accuracy, balanced in (
        ("plurality", 0.5, 2 / 3),
        ("one_to_one", 0.75, 2 / 3),
        ("facs", 0.5, 0.5),
    ):
        assert row[f"{method}_accuracy"] == accuracy
        assert row[f"{method}_balanced_accuracy"] == pytest.approx(balanced)
    assert (row["unanswered"], row["facs_unanswered"]) == (0, 0.5)
    text = re.sub(" +", " ", causes_markdown(causes, data="made-up faces"))
    assert text.startswith(f"Of 1 rows, most accuracy is lost in: {row['lost_in']} (1).")
    easy = causes_markdown(causes.assign(lost_in="nothing"), data="")
    assert easy.startswith("Of 1 rows, most accuracy is lost in: none. Rows that lose little: 1.")
    assert "made-up faces" in text and " nan" not in text
    (line,) = re.findall(r"^\| stacked, rgb \| (.*, 66\.7 \| .*)$", text, re.M)
    assert re.sub(r" \[.*?\]", "", line) == "50.0, 66.7 | 75.0, 66.7 | 50.0, 50.0 | 50.0 |"
    # A classifier has no clusters to name.
    classifier = table.drop(columns=["plurality", "one_to_one", "facs"])
    both = make_causes(
        [cells[0], {"model": "supervised", "variant": "rgb", "seed": 0}],
        [table, classifier],
        [metrics, metrics | {"naming": "none", "learnt_accuracy": 0.5}],
    )
    text = causes_markdown(both, data="made-up faces")
    assert text.count("| stacked, rgb ") == 2 and text.count("| supervised, rgb ") == 1
    alone = make_causes(
        [{"model": "supervised", "variant": "rgb", "seed": 0}],
        [classifier],
        [metrics | {"naming": "none", "learnt_accuracy": 0.5}],
    )
    assert "facs" not in causes_markdown(alone, data="made-up faces")
    assert luck_lines(causes) == []
    luck = {"renamed_accuracy": 0.4, "renamed_accuracy_low": 0.3, "renamed_accuracy_high": 0.5}
    causes = make_causes(cells, [table, table], [metrics | luck, metrics | luck])
    assert " 40.0 [30.0, 50.0] |" in causes_markdown(causes, data="made-up faces")
    assert "- stacked, rgb: 30.0 to 50.0" in luck_lines(causes)
