"""The figure of gaps: a panel a row and set, a number where a gap is beyond chance."""

import pandas as pd
from made_audit import biased

from facesort.audit.figure import plot_audit
from facesort.audit.gap_table import FACES, FEW, GAP, make_audit
from facesort.common.drawing import save


def test_each_gap_beyond_chance_has_its_number_and_the_others_none(tmp_path):
    table = make_audit(biased()[0], set(), biased()[1], 300)
    figure = plot_audit(table)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == [
        "supervised, rgb: pool, without labels",
        "supervised, rgb: scored faces",
    ]
    for axes, name in zip(panels, ("pool", "test"), strict=True):
        of_set = table[table["set"] == name]
        gaps = of_set[of_set["verdict"] == GAP]
        numbers = sorted(float(text.get_text()) for text in axes.texts)
        assert numbers == sorted(round(100 * gap) for gap in gaps["difference"])
        assert axes.images[0].get_array().mask.sum() == (of_set["verdict"] == FEW).sum()
        assert len(axes.get_yticks()) == 5
    save(figure, tmp_path / "audit.png")
    assert (tmp_path / "audit.png").stat().st_size > 10_000
    assert (table["model"] == FACES).any()


def test_without_groups_to_compare_it_says_so():
    table = make_audit(biased()[0], set(), biased()[1], 100)
    figure = plot_audit(pd.DataFrame(table.iloc[:0]))
    assert "No column has two groups" in figure.texts[0].get_text()
