"""The table of rendered pairs: right figures for planted answers, and what is told of them."""

import numpy as np
import pandas as pd
import pytest

from facesort.audit.counterfactual import (
    NO_ANSWER,
    answers_by_name_or_number,
    answers_by_probability,
    commonest_changes,
    counterfactual_markdown,
    finding_lines,
    gaps,
    make_counterfactual_table,
    worst,
)
from facesort.audit.factors import ANOTHER, LEVELS, NOTHING
from facesort.audit.pairs import plan_pairs
from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS
from facesort.score.elsewhere.answers import column

CELL = {"model": "supervised", "variant": "rgb", "seed": 0}
CLUSTERS = {"model": "stacked", "variant": "rgb", "seed": 0}


@pytest.fixture(scope="module")
def plan():
    return plan_pairs(64, 0)


def table_of(plan, given, cells=(CELL,), presence=None, **more):
    answers = pd.DataFrame({column(cell): given for cell in cells} | more)
    return make_counterfactual_table(list(cells), answers, plan[1], presence or {}, seed=0)


def row(table, factor):
    return table[table["factor"] == factor].iloc[0]


def test_a_model_that_is_always_right_never_changes(plan):
    table = table_of(plan, plan[0]["label"].to_numpy())
    assert (table["changed"] == 0).all() and (table["accuracy_second"] == 1).all()
    assert worst(table).empty and gaps(table).empty
    assert finding_lines(table)[0].startswith("Beyond chance, no answer changed more often by skin")
    assert set(table["pairs"][table["factor"] != NOTHING]) == {64}


def test_a_planted_fault_is_found_with_its_right_figures_and_no_other(plan):
    """With glasses anger and sad are called fear; one other pair in ten changes by itself."""
    faces, pairs = plan
    given = faces["label"].to_numpy(copy=True)
    own = pairs[pairs["factor"] == "glasses"]
    for _, pair in own.iterrows():
        if pair["label"] in ("anger", "sad"):
            given[pair["second"]] = "fear"
            # The person as drawn takes part in other pairs: there both are called fear.
            if faces["change"][pair["second"]] == "":
                for _, other in pairs[pairs["person"] == pair["person"]].iterrows():
                    if other["factor"] != "glasses":
                        given[[other["first"], other["second"]]] = "fear"
    table = table_of(plan, given)
    found = row(table, "glasses")
    hit = own["label"].isin(["anger", "sad"]).mean()
    assert found["changed"] == found["right_to_wrong"] == pytest.approx(hit)
    assert found["changed_low"] < hit < found["changed_high"]
    assert found["nothing"] == found["wrong_to_right"] == 0
    assert (found["accuracy_first"], found["accuracy_second"]) == (1, pytest.approx(1 - hit))
    assert found["difference"] == pytest.approx(-hit)
    assert found["commonest_to"] == "fear" and found["commonest_from"] in ("anger", "sad")
    assert worst(table)["factor"].tolist() == gaps(table)["factor"].tolist() == ["glasses"]
    lines = finding_lines(table)
    assert lines[0].startswith("What must not matter changes answers, most of all glasses")
    assert f"{100 - 100 * hit:.1f}% of the same faces with glasses" in lines[-1]


def test_chance_alone_is_rarely_called_a_finding(plan):
    """Answers at random change very often, and no more so by a factor than by nothing."""
    faces, _ = plan
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(20):
        table = table_of(plan, rng.choice(EMOTIONS, len(faces)))
        assert row(table, ANOTHER)["changed"] > 0.7
        alarms += len(worst(table)) > 0 or len(gaps(table)) > 0
    assert alarms <= 3


def test_seeds_are_averaged_and_widen_the_interval(plan):
    faces, pairs = plan
    right = faces["label"].to_numpy(copy=True)
    wrong = right.copy()
    wrong[pairs.loc[pairs["factor"] == "beard", "second"]] = "contempt"
    cells = [CELL, CELL | {"seed": 1}]
    answers = pd.DataFrame({column(cells[0]): right, column(cells[1]): wrong})
    table = make_counterfactual_table(cells, answers, pairs, {}, seed=0)
    found = row(table, "beard")
    assert found["seeds"] == 2 and 0.3 < found["changed"] < 0.5
    assert found["changed_high"] - found["changed_low"] > 0.8, "two seeds that differ tell little"
    assert found["beyond_p"] > 0.05


def test_faces_without_an_answer_or_landmarks_are_counted_and_told(plan):
    faces, pairs = plan
    given = faces["label"].to_numpy(copy=True)
    lost = pairs.loc[pairs["factor"] == "light", "second"].to_numpy()[:5]
    given[lost] = NO_ANSWER
    presence = np.ones(len(faces))
    presence[lost[:3]] = 0.1
    table = table_of(plan, given, [CELL | {"landmarks": True}], {"rgb": presence})
    found = row(table, "light")
    assert found["unanswered"] >= 5 and found["guessed"] >= 3
    text = counterfactual_markdown(table, pairs=64, faces=len(faces), data="photos")
    total, guessed = int(table["pairs"].sum()), int(table["guessed"].sum())
    assert f"in {guessed} of {total} pairs the landmarks of a face were a guess" in text
    assert f"{int(table['unanswered'].sum())} of {total} pairs have a face that got no" in text


def test_probabilities_that_say_nothing_answer_nothing():
    values = np.zeros((4, 8), np.float32)
    values[0, 4], values[1, 2] = 0.9, np.nan
    values[3] = 0.125
    given, drawn = answers_by_probability(values, np.array(["happy"] * 4))
    assert given.tolist() == ["happy", NO_ANSWER, NO_ANSWER, EMOTIONS[0]]
    assert drawn[0] == pytest.approx(0.9) and np.isnan(drawn[1:3]).all() and drawn[3] == 0.125


def test_clusters_without_a_name_answer_by_their_number(plan):
    centroids = np.array([[0.0], [1.0], [2.0]], np.float32)
    none = np.zeros(0, np.int32)
    clustering = Clustering(centroids, none, none, 0.0)
    names = pd.DataFrame({"cluster": [0, 1, 2], "emotion": ["happy", "unnamed", "mixed"]})
    embeddings = np.array([[0.1], [0.9], [2.2]], np.float32)
    given = answers_by_name_or_number(embeddings, clustering, names)
    assert given.tolist() == ["happy", "cluster 1", "mixed"]
    # Without a single name there is nothing to be right about.
    answers = np.where(np.arange(len(plan[0])) % 2, "cluster 1", "cluster 2")
    table = table_of(plan, answers, [CLUSTERS])
    assert table["accuracy_first"].isna().all() and table["difference_p"].isna().all()
    assert table["changed"].notna().all()
    text = counterfactual_markdown(table, pairs=64, faces=len(answers), data="photos")
    assert "nan" not in text.lower()


def test_changes_are_counted_the_commonest_first():
    first = np.array([["sad", "sad", "fear", "happy"]])
    second = np.array([["fear", "fear", "sad", "happy"]])
    assert commonest_changes(first, second) == [(("sad", "fear"), 2), (("fear", "sad"), 1)]


def test_the_probability_of_the_drawn_emotion_falls(plan):
    faces, pairs = plan
    drawn = np.full(len(faces), 0.8)
    drawn[pairs.loc[pairs["factor"] == "head", "second"]] -= 0.3
    more = {f"{column(CELL)} drawn": drawn}
    table = table_of(plan, faces["label"].to_numpy(), **more)
    assert row(table, "head")["drawn"] == pytest.approx(-0.3)


def test_the_text_has_every_row_and_factor_once(plan):
    faces, _ = plan
    table = table_of(plan, faces["label"].to_numpy(), [CELL, CELL | {"variant": "grayscale"}])
    text = counterfactual_markdown(table, pairs=64, faces=len(faces), data="photos")
    head = next(line for line in text.splitlines() if line.startswith("| model, variant"))
    assert [each.strip() for each in head.strip("|").split("|")][1:] == [NOTHING, *LEVELS, ANOTHER]
    assert text.count("| supervised, rgb") == text.count("| supervised, grayscale") == 1
    assert "Rendered faces are drawings" in text and f"{len(faces):,} faces in all" in text
