"""Two audits side by side: whom a change served, and what it cost."""

import numpy as np
import pandas as pd
import pytest
from made_audit import make_sets

from facesort.audit.changes import READ, changes, changes_lines
from facesort.audit.gap_table import make_audit


def audit(old, others, faces=1500):
    """An audit of answers with so much skill for people of 60 and over, and for others."""

    def skill_of(groups):
        return np.where(groups["age"] == "60 and over", old, others)

    rows, sets = make_sets(np.random.default_rng(3), faces, skill_of)
    return make_audit(rows, set(), sets, 100)


def test_the_worst_served_group_gains_and_all_others_pay():
    table = changes(audit(1.5, 1.5), audit(0.2, 2.5)[list(READ)])
    row = table[(table["measure"] == "accuracy") & (table["column"] == "age")].iloc[0]
    assert row["worst_group"] == "60 and over" and row["set"] == "test"
    assert row["worst_now"] > row["worst_before"] + 0.1
    assert row["gap_now"] < row["gap_before"] and row["all_now"] < row["all_before"]
    assert set(table["measure"]) == {"accuracy", "balanced_accuracy"} and row["same_faces"]
    text = "\n".join(changes_lines(table))
    assert "→" in text and "age: 60 and over" in text and "cannot be compared" not in text


def test_the_mean_over_all_is_that_of_all_faces():
    now, before = audit(0.2, 2.5), audit(0.2, 2.5)
    table = changes(now, before)
    row = table[(table["measure"] == "accuracy") & (table["column"] == "age")].iloc[0]
    groups = now[(now["set"] == "test") & (now["measure"] == "accuracy") & (now["column"] == "age")]
    assert row["all_now"] == pytest.approx((groups["value"] * groups["n"]).sum() / 1500)
    assert row["all_now"] == row["all_before"] and row["gap_now"] == row["gap_before"]


def test_other_faces_and_other_rows_are_told():
    table = changes(audit(1.5, 1.5), audit(1.5, 1.5, faces=1400))
    assert not table["same_faces"].any()
    assert any("cannot be compared" in line for line in changes_lines(table))
    other = audit(1.5, 1.5).assign(model="transfer")
    none = changes(audit(1.5, 1.5), other)
    assert none.empty and isinstance(none, pd.DataFrame)
    assert changes_lines(none)[0].startswith("The earlier audit has no row")
