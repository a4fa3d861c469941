"""Figures: what they show, and the same file each time."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from facesort.common.drawing import save
from facesort.common.emotions import EMOTIONS
from facesort.pages.colours import cluster_groups, emotion_groups
from facesort.pages.figures import (
    confusion,
    plot_clusters,
    plot_confusions,
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


def test_matrices_show_the_emotions_that_there_are():
    table = pd.DataFrame({"label": ["sad", "happy"], "predicted": ["fear", "happy"]})
    (axes,) = plot_confusions([{"model": "stacked", "variant": "rgb"}], [table]).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["happy", "sad"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["fear", "happy", "sad"]
    assert np.array_equal(axes.images[0].get_array(), [[0, 1, 0], [1, 0, 0]])


def test_a_variant_without_the_model_has_no_matrix(predictions):
    pairs = [("stacked", "rgb"), ("stacked", "cropped"), ("action_units", "rgb")]
    cells = [{"model": model, "variant": variant} for model, variant in pairs]
    axes = plot_confusions(cells, [predictions] * 3).axes
    assert [len(each.images) for each in axes] == [1, 1, 1, 0]
    assert not axes[3].axison


def test_confusion_by_hand_with_mixed():
    matrix = confusion(np.array(["sad", "sad", "fear"]), np.array(["sad", "mixed", "anger"]))
    assert matrix.shape == (8, 9)
    assert matrix[6, 6] == 0.5 and matrix[6, 8] == 0.5 and matrix[3, 0] == 1
    assert np.isnan(matrix[4]).all() and matrix[[3, 6]].sum() == 2


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
            lambda: plot_confusions(cells, [predictions]),
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
