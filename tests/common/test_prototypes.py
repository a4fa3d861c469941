"""The literature's prototypes, as one table."""

import pytest

from facesort.common.emotions import EMOTIONS
from facesort.common.prototypes import LEAST, MOST, shares


def test_a_share_is_the_mean_of_the_sources_that_know_the_emotion():
    table = shares()
    assert list(table.columns) == list(EMOTIONS) and table.notna().to_numpy().all()
    assert table.to_numpy().min() == LEAST and table.to_numpy().max() == MOST
    # Both name it; one alone does (51 of 100); the other does not know contempt at all.
    assert table.loc["12", "happy"] == pytest.approx((MOST + 0.85) / 2)
    assert table.loc["6", "happy"] == pytest.approx((MOST + 0.51) / 2)
    assert table.loc["25", "happy"] == pytest.approx((LEAST + 0.85) / 2)
    assert table.loc["12 on one side", "contempt"] == MOST
    assert (table["neutral"] == LEAST).all()
