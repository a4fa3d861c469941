"""Lines that a person reads."""

import pandas as pd
import pytest

from facesort.common.lines import LONGEST, counted, job_name, shortened


def test_a_line_of_kilobytes_is_cut_and_says_where_the_whole_stands():
    line = "error: " + "x" * 5000
    told = shortened(line, "results/logs/table1.log")
    assert told == f"{line[:LONGEST]} ... (whole: results/logs/table1.log)"
    assert shortened(line[:LONGEST], "a.log") == line[:LONGEST]


def test_counts_are_told_in_words():
    assert counted({"anger": 1016, "sad": 3}.items()) == "1,016 anger, 3 sad"
    assert counted(pd.Series(list("aab")).value_counts().items()) == "2 a, 1 b"


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ("results/logs/train/rgb/stacked/seed0.log", "train rgb/stacked/seed0"),
        ("/home/logs/mine/results/logs/fetch_shard/3.log", "fetch_shard 3"),
        ("results/logs/render_photos.log", "render_photos"),
        ("job.log", ""),
    ],
)
def test_a_job_is_named_by_its_log(log, name):
    assert job_name(log) == name
