"""The audit in words: the finding first, and nothing that a table's words could do to it."""

import re

import numpy as np
import pandas as pd
from made_audit import biased, make_sets

from facesort.audit.gap_table import GAP, Faces, make_audit
from facesort.audit.report import audit_markdown, plain, sentence
from facesort.common.group_table import count_groups
from facesort.pages.summary import markdown


def report(rows, sets, smallest=100):
    table = make_audit(rows, set(), sets, smallest)
    counts = count_groups({name: faces.groups for name, faces in sets.items()})
    return table, audit_markdown(table, counts, data="made-up", smallest=smallest, seeds=1)


def test_it_opens_with_the_widest_gap_in_errors():
    table, text = report(*biased())
    first = text.partition("\n")[0]
    assert first.startswith("Answers do not serve all groups of people alike. supervised on rgb")
    assert "faces with age 60 and over" in first and "comparisons show a gap" in first
    row = table[(table["measure"] == "accuracy") & (table["group"] == "60 and over")].iloc[0]
    told = sentence(row.to_dict())
    assert f"is right about {100 * row['value']:.1f}% of faces" in told
    assert f"{100 * row['difference']:+.1f} points" in told
    # Bold where, and only where, the table has a gap.
    assert text.count("**") / 2 == (table["verdict"] == GAP).sum()
    for heading in ("supervised on rgb: pool, without labels", "supervised on rgb: scored faces"):
        assert f"### {heading}" in text
    assert re.search(r"\| test +\| age: 60 and over +\| +\d+ \| +\d+\.\d to", text)
    assert re.search(r"\| pool +\| sex: not told +\| +\d+ \| +not compared", text)


def test_fair_answers_and_too_few_faces_are_told_as_such():
    rows, sets = make_sets(np.random.default_rng(0), 600)
    assert report(rows, sets)[1].startswith("No gap between groups of people is beyond chance, in")
    assert report(rows, sets, 5000)[1].startswith("No verdict on any group: too few faces")


def test_gaps_in_what_is_told_alone_are_called_no_errors():
    rows, sets = biased()
    first = report(rows, {"pool": sets["pool"]})[1].partition("\n")[0]
    assert "have no labels, so nobody can say from this who is wrong" in first


def test_words_of_the_users_table_mean_nothing_in_markdown():
    rows, sets = biased()
    bad = "<script>x</script> | **a** [b](javascript:c)"
    groups = {
        name: pd.DataFrame({bad: faces.groups["age"].replace("60 and over", f"{bad}2")})
        for name, faces in sets.items()
    }
    sets = {n: Faces(groups[n], faces.found, faces.labels) for n, faces in sets.items()}
    _, text = report(rows, sets)
    shown = str(markdown(text))
    assert "<script" not in shown and "<a " not in shown
    assert shown.count("&lt;script&gt;x&lt;/script&gt; | **a** [b](javascript:c)") > 8
    assert plain("a|b") == r"a\|b"
