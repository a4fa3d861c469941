"""Tables for reading."""

import pytest

from facesort.score.markdown import percent, table_lines, with_interval


def test_shares_are_told_in_percent():
    assert (percent(0.36562), percent(0.012, signed=True), percent(float("nan"))) == (
        "36.6",
        "+1.2",
        "-",
    )
    row = {"gain": -0.1, "gain_low": -0.2004, "gain_high": 0.0, "f1": float("nan")}
    assert with_interval(row, "gain", signed=True) == "-10.0 [-20.0, +0.0]"
    assert with_interval(row, "f1") == "-"


def test_names_stand_on_the_left_and_figures_on_the_right():
    lines = table_lines(["model", "n"], [["stacked", 1], ["a", "1000 [1, 2]"]], 1)
    assert [line.replace(" ", "") for line in lines] == [
        "|model|n|",
        "|:" + "-" * 8 + "|" + "-" * 12 + ":|",
        "|stacked|1|",
        "|a|1000[1,2]|",
    ]
    assert len(set(map(len, lines))) == 1
    assert len(table_lines(["model"], [], 1)) == 2


@pytest.mark.parametrize("text", ["007", "1e3", "nan", "0x1f"])
def test_what_looks_like_a_number_stays_as_it_is(text):
    assert f"| {text} " in table_lines(["a"], [[text]], 1)[-1]
