"""Gaps between groups: planted ones are found, chance is told as chance, and few faces as few."""

import numpy as np
import pytest
from scipy import stats

from facesort.audit.gaps import compare, detectable


def draw(rng, shares, sizes):
    values = np.concatenate([rng.random(n) < p for p, n in zip(shares, sizes, strict=True)])
    return values[np.newaxis].astype(float), np.repeat([True, False], sizes)


def test_shares_are_compared_by_fishers_test_and_newcombes_interval():
    # Newcombe 1998, table II, row (a): 56 of 70 against 48 of 80, method 10.
    values = np.repeat([1.0, 0.0, 1.0, 0.0], [56, 14, 48, 32])[np.newaxis]
    gap = compare(values, np.repeat([True, False], [70, 80]))
    assert (gap.value, gap.others) == (0.8, 0.6)
    assert (round(gap.low, 4), round(gap.high, 4)) == (0.0524, 0.3339)
    assert gap.p == pytest.approx(stats.fisher_exact([[56, 14], [48, 32]]).pvalue)


def test_a_rare_answer_gets_no_verdict_and_a_group_without_any_is_no_alarm():
    rng = np.random.default_rng(0)
    values, member = draw(rng, (0.002, 0.002), (200, 20_000))
    assert np.isnan(compare(values, member).p)
    # About five expected, none found: rare, but not beyond chance among many tests.
    values = np.repeat([0.0, 1.0, 0.0], [250, 210, 9_790])[np.newaxis]
    assert 0.005 < compare(values, np.repeat([True, False], [250, 10_000])).p < 0.05


def test_with_balanced_emotions_their_frequency_does_not_count():
    rng = np.random.default_rng(1)
    # Happy faces are told well, sad ones badly, in both groups; one group has few happy faces.
    emotions = np.repeat(["happy", "sad", "happy", "sad", "fear"], [100, 900, 900, 100, 5])
    member = np.repeat([True, False], [1000, 1005])
    right = (rng.random(2005) < np.where(emotions == "happy", 0.9, 0.4))[np.newaxis].astype(float)
    assert compare(right, member).p < 1e-9
    alike = compare(right, member, emotions)
    assert alike.p > 0.01 and abs(alike.difference) < 0.1 and alike.low < 0 < alike.high
    # An emotion of which one side has too few faces counts on neither.
    assert alike.others == pytest.approx(
        (right[0, 1000:1900].mean() + right[0, 1900:2000].mean()) / 2
    )
    assert np.isnan(compare(right, member, np.arange(2005)).p)


def test_chance_is_as_frequent_as_it_should_be_by_each_way():
    rng = np.random.default_rng(2)
    member = np.repeat([True, False], [150, 1500])
    found = {"share": [], "balanced": [], "sure": [], "seeds": []}
    for _ in range(400):
        emotions = rng.choice(3, 1650, p=[0.7, 0.2, 0.1])
        right = rng.random((1, 1650)) < np.array([0.9, 0.5, 0.1])[emotions]
        found["share"].append(compare(right.astype(float), member).p)
        found["balanced"].append(compare(right.astype(float), member, emotions).p)
        found["sure"].append(compare(rng.beta(5, 2, (1, 1650)) - right, member).p)
        ease = rng.normal(size=1650)
        several = (ease + rng.normal(size=(3, 1650)) > 0).astype(float)
        found["seeds"].append(compare(several, member).p)
    for way, values in found.items():
        # Two deviations above 5% of 400 draws.
        assert (np.array(values) < 0.05).mean() < 0.075, way
        assert (np.array(values) < 0.5).mean() > (0.1 if way == "seeds" else 0.35), way


def test_gaps_of_the_size_that_is_told_are_seen_in_8_of_10_draws():
    rng = np.random.default_rng(3)
    values, member = draw(rng, (0.5, 0.5), (400, 2000))
    size = float(detectable(np.array(compare(values, member).error), 100))
    seen = [compare(*draw(rng, (0.5 + size, 0.5), (400, 2000))).p < 0.05 / 100 for _ in range(300)]
    assert 0.72 < np.mean(seen) < 0.9


def test_seeds_are_told_apart():
    rng = np.random.default_rng(4)
    member = np.repeat([True, False], [300, 300])
    # One seed alone has a gap.
    values = (rng.random((3, 600)) < 0.5).astype(float)
    values[0] = rng.random(600) < np.where(member, 0.2, 0.8)
    gap = compare(values, member)
    assert gap.seed_low < -0.5 and gap.seed_high > -0.2 and gap.p > 0.05
    assert gap.difference == pytest.approx(values[:, :300].mean() - values[:, 300:].mean())
