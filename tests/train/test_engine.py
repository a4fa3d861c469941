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

from facesort.common.job import InputError
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import choose_device, enough_memory
from facesort.train.engine import OPTIMIZERS, Phase, batch_loss, fit, new_optimizer
from facesort.train.models import build
from facesort.train.reconstructions import Reconstructions
from facesort.train.saving import load_model, save_model

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
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import choose_device
from facesort.train.models import build
from facesort.train.saving import save_model
from facesort.train.engine import Phase, fit

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
        source = str(Path(__file__).parents[2] / "workflow_scripts")
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path / name)],
            env={"PYTHONPATH": source, "PATH": "", "OMP_WAIT_POLICY": "PASSIVE"},
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


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(24, "Too many open files"), OSError), (MemoryError(), InputError)],
)
def test_a_checkpoint_that_could_not_be_read_is_not_overwritten(
    tmp_path, phase, monkeypatch, error, told
):
    """It may be good: the machine is at fault."""

    def fails(*_, **__):
        raise error

    train(tmp_path, replace(phase, epochs=1))
    before = (tmp_path / "last.pt").read_bytes()
    with monkeypatch.context() as patched, pytest.raises(told):
        patched.setattr(torch, "load", fails)
        train(tmp_path, phase)
    assert (tmp_path / "last.pt").read_bytes() == before


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


# All that draws numbers or keeps a state: changed faces, dropout, batch normalisation's counts.
WHOLE = {
    "schedule": "cosine",
    "weight_decay": 0.05,
    "average": True,
    "batch_size": 8,
    "balance": 0.5,
    "label_smoothing": 0.1,
    "augment": {"flip": True, "shift": 0.1, "rotate": 10, "contrast": 0.2, "erase": 0.2},
}
DRAWN = {
    "transformer": {"patch": 4, "width": 8, "depth": 1, "heads": 2, "glimpses": 2, "dropout": 0.2},
    "transfer": {
        "backbone": "mobilenet_v3_small",
        "frozen": False,
        "enlarge": None,
        "dropout": 0.2,
    },
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_stopped_run_draws_what_it_would_have_drawn(tmp_path, name, monkeypatch):
    faces = np.random.default_rng(0).integers(0, 256, (28, 16, 16, 3), np.uint8)
    phase = Phase("classify", faces, np.arange(28), np.arange(28) % 8, 2, "adamw", 0.01, **WHOLE)

    def run(folder):
        torch.manual_seed(0)
        return train(folder, phase, model=build(name, (16, 16, 3), DRAWN[name]))

    whole, history = run(tmp_path / "whole")
    save, saves = Checkpoint.save, 0

    def save_then_stop(self, state):
        nonlocal saves
        save(self, state)
        saves += 1
        if saves in (1, 4, 6):
            raise Stop

    monkeypatch.setattr(Checkpoint, "save", save_then_stop)
    for _ in range(3):
        with pytest.raises(Stop):
            run(tmp_path / "cut")
        torch.rand(saves)  # other numbers drawn meanwhile
    resumed, again = run(tmp_path / "cut")
    assert saves == 8  # 4 batches an epoch
    assert_equal_weights(whole, resumed)
    assert [line.loss for line in again] == [line.loss for line in history]


def classifying(faces=8, **how):
    pixels = np.random.default_rng(0).integers(0, 256, (faces, 8, 8, 3), np.uint8)
    return Phase("classify", pixels, np.arange(faces), np.arange(faces) % 8, 5, "adam", 0.01, **how)


def supervised():
    torch.manual_seed(0)
    settings = {"filters": 4, "blocks": [1], "dense": 8, "initializer": "he_uniform"}
    return build("supervised", (8, 8, 3), settings)


def trained(folder, phase):
    return train(folder, phase, model=supervised())[0].state_dict()


def test_options_that_are_off_change_no_bit(tmp_path):
    plain = trained(tmp_path / "a", classifying(32))
    off = {"augment": {"flip": False}, "balance": 0, "label_smoothing": 0, "weight_decay": 0}
    off |= {"schedule": "constant", "average": False, "batch_size": 16}
    for key, value in off.items():
        same = trained(tmp_path / key, classifying(32, **{key: value}))
        assert all(torch.equal(same[name], plain[name]) for name in plain), key


@pytest.mark.parametrize("key", WHOLE)
def test_every_option_counts(tmp_path, key):
    plain = trained(tmp_path / "a", classifying(36))
    phase = classifying(36, **{key: WHOLE[key]})  # 36: not all emotions are equally frequent
    other = trained(tmp_path / "b", phase)
    assert any(not torch.equal(other[name], plain[name]) for name in plain)


@pytest.mark.parametrize(("balance", "ratio"), [(0.5, 2), (1, 4)])
def test_balance_weighs_an_emotion_by_its_frequency(balance, ratio):
    labels = np.array([0] * 16 + [1] * 4 + [2] * 9)
    rows = np.arange(20)  # a face that is not learnt from does not count
    phase = replace(classifying(29), rows=rows, labels=labels, balance=balance)
    weights = phase.class_weights
    assert weights[1] / weights[0] == pytest.approx(ratio)
    assert weights[labels[rows]].mean() == pytest.approx(1)
    assert weights.shape == (8,) and weights.dtype == np.float32
    assert replace(phase, balance=0).class_weights is None


def test_a_balanced_loss_is_the_mean_of_the_weighted_faces(tmp_path):
    labels = np.array([0] * 6 + [1] * 2)
    phase = replace(classifying(8, balance=1.0), labels=labels)
    model, device = supervised(), choose_device(FLOAT32, 1)
    x = torch.rand(8, 3, 8, 8)
    loss, _ = batch_loss(model, phase, np.arange(8), x, device)
    # Over the two emotions that there are.
    each = -model.classify(x)[:, :2].log_softmax(1)[torch.arange(8), torch.from_numpy(labels)]
    expected = (each[:6].mean() + each[6:].mean()) / 2
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_a_face_counts_by_its_own_weight_too(balance):
    own = np.array([2.0, 0.5] * 4, np.float32)
    plain = replace(classifying(8, balance=balance), labels=np.array([0] * 6 + [1] * 2))
    weighed = replace(plain, face_weights=own)
    model, device, x = supervised(), choose_device(FLOAT32, 1), torch.rand(8, 3, 8, 8)
    each = [batch_loss(model, plain, np.array([n]), x[[n]], device)[0].item() for n in range(8)]
    loss, _ = batch_loss(model, weighed, np.arange(8), x, device)
    assert loss.item() == pytest.approx((own * each).mean(), rel=1e-5)
    alike = replace(plain, face_weights=np.ones(8, np.float32))
    same = [batch_loss(model, phase, np.arange(8), x, device)[0] for phase in (plain, alike)]
    assert torch.allclose(*same)


@pytest.mark.parametrize("how", [{}, {"label_smoothing": 0.1}, {"balance": 0.5}])
def test_an_emotion_that_the_set_lacks_takes_no_part_in_the_loss(how):
    labels = np.array([0, 2, 7, 7, 0, 2, 7, 7])
    phase = replace(classifying(8, **how), labels=labels)
    assert phase.emotions.tolist() == [0, 2, 7]
    assert classifying(8).emotions.tolist() == list(range(8))
    model, device = supervised(), choose_device(FLOAT32, 1)
    x = torch.rand(8, 3, 8, 8)
    loss, right = batch_loss(model, phase, np.arange(8), x, device)
    loss.backward()
    gradients = model.head.weight.grad.abs().sum(1)
    assert (gradients > 0).tolist() == [number in (0, 2, 7) for number in range(8)]
    with torch.no_grad():
        # Whatever the head says of the others.
        model.head.bias[[1, 3, 4, 5, 6]] = 100.0
        again, same = batch_loss(model, phase, np.arange(8), x, device)
    assert again.item() == pytest.approx(loss.item()) and same == right


def test_the_cosine_rises_shortly_and_ends_near_nothing():
    phase = classifying(schedule="cosine")
    rates = [phase.rate(step, 100) for step in range(100)]
    assert rates.index(max(rates)) == 4 and max(rates) == 0.01
    assert rates[0] == pytest.approx(0.002) and rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True) and 0 < rates[-1] < 1e-5
    assert classifying().rate(77, 100) == 0.01
    assert 0 < phase.rate(0, 1) <= 0.01


def test_weight_decay_spares_biases():
    model = supervised()
    optimizer = new_optimizer(model, replace(classifying(weight_decay=0.5), optimizer="adamw"))
    before = {key: each.detach().clone() for key, each in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
        if parameter.ndim == 1:
            parameter.data += 1
    optimizer.step()
    for key, parameter in model.named_parameters():
        expected = before[key] + 1 if parameter.ndim == 1 else before[key] * (1 - 0.5 * 0.01)
        torch.testing.assert_close(parameter.detach(), expected)


def test_averaged_weights_lie_between_those_of_the_steps(tmp_path):
    """With 40 steps the average halves: it looks back on about four."""
    steps = []

    class Noting(torch.optim.Adam):
        def step(self, *arguments):
            super().step(*arguments)
            steps.append(self.param_groups[0]["params"][0].detach().clone())

    phase = replace(classifying(8, average=True), epochs=40, optimizer="noting")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OPTIMIZERS, "noting", Noting)
        model, _ = train(tmp_path, phase, model=supervised())
    expected = steps[0]
    for step in steps[1:]:
        expected = expected + (step - expected) / 4
    torch.testing.assert_close(model.features[0].weight.detach(), expected)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
@pytest.mark.parametrize(
    ("device", "advice"),
    [
        ("cpu", r"batch_size.*faces\.size in the config$"),
        ("cuda", r"batch_size.*faces\.size in the config, or gpu_percent .*profiles/gpu"),
    ],
)
def test_too_little_memory_ends_with_advice(error, device, advice):
    with pytest.raises(InputError, match=advice), enough_memory(torch.device(device)):
        raise error


def test_torch_says_no_memory_in_words_that_we_know():
    with pytest.raises(InputError, match="not enough memory"), enough_memory(torch.device("cpu")):
        torch.empty(1 << 60, dtype=torch.uint8)


def test_other_errors_keep_their_words():
    with pytest.raises(RuntimeError, match="shapes"), enough_memory(torch.device("cpu")):
        raise RuntimeError("shapes differ")


def test_pictures_are_taken_after_the_first_middle_and_last_epoch(tmp_path, phase):
    model = build("stacked", (8, 8, 3), SETTINGS)
    shown = Reconstructions(model, [phase], choose_device(FLOAT32, 1), tmp_path / "pictures")
    train(tmp_path, phase, model=model, after_epoch=shown.after_epoch)
    assert shown.epochs == [1, 2, 4]
    pictures = shown.all()
    assert pictures.shape == (16, 4, 8, 8, 3) and pictures.dtype == np.uint8
    assert (pictures[:, 0] == phase.faces[np.linspace(0, 63, 16).astype(int)]).all()
    distance = np.abs(pictures[:, 1:].astype(int) - pictures[:, :1]).mean(axis=(0, 2, 3, 4))
    assert distance[-1] < distance[0]


def test_classifiers_have_no_pictures(tmp_path, phase):
    phase = replace(phase, name="classify")
    assert Reconstructions(None, [phase], choose_device(FLOAT32, 1), tmp_path).all() is None


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
    # What the machine refuses says nothing of the model.
    (tmp_path / "model" / "model.json").unlink()
    (tmp_path / "model" / "model.json").mkdir()
    with pytest.raises(InputError, match=r"model: .*Is a directory") as told:
        load_model(tmp_path / "model")
    assert "not a model" not in str(told.value)
