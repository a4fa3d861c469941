"""Training learns, goes on bit for bit after a stop, and ends in words when it cannot go on."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facesort.checkpoints import Checkpoint
from facesort.devices import choose_device, enough_memory
from facesort.job import InputError
from facesort.models import build
from facesort.reconstructions import Reconstructions
from facesort.saving import load_model, save_model
from facesort.training import Phase, fit

SETTINGS = {"widths": [32, 8], "output": "sigmoid"}
ABOUT = {"model": "stacked", "shape": [8, 8, 3], "settings": SETTINGS}
FLOAT32 = {"precision": "float32", "sharding": True}


@pytest.fixture
def phase():
    faces = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3), np.uint8)
    return Phase("reconstruct", faces, np.arange(64), None, 4, "adam", 0.01)


def train(folder, phase, identity="run", model=None, minutes=0.0, after_epoch=lambda *_: None):
    torch.manual_seed(0)
    model = model or build("stacked", (8, 8, 3), SETTINGS)
    history = fit(
        model,
        [phase],
        choose_device(FLOAT32, 1),
        batch_size=16,
        seed=3,
        checkpoint=Checkpoint(folder / "last.pt", identity, minutes),
        label="test",
        after_epoch=after_epoch,
    )
    return model, history


def assert_equal_weights(one, other):
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_loss_falls(tmp_path, phase):
    _, history = train(tmp_path, phase)
    assert [line.epoch for line in history] == [1, 2, 3, 4]
    assert history[-1].loss < history[0].loss


class Stop(Exception):
    pass


@pytest.mark.parametrize("steps", [1, 3, 4, 5, 11, 15])
def test_a_run_stopped_after_any_step_ends_with_equal_weights(tmp_path, phase, steps, monkeypatch):
    whole, history = train(tmp_path / "whole", phase)
    left = steps
    save = Checkpoint.save

    def save_then_stop(self, state):
        nonlocal left
        save(self, state)
        left -= 1
        if not left:
            raise Stop

    monkeypatch.setattr(Checkpoint, "save", save_then_stop)
    with pytest.raises(Stop):
        train(tmp_path / "cut", phase)
    monkeypatch.setattr(Checkpoint, "save", save)
    resumed, again = train(tmp_path / "cut", phase)
    assert_equal_weights(whole, resumed)
    assert [line.loss for line in again] == [line.loss for line in history]


# Trains both phases of the semi-supervised model with two threads, and writes its weights.
RUN = """
import sys
import numpy as np
import torch
from pathlib import Path
from facesort.checkpoints import Checkpoint
from facesort.devices import choose_device
from facesort.models import build
from facesort.saving import save_model
from facesort.training import Phase, fit

folder = Path(sys.argv[1])
settings = {"filters": [4, 4, 8, 8, 8, 8], "pools": [2, 2, 2], "output": "sigmoid",
            "dense": [16, 8]}
faces = np.random.default_rng(0).integers(0, 256, (200, 64, 64, 3), np.uint8)
torch.manual_seed(0)
model = build("semi_supervised", (64, 64, 3), settings)
history = fit(
    model,
    [
        Phase("reconstruct", faces, np.arange(200), None, 4, "adamax", 0.001),
        Phase("classify", faces, np.arange(100), np.arange(200) % 8, 4, "adam", 0.001),
    ],
    choose_device({"precision": "auto", "sharding": True}, 2),
    batch_size=32,
    seed=0,
    checkpoint=Checkpoint(folder / "last.pt", "", 0),
    label="run",
)
save_model(folder / "model", model, {}, history)
"""


def test_runs_killed_at_random_moments_end_with_equal_weights(tmp_path):
    def start(name):
        (tmp_path / name).mkdir(exist_ok=True)
        source = str(Path(__file__).parents[1] / "workflow_scripts")
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path / name)],
            env={"PYTHONPATH": source, "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        )

    whole = start("whole")
    assert whole.wait() == 0
    wait = random.Random(0)
    killed = 0
    while True:
        run = start("killed")
        # Begin to count once there is something to lose; then kill in the midst of it.
        deadline = time.monotonic() + 60
        before = (tmp_path / "killed/last.pt").stat() if killed else None
        while killed < 3 and run.poll() is None and time.monotonic() < deadline:
            path = tmp_path / "killed/last.pt"
            if path.exists() and (not before or path.stat().st_ino != before.st_ino):
                break
            time.sleep(0.005)
        if killed == 3:
            assert run.wait() == 0
            break
        time.sleep(wait.uniform(0, 0.2))
        run.kill()
        if run.wait() == 0:
            break
        assert run.returncode == -signal.SIGKILL
        killed += 1
    assert killed >= 2
    assert "going on after" in run.stdout.read()
    weights = [tmp_path / name / "model/weights.safetensors" for name in ("whole", "killed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    losses = [
        [json.loads(line)["loss"] for line in (path.parent / "history.jsonl").open()]
        for path in weights
    ]
    assert losses[0] == losses[1] and len(losses[0]) == 8


def test_a_full_disk_costs_the_checkpoint_alone(tmp_path, phase, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    _, history = train(tmp_path, phase)
    assert len(history) == 4
    warning = capsys.readouterr().out.splitlines()[0]
    assert warning.startswith("warning: ") and "No space left on device" in warning
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_wait_for_their_minutes(tmp_path, phase):
    train(tmp_path, phase, minutes=60)
    assert not (tmp_path / "last.pt").exists()


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
    device = choose_device(FLOAT32, 1)
    history = fit(
        model,
        [phase],
        device,
        batch_size=8,
        seed=0,
        checkpoint=Checkpoint(tmp_path / "c", "", 60),
        label="",
    )
    assert history[-1].accuracy == 1.0
    assert history[-1].faces == 40


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_too_little_memory_ends_with_advice(error):
    with (
        pytest.raises(InputError, match=r"batch_size.*faces\.size"),
        enough_memory(torch.device("cpu")),
    ):
        raise error


def test_torch_says_no_memory_in_words_that_we_know():
    with pytest.raises(InputError, match="not enough memory"), enough_memory(torch.device("cpu")):
        torch.empty(1 << 60, dtype=torch.uint8)


def test_other_errors_keep_their_words():
    with pytest.raises(RuntimeError, match="shapes"), enough_memory(torch.device("cpu")):
        raise RuntimeError("shapes differ")


def test_pictures_are_taken_after_the_first_middle_and_last_epoch(tmp_path, phase):
    model = build("stacked", (8, 8, 3), SETTINGS)
    shown = Reconstructions(model, phase, choose_device(FLOAT32, 1), tmp_path / "pictures")
    train(tmp_path, phase, model=model, after_epoch=shown.after_epoch)
    assert shown.epochs == [1, 2, 4]
    pictures = shown.all()
    assert pictures.shape == (16, 4, 8, 8, 3) and pictures.dtype == np.uint8
    assert (pictures[:, 0] == phase.faces[np.linspace(0, 63, 16).astype(int)]).all()
    distance = np.abs(pictures[:, 1:].astype(int) - pictures[:, :1]).mean(axis=(0, 2, 3, 4))
    assert distance[-1] < distance[0]


def test_classifiers_have_no_pictures(tmp_path, phase):
    phase = replace(phase, name="classify")
    assert Reconstructions(None, phase, choose_device(FLOAT32, 1), tmp_path).all() is None


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
