"""Figures: what they show, told apart by all readers, and the same file each time."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.text import Text

from facesort.common.drawing import save
from facesort.common.emotions import EMOTIONS
from facesort.pages.figures import (
    COLOURS,
    VARIANTS,
    cluster_groups,
    emotion_groups,
    on_dark,
    plot_clusters,
    plot_embedding,
    plot_history,
    plot_reconstructions,
)

NAMES = np.array(EMOTIONS)
# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113: severity 1, linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "red": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "green": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "blue": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def cielab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB under D65."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ rgb / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_emotions_colours_stay_apart(blindness, ground):
    seen = {}
    for emotion in EMOTIONS:
        colour = COLOURS[emotion]
        srgb = np.array(to_rgb(on_dark(colour) if ground == "dark" else colour))
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        seen[emotion] = cielab(np.clip(BLINDNESS[blindness] @ linear, 0, 1))
    nearest = min(np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(EMOTIONS, 2))
    assert nearest > 15


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 8, 80), rng.integers(0, 4, 80)
    names = np.array(["happy", "happy", "sad", "mixed"])
    return pd.DataFrame({"label": NAMES[labels], "group": groups, "predicted": names[groups]})


def test_clusters_have_their_emotions_colour_and_are_told_apart():
    clusters = np.arange(80) % 4
    groups = cluster_groups(clusters, ["happy", "happy", "sad", "mixed"])
    assert [label for label, _, _ in groups] == ["0: happy", "1: happy", "2: sad", "3: mixed"]
    colours = [to_rgb(colour) for _, colour, _ in groups]
    assert colours[0] == to_rgb(COLOURS["happy"]) and colours[2] == to_rgb(COLOURS["sad"])
    assert len(set(colours)) == len({on_dark(colour) for _, colour, _ in groups}) == 4
    assert (np.sum([chosen for _, _, chosen in groups], axis=0) == 1).all()


def test_emotions_have_groups_and_mixed_only_where_it_occurs():
    groups = emotion_groups(np.array(["sad", "mixed", "", "sad"], object))
    assert {label: int(chosen.sum()) for label, _, chosen in groups if chosen.any()} == {
        "sad": 2,
        "mixed": 1,
    }
    assert len(emotion_groups(np.array(["sad"], object))) == 8


def test_a_set_that_lacks_emotions_has_groups_of_its_own():
    groups = emotion_groups(np.array(["sad", "fear", ""], object), ["happy", "sad"])
    assert [label for label, _, _ in groups] == ["fear", "happy", "sad"]


def test_clusters_without_names_are_told_apart():
    groups = cluster_groups(np.arange(24) % 12, ["unnamed"] * 12)
    assert [label for label, _, _ in groups] == [f"cluster {number}" for number in range(12)]
    assert len({colour for _, colour, _ in groups}) == 12
    assert all(on_dark(colour) for _, colour, _ in groups)
    assert (np.sum([chosen for _, _, chosen in groups], axis=0) == 1).all()


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
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.title in boxes(figure)]
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
