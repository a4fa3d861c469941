"""Training learns, resumes bit for bit, and stops on a loss that is not finite."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from facesort.devices import choose_device
from facesort.job import InputError
from facesort.models import build
from facesort.saving import load_model, save_model
from facesort.training import Phase, fit, shuffled_batches, to_input

SETTINGS = {"widths": [32, 8], "output": "sigmoid"}
ABOUT = {"model": "stacked", "shape": [8, 8, 3], "settings": SETTINGS}


@pytest.fixture
def phase():
    faces = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3), np.uint8)
    return Phase("reconstruct", faces, np.arange(64), None, 4, "adam", 0.01)


def train(folder, phase, identity="run", model=None):
    torch.manual_seed(0)
    model = model or build("stacked", (8, 8, 3), SETTINGS)
    history = fit(
        model,
        [phase],
        choose_device("float32", 1),
        batch_size=16,
        seed=3,
        checkpoint=folder / "last.pt",
        identity=identity,
        label="test",
    )
    return model, history


def test_loss_falls(tmp_path, phase):
    _, history = train(tmp_path, phase)
    assert [line.epoch for line in history] == [1, 2, 3, 4]
    assert history[-1].loss < history[0].loss


def test_a_resumed_run_ends_with_equal_weights(tmp_path, phase):
    whole, _ = train(tmp_path / "whole", phase)
    train(tmp_path / "cut", replace(phase, epochs=2))
    resumed, history = train(tmp_path / "cut", phase)
    assert len(history) == 4
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_another_runs_checkpoint_is_ignored(tmp_path, phase):
    train(tmp_path, replace(phase, epochs=1), identity="other")
    _, history = train(tmp_path, phase)
    assert len(history) == 4


def test_a_damaged_checkpoint_is_ignored(tmp_path, phase):
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    _, history = train(tmp_path, phase)
    assert len(history) == 4


def test_a_loss_that_is_not_finite_stops_with_advice(tmp_path, phase):
    model = build("stacked", (8, 8, 3), SETTINGS)
    with torch.no_grad():
        model.encoder[1].weight.fill_(float("nan"))
    with pytest.raises(InputError, match="learning_rate"):
        train(tmp_path, phase, model=model)


def test_a_classifier_learns_from_its_rows_alone(tmp_path):
    faces = np.zeros((80, 8, 8, 1), np.uint8)
    labels = np.arange(80) % 8
    faces[np.arange(80), labels] = 255
    torch.manual_seed(0)
    model = build(
        "supervised",
        (8, 8, 1),
        {"filters": 8, "blocks": [1, 1], "dense": 32, "initializer": "he_uniform"},
    )
    rows = np.arange(0, 40)
    phase = Phase("classify", faces, rows, labels, 30, "adam", 0.01)
    device = choose_device("float32", 1)
    history = fit(
        model,
        [phase],
        device,
        batch_size=8,
        seed=0,
        checkpoint=tmp_path / "c",
        identity="",
        label="",
    )
    assert history[-1].accuracy == 1.0
    assert history[-1].faces == 40


def test_batches_hold_every_row_once():
    rows = np.arange(10, 45)
    batches = list(shuffled_batches(rows, 8, [1, 2]))
    assert np.array_equal(np.sort(np.concatenate(batches)), rows)
    assert not np.array_equal(np.concatenate(batches), rows)


def test_input_is_scaled_and_channels_first():
    faces = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
    assert to_input(faces, torch.device("cpu")).tolist() == [[[[0.0, 1.0]]]]


def test_saved_models_come_back_and_foreign_folders_are_refused(tmp_path):
    model = build("stacked", (8, 8, 3), SETTINGS)
    save_model(tmp_path / "model", model, ABOUT, [])
    back, about = load_model(tmp_path / "model")
    assert about == ABOUT
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(model.embed(x), back.embed(x))
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match="not a model"):
        load_model(tmp_path / "model")
