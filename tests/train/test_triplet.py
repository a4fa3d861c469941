"""The model that learns from comparisons: its loss, its embedding, and that it learns."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_run import BEYOND, TRIPLET

from facesort.score.triplet_accuracy import agree_with_people
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import Device
from facesort.train.engine import Phase, fit
from facesort.train.models import build
from facesort.train.models.triplet import triplet_loss

CPU = Device(torch.device("cpu"), bfloat16=False)


def test_the_loss_is_the_papers():
    rng = np.random.default_rng(0)
    first, second, odd = rng.normal(0, 0.3, (3, 50, 4))
    margin = rng.choice([0.1, 0.2], 50)
    by_hand = 0.0
    for a, b, c, m in zip(first, second, odd, margin, strict=True):
        pair = sum((a - b) ** 2)
        by_hand += max(0, pair - sum((a - c) ** 2) + m) + max(0, pair - sum((b - c) ** 2) + m)
    found = triplet_loss(*(torch.from_numpy(part) for part in (first, second, odd, margin)))
    assert found.item() == pytest.approx(by_hand / 50)


def test_faces_of_a_batch_are_taken_three_by_three():
    torch.manual_seed(0)
    model = build("triplet", (24, 24, 3), TRIPLET).eval()
    x, margin = torch.rand(6, 3, 24, 24), torch.tensor([0.1, 0.2])
    e = model.embed(x)
    expected = triplet_loss(e[[0, 3]], e[[1, 4]], e[[2, 5]], margin)
    assert model.phase_loss("compare", x, margin).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("shape", [(48, 48, 3), (48, 48, 1), (36, 36, 3), (8, 8, 3)])
def test_the_embedding_has_16_numbers_and_unit_length(shape):
    model = build("triplet", shape, BEYOND["models"]["triplet"])
    x = torch.rand(3, shape[2], *shape[:2])
    for mode in (True, False):
        e = model.train(mode).embed(x)
        assert e.shape == (3, 16) and e.dtype == torch.float32
        torch.testing.assert_close(e.norm(dim=1), torch.ones(3))
    # A face's embedding does not depend on those beside it.
    torch.testing.assert_close(model.embed(x[:1]), e[:1], rtol=1e-3, atol=1e-4)


def bars(count, seed):
    """Pictures whose one feature that counts is the height of a bar; places and colours vary."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(0, 1, count)
    faces = rng.integers(0, 60, (count, 16, 16, 3), np.uint8)
    faces += rng.integers(0, 60, (count, 1, 1, 3), np.uint8)
    for face, tall, left in zip(faces, height, rng.integers(0, 13, count), strict=True):
        face[15 - int(14 * tall) :, left : left + 3] = 220
    return faces, height


def test_a_small_net_learns_comparisons(tmp_path):
    faces, height = bars(240, 0)
    rng = np.random.default_rng(0)

    def compared(rows, count):
        chosen = np.stack([rng.choice(rows, 3, replace=False) for _ in range(count)])
        apart = np.abs(height[chosen][:, [1, 0, 0]] - height[chosen][:, [2, 2, 1]])
        odd = apart.argmin(1)[:, np.newaxis]
        rest = chosen[np.arange(3) != odd].reshape(-1, 2)
        table = np.concatenate([rest, np.take_along_axis(chosen, odd, 1)], 1)
        return pd.DataFrame(table, columns=["first", "second", "odd"])

    taught, held_out = compared(np.arange(180), 400), compared(np.arange(180, 240), 300)
    torch.manual_seed(0)
    model = build("triplet", (16, 16, 3), TRIPLET)

    def accuracy():
        model.eval()
        with torch.no_grad():
            x = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 255
            return agree_with_people(model.embed(x).numpy(), held_out).mean()

    margins = np.full(len(taught), 0.2, np.float32)
    phase = Phase(
        "compare", faces, np.arange(len(taught)), None, 4, "adam", 0.002,
        groups=taught.to_numpy(), targets=margins,
    )  # fmt: skip
    history = fit(
        model, [phase], CPU, batch_size=32, seed=0, label="test",
        checkpoint=Checkpoint(tmp_path / "last.pt", identity="test", minutes=60),
    )  # fmt: skip
    assert history[-1].loss < 0.7 * history[0].loss
    assert accuracy() > 0.6
