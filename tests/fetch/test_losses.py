"""The report of losses: counts that add up, and a picture of any number of hosts."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from facesort.fetch.losses import MOST_CAUSES, MOST_HOSTS, count_losses, plot_losses

CAUSES = [
    "status 404",
    "status 410",
    "timed out",
    "HTML in place of an image",
    "robots.txt forbids",
]


def a_ledger(hosts: int, photos: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Photos over so many hosts, the first with most; half of them lost; two faces each."""
    generator = np.random.default_rng(0)
    host = (hosts * generator.random(photos) ** 3).astype(int)
    urls = [f"http://host{h}.example.org/{i}.jpg" for i, h in enumerate(host)]
    error = generator.choice([*CAUSES, "no connection: [Errno 111]"], photos)
    lost = generator.random(photos) < 0.5
    outcome = np.where(error == "robots.txt forbids", "excluded", "failed")
    ledger = pd.DataFrame(
        {
            "url": urls,
            "outcome": np.where(lost, outcome, "fetched"),
            "error": pd.Series(error, dtype="str").where(pd.Series(lost)),
        }
    )
    return ledger, pd.DataFrame({"url": np.repeat(ledger["url"][lost], 2)})


def test_counts_add_up():
    ledger, refused = a_ledger(5, 400)
    table = count_losses(ledger, refused)
    assert list(table) == ["host", "outcome", "cause", "urls", "faces"]
    assert table["urls"].sum() == (ledger["outcome"] != "fetched").sum()
    assert (table["faces"] == 2 * table["urls"]).all()
    assert table["urls"].is_monotonic_decreasing
    assert set(table["cause"]) == {*CAUSES, "no connection"}
    assert not table.duplicated(["host", "outcome", "cause"]).any()
    assert set(table.loc[table["outcome"] == "excluded", "cause"]) == {"robots.txt forbids"}


def test_losses_that_do_not_add_up_are_an_error():
    ledger, refused = a_ledger(2, 20)
    stray = pd.concat([refused, pd.DataFrame({"url": ["http://other.org/1.jpg"]})])
    with pytest.raises(AssertionError):
        count_losses(ledger, stray)


@pytest.mark.parametrize(("hosts", "photos"), [(1, 1), (1, 50), (3, 50), (700, 5000)])
def test_the_picture_shows_all_and_stays_small(hosts, photos):
    ledger, _ = a_ledger(hosts, photos)
    ledger["outcome"], ledger["error"] = "failed", ledger["error"].fillna("status 500")
    table = count_losses(ledger, ledger[["url"]])
    figure = plot_losses(table, len(ledger))
    axes = figure.axes[0]
    bars = [patch for patch in axes.patches if patch.get_width()]
    assert sum(bar.get_width() for bar in bars) == photos
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == min(table["host"].nunique(), MOST_HOSTS + 1)
    assert (labels[-1] == f"others ({table['host'].nunique() - MOST_HOSTS})") == (hosts == 700)
    FigureCanvasAgg(figure).draw()
    width, height = figure.get_size_inches()
    assert width <= 12 and height <= 10


def test_many_causes_are_summed_up():
    urls = [f"http://a.org/{i}" for i in range(30)]
    ledger = pd.DataFrame(
        {"url": urls, "outcome": "failed", "error": [f"status {500 + i}" for i in range(30)]}
    )
    axes = plot_losses(count_losses(ledger, ledger[["url"]]), 30).axes[0]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(texts) == MOST_CAUSES + 1
    assert texts[-1] == "others (21) (21)"


def test_nothing_lost_is_drawn_too():
    ledger, _ = a_ledger(3, 10)
    ledger = ledger.assign(outcome="fetched", error=None)
    table = count_losses(ledger, pd.DataFrame({"url": []}))
    assert table.empty
    figure = plot_losses(table, 10)
    FigureCanvasAgg(figure).draw()
    assert figure.get_suptitle() == "Nothing was lost: all 10 photos were fetched"
    # Axes would look as if something were missing.
    assert figure.axes == []
