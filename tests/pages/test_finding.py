"""The finding: chart, Table 1 and strip of faces, as HTML."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from facesort.pages.finding import MOST_ROWS, OF_EACH, UNLABELLED, best_cell, chart, strip, table_1


def table_of(accuracies, **more):
    """Table 1 of cells on rgb, by model."""
    rows = [
        {
            "model": model,
            "variant": "rgb",
            "rank": "best" if accuracy == max(accuracies.values()) else "",
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.05,
            "accuracy_high": accuracy + 0.05,
            "against_chance": "above" if accuracy > 0.2 else "at",
            "balanced_accuracy": accuracy,
            "macro_f1": accuracy,
            "oracle_accuracy": accuracy,
            "paper_accuracy": 0.5615 if model == "supervised" else np.nan,
            "chance": 0.125,
            "lost_in": "clusters",
            "supervision": "none",
            "named_by": "automatic" if model == "stacked" else "none",
        }
        for model, accuracy in accuracies.items()
    ]
    return pd.DataFrame(rows).assign(**more)


TWO = table_of({"stacked": 0.12, "supervised": 0.366})


def places(html, name):
    """Where marks of a class stand, in percent of the scale."""
    return [float(left) for left in re.findall(rf'<i class="{name}" style="left: ([\d.]+)%', html)]


def test_the_chart_places_dots_chance_and_the_papers_figures():
    html = str(chart(TWO))
    # The scale ends at 60%, the tenth above the paper's 56.15%.
    assert places(html, "dot at") == [20] and places(html, "dot above") == [61]
    assert places(html, "paper") == [pytest.approx(100 * 0.5615 / 0.6, abs=0.01)]
    assert places(html, "chance") == pytest.approx([100 * 0.125 / 0.6] * 2, abs=0.01)
    (interval,) = re.findall(r'"interval" style="left: 52.67%; width: ([\d.]+)%', html)
    assert float(interval) == pytest.approx(100 * 0.1 / 0.6, abs=0.01)
    assert "36.6%, 95% interval 31.6 to 41.6" in html and "the paper" in html
    assert re.findall(r">(\d+%)</span>", html) == ["0%", "20%", "40%", "60%"]
    assert "the paper" not in str(chart(TWO.assign(paper_accuracy=np.nan)))


def test_of_many_rows_the_chart_shows_each_models_best():
    many = pd.concat(
        [TWO.assign(variant=f"v{number}", accuracy=number / 100) for number in range(MOST_ROWS)],
        ignore_index=True,
    )
    html = str(chart(many))
    assert html.count('class="track" title=') == 2 and f"v{MOST_ROWS - 1}" in html
    assert "Table 1 has all" in html and "Table 1 has all" not in str(chart(TWO))


def test_table_1_links_to_the_pages_that_there_are_and_marks_rows():
    tied = TWO.assign(rank=["tied", "best"])
    html = str(table_1(tied, ["rgb/stacked/seed3/map.html", "rgb/stacked/seed3/naming.html"], 3))
    assert re.findall(r'href="(.*?)"', html) == [
        "rgb/stacked/seed3/map.html",
        "rgb/stacked/seed3/naming.html",
    ]
    assert re.findall(r'<span role="img" aria-label="(.*?)">(.)', html) == [
        ("tied with the best", "≈"),
        ("at chance", "○"),
        ("best", "★"),
        ("above chance", "▲"),
    ]
    assert "<strong>36.6</strong>" in html and "[31.6, 41.6]" in html
    assert html.count("<tbody>") == html.count("</tbody>") == 2
    # Each row has a cell for each heading.
    head, *rows = re.findall(r"<tr.*?</tr>", html, re.S)
    assert {len(re.findall("<t[hd][ >]", row)) for row in rows} == {head.count("<th ")}


def test_the_strip_shows_faces_of_each_emotion_and_what_was_answered():
    faces = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    labels = np.repeat(["sad", "happy"], 20)
    about = pd.DataFrame({"face": range(40), "label": labels, "predicted": "sad"})
    html = unescape(str(strip(faces, about, "Title <1>")))
    assert html.count("<img ") == 2 * OF_EACH
    assert re.findall('class="(right|wrong)">(.) (.*?)</span>', html) == (
        [("wrong", "✗", "sad")] * OF_EACH + [("right", "✓", "sad")] * OF_EACH
    )
    assert html.count("<small>label: happy</small>") == OF_EACH and "Title <1>" in html
    assert html == unescape(str(strip(faces, about, "Title <1>")))
    alone = str(strip(faces, None, ""))
    assert alone.count("An unlabelled face") == UNLABELLED and "✓" not in alone
    assert str(strip(faces[:3], None, "")).count("<img ") == 3


def test_the_best_rows_predictions_are_found():
    cells = [{"model": m, "variant": v} for v in ("cropped", "rgb", "rgb") for m in TWO["model"]]
    assert best_cell(TWO, cells) == 3
