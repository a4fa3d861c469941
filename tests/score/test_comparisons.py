"""Tests of cells against chance and each other, on cells whose skill is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facesort.common.emotions import EMOTIONS
from facesort.score.comparisons import compare, comparison_lines, ties, verdicts

NAMES = np.array(EMOTIONS)
LABELS = np.random.default_rng(0).integers(0, 8, 600)
HOW = {"pairs": ["models", "variants"], "resamples": 5000, "seed": 0}


def cells_of(skills, seeds):
    """Cells that know a share of the labels and guess the rest."""
    rng = np.random.default_rng(1)
    cells, predictions = [], []
    for (model, variant), skill in skills.items():
        for seed in seeds:
            known = rng.random(600) < skill
            given = np.where(known, LABELS, rng.integers(0, 8, 600))
            cells.append({"model": model, "variant": variant, "seed": seed})
            predictions.append(
                pd.DataFrame(
                    {"face": range(600), "label": NAMES[LABELS], "predicted": NAMES[given]}
                )
            )
    return cells, predictions


SKILLS = {
    ("stacked", "rgb"): 0.0,
    ("supervised", "rgb"): 0.6,
    ("supervised", "cropped"): 0.6,
    ("semi_supervised", "rgb"): 0.3,
}


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2, 3, 4, 5]])
def test_skill_is_found_and_its_lack_too(seeds):
    cells, predictions = cells_of(SKILLS, seeds)
    found = compare(cells, predictions, **HOW).set_index(["question", "first", "second"])
    significant = found["p_holm"] < 0.05
    assert not significant["chance", "stacked, rgb", "chance"]
    assert significant["chance", "supervised, rgb", "chance"]
    assert significant["majority", "supervised, rgb", "majority"]
    assert significant["models", "semi_supervised, rgb", "supervised, rgb"]
    assert not significant["variants", "supervised, rgb", "supervised, cropped"]
    assert len(found) == 4 + 4 + 3 + 1
    assert (found["p_holm"] >= found["p"]).all()
    assert (found["low"] <= found["difference"]).all()
    sides = verdicts(found.reset_index())
    assert {key for key, side in sides.items() if side == "above"} == {
        key for key, skill in SKILLS.items() if skill > 0
    }
    lines = comparison_lines(found.reset_index(), len(seeds))
    assert "Pairs of two models on one variant that differ: 3 of 3." in lines
    assert lines[0].endswith(f"(chance): {list(sides.values()).count('above')} of {len(SKILLS)}.")
    best, tied = ties(*cells_of(SKILLS, seeds))
    assert {best, *tied} == {("supervised", "rgb"), ("supervised", "cropped")}


def test_one_seeds_pairs_are_mcnemars_test():
    cells, predictions = cells_of(SKILLS, [0])
    found = compare(cells, predictions, **HOW)
    row = found[(found["question"] == "models") & (found["first"] == "stacked, rgb")].iloc[0]
    assert row["second"] == "semi_supervised, rgb"
    one, other = (predictions[n]["predicted"] == predictions[n]["label"] for n in (0, 3))
    b, c = int((one & ~other).sum()), int((other & ~one).sum())
    assert row["p_images"] == pytest.approx(stats.binomtest(b, b + c).pvalue)
    assert row["difference"] == pytest.approx((b - c) / 600)
    assert np.isnan(row["p_seeds"]) and row["p"] == row["p_images"]


def test_a_difference_of_one_lucky_seed_is_none():
    cells, predictions = cells_of({("stacked", "rgb"): 0.1, ("supervised", "rgb"): 0.1}, [0, 1, 2])
    predictions[5] = predictions[5].assign(predicted=predictions[5]["label"])
    found = compare(cells, predictions, **HOW).set_index("question")
    # Over these images beyond doubt, over seeds not.
    assert found.loc["models", "p_images"] < 0.001
    assert found.loc["models", "p"] == found.loc["models", "p_seeds"] > 0.05


def test_always_the_commonest_is_no_better_than_chance():
    cells, predictions = cells_of({("stacked", "rgb"): 0.5}, [0])
    predictions = [table.assign(label="happy", predicted="happy") for table in predictions]
    found = compare(cells, predictions, **HOW)
    assert found["p"].tolist() == [1, 1] and found["difference"].tolist() == [0, 0]


def test_rows_of_equal_skill_are_tied_with_the_best():
    skills = {("stacked", "rgb"): 0.5, ("stacked", "cropped"): 0.5, ("supervised", "rgb"): 0.1}
    for seeds in ([0], range(3)):
        best, tied = ties(*cells_of(skills, seeds))
        assert {best, *tied} == {("stacked", "rgb"), ("stacked", "cropped")}
    assert ties(*cells_of({("stacked", "rgb"): 0.5}, [0])) == (("stacked", "rgb"), set())


def test_worse_than_chance_is_below_it():
    cells, predictions = cells_of({("stacked", "rgb"): 0, ("supervised", "rgb"): 0}, [0])
    # Each face is told the next emotion of what it is.
    wrong = predictions[1].assign(predicted=NAMES[(LABELS + 1) % 8])
    found = compare(cells, [predictions[0], wrong], **HOW)
    assert verdicts(found) == {("stacked", "rgb"): "at", ("supervised", "rgb"): "below"}
    assert any(line.endswith("0 of 2. Worse: 1.") for line in comparison_lines(found, 1))
