"""Few labels: on embeddings whose truth is known, and in a finished small run."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from sklearn.linear_model import LogisticRegression
from small_run import snakemake, would_run

from facesort.cluster.kmeans import fit_clusters
from facesort.common.drawing import save
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.score.few_labels.figures import plot_few_labels, plot_label_first
from facesort.score.few_labels.label_first import (
    NEAREST,
    choices,
    in_turn,
    leading,
    places,
    sparsity,
    spread_out,
)
from facesort.score.few_labels.table import few_labels_markdown, make_few_labels_table
from facesort.score.few_labels.trials import answer, beside_anatomy, few_labels
from facesort.score.intervals import estimate

FEW = {"per_emotion": [2, 8], "draws": 2, "seed": 0}
QUICK = FEW | {"per_emotion": [3]}
MEANS = {"clusters": 8, "starts": 1}
RULES = {"try_few_labels", "few_labels_table"}
# Shares of the emotions: two are rare.
SHARES = np.array([0.1, 0.01, 0.02, 0.1, 0.3, 0.3, 0.1, 0.07])


def made(strength, count=600, width=12, seed=0, shares=None):
    """Embeddings with a centre an emotion, and labels, half of which are for training."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 8 if shares is None else rng.choice(8, count, p=shares)
    faces = rng.normal(0, strength, (8, width))[labels] + rng.normal(0, 1, (count, width))
    halves = np.split(rng.permutation(count), 2)
    return faces.astype(np.float32), labels, np.sort(halves[0]), np.sort(halves[1])


def tried(embeddings, labels, training, test, few=FEW, clustering=None, seed=0, anatomy=None):
    return few_labels(
        embeddings, labels, training, test, clustering, anatomy, few=few, means=MEANS, seed=seed
    )


def chosen(faces, labels, few=FEW, groups=None):
    groups = np.zeros(len(faces), int) if groups is None else groups
    return list(
        choices(
            faces,
            labels,
            groups,
            np.arange(len(faces)) * 1.0,
            per_emotion=few["per_emotion"],
            draws=few["draws"],
            seeds=(few["seed"], 0),
        )
    )


def gathered(results, labels, test, models=("stacked",), seeds=(0,)):
    cells = [{"model": m, "variant": "rgb", "seed": seed} for m in models for seed in seeds]
    truth = np.array(EMOTIONS)[labels[test]]
    supervision = {"stacked": "none", "triplet": "comparisons", "supervised": "labels"}
    return make_few_labels_table(cells, *zip(*results, strict=True), truth, supervision)


def test_accuracy_grows_with_labels_where_there_is_something_to_learn_alone():
    for strength in (0.7, 0):
        parts = made(strength)
        table, answers = tried(*parts, few=FEW | {"per_emotion": [2, 8, 30]})
        assert answers.shape == (len(table), len(parts[3])) and answers.dtype == np.uint8
        right = (answers == parts[1][parts[3]]).mean(1)
        assert right == pytest.approx(table["accuracy"])
        means = table[table["way"] == "equal"].groupby("per_emotion")["accuracy"].mean()
        if strength:
            assert means[2] + 0.05 < means[8] and means[8] + 0.05 < means[30]
        else:
            assert (abs(means - 1 / 8) < 0.07).all()


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_those_chosen_are_different_training_faces_as_many_as_asked(data):
    count = data.draw(st.integers(2, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    labels = rng.integers(0, data.draw(st.integers(1, 8)), count)
    faces = rng.integers(0, 3, (count, 2)).astype(np.float32)  # many are equal
    groups = rng.integers(0, 4, count)
    number = data.draw(st.integers(1, 12))
    found = chosen(faces, labels, FEW | {"per_emotion": [number]}, groups)
    assert [c.way for c in found].count("central") == 1 and len(found) == 3 * FEW["draws"] + 1
    for choice in found:
        assert len(set(choice.faces)) == len(choice.faces)
        assert choice.faces.min() >= 0 and choice.faces.max() < count
        if choice.way == "equal":
            had = np.bincount(labels[choice.faces], minlength=8)
            assert np.array_equal(had, np.minimum(np.bincount(labels, minlength=8), number))
        else:
            assert len(choice.faces) == min(len(np.unique(labels)) * number, count)


def test_test_faces_and_their_labels_teach_nothing():
    embeddings, labels, training, test = made(0.7)
    table, answers = tried(embeddings, labels, training, test, QUICK)
    hidden = labels.copy()
    hidden[test] = 0
    assert np.array_equal(tried(embeddings, hidden, training, test, QUICK)[1], answers)
    # Other test faces that come and go leave the answers for the rest.
    other = embeddings.copy()
    other[test[1:]] = 50
    again, changed = tried(other, labels, training, test, QUICK)
    assert np.array_equal(changed[:, 0], answers[:, 0])
    columns = ["labels", "strength", *EMOTIONS]
    pd.testing.assert_frame_equal(again[columns], table[columns])


def test_ways_but_equal_look_at_no_label():
    embeddings, labels, training, _ = made(1, shares=SHARES)
    dealt = np.random.default_rng(1).permutation(labels)
    groups = np.arange(len(training)) % 5
    first, second = (
        chosen(embeddings[training], x[training], FEW, groups) for x in (labels, dealt)
    )
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.faces, other.faces) == (one.way != "equal")


def test_the_same_seeds_give_the_same_and_others_do_not():
    parts = made(0.7)
    table, answers = tried(*parts, QUICK)
    again, repeated = tried(*parts, QUICK)
    pd.testing.assert_frame_equal(table, again)
    assert np.array_equal(answers, repeated)
    for few, seed in ((QUICK, 1), (QUICK | {"seed": 1}, 0)):
        assert not np.array_equal(tried(*parts, few, seed=seed)[1], answers)


def test_a_smaller_budgets_faces_are_among_a_larger_ones():
    embeddings, labels, *_ = made(1, shares=SHARES)
    found = {(c.way, c.per_emotion, c.draw): set(c.faces) for c in chosen(embeddings, labels)}
    for way in ("equal", "random"):
        assert all(found[way, 2, draw] < found[way, 8, draw] for draw in range(FEW["draws"]))
    assert found["random", 8, 0] != found["random", 8, 1]


def test_a_rare_emotion_has_what_there_is_and_the_table_says_so():
    embeddings, labels, training, test = made(1, count=800, shares=SHARES)
    table, answers = tried(embeddings, labels, training, test)
    had = np.bincount(labels[training], minlength=8)
    rare = EMOTIONS[int(had.argmin())]
    assert had.min() < 8
    equal = table[(table["way"] == "equal") & (table["per_emotion"] == 8)]
    assert (equal[rare] == had.min()).all() and (equal["labels"] < 64).all()
    assert (table["labels"] == table[list(EMOTIONS)].sum(axis=1)).all()
    text = few_labels_markdown(gathered([(table, answers)], labels, test), data="made")
    assert f"at 8, the rarest had {had.min()} and all together {equal['labels'].iloc[0]}" in text


def rare_groups(seed=0):
    """Twenty tight groups far apart, of which the last have few faces: the eight emotions'."""
    rng = np.random.default_rng(seed)
    sizes = np.array([150] * 6 + [12] * 14)
    group = np.repeat(np.arange(20), sizes)
    faces = rng.normal(0, 20, (20, 6))[group] + rng.normal(0, 0.3, (len(group), 6))
    labels = np.where(group < 6, group % 2, 2 + group % 6)
    order = rng.permutation(len(group))
    halves = np.split(order, 2)
    return faces.astype(np.float32), labels, np.sort(halves[0]), np.sort(halves[1])


def test_typical_faces_beat_random_ones_on_clear_groups_some_of_them_rare():
    embeddings, labels, training, test = rare_groups()
    table, answers = tried(embeddings, labels, training, test, FEW | {"per_emotion": [4]})
    found = gathered([(table, answers)], labels, test).set_index("way")
    typical = found.loc["typical"]
    assert typical["balanced_accuracy_gain_low"] > 0.05
    assert typical["emotions"] > found.loc["random", "emotions"]
    gain = typical["balanced_accuracy"] - found.loc["random", "balanced_accuracy"]
    assert typical["balanced_accuracy_gain"] == pytest.approx(gain)
    assert np.isnan(found.loc["random", "accuracy_gain"])


def test_central_faces_are_those_nearest_to_the_models_own_centroids():
    # Unclear groups, so that other faces of a cluster have other emotions.
    embeddings, labels, training, test = made(0.5)
    clustering = fit_clusters(embeddings, embeddings, clusters=8, starts=2, seed=0)
    few = FEW | {"per_emotion": [1]}
    table, _ = tried(embeddings, labels, training, test, few, clustering)
    groups = clustering.labelled[training]
    apart = np.linalg.norm(embeddings[training] - clustering.centroids[groups], axis=1)
    nearest = [np.flatnonzero(groups == g)[apart[groups == g].argmin()] for g in range(8)]
    central = table[table["way"] == "central"]
    counts = np.bincount(labels[training][nearest], minlength=8)
    assert central[list(EMOTIONS)].to_numpy().tolist() == [counts.tolist()]


def test_groups_take_turns_the_larger_first():
    groups = np.array([0, 0, 0, 1, 1, 2])
    distances = np.array([3, 1, 2, 5, 4, 9.0])
    generator = np.random.default_rng(0)
    assert in_turn(groups, distances, 6, generator).tolist() == [1, 4, 5, 2, 3, 0]
    assert in_turn(groups, distances, 2, generator).tolist() == [1, 4]
    assert places(groups, distances).tolist() == [2, 0, 1, 1, 0, 0]
    # Ties do not follow the order of the rows.
    alike = in_turn(np.zeros(100, int), np.zeros(100), 50, generator)
    assert alike.mean() > 30


def test_what_is_typical_by_hand():
    rng = np.random.default_rng(0)
    faces = rng.normal(0, 1, (50, 3)).astype(np.float32)
    apart = np.sort(np.linalg.norm(faces[:, None] - faces, axis=2), axis=1)
    assert sparsity(faces) == pytest.approx(apart[:, 1 : NEAREST + 1].mean(1), rel=1e-3)
    # Far groups are all reached before any twice.
    far = np.repeat(np.eye(10, dtype=np.float32) * 100, 5, axis=0)
    far += rng.normal(0, 0.01, far.shape).astype(np.float32)
    assert set(spread_out(far, 10, rng) // 5) == set(range(10))
    wide = rng.normal(0, 1, (40, 100)).astype(np.float32) * np.linspace(2, 0, 100, dtype="f4")
    kept = leading(wide)
    assert kept.shape == (40, 64)
    library = np.linalg.svd(wide - wide.mean(0), compute_uv=False)[:64]
    found = np.linalg.svd(kept - kept.mean(0), compute_uv=False)
    assert found[:39] == pytest.approx(library[:39], rel=1e-2)


def test_wide_embeddings_are_tried_too():
    embeddings, labels, training, test = made(0.5, width=700)
    table, _ = tried(embeddings, labels, training, test, FEW | {"draws": 2})
    assert table[(table["way"] == "equal") & (table["per_emotion"] == 8)]["accuracy"].min() > 0.9


@pytest.mark.parametrize("case", ["constant", "one emotion", "two faces"])
def test_degenerate_embeddings_are_no_trouble(case):
    embeddings, labels, training, test = made(1, count=80)
    if case == "constant":
        embeddings[:] = 3
    elif case == "one emotion":
        labels[:] = 5
    else:
        training = training[:2]
    result = tried(embeddings, labels, training, test)
    table = gathered([result], labels, test)
    assert np.isfinite(table[["accuracy_low", "balanced_accuracy_high"]]).all(axis=None)
    if case == "one emotion":
        assert (table["accuracy"] == 1).all()


def test_an_embedding_that_is_not_finite_is_named_by_its_row():
    embeddings, labels, training, test = made(1, count=80)
    embeddings[17, 2] = np.nan
    with pytest.raises(InputError, match="row 17 is not finite"):
        tried(embeddings, labels, training, test)


def test_the_strength_is_chosen_within_the_few_and_the_answers_are_the_librarys():
    rng = np.random.default_rng(0)
    labels = (np.arange(60) % 4 == 0) * 6
    faces = rng.normal(0, 1, (60, 5)) + 6 * (labels[:, None] > 0)
    # On small numbers a strong penalty leaves nothing but the commoner emotion.
    for scale, least, most in ((1, 0.01, 0.01), (0.02, 1, 10)):
        x = (scale * faces).astype(np.float32)
        given, strength = answer(x, labels, x, np.random.default_rng(0))
        assert least <= strength <= most
        library = LogisticRegression(C=strength, max_iter=200, tol=1e-3).fit(x, labels)
        assert np.array_equal(given, library.predict(x)) and (given == labels).mean() > 0.95
    given, strength = answer(x[:3], np.full(3, 4), x, rng)
    assert set(given) == {4} and np.isnan(strength)


def told(labels, sure=0.5):
    """Probabilities that lean to the true emotion, and movements that tell nothing."""
    probabilities = np.full((len(labels), 8), (1 - sure) / 8, np.float32)
    probabilities[np.arange(len(labels)), labels] += sure
    return np.random.default_rng(2).normal(0, 1, (len(labels), 4)).astype("f4"), probabilities


def test_anatomy_helps_the_same_faces_and_leaves_labels_alone_as_they_are():
    parts = made(0)
    labels, test = parts[1], parts[3]
    alone, answers = tried(*parts)
    table, helped = tried(*parts, anatomy=told(labels))
    without = (table["way"] != "anatomy").to_numpy()
    pd.testing.assert_frame_equal(table[without].reset_index(drop=True), alone)
    assert np.array_equal(helped[without], answers)
    equal, anatomy = (table[table["way"] == way] for way in ("equal", "anatomy"))
    same = ["per_emotion", "draw", "labels", *EMOTIONS]
    assert np.array_equal(equal[same], anatomy[same])
    # Which emotion a leaning stands for must be learnt from labels too.
    by_number = anatomy.groupby("per_emotion")["accuracy"].mean()
    assert by_number[2] > 0.4 and by_number[8] > 0.8

    found = gathered([(table, helped)], labels, test)
    rows = found[found["per_emotion"] == 8].set_index("way")
    gain = rows.loc["anatomy", "accuracy"] - rows.loc["equal", "accuracy"]
    assert rows.loc["anatomy", "accuracy_gain"] == pytest.approx(gain)
    assert rows.loc["anatomy", "balanced_accuracy_gain_low"] > 0.5
    text = few_labels_markdown(found, data="made")
    assert re.search(r"\| stacked, rgb +\| anatomy and labels \| ", text)
    assert re.search(r"\| stacked, rgb +\| gain +\| +\+", text)
    assert len(plot_few_labels(found).axes) == 3
    alone = gathered([(alone, answers)], labels, test)
    assert "natomy" not in few_labels_markdown(alone, data="made")
    assert len(plot_few_labels(alone).axes) == 2


def test_what_is_seen_beside_an_embedding_weighs_as_much():
    embeddings, labels, training, _ = made(1)
    movements, probabilities = told(labels, sure=1)
    assert probabilities.min() == 0
    seen = beside_anatomy(embeddings, 100 * movements, probabilities, training, 0)
    assert seen.shape == (len(labels), 12 + 4 + 8)
    assert np.array_equal(seen[:, :12], embeddings)
    for part in np.split(seen[training], [12, 16], axis=1)[1:]:
        assert (part**2).mean() == pytest.approx(1, rel=1e-3)
    assert np.isfinite(seen).all() and np.array_equal(seen[:, 16:].argmax(1), labels)
    movements[5, 1] = np.inf
    with pytest.raises(InputError, match="row 5 is not finite"):
        beside_anatomy(embeddings, movements, probabilities, training, 0)


def test_balanced_intervals_are_those_of_one_class_where_there_is_but_one():
    values = np.random.default_rng(0).integers(0, 2, (4, 50)).astype(float)
    assert estimate(values, np.full(50, "happy")) == pytest.approx(estimate(values))
    classes = np.repeat([0, 1], [10, 40])
    halves = [values[:, :10].mean(), values[:, 10:].mean()]
    assert estimate(values, classes).mean == pytest.approx(np.mean(halves))


def test_balanced_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(3), [200, 60, 15])
    level, held = np.array([1.0, 0.0, -1.0]), 0
    # Logits of a draw (for each class its own), of an image, and a class's level.
    big = rng.normal(0, 0.5, (400_000, 3)) + rng.normal(0, 1.5, (400_000, 3)) + level
    truth = (1 / (1 + np.exp(-big))).mean()
    for _ in range(300):
        logits = rng.normal(0, 0.5, (6, 3))[:, classes] + rng.normal(0, 1.5, 275) + level[classes]
        found = estimate(rng.random((6, 275)) < 1 / (1 + np.exp(-logits)), classes)
        held += found.low <= truth <= found.high
    assert 0.9 < held / 300 < 0.995


def test_intervals_cover_draws_and_seeds():
    parts = made(0.7)
    few = FEW | {"draws": 6, "per_emotion": [3]}
    table, answers = tried(*parts, few=few)
    one = gathered([(table, answers)], parts[1], parts[3]).set_index("way").loc["equal"]
    right = answers[(table["way"] == "equal").to_numpy()] == parts[1][parts[3]]
    images = estimate(right[:1])
    # Wider than for images alone, were all draws one.
    pooled = estimate(right.mean(0)[None])
    assert one["accuracy_high"] - one["accuracy_low"] > 1.02 * (pooled.high - pooled.low)
    assert one["accuracy_sd"] == pytest.approx(right.mean(1).std(ddof=1))
    assert one["accuracy_low"] < images.high and one["accuracy_high"] > images.low
    # Seeds that differ widen it; draws are not taken for seeds.
    other = made(0.2)[0]
    second = few_labels(other, *parts[1:], None, few=few, means=MEANS, seed=1)
    two = gathered([(table, answers), second], parts[1], parts[3], seeds=(0, 1))
    two = two.set_index("way").loc["equal"]
    assert two["seeds"] == 2 and two["accuracy_high"] - two["accuracy_low"] > 0.5


def test_emotions_that_the_set_lacks_do_not_count():
    shares = np.array([0, 0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0])
    embeddings, labels, training, test = made(0.7, shares=shares)
    result = tried(embeddings, labels, training, test, QUICK)
    assert set(np.unique(result[1])) <= {1, 2, 3, 4, 5, 6}
    table = gathered([result], labels, test)
    equal = table[table["way"] == "equal"].iloc[0]
    assert (equal["labels"], equal["emotions"], equal["fewest"]) == (18, 6, 3)
    assert equal["chance"] == pytest.approx(1 / 6)
    assert (table["labels"] == 18).all()
    text = few_labels_markdown(table, data="made", emotions=6)
    assert re.search(r"\| faces +\| +18 \|", text) and "as many faces of each emotion" in text


def test_answers_for_other_faces_are_refused():
    parts = made(1, count=80)
    table, answers = tried(*parts, QUICK)
    with pytest.raises(InputError, match=r"rgb/stacked/seed0: few_labels\.npy has"):
        gathered([(table, answers[:, 1:])], parts[1], parts[3])


def test_tables_and_figures_set_apart_what_has_learnt_from_labels(tmp_path):
    parts = made(1, count=160)
    result = tried(*parts, QUICK)
    models = ("stacked", "triplet", "supervised")
    table = gathered([result] * 3, parts[1], parts[3], models)
    assert list(dict.fromkeys(table["model"])) == list(models)
    text = few_labels_markdown(table, data="made")
    assert "| supervised, rgb (labels) " in text and "| stacked, rgb " in text
    assert "do not tell what few labels give" in text
    alone = few_labels_markdown(gathered([result], parts[1], parts[3]), data="made")
    assert "Rows marked" not in alone
    for draw in (plot_few_labels, plot_label_first):
        figure = draw(table)
        styles = {
            line.get_linestyle()
            for line in figure.axes[0].get_lines()
            if line.get_marker() != "None"
        }
        assert styles == {"-", "-.", "--"}
        save(figure, tmp_path / "first.png")
        save(draw(table), tmp_path / "again.png")
        image = imread(tmp_path / "first.png")
        assert min(image.shape[:2]) > 300 and image[..., :3].std() > 0.02
        edge = np.concatenate([image[:, :1, :3].ravel(), image[:, -1:, :3].ravel()])
        assert edge.min() == 1
        assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_gains_of_typical_and_of_central_faces_have_one_scale():
    parts = made(1, count=160)
    table = gathered([tried(*parts, QUICK)], parts[1], parts[3])
    table.loc[table["way"] == "central", "balanced_accuracy_gain_high"] = 0.9
    limits = {axes.get_ylim() for axes in plot_label_first(table).axes}
    assert len(limits) == 1 and limits.pop()[1] > 0.9


def test_a_run_tries_few_labels_only_where_asked_to(project, tmp_path):
    assert not RULES & would_run(project)
    change = {"few_labels": {"per_emotion": [1, 3], "draws": 2}}
    project = shutil.copytree(project, tmp_path / "few")
    try:
        (project / "few.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
        asked = ("--configfile", "small.yaml", "few.yaml", "--")
        last = {"collect_costs", "summary_page"}
        assert would_run(project, *asked) == RULES | last
        snakemake(project, *asked, "results/figures/few_labels.png", "results/summary.html")
        table = pd.read_csv(project / "results/few_labels.csv")
        assert len(table) == 4 * 4 * 2  # cells, ways, numbers
        assert set(table["supervision"]) == {"none", "labels"}
        cell = pd.read_csv(project / "results/rgb/stacked/seed0/few_labels.csv")
        assert len(cell) == 2 * (3 * 2 + 1)
        page = (project / "results/summary.html").read_text(encoding="utf-8")
        assert 'id="few_labels"' in page and page.count("Enlarge the figure") == 2
    finally:
        shutil.rmtree(project)
