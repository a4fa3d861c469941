"""The patch transformer: any side, glimpses as published, and it learns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from learning import learn

from facesort.common.config import model_settings
from facesort.pages.architecture import plot_architecture
from facesort.train.engine import Phase
from facesort.train.models import build
from facesort.train.models.description import describe
from facesort.train.models.transformer import Glimpses, prime_factors

ROOT = Path(__file__).resolve().parents[2]
BEYOND = yaml.safe_load((ROOT / "configs/beyond.yaml").read_text(encoding="utf-8"))
SETTINGS = model_settings(BEYOND, "transformer", "rgb")
SMALL = SETTINGS | {"patch": 4, "width": 16, "depth": 1, "heads": 2, "glimpses": 2}


@pytest.mark.parametrize("shape", [(36, 36, 3), (48, 48, 1), (64, 64, 3), (200, 200, 1)])
def test_faces_of_any_side_pass(shape):
    model = build("transformer", shape, SETTINGS)
    x = torch.rand(2, shape[2], *shape[:2])
    assert model.embed(x).shape == (2, 2 * SETTINGS["width"])
    assert model.classify(x).shape == (2, 8)


@pytest.mark.parametrize(("side", "patch"), [(150, 8), (50, 6), (24, 5), (31, 7), (8, 64), (9, 12)])
def test_every_patch_of_a_side_that_it_does_not_divide_is_a_token(side, patch):
    model = build("transformer", (side, side, 1), SMALL | {"patch": patch})
    tokens = model.stem(torch.rand(2, 1, side, side)).shape
    assert tokens[2:] == (-(-side // patch),) * 2
    assert model.classify(torch.rand(2, 1, side, side)).shape == (2, 8)


def test_every_pixel_is_seen():
    model = build("transformer", (22, 22, 1), SMALL | {"patch": 5}).eval()
    x = torch.rand(1, 1, 22, 22, requires_grad=True)
    model.stem(x).square().sum().backward()
    assert (x.grad != 0).all()


def test_prime_factors():
    assert [prime_factors(n) for n in (2, 8, 12, 35)] == [[2], [2, 2, 2], [2, 2, 3], [5, 7]]


def test_a_glimpse_is_a_weighted_mean_of_the_tokens():
    torch.manual_seed(0)
    pool = Glimpses(6, 3, 0.0)
    x = torch.randn(2, 5, 6)
    glimpses = pool(x).view(2, 3, 6)
    weights = pool.scores(x).softmax(1)
    for number in range(3):
        expected = (weights[:, :, number, None] * x).sum(1)
        torch.testing.assert_close(glimpses[:, number], expected)
    assert not torch.allclose(glimpses[:, 0], glimpses[:, 1])
    torch.testing.assert_close(pool(x[:, torch.randperm(5)]).view(2, 3, 6), glimpses)


def test_places_count():
    """Attention and glimpses alone could not tell a face from one with its patches shuffled."""
    torch.manual_seed(0)
    model = build("transformer", (16, 16, 1), SMALL).eval()
    tokens = torch.randn(1, 16, 16)
    pooled = [model.pool(model.blocks(model.positions(t))) for t in (tokens, tokens.flip(1))]
    assert not torch.allclose(*pooled, atol=1e-3)
    without = [model.pool(model.blocks(t)) for t in (tokens, tokens.flip(1))]
    torch.testing.assert_close(*without, atol=1e-5, rtol=0)


def test_it_answers_in_use_as_in_training_but_for_dropout():
    """torch takes a shorter way where nothing is learnt."""
    torch.manual_seed(0)
    model = build("transformer", (24, 24, 3), SMALL | {"dropout": 0.0})
    x = torch.rand(4, 3, 24, 24)
    learning = model.train().classify(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(model.eval().classify(x), learning, atol=1e-5, rtol=1e-4)


def test_its_layers_are_described_and_drawn():
    layers = describe("transformer", (24, 24, 3), SMALL)
    model = build("transformer", (24, 24, 3), SMALL)
    assert sum(layer["parameters"] for layer in layers) == sum(
        parameter.numel() for parameter in model.parameters()
    )
    assert [layer["detail"] for layer in layers if layer["layer"] == "MultiheadAttention"] == [
        "2 heads"
    ]
    assert plot_architecture(layers, [24, 24, 3], "transformer").axes


def test_it_learns_where_a_patch_lies(tmp_path):
    """Eight kinds of faces that differ in the place of a bright patch alone."""
    rng = np.random.default_rng(0)
    labels = np.arange(160) % 8
    faces = rng.integers(0, 60, (160, 16, 16, 1), np.uint8)
    for face, label in zip(faces, labels, strict=True):
        row, column = 4 * (label // 4) + 4, 4 * (label % 4)
        face[row : row + 4, column : column + 4] += 150
    torch.manual_seed(0)
    model = build("transformer", (16, 16, 1), SMALL)
    how = SETTINGS["phases"]["classify"]
    phase = Phase("classify", faces, np.arange(80), labels, **how)
    # A mirrored face would be another kind's.
    phase = replace(
        phase, epochs=25, learning_rate=0.003, batch_size=8, augment={"brightness": 0.1}
    )
    history = learn(model, phase, tmp_path, batch_size=8)
    assert history[-1].accuracy > 0.95
    model.eval()
    with torch.no_grad():
        x = torch.from_numpy(faces[80:]).permute(0, 3, 1, 2) / 255
        assert (model.classify(x).argmax(1).numpy() == labels[80:]).mean() > 0.95
