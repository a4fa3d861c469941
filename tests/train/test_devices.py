"""The choice of device and precision; what of the GPU's path a CPU can run."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facesort.train import devices
from facesort.train.batches import read_batches
from facesort.train.devices import choose_device

ROOT = Path(__file__).resolve().parents[2]
# What a warm process does before it forks (facesort/common/warm.py).
PRELOADS = """
import sys
from pathlib import Path
sys.path.insert(0, "workflow_scripts")
import torch
from facesort.common.warm import preload
asked = []
for name in ("is_available", "device_count", "_lazy_init"):
    setattr(torch.cuda, name, lambda *a, name=name, **k: asked.append(name) or 0)
for script in ("train", "embed", "classify"):
    preload(Path(f"workflow_scripts/{script}.py"))
print("facesort.train.engine" in sys.modules, asked)
"""


@pytest.fixture(autouse=True)
def settings_afterwards():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    devices.use_sharding(0)


@pytest.mark.parametrize(
    ("gpu", "native", "precision", "expected"),
    [
        (True, True, "auto", "cuda in bfloat16"),
        (True, False, "auto", "cuda in float32"),
        (True, False, "bfloat16", "cuda in bfloat16"),
        (True, True, "float32", "cuda in float32"),
        (False, True, "auto", "cpu in bfloat16"),
        (False, False, "auto", "cpu in float32"),
    ],
)
def test_the_best_device_and_precision_are_taken(monkeypatch, gpu, native, precision, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: native)
    monkeypatch.setattr(devices, "_cpu_has_bfloat16", lambda: native)
    assert str(choose_device({"precision": precision, "sharding": True}, 1)) == expected


@pytest.mark.parametrize(("precision", "dtype"), [("bfloat16", torch.bfloat16), ("float32", None)])
def test_products_run_in_the_chosen_precision(precision, dtype):
    device = choose_device({"precision": precision, "sharding": False}, 1)
    with device.autocast():
        product = torch.ones(4, 4) @ torch.ones(4, 4)
    assert product.dtype == (dtype or torch.float32)


def test_new_tensors_are_not_filled():
    choose_device({"precision": "float32", "sharding": False}, 1)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory


def test_for_a_gpu_the_reader_pins_and_the_copy_does_not_wait(monkeypatch):
    pinned, copies = [], []

    def pin(batch):
        pinned.append(len(batch))
        return batch

    def copy(batch, device, non_blocking=False):
        copies.append((device.type, non_blocking))
        return batch

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.Tensor, "to", copy)
    faces = torch.zeros(5, 2, 2, 3, dtype=torch.uint8).numpy()
    batches = [torch.arange(3).numpy(), torch.arange(3, 5).numpy()]
    assert len(list(read_batches(faces, batches, torch.device("cuda")))) == 2
    assert pinned == [3, 2] and copies == [("cuda", True)] * 2


def test_a_warm_process_leaves_the_gpu_to_its_forks():
    """Once CUDA has started in a process, its forks cannot use it."""
    done = subprocess.run(
        [sys.executable, "-c", PRELOADS], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "True []\n", done.stderr
