"""Which faces to look at: in strata, by chance; few tell the share of right tags without bias."""

import numpy as np
import pandas as pd
import pytest

from facesort.archive.browse_review import MOST, STRATA, draws, proposals, strata

FACES = 4000


@pytest.fixture(scope="module")
def archive():
    """Paths, numbers, certainties (one face in ten not answered), and whether each has the tag."""
    rng = np.random.default_rng(0)
    photos = pd.Series([f"box {i // 40}/{i // 4}.jpg" for i in range(FACES)])
    certainty = rng.beta(0.4, 0.8, FACES)
    certainty[rng.random(FACES) < 0.1] = np.nan
    return photos, pd.Series(np.arange(FACES) % 4), certainty, certainty > 0.7


def test_strata_hold_equal_sums_of_deviations_and_no_tie_is_torn():
    certainty = np.random.default_rng(1).beta(0.4, 0.8, 3000)
    number = strata(certainty)
    sure = np.clip(certainty, 0.02, 0.98)
    sums = np.bincount(number, np.sqrt(sure * (1 - sure)))
    assert len(sums) == STRATA and sums.max() < 1.1 * sums.min()
    assert (np.diff(number[np.argsort(certainty)]) >= 0).all()
    tied = strata(np.repeat([0.1, 0.9], 50))
    assert set(tied[:50]) == {0} and set(tied[50:]) == {1}
    assert strata(np.full(5, 0.3)).tolist() == [0] * 5 and len(strata(np.empty(0))) == 0


def test_draws_are_fixed_even_and_of_each_tag_their_own(archive):
    photos, faces, *_ = archive
    smiling, sad = draws(photos, faces, "smiling"), draws(photos, faces, "sad")
    assert smiling.min() >= 0 and smiling.max() < 1
    assert np.histogram(smiling, 10, (0, 1))[0] == pytest.approx(FACES / 10, abs=80)
    assert abs(np.corrcoef(smiling, sad)[0, 1]) < 0.06
    assert abs(np.corrcoef(smiling[:-1], smiling[1:])[0, 1]) < 0.06
    assert np.array_equal(draws(photos[7:], faces[7:], "smiling"), smiling[7:])
    # The very numbers: answers of old files count on them.
    found = draws(pd.Series(["a.jpg", "b/ü\n.jpg"]), pd.Series([0, 3]), "sad")
    assert found == pytest.approx([0.82123436, 0.34236873], abs=1e-8)


def test_proposals_are_of_answered_faces_and_their_strata_add_up(archive):
    photos, faces, certainty, given = archive
    found = proposals(photos, faces, "smiling", certainty, given)
    assert not found["row"].duplicated().any() and not np.isnan(certainty[found["row"]]).any()
    assert (given[found["row"]] == found["given"]).all()
    sizes = found.drop_duplicates("stratum").groupby("given")["stratum_faces"].sum()
    assert sizes[True] == given.sum() and sizes.sum() == (~np.isnan(certainty)).sum()
    counts = found.groupby(["given", "stratum"]).size()
    assert set(counts[True]) == {MOST} and set(counts[False]) == {MOST // 2}
    # Wherever one stops, each stratum has been looked at from its first draw on.
    draw = draws(photos, faces, "smiling")
    for stop in (13, 200, len(found)):
        for _, part in found[:stop].groupby("stratum"):
            assert part["stratum_place"].tolist() == list(range(len(part)))
    for _, part in found.groupby("stratum"):
        low, high = certainty[part["row"]].min(), certainty[part["row"]].max()
        inside = (certainty >= low) & (certainty <= high) & (given == part["given"].iloc[0])
        assert (draw[inside] < draw[part["row"]].max()).sum() <= len(part)
    assert found["given"][:120].sum() == pytest.approx(80, abs=6)


def test_new_photos_come_between_and_move_nobody(archive):
    photos, faces, certainty, given = archive
    before = proposals(photos[:2000], faces[:2000], "sad", certainty[:2000], given[:2000])
    after = proposals(photos, faces, "sad", certainty, given)
    draw = draws(photos, faces, "sad")
    for found in (before, after):
        for _, part in found.groupby("stratum"):
            assert (np.diff(draw[part["row"]]) >= 0).all()
    assert len(set(before["row"]) & set(after["row"])) > len(before) / 3


def test_few_faces_and_none():
    photos, faces = pd.Series(["a.jpg", "b.jpg"]), pd.Series([0, 0])
    found = proposals(photos, faces, "sad", np.array([0.2, 0.9]), np.array([False, True]))
    assert sorted(found["row"]) == [0, 1] and set(found["stratum_faces"]) == {1}
    none = proposals(photos, faces, "sad", np.full(2, np.nan), np.zeros(2, bool))
    assert len(none) == 0 and list(none.columns) == list(found.columns)


def test_a_few_looks_tell_the_share_without_bias(archive):
    """Over 200 archives, each with draws of its own."""
    photos, faces, certainty, given = archive
    rng = np.random.default_rng(3)
    # People agree with a tag less often than the certainty says, and least where it is low.
    truth = rng.random(FACES) < np.nan_to_num(certainty) ** 2
    right = truth[given].mean()
    errors, plain = [], []
    for number in range(200):
        found = proposals(photos, faces, f"tag {number}", certainty, given)[:120]
        looks = found[found["given"]].assign(right=truth[found["row"][found["given"]]])
        by = looks.groupby("stratum").agg(right=("right", "mean"), faces=("stratum_faces", "first"))
        errors.append(np.average(by["right"], weights=by["faces"]) - right)
        plain.append(looks["right"].mean() - right)
    assert abs(np.mean(errors)) < 3 * np.std(errors) / 200**0.5
    assert abs(np.mean(plain)) > 5 * np.std(plain) / 200**0.5, "counted without strata it is biased"
    # As sure as 80 looks at faces drawn from all would be, or surer.
    assert np.std(errors) < np.sqrt(right * (1 - right) / 80)
