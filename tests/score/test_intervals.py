"""Intervals and tests over seeds and images, against libraries, hand and simulation."""

import numpy as np
import pytest
from scipy import stats

from facesort.score.intervals import accuracy_interval, estimate, holm, labels_p, paired_p


def test_one_seed_is_wilsons_by_hand():
    correct = np.zeros((1, 50), bool)
    correct[0, :20] = True
    z, p, n = stats.norm.ppf(0.975), 0.4, 50
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert accuracy_interval(correct) == pytest.approx((centre - half, centre + half))
    assert accuracy_interval(np.repeat(correct, 3, axis=0)) == accuracy_interval(correct)


def test_one_seeds_difference_is_students():
    values = np.random.default_rng(0).integers(-1, 2, size=(1, 80)).astype(float)
    found = estimate(values)
    library = stats.ttest_1samp(values[0], 0)
    assert found.p == pytest.approx(library.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(library.confidence_interval()))


def test_seeds_that_alone_vary_are_students():
    # Within a seed every image alike: only the seeds' means count, as in a t test of them.
    means = np.array([0.2, 0.4, 0.7])
    found = estimate(np.repeat(means[:, None], 100, axis=1))
    library = stats.ttest_1samp(means, 0)
    assert found.p == pytest.approx(library.pvalue)
    assert found.low == pytest.approx(max(library.confidence_interval().low, -1))


def test_mean_squares_by_hand():
    values = np.array([[1.0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 0, 1]])
    by_seed, by_image, mean = values.mean(1), values.mean(0), values.mean()
    seed_ms = 4 * ((by_seed - mean) ** 2).sum() / 2
    image_ms = 3 * ((by_image - mean) ** 2).sum() / 3
    rest_ms = sum(
        (values[s, i] - by_seed[s] - by_image[i] + mean) ** 2 for s in range(3) for i in range(4)
    ) / (2 * 3)
    assert seed_ms < rest_ms < image_ms
    total = rest_ms + image_ms - rest_ms
    half = stats.t.ppf(0.975, 2 * (total / rest_ms) ** 2) * np.sqrt(total / 12)
    found = estimate(values)
    assert (found.low, found.high) == pytest.approx((mean - half, min(mean + half, 1)))


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = np.mean(1 / (1 + np.exp(0.8 - rng.normal(0, 0.3, 400_000) - rng.normal(0, 2, 400_000))))
    for seeds in (2, 3, 6):
        held = 0
        for _ in range(300):
            logits = rng.normal(0, 0.3, (seeds, 1)) + rng.normal(0, 2, (1, 400)) - 0.8
            low, high = accuracy_interval(rng.random((seeds, 400)) < 1 / (1 + np.exp(-logits)))
            held += low <= truth <= high
        assert held / 300 > 0.9, seeds


def test_seeds_that_disagree_widen_the_interval():
    rng = np.random.default_rng(0)
    same = np.repeat(rng.random((1, 500)) < 0.5, 4, axis=0)
    apart = rng.random((4, 500)) < np.array([[0.2], [0.4], [0.6], [0.8]])
    width = [np.diff(accuracy_interval(c))[0] for c in (same, apart)]
    assert width[1] > 2 * width[0]


def test_mcnemar_is_the_binomial_of_the_discordant():
    difference = np.array([[1.0] * 9 + [-1] * 2 + [0] * 30])
    p = paired_p(difference, resamples=100, seed=0)
    # 2 of 11 or fewer, twice: 2 (1 + 11 + 55) / 2^11
    assert p == pytest.approx(2 * 67 / 2048)
    assert paired_p(np.zeros((1, 5)), resamples=100, seed=0) == 1


def test_turned_signs_agree_with_the_librarys_permutation_test():
    rng = np.random.default_rng(1)
    difference = np.sign(rng.normal(0.15, 1, (3, 60)))
    library = stats.permutation_test(
        (difference.mean(0),), np.mean, permutation_type="samples", n_resamples=20_000, rng=0
    )
    assert paired_p(difference, resamples=20_000, seed=0) == pytest.approx(library.pvalue, abs=0.01)


def test_one_answer_for_all_is_never_better_than_chance():
    labels = np.array([0] * 90 + [1] * 10)
    assert labels_p(labels, np.zeros((1, 100), int), resamples=200, seed=0) == 1
    assert labels_p(labels, labels[None], resamples=200, seed=0) == pytest.approx(1 / 201)


def test_dealt_labels_agree_with_the_librarys_exact_test():
    labels, given = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([[0, 0, 1, 1, 1, 1, 0]])
    table = [[np.sum((labels == a) & (given[0] == b)) for b in (0, 1)] for a in (0, 1)]
    exact = stats.fisher_exact(table).pvalue
    assert labels_p(labels, given, resamples=20_000, seed=0) == pytest.approx(exact, abs=0.02)


def test_chance_gives_small_p_values_seldom():
    rng = np.random.default_rng(0)
    found = [
        labels_p(rng.integers(0, 8, 200), rng.integers(0, 8, (2, 200)), resamples=99, seed=n)
        for n in range(200)
    ]
    assert 0.01 < np.mean(np.array(found) <= 0.05) < 0.1


def test_holm_by_hand():
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.9]))
    assert corrected == pytest.approx([0.04, 0.09, 0.09, 0.9])
