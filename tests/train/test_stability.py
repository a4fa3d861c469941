"""Choices without labels, and the self-supervised model that makes them."""

import numpy as np
import pytest
import torch

from facesort.common.job import InputError
from facesort.train.devices import choose_device
from facesort.train.models import build
from facesort.train.stability import Choice, apply_to_rows, sample_rows, stability

FLOAT32 = {"precision": "float32", "sharding": False}


def blobs(apart, seed=0):
    """Four groups of 60 points in two dimensions, and their numbers."""
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(4), 60)
    middles = apart * np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    return middles[group] + generator.normal(0, 1, (240, 2)), group


def test_clear_clusters_are_stable_and_noise_is_not():
    assert stability(blobs(20)[0], 4, 0) > 0.99
    assert stability(np.random.default_rng(0).normal(0, 1, (240, 20)), 4, 0) < 0.5
    assert stability(blobs(3)[0], 4, 1) == stability(blobs(3)[0], 4, 1)


def test_too_few_faces_for_two_halves_are_refused():
    assert stability(blobs(20)[0][:8], 4, 0) <= 1
    with pytest.raises(InputError, match=r"^7 faces .* 4 clusters, .*clustering\.clusters"):
        stability(blobs(20)[0][:7], 4, 0)


class Scaled(torch.nn.Module):
    """Its candidates scale a second number that is nothing but noise."""

    setting, candidates = "noise", [50.0, 1.0, 10.0]

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def choose(self, candidate):
        self.scale.fill_(candidate)

    def codes(self, x):
        return x

    def weigh(self, codes):
        return torch.cat([codes[:, :2], self.scale * codes[:, 2:]], 1)


def test_the_most_stable_candidate_is_kept_through_a_stop(tmp_path):
    points, _ = blobs(20)
    noise = np.random.default_rng(1).normal(0, 1, (len(points), 5))
    faces = np.concatenate([points, noise], 1).astype(np.float32)
    how = {"epochs": [1, 2], "clusters": 4, "seed": 0, "device": choose_device(FLOAT32, 1)}
    first = Choice(Scaled(), faces, np.arange(240), folder=tmp_path, identity="run", **how)
    first.after_epoch(1)
    stopped = Choice(Scaled(), faces, np.arange(240), folder=tmp_path, identity="run", **how)
    stopped.after_epoch(2)
    found = stopped.finish()
    assert [line["epoch"] for line in found["tried"]] == [1, 1, 1, 2, 2, 2]
    assert found["chosen"]["candidate"] == 1.0 and found["chosen"]["epoch"] == 1
    assert stopped.model.scale.item() == 1.0
    assert "stability" in found["criterion"]
    other = Choice(Scaled(), faces, np.arange(240), folder=tmp_path, identity="other", **how)
    assert other.finish() == {}


def test_candidates_are_tried_on_the_device(tmp_path):
    # A model that learns at once comes from the CPU, where no phase of epochs has moved it.
    class Moved(Scaled):
        device = None

        def to(self, device):
            self.device = device
            return self

        def codes(self, x):
            assert self.device == x.device
            return x

    faces, device = blobs(20)[0].astype(np.float32), choose_device(FLOAT32, 1)
    how = {"epochs": [0], "clusters": 4, "seed": 0, "device": device}
    choice = Choice(Moved(), faces, np.arange(240), folder=tmp_path, identity="run", **how)
    choice.after_epoch(0)
    assert choice.model.device == device.device


def test_models_without_candidates_choose_nothing(tmp_path):
    model, faces = torch.nn.Identity(), np.zeros((4, 2), np.float32)
    how = {"epochs": [1], "clusters": 2, "seed": 0, "device": choose_device(FLOAT32, 1)}
    choice = Choice(model, faces, np.arange(4), folder=tmp_path, identity="run", **how)
    choice.after_epoch(1)
    assert choice.finish() == {} and not list(tmp_path.iterdir())


def test_samples_of_rows_are_sorted_and_seeded():
    rows = np.arange(5, 20_000)
    sample = sample_rows(rows, 0)
    assert len(sample) == 6000 and (np.diff(sample) > 0).all()
    assert np.array_equal(sample, sample_rows(rows, 0))


@pytest.fixture(scope="module")
def squares():
    """64 crops, a bright square in one of 16 places each, in any light; and its place."""
    generator = np.random.default_rng(0)
    places = np.stack(np.meshgrid(np.arange(4), np.arange(4)), -1).reshape(-1, 2)
    places = np.tile(places, (4, 1))
    faces = np.zeros((64, 36, 36, 1), np.uint8)
    for face, (across, down) in zip(faces, places, strict=True):
        face += generator.integers(0, 60, dtype=np.uint8)
        face[4 + 7 * down : 11 + 7 * down, 4 + 7 * across : 11 + 7 * across] += 120
    return faces, (places / 1.5 - 1).astype(np.float32)


def test_a_face_alone_in_its_batch_teaches_nothing(squares):
    settings = {"filters": 4, "dimensions": 2, "powers": [1], "floor": 0.1}
    model = build("selfsupervised", (36, 36, 1), settings)
    x = torch.from_numpy(squares[0][:1]).permute(0, 3, 1, 2).float() / 255
    loss = model.phase_loss("contrast", x, torch.from_numpy(squares[1][:1]))
    loss.backward()
    assert loss.item() == 0
    assert not any(each.grad.any() for each in model.parameters())


def test_pictures_learn_to_find_their_shapes(squares):
    faces, shapes = squares
    torch.manual_seed(0)
    settings = {"filters": 4, "dimensions": 2, "powers": [1, 2], "floor": 0.1}
    model = build("selfsupervised", (36, 36, 1), settings)
    x = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 255
    targets = torch.from_numpy(shapes)
    optimizer = torch.optim.AdamW(model.phase_parameters("contrast"), 0.005)
    losses = []
    for _ in range(60):
        batch = torch.randperm(64)[:32]
        loss = model.phase_loss("contrast", x[batch], targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    model.eval()
    with torch.no_grad():
        model.correlate(model.codes(x), targets)
        assert model.correlations[0] > 0.8
        assert (model.correlations.diff() <= 1e-6).all()
        model.choose(1)
        once = model.embed(x)
        model.choose(2)
        first, rest = once[:, 0] * model.correlations[0], once[:, 2:]
        assert torch.allclose(model.embed(x)[:, 0], first, atol=1e-5)
        # What no shape tells weighs the floor, whatever the power: each direction varies by 0.1.
        assert torch.equal(model.embed(x)[:, 2:], rest)
        assert rest.std(0)[rest.std(0) > 0] == pytest.approx(0.1, rel=0.02)
        # A crop and its mirror image are one; brighter ones are, too.
        assert torch.allclose(model.embed(x.flip(3)), model.embed(x), atol=1e-5)


def test_functions_are_applied_row_by_row(squares):
    faces, _ = squares
    device = choose_device(FLOAT32, 1)
    out = apply_to_rows(lambda x: x.mean((2, 3)), faces, np.array([3, 9]), device)
    assert np.allclose(out[:, 0], faces[[3, 9]].mean((1, 2, 3)) / 255, atol=1e-6)
