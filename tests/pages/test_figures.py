"""Figures: what they show, and the same file each time."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text

from facesort.common.drawing import save
from facesort.common.emotions import EMOTIONS
from facesort.pages.colours import cluster_groups, emotion_groups
from facesort.pages.figures import (
    VARIANTS,
    plot_clusters,
    plot_embedding,
    plot_history,
    plot_reconstructions,
)

NAMES = np.array(EMOTIONS)


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 8, 80), rng.integers(0, 4, 80)
    names = np.array(["happy", "happy", "sad", "mixed"])
    return pd.DataFrame({"label": NAMES[labels], "group": groups, "predicted": names[groups]})


@pytest.fixture
def history():
    """Thirteen panels, in an order of variants that is not that of the tables."""
    panels = [(f"model{n}", "classify") for n in range(12)] + [("semi_supervised", "reconstruct")]
    return pd.DataFrame(
        {"model": model, "phase": phase, "variant": variant, "seed": 0, "epoch": epoch, "loss": 1.0}
        for model, phase in panels
        for variant in ("cropped", "rgb")
        for epoch in (1, 2)
    )


def test_a_variant_has_one_colour_in_every_history(history):
    for shown in (history, history[history["variant"] == "cropped"]):
        figure = plot_history(shown)
        for axes in figure.axes[:13]:
            colours = [line.get_color() for line in axes.lines]
            assert colours == [VARIANTS[variant] for variant in shown["variant"].unique()]
        told = [text.get_text() for text in figure.legends[0].get_texts()]
        assert told == [v for v in VARIANTS if v in set(shown["variant"])]


def boxes(figure):
    """Where all words of a figure stand, in pixels."""
    FigureCanvasAgg(figure).draw()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    shown = [text for text in texts if not text.axes or text.axes.axison]
    return {text: text.get_window_extent() for text in shown if text.get_window_extent().width}


def test_the_titles_of_many_panels_do_not_touch(history):
    figure = plot_history(history.replace("semi_supervised", "a_model_of_a_long_name"))
    shown = boxes(figure)
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.title in shown]
    assert len(titles) == 13
    assert not any(a.overlaps(b) for a, b in combinations(titles, 2))


def test_the_title_of_few_reconstructions_is_whole():
    faces = np.zeros((1, 2, 12, 12, 1), np.uint8)
    figure = plot_reconstructions(
        faces, ["original", "epoch 100"], "semi_supervised, grayscale, seed 12"
    )
    assert all(
        figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1)
        for box in boxes(figure).values()
    )


def drawn(figure, path):
    save(figure, path)
    return imread(path)


def test_figures_are_drawn_and_repeat(predictions, tmp_path):
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (30, 12, 12, 1), dtype=np.uint8)
    names = pd.DataFrame({"cluster": range(3), "emotion": ["happy", "surprise", "mixed"]})
    clusters = np.arange(30) % 2  # the third is empty
    pairs = np.stack([faces[:11], 255 - faces[:11]], axis=1)
    cells = [{"model": "stacked", "variant": "rgb", "seed": 0}]
    history = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.6], "phase": "reconstruct"}).assign(
        **cells[0]
    )
    places = pd.DataFrame(
        rng.normal(size=(80, 4)), columns=["tsne_x", "tsne_y", "umap_x", "umap_y"]
    )
    half = np.arange(80) < 40
    panels = [
        ("by cluster", half, cluster_groups(np.arange(80) % 4, ["happy", "happy", "sad", "mixed"])),
        ("by emotion", ~half, emotion_groups(predictions["label"].to_numpy(object))),
    ]
    for number, draw in enumerate(
        (
            lambda: plot_embedding(places, panels, "title"),
            lambda: plot_clusters(faces, clusters, names, 5, 0, "title"),
            lambda: plot_reconstructions(pairs, ["original", "epoch 1"], "title"),
            lambda: plot_history(history),
        )
    ):
        first, again = tmp_path / f"{number}a.png", tmp_path / f"{number}b.png"
        image = drawn(draw(), first)
        assert min(image.shape[:2]) > 300 and image[..., :3].std() > 0.02
        # Nothing touches the edge, as cut labels would.
        edge = np.concatenate([image[:, :1, :3].ravel(), image[:, -1:, :3].ravel()])
        assert edge.min() == 1
        drawn(draw(), again)
        assert first.read_bytes() == again.read_bytes()
