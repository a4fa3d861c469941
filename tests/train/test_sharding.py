"""Sharded convolutions give what plain ones give, the same bits every time, and learn as well."""

import numpy as np
import pytest
import torch
from torch import nn

from facesort.train import sharding
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import choose_device
from facesort.train.engine import Phase, fit
from facesort.train.models import build
from facesort.train.sharding import sharded, use_sharding

SETTINGS = {"filters": [4, 4, 8, 8, 8, 8], "pools": [2, 2, 2], "output": "sigmoid"}


@pytest.fixture(autouse=True)
def off_afterwards(monkeypatch):
    monkeypatch.setattr(sharding, "PIXELS_AT_ONCE", 300)  # shards of one 16x16 face
    threads = torch.get_num_threads()
    yield
    use_sharding(0)
    torch.set_num_threads(threads)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))


def answers(threads, batch=7, frozen=False):
    use_sharding(threads)
    model = network()
    if frozen:
        model[0].bias.requires_grad_(False)
    x = torch.rand(batch, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    out = sharded(model, x)
    out.square().sum().backward()
    return out.detach(), [p.grad for p in model.parameters()]


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("batch", [1, 7])
def test_values_and_gradients_are_the_plain_ones(threads, batch):
    plain, plain_gradients = answers(0, batch)
    out, gradients = answers(threads, batch)
    torch.testing.assert_close(out, plain)
    torch.testing.assert_close(gradients, plain_gradients)


def test_every_run_gives_the_same_bits():
    first, gradients = answers(2)
    for _ in range(5):
        out, again = answers(2)
        assert torch.equal(out, first)
        assert all(map(torch.equal, again, gradients))


def test_frozen_parameters_get_no_gradient():
    _, plain = answers(0, frozen=True)
    _, gradients = answers(2, frozen=True)
    torch.testing.assert_close(gradients[0], plain[0])
    assert gradients[1] is None


def test_without_gradients_nothing_is_kept():
    use_sharding(2)
    with torch.no_grad():
        out = sharded(network(), torch.rand(3, 3, 16, 16))
    assert out.shape == (3, 8, 8, 8) and not out.requires_grad


def test_a_threads_error_reaches_the_caller():
    use_sharding(2)
    with pytest.raises(RuntimeError, match="channels"):
        sharded(network(), torch.rand(3, 5, 16, 16))


def test_what_is_traced_for_an_export_is_the_plain_module():
    use_sharding(2)
    model, x = network().requires_grad_(False), torch.rand(4, 3, 16, 16)
    traced = torch.jit.trace(lambda faces: sharded(model, faces), x[:2])
    torch.testing.assert_close(traced(x), model(x))


def test_bfloat16_learns_as_float32_does(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (64, 4, 4, 3), np.uint8)
    faces = coarse.repeat(4, axis=1).repeat(4, axis=2)
    losses = {}
    for precision, with_shards in (("float32", False), ("bfloat16", True), ("bfloat16", False)):
        torch.manual_seed(0)
        model = build("convolutional", (16, 16, 3), SETTINGS)
        history = fit(
            model,
            [Phase("reconstruct", faces, np.arange(64), None, 8, "adam", 0.01)],
            choose_device({"precision": precision, "sharding": with_shards}, 2),
            batch_size=16,
            seed=0,
            checkpoint=Checkpoint(tmp_path / "last.pt", "", 60),
            label="",
        )
        losses[precision, with_shards] = np.array([line.loss for line in history])
    plain = losses["float32", False]
    assert plain[-1] < plain[0] - 0.02
    for other in losses.values():
        assert np.abs(other - plain).max() < 0.15 * (plain[0] - plain[-1])
