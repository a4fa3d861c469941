"""What is taken for what: shares by hand, and matrices that show all of them and cut nothing."""

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from lxml import html
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.pages.confusion import COLUMNS, confusions, plot_confusions
from facesort.pages.page import PAGES, render
from facesort.score.comparisons import compare
from facesort.score.table1 import make_table
from facesort.train.models import MODELS


def cell(model, variant="rgb", seed=0):
    return {"model": model, "variant": variant, "seed": seed}


def answered(labels, predicted):
    table = pd.DataFrame({"label": labels, "predicted": predicted})
    return table.assign(face=range(len(table)), group=0)


LABELS = ["sad", "sad", "sad", "sad", "fear", "fear"]


@pytest.fixture(scope="module")
def by_hand():
    """Faces of two emotions, answered otherwise too: by another emotion, "mixed", and not at all.

    Of equal accuracy are supervised and stacked, cropped; the cells are in no order.
    """
    good, poor = ["sad", "sad", "mixed", "anger", "fear", "fear"], ["fear"] * 6
    half = ["sad", "sad", "sad", "sad", "unnamed", "mixed"]
    cells = [
        cell("supervised"),
        *(cell("stacked", "cropped", seed) for seed in (1, 0)),
        cell("stacked"),
    ]
    return cells, [answered(LABELS, given) for given in (good, half, good, poor)]


def test_shares_by_hand(by_hand):
    found = confusions(*by_hand)
    assert (found.emotions, found.faces) == (["fear", "sad"], [2, 4])
    assert found.answers == ["anger", "fear", "sad", "mixed", "unnamed"]
    assert found.right == [1, 2]
    # The mean of two seeds: fear is right in 0 and 1 of its faces, sad in 1 and 1/2.
    expected = [[0, 0.5, 0, 0.25, 0.25], [0.125, 0, 0.75, 0.125, 0]]
    assert np.array_equal(found.best.shares, expected)
    assert found.commonest(found.best) == ("sad", 0.5)


def test_the_best_is_that_of_table_1_and_the_others_have_its_order(by_hand):
    cells, predictions = by_hand
    found = confusions(cells, predictions)
    assert (found.best.model, found.best.variant) == ("stacked", "cropped")
    others = [(m.model, m.variant) for each in found.others.values() for m in each]
    assert others == [("stacked", "rgb"), ("supervised", "rgb")]
    comparisons = compare(cells, predictions, pairs=[], resamples=10, seed=0)
    causes = pd.DataFrame(cells).drop_duplicates(["model", "variant"])
    causes = causes.assign(lost_in="", naming="none")
    table = make_table(cells, predictions, comparisons, causes)
    (best,) = table[table["rank"] == "best"].to_dict("records")
    assert (best["model"], best["variant"]) == ("stacked", "cropped")
    table = table.set_index(["model", "variant"])["accuracy"]
    for matrix in (found.best, *(m for each in found.others.values() for m in each)):
        assert matrix.accuracy == pytest.approx(table[matrix.model, matrix.variant])
    assert table.max() == found.best.accuracy == table["supervised", "rgb"]


def test_no_answer_is_lost(by_hand):
    cells, predictions = by_hand
    odd = [answered(LABELS, ["bored"] * 6), *predictions[1:]]
    found = confusions(cells, odd)
    assert found.answers[-1] == "bored"
    for matrix in (found.best, *(m for each in found.others.values() for m in each)):
        assert np.allclose(matrix.shares.sum(axis=1), 1)
    right = sum(
        found.best.shares[row, column] * count
        for row, (column, count) in enumerate(zip(found.right, found.faces, strict=True))
    )
    assert right / len(LABELS) == pytest.approx(found.best.accuracy)


def test_cells_scored_on_other_faces_are_refused(by_hand):
    cells, predictions = by_hand
    with pytest.raises(InputError, match="scored on other faces"):
        confusions(cells, [*predictions[:3], predictions[3].iloc[1:]])


def many(emotions=EMOTIONS):
    """All models on all variants, two seeds."""
    generator = np.random.default_rng(0)
    labels = np.repeat(emotions, 10)
    cells = [
        cell(model, variant, seed)
        for model in MODELS
        for variant in ("rgb", "grayscale", "cropped")
        for seed in (0, 1)
    ]
    given = [*emotions, "mixed", "unnamed"]
    return cells, [answered(labels, generator.choice(given, len(labels))) for _ in cells]


@pytest.mark.parametrize("emotions", [EMOTIONS, ("happy", "sad")])
def test_many_matrices_have_room_and_labels_outside_alone(emotions):
    figure = plot_confusions(*many(emotions))
    assert len(figure.axes) == 3 * len(MODELS)
    best, *small = figure.axes
    assert [tick.get_text() for tick in best.get_yticklabels()] == list(emotions)
    assert [tick.get_text() for tick in best.get_xticklabels()] == [*emotions, "mixed", "unnamed"]
    assert best.texts and not any(axes.texts for axes in small)
    for number, axes in enumerate(small):
        assert bool(axes.get_yticklabels()) == (number % COLUMNS == 0)
        assert bool(axes.get_xticklabels()) == (number >= len(small) - COLUMNS)
        assert len(axes.patches) == len(emotions)
    FigureCanvasAgg(figure).draw()
    words = [text for text in figure.findobj(Text) if text.get_text()]
    boxes = [text.get_window_extent() for text in words]
    assert all(
        figure.bbox.contains(box.x0, box.y0) and figure.bbox.contains(box.x1, box.y1)
        for box in boxes
    )
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for a, b in combinations(titles, 2))


def test_one_cell_is_drawn_too():
    (axes,) = plot_confusions([cell("stacked")], [answered(LABELS, LABELS)]).axes
    assert np.array_equal(axes.images[0].get_array(), np.eye(2))


def page(found, folder):
    """A page of nothing but the matrices."""
    macro = '{% from "confusion.html" import matrices %}{{ matrices(found) }}'
    text = f'{{% extends "page.html" %}}{{% block body %}}<main>{macro}</main>{{% endblock %}}'
    (folder / "alone.html").write_text(text, encoding="utf-8")
    style = (PAGES / "confusion.css").read_text(encoding="utf-8")
    (folder / "alone.css").write_text(f".scroll {{ overflow-x: auto; }} {style}", encoding="utf-8")
    return render("alone", folder=folder, title="", found=found)


def test_a_page_shows_the_best_as_a_table_and_tells_of_the_others(by_hand, tmp_path):
    tree = html.fromstring(page(confusions(*by_hand), tmp_path))
    (table,) = tree.iter("table")
    assert table.findtext("caption") == "stacked on cropped, the best: 66.7% right"
    head, *rows = table.iter("tr")
    columns = [each.text_content() for each in head.iterfind("th[@scope='col']")]
    assert columns == ["true emotion", "anger", "fear", "sad", "mixed", "unnamed", "faces"]
    assert [row.findtext("th[@scope='row']") for row in rows] == ["fear", "sad"]
    shown = [[each.text_content() for each in row.iterfind("td")] for row in rows]
    assert shown == [["", "50", "", "25", "25", "2"], ["12", "", "75", "12", "", "4"]]
    assert [row.findtext("td[@class='right']") for row in rows] == ["50", "75"]
    told = [each.get("aria-label") for each in tree.iter("svg")]
    assert told == [
        "stacked on rgb: 33.3% right. fear 100.0%, sad 0.0%, and most often answered: fear, "
        "for 100.0% of faces.",
        "supervised on rgb: 66.7% right. fear 100.0%, sad 50.0%, and most often answered: fear, "
        "for 33.3% of faces.",
    ]
    # A square a share, a full one for all faces of a row.
    squares = [svg.xpath(".//*[@class='shares']/*") for svg in tree.iter("svg")]
    assert [[each.get("opacity") for each in each_of] for each_of in squares] == [
        ["1.00", "1.00"],
        ["1.00", "0.25", "0.50", "0.25"],
    ]


def test_answers_are_text(tmp_path):
    odd = "<script>alert(1)</script>"
    tables = [answered(LABELS, [odd] * 6), answered(LABELS, LABELS)]
    text = page(confusions([cell("stacked"), cell("supervised")], tables), tmp_path)
    assert odd not in text and "&lt;script&gt;" in text


def luminance(colour):
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_numbers_are_read_on_every_ground(mode):
    styles = (PAGES / "page.css").read_text(encoding="utf-8")
    accent, card, ink = (
        re.findall(rf"--{name}: (#\w+)", styles)[mode] for name in ("accent", "card", "ink")
    )
    own = (PAGES / "confusion.css").read_text(encoding="utf-8")
    most = int(re.findall(r"--most: (\d+)%", own)[mode]) / 100
    for share in np.linspace(0, most, 11):
        ground = share * np.array(to_rgb(accent)) + (1 - share) * np.array(to_rgb(card))
        light, dark = sorted((luminance(ground), luminance(ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_matrices_fit_a_narrow_page(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page(confusions(*many()), tmp_path), encoding="utf-8")
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    browser.get(path.as_uri())
    fits = "return document.documentElement.scrollWidth <= 390"
    assert browser.execute_script(fits)
    heights = """return [...document.querySelectorAll(".model")].map((model) =>
        [...model.querySelectorAll("svg")].map((each) => each.getBoundingClientRect().height))"""
    found = browser.execute_script(heights)
    assert len(found) == len(MODELS)
    # Small ones stand in line, and are large enough to be seen.
    assert all(max(each) - min(each) < 0.1 and min(each) > 80 for each in found)
    # The ten answers of the table are all in sight.
    sight = """const [box] = document.getElementsByClassName("scroll");
        return [box.scrollWidth, box.clientWidth]"""
    whole, seen = browser.execute_script(sight)
    assert whole <= seen
