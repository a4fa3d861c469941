"""The audit's verdicts: none on fair answers, and those of a model that learnt a bias."""

import numpy as np
import pandas as pd
import pytest
import torch
from learning import learn
from made_audit import biased, make_sets

from facesort.audit.gap_table import FACES, FEW, GAP, NONE, Faces, make_audit, worst
from facesort.audit.group_answers import by_probabilities
from facesort.common.emotions import EMOTIONS
from facesort.train.batches import to_input
from facesort.train.classifying import answers_of
from facesort.train.engine import Phase
from facesort.train.models import build

ERRORS = {"accuracy", "balanced_accuracy", "overconfidence"}


def test_of_100_audits_of_fair_answers_95_find_nothing():
    alarms = 0
    for draw in range(100):
        rows, sets = make_sets(np.random.default_rng(draw), 500)
        table = make_audit(rows, set(), {"test": sets["test"]}, 50)
        assert (table["verdict"] == NONE).sum() > 30
        alarms += (table["verdict"] == GAP).any()
    assert alarms <= 5


@pytest.fixture(scope="module")
def bars():
    """Faces with a bar up, in the middle or down: three emotions; groups differ in brightness."""
    rng = np.random.default_rng(0)
    emotion, dark = rng.integers(0, 3, 3000), rng.random(3000) < 0.3
    faces = rng.integers(0, 90, (3000, 12, 12, 3), np.uint8)
    faces[~dark] += 80
    for number, place in enumerate(4 * emotion):
        faces[number, place : place + 3, 2:10] += 60
    return faces, emotion, dark


@pytest.mark.parametrize("planted", [True, False])
def test_a_model_taught_with_one_groups_labels_shuffled_is_found(bars, planted, tmp_path):
    faces, emotion, dark = bars
    labels, taught = emotion.copy(), np.arange(2000)
    if planted:
        shuffled = taught[dark[:2000]]
        labels[shuffled] = np.random.default_rng(1).permutation(labels[shuffled])
    torch.manual_seed(0)
    settings = {"filters": 8, "blocks": [1, 1], "dense": 16, "initializer": "he_uniform"}
    model = build("supervised", (12, 12, 3), settings)
    learn(model, Phase("classify", faces, taught, labels, 5, "adam", 0.003), tmp_path, 32)
    model.eval()
    with torch.inference_mode():
        seen = to_input(faces[2000:], torch.device("cpu"))
        told = answers_of(model, list(EMOTIONS[:3]), False)(seen).numpy()
    # Another kind of group, of which the model knows nothing, stands beside it.
    other = np.random.default_rng(2).choice(["f", "m"], 1000)
    groups = pd.DataFrame({"skin": np.where(dark[2000:], "dark", "light"), "sex": other})
    test = Faces(groups, {"rgb": np.ones(1000, bool)}, np.array(EMOTIONS)[emotion[2000:]])
    rows = {("supervised", "rgb"): {"test": by_probabilities(told)}}
    table = make_audit(rows, set(), {"test": test}, 100)
    gaps = table[table["verdict"] == GAP]
    if not planted:
        assert gaps.empty and (table.loc[table["measure"] == "accuracy", "value"] > 0.9).all()
        return
    assert set(gaps["column"]) == {"skin"} and set(gaps["measure"]) >= ERRORS - {"overconfidence"}
    first = gaps[(gaps["measure"] == "accuracy") & (gaps["group"] == "dark")].iloc[0]
    assert first["value"] < 0.85 and first["others"] > 0.98 and first["high"] < -0.1
    assert worst(gaps, 1)["measure"].iloc[0] in ERRORS


def test_two_groups_are_one_test_and_faces_without_a_group_are_left_out():
    table = make_audit(biased()[0], set(), biased()[1], 100)
    sex = table[(table["column"] == "sex") & (table["measure"] == "accuracy")]
    first, second = sex.to_dict("records")
    told = (biased()[1]["test"].groups["sex"] != "not told").sum()
    assert first["n"] == second["other_n"] and first["n"] + second["n"] == told < 1500
    assert first["difference"] == -second["difference"] and first["verdict"] == second["verdict"]
    assert first["p_holm"] == second["p_holm"]
    # Means are those of the faces, so all rows of the table add up.
    answers, labels = biased()[0]["supervised", "rgb"]["test"], biased()[1]["test"].labels
    mine = (biased()[1]["test"].groups["sex"] == "f").to_numpy()
    assert first["value"] == pytest.approx((answers.told[0] == labels)[mine].mean())
    shares = table[table["measure"].isin(EMOTIONS)].groupby(["set", "column", "group"])["value"]
    assert np.allclose(shares.sum(), 1)


def test_small_groups_and_rare_answers_get_no_verdict():
    rows, sets = biased()
    table = make_audit(rows, set(), sets, 400)
    small = table["n"].clip(upper=table["other_n"]) < 400
    assert small.any() and (table.loc[small, "verdict"] == FEW).all()
    assert table.loc[small, ["p_holm", "detectable"]].isna().all(axis=None)
    # They cost the others nothing: each is tested among fewer.
    kept = make_audit(rows, set(), sets, 100)
    assert (table["p_holm"].dropna() <= kept["p_holm"][table["p_holm"].notna()] + 1e-12).all()


def test_what_is_found_counts_once_and_with_rows_that_see_landmarks():
    rows, sets = biased()
    rows = {("action_units", "rgb"): rows["supervised", "rgb"], **rows}
    table = make_audit(rows, {"action_units"}, sets, 100).set_index(["set", "model", "measure"])
    assert table.index.get_level_values("model").unique().tolist() == [
        FACES,
        "action_units",
        "supervised",
    ]
    for name in sets:
        found = table.loc[(name, FACES, "found"), "value"]
        assert (table.loc[(name, "action_units", "answered"), "value"] == found.to_numpy()).all()
        assert (table.loc[(name, "supervised", "answered"), "value"] == 1).all()


def test_bands_stand_in_their_order():
    rng = np.random.default_rng(0)
    rows, sets = make_sets(rng, 900)
    ages = ["under 5", "5 to 12", "13 to 17", "70 and over"]
    groups = pd.DataFrame({"age": rng.choice(ages, 900), "tone": rng.choice(["b", "a", "c"], 900)})
    faces = Faces(groups, sets["pool"].found, None)
    table = make_audit(rows, set(), {"pool": faces}, 100)
    assert list(table["group"].unique()) == [*ages, "a", "b", "c"]


def test_a_column_of_one_group_has_nothing_to_compare():
    rows, sets = biased()
    alone = {
        name: Faces(pd.DataFrame({"age": ["old"] * 1500}), faces.found, faces.labels)
        for name, faces in sets.items()
    }
    table = make_audit(rows, set(), alone, 100)
    assert table.empty and worst(table, 3).empty


def test_the_worst_are_errors_first_and_each_once():
    table = make_audit(biased()[0], set(), biased()[1], 100)
    found = worst(table, 50)
    kinds = found["measure"].isin([*EMOTIONS, "confidence"])
    assert kinds.is_monotonic_increasing and not kinds.iloc[0]
    assert found["group"].iloc[0] == "60 and over"
    assert not found.duplicated(["model", "variant", "set", "column", "measure"]).any()
