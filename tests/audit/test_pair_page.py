"""The page of rendered pairs: whose pairs it shows, in what order, with which answers."""

import re

import numpy as np
import pandas as pd
import pytest

from facesort.audit.counterfactual import make_counterfactual_table
from facesort.audit.factors import LEVELS
from facesort.audit.pair_page import CHANGES, PAIRS, pair_page
from facesort.audit.pairs import plan_pairs
from facesort.score.elsewhere.answers import column

CELLS = [
    {"model": "stacked", "variant": "rgb", "seed": 0},
    {"model": "stacked", "variant": "grayscale", "seed": 0},
    {"model": "supervised", "variant": "rgb", "seed": 0},
]


@pytest.fixture(scope="module")
def page():
    faces, pairs = plan_pairs(16, 0)
    right = faces["label"].to_numpy()
    given = right.copy()
    given[pairs.loc[pairs["factor"] == "hair", "second"]] = "sad"
    given[faces["change"] == "skin tone"] = "<b>fear</b>"
    answers = pd.DataFrame(
        {
            column(CELLS[0]): np.full(len(faces), "mixed"),
            column(CELLS[1]): np.full(len(faces), "mixed"),
            column(CELLS[2]): given,
        }
    )
    table = make_counterfactual_table(CELLS, answers, pairs, {}, seed=0)
    images = np.zeros((len(faces), 24, 24, 3), np.uint8)
    return table, pair_page(table, CELLS, answers, pairs, images, data="<i>photos</i>")


def test_every_row_has_its_shares_and_every_model_its_pairs_once(page):
    table, text = page
    for cell in CELLS:
        assert text.count(f'<th scope="row">{cell["model"]}, {cell["variant"]}</th>') == 1
    assert re.findall(r"<h3>(.*?)</h3>", text) == ["supervised on rgb", "stacked on rgb"]
    assert text.count("<details open>") == 1
    assert len(re.findall(r"<td style", text)) == len(table)


def test_factors_and_changes_come_with_the_commonest_first(page):
    _, text = page
    own = text[text.index("supervised on rgb") : text.index("stacked on rgb</h3>")]
    shares = [float(each) for each in re.findall(r"<h4>[\w ]+: ([\d.]+)% of answers", own)]
    assert len(shares) == len(LEVELS) and shares == sorted(shares, reverse=True)
    for part in own.split("<h4>")[1:]:
        counts = [int(each) for each in re.findall(r"</b>: (\d+) of 16 pairs", part)]
        assert counts == sorted(counts, reverse=True) and len(counts) <= CHANGES
        shown = part.count("<figure>")
        assert shown == sum(min(count, PAIRS) for count in counts)
        assert part.count("<img") == 2 * shown
    still = text[text.index("stacked on rgb</h3>") :]
    assert still.count("No answer changed.") == len(LEVELS) and "<img" not in still


def test_both_answers_stand_below_their_faces_and_right_ones_are_marked(page):
    _, text = page
    hair = text[text.index("Hair:") :]
    hair = hair[: hair.index("<h4>")]
    drawn = re.findall(r"drawn: (\w+)", hair)
    for number, label in enumerate(drawn):
        left, right = re.findall(r"<b>(\w+)( <span)?", hair.split("<figure>")[number + 1])[:2]
        assert right[0] == "sad" and bool(right[1]) == (label == "sad")
        assert bool(left[1]) == (left[0] == label)


def test_text_from_elsewhere_cannot_become_code(page):
    _, text = page
    assert "<b>fear</b>" not in text and "&lt;b&gt;fear&lt;/b&gt;" in text
    assert "<i>photos</i>" not in text and "script-src 'none'" in text
