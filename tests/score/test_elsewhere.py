"""Scores on other sets: by hand, and the answers of a run's cells for faces that are new to it."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from scipy import stats

from facesort.cluster.naming import automatic_names
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.score.comparisons import compare
from facesort.score.elsewhere.answers import (
    answers_by_cluster,
    answers_by_neighbours,
    column,
    most_probable,
)
from facesort.score.elsewhere.figure import COLOURS, plot_elsewhere
from facesort.score.elsewhere.table import (
    OtherSet,
    elsewhere_markdown,
    losses,
    make_elsewhere_table,
)
from facesort.score.probes import neighbours_votes
from facesort.score.table1 import make_table

CELLS = [{"model": "supervised", "variant": "rgb", "seed": seed} for seed in (1, 0)]
MAIN = ["happy"] * 4 + ["sad"] * 4
MAIN_GIVEN = [["happy"] * 5 + ["sad"] * 3, ["happy"] * 3 + ["sad"] * 5]
LABELS = ["happy"] * 6 + ["sad"] * 2
GIVEN = [["happy"] * 3 + ["sad"] * 5, ["happy"] * 6 + ["sad", "fear"]]


def predictions(labels, given):
    frame = pd.DataFrame({"face": range(len(labels)), "label": labels, "predicted": given})
    return frame.assign(group=0)


def other_set(labels, given, cells=CELLS, seen=None):
    answers = {column(cell): one for cell, one in zip(cells, given, strict=True)}
    return OtherSet(pd.DataFrame({"label": labels} | answers), "/sets/web", 3, Counter(seen))


@pytest.fixture(scope="module")
def table():
    main = [predictions(MAIN, given) for given in MAIN_GIVEN]
    sets = {"web": other_set(LABELS, GIVEN), "lab": other_set(LABELS, GIVEN[::-1])}
    return make_elsewhere_table(CELLS, main, sets)


def test_scores_by_hand(table):
    row = table.set_index("set").loc["web"]
    assert list(table["set"]) == ["web", "lab"]
    assert (row["n"], row["seeds"], row["emotions"], row["chance"]) == (8, 2, 2, 0.5)
    assert row["accuracy"] == pytest.approx((5 / 8 + 7 / 8) / 2)
    assert row["balanced_accuracy"] == pytest.approx(((3 / 6 + 1) / 2 + (1 + 1 / 2) / 2) / 2)
    # Of the first seed happy has precision 1 and recall 1/2, sad 2/5 and 1; of the second 1 and 1,
    # then 1 and 1/2, as fear is not an emotion there.
    first, second = (2 / 3 + 4 / 7) / 2, (1 + 2 / 3) / 2
    assert row["macro_f1"] == pytest.approx((first + second) / 2)
    assert (row["commonest"], row["always_commonest"]) == ("happy", 0.75)
    assert (row["main_n"], row["main_accuracy"]) == (8, 7 / 8)
    assert row["main_balanced_accuracy"] == pytest.approx(7 / 8)
    assert row["loss"] == pytest.approx(7 / 8 - 3 / 4)
    assert row["supervision"] == "labels"
    # The order of the seeds changes nothing.
    same = table.drop(columns="set").to_numpy(object)
    assert all(a == pytest.approx(b) for a, b in zip(*same, strict=True))


def test_main_figures_are_those_of_table_1(table):
    main = [predictions(MAIN, given) for given in MAIN_GIVEN]
    comparisons = compare(CELLS, main, pairs=[], resamples=10, seed=0)
    causes = pd.DataFrame([CELLS[0]]).assign(lost_in="", naming="none")
    (main,) = make_table(CELLS, main, comparisons, causes).to_dict("records")
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert table[f"main_{name}"].iloc[0] == pytest.approx(main[name])


def test_intervals_of_one_seed_by_hand():
    right = np.array([True] * 6 + [False] * 2 + [True] * 3 + [False] * 3)
    labels = np.array(["happy"] * 8 + ["sad"] * 6)
    given = np.where(right, labels, "fear")
    sets = {"web": other_set(labels, [given], CELLS[:1])}
    main_labels = np.array(["happy"] * 10 + ["sad"] * 10)
    main_right = np.array([True] * 9 + [False] + [True] * 4 + [False] * 6)
    main = predictions(main_labels, np.where(main_right, main_labels, "fear"))
    row = make_elsewhere_table(CELLS[:1], [main], sets).iloc[0]
    wilson = stats.binomtest(9, 14).proportion_ci(method="wilson")
    assert (row["accuracy_low"], row["accuracy_high"]) == pytest.approx((wilson.low, wilson.high))
    # The variance of a mean of recalls p of n faces is the mean of p (1 - p) / (n - 1), over the
    # number of emotions.
    there, here = (0.75 * 0.25 / 7, 0.5 * 0.5 / 5), (0.9 * 0.1 / 9, 0.4 * 0.6 / 9)
    half = stats.t.ppf(0.975, 14 - 2) * np.sqrt(sum(there) / 4)
    assert row["balanced_accuracy_low"] == pytest.approx(0.625 - half)
    assert row["balanced_accuracy_high"] == pytest.approx(0.625 + half)
    half = stats.t.ppf(0.975, 34 - 4) * np.sqrt((sum(there) + sum(here)) / 4)
    assert row["loss"] == pytest.approx(0.65 - 0.625)
    assert (row["loss_low"], row["loss_high"]) == pytest.approx((0.025 - half, 0.025 + half))


def test_seeds_that_differ_widen_the_interval_of_a_loss():
    rng = np.random.default_rng(0)
    main_labels, labels = np.array(["happy", "sad"] * 200), np.array(["happy", "sad"] * 100)
    equal = [rng.random((4, n)) < 0.7 for n in (400, 200)]
    # The same seeds are good on both sets: that is no loss, and widens little.
    good = np.array([0.5, 0.6, 0.8, 0.9])[:, None]
    both = [rng.random((4, n)) < good for n in (400, 200)]
    # The seeds differ on one set alone.
    one = [equal[0], rng.random((4, 200)) < good]
    widths = {}
    for name, (main, other) in {"equal": equal, "both": both, "one": one}.items():
        found = losses(main, main_labels, other, labels)
        widths[name] = found["loss_high"] - found["loss_low"]
        assert abs(found["loss"]) < 0.1
    assert widths["equal"] < 0.2 and widths["both"] < 0.3 < widths["one"]


def test_a_set_that_lacks_emotions_is_scored_by_those_that_it_has():
    main_labels = ["happy", "happy", "sad", "sad", "fear", "fear"]
    main = predictions(main_labels, ["happy", "happy", "sad", "happy", "sad", "sad"])
    labels = ["happy", "happy", "sad", "contempt"]
    sets = {"web": other_set(labels, [["happy", "sad", "sad", "sad"]], CELLS[:1])}
    table = make_elsewhere_table(CELLS[:1], [main], sets)
    row = table.iloc[0]
    assert (row["emotions"], row["chance"]) == (3, pytest.approx(1 / 3))
    assert row["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    # Happy and sad are in both.
    assert row["main_balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert row["loss"] == pytest.approx(0.75 - (1 / 2 + 1) / 2)
    text = elsewhere_markdown(table, sets, np.array(main_labels), data="made-up faces", seeds=1)
    assert "It has no fear: balanced accuracy and macro F1 are over 3 emotions" in text
    assert "The main scored faces have no contempt. These count here, but not in" in text
    assert "images (there is one seed)" in text and "Chance is 33.3%" in text


def test_sets_without_a_common_emotion_have_no_loss():
    main = predictions(["happy", "sad"], ["happy", "sad"])
    sets = {"web": other_set(["fear", "anger"], [["fear", "sad"]], CELLS[:1])}
    table = make_elsewhere_table(CELLS[:1], [main], sets)
    assert np.isnan(table["loss"].iloc[0]) and table["accuracy"].iloc[0] == 0.5
    text = elsewhere_markdown(table, sets, np.array(["happy", "sad"]), data="", seeds=1)
    assert re.search(r"\| +- \| +50.0 \| +100.0 \| +- \| +100.0 \|", text) and "nan" not in text


def test_mixed_and_unnamed_answers_are_never_right():
    main = predictions(["happy", "sad"], ["mixed", "sad"])
    sets = {"web": other_set(["happy", "sad"], [["mixed", "unnamed"]], CELLS[:1])}
    row = make_elsewhere_table(CELLS[:1], [main], sets).iloc[0]
    assert (row["accuracy"], row["balanced_accuracy"], row["macro_f1"]) == (0, 0, 0)


def test_the_text_says_what_was_left_out_and_what_differs(table):
    seen = {"pool": 10, "train": 2, "naming": 1, "test": 4}
    sets = {"web": other_set(LABELS, GIVEN, seen=seen), "lab": other_set(LABELS, GIVEN)}
    text = elsewhere_markdown(table, sets, np.array(MAIN), data="made-up faces", seeds=2)
    assert "Read from /sets/web: 21 faces; 3 other images or rows were left out" in text
    assert "Not scored: 13 near duplicates of the pool (10), the training part (2)" in text
    assert "Scored: 8; anger 0, contempt 0, disgust 0, fear 0, happy 6," in text
    assert "4 of the scored are near duplicates of main scored faces" in text
    assert text.count("near duplicates of main scored faces") == 1
    assert "the 8 main scored faces" in text and "made-up faces" in text
    assert "images and seeds" in text and "proves no single cause" in text
    row = table.iloc[0]
    accuracy, balanced = (
        f"75.0 [{100 * row[f'{name}_low']:.1f}, {100 * row[f'{name}_high']:.1f}]"
        for name in ("accuracy", "balanced_accuracy")
    )
    text = re.sub(" +", " ", text)
    assert f"| supervised, rgb | {accuracy} | {balanced} | +12.5 [" in text
    f1, main_f1 = (f"{100 * row[name]:.1f}" for name in ("macro_f1", "main_macro_f1"))
    assert f"| {f1} | 87.5 | 87.5 | {main_f1} | labels |" in text
    assert text.startswith("Best on web: ")


def test_clusters_answer_as_they_do_for_the_labelled_faces(planted, tmp_path):
    embeddings, labels, clustering = planted
    naming = np.zeros(len(labels), bool)
    naming[:80] = True
    names = automatic_names(clustering, embeddings, labels, naming, "plurality")
    expected = names["emotion"].to_numpy(str)[clustering.labelled]
    np.save(tmp_path / "embeddings.npy", embeddings)
    mapped = np.load(tmp_path / "embeddings.npy", mmap_mode="r")
    given = answers_by_cluster(mapped, clustering, names)
    assert np.array_equal(given, expected)
    assert (given == np.array(EMOTIONS)[labels]).mean() > 0.8
    # Names stand by their number, not by their row.
    assert np.array_equal(answers_by_cluster(mapped, clustering, names[::-1]), expected)
    with pytest.raises(InputError, match="another set: row 2 is not finite"):
        answers_by_cluster(np.insert(embeddings, 2, np.nan, axis=0), clustering, names)


def test_neighbours_answer_as_they_do_for_the_labelled_faces():
    rng = np.random.default_rng(0)
    labels = np.arange(240) % 8
    centres = rng.normal(0, 1, (8, 4))
    labelled = (centres[labels] + rng.normal(0, 0.5, (240, 4))).astype(np.float32)
    teaching = np.arange(0, 160)
    votes, _ = neighbours_votes(labelled, labels, teaching, 8)
    # Copies of labelled faces that do not teach get the same answers.
    given = answers_by_neighbours(labelled[160:], labelled, labels, teaching)
    assert np.array_equal(given, most_probable(votes[160:]))
    # What the other faces' labels are has no say.
    dealt = np.where(np.arange(240) < 160, labels, 0)
    assert np.array_equal(answers_by_neighbours(labelled[160:], labelled, dealt, teaching), given)


def test_the_figure_has_a_panel_a_variant_and_a_marker_a_set(table):
    both = pd.concat([table, table.assign(variant="cropped")])
    figure = plot_elsewhere(both)
    panels = figure.axes
    assert [axes.get_title() for axes in panels] == ["rgb", "cropped"]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == ["supervised"]
    (legend,) = figure.legends
    told = {text.get_text() for text in legend.get_texts()}
    assert told == {"web", "lab", "main scored faces"}
    lines = [line for line in panels[0].lines if line.get_marker() == "o"]
    rings = [line for line in lines if to_hex(line.get_markerfacecolor()) == "#ffffff"]
    assert [line.get_xdata()[0] for line in rings] == pytest.approx([7 / 8] * 2)
    (web,) = (
        line
        for line in lines
        if to_hex(line.get_color()) == COLOURS[0].lower() and line not in rings
    )
    assert web.get_xdata()[0] == pytest.approx(3 / 4)


def test_long_names_of_sets_have_room(table):
    names = {"web": "faces_of_the_whole_web_in_colour", "lab": "faces_of_a_laboratory_in_colour"}
    figure = plot_elsewhere(table.replace({"set": names}))
    FigureCanvasAgg(figure).draw()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
