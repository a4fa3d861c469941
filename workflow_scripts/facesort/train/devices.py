"""Where and in which precision the arithmetic runs."""

import ctypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch

from facesort.common.job import InputError
from facesort.train.sharding import use_sharding

# Of glibc's malloc.h; see mallopt(3).
M_TRIM_THRESHOLD: Final = -1
M_MMAP_MAX: Final = -4
# How errors other than torch's own tell that memory ran out: the kernel's, CUDA's, cuBLAS's.
NO_MEMORY: Final = ("allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@dataclass(frozen=True)
class Device:
    """A torch device and whether matrix products and convolutions run in bfloat16 on it."""

    device: torch.device
    bfloat16: bool

    def autocast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def __str__(self) -> str:
        return f"{self.device.type} in {'bfloat16' if self.bfloat16 else 'float32'}"


def choose_device(training: dict[str, Any], threads: int) -> Device:
    """Take the GPU if there is one, and bfloat16 if the hardware has instructions for it.

    Args:
        training: the config's block; of it ``precision`` and ``sharding``.
        threads: CPU threads that torch may use.
    """
    torch.set_num_threads(threads)
    use_sharding(threads if training["sharding"] else 0)
    _keep_freed_memory()
    # Bit-equal results run after run; the few operations without such a kernel only warn.
    torch.set_deterministic_debug_mode("warn")
    # Else every new tensor is filled with NaN first: a third of the stacked autoencoder's time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = False
        device, native = torch.device("cuda"), torch.cuda.is_bf16_supported()
    else:
        device, native = torch.device("cpu"), _cpu_has_bfloat16()
    precision = training["precision"]
    return Device(device, precision == "bfloat16" or (precision == "auto" and native))


def _keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next one, which needs it again.

    Else the kernel takes back every large tensor and fills it with zeros anew, page by page: half
    the time of a step of the stacked autoencoder. Other C libraries have no such call.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


def _cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 natively (AVX512-BF16, which AMX machines have too)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@contextmanager
def enough_memory(device: torch.device) -> Iterator[None]:
    """Turn what torch raises when memory runs out into one line that says what to change.

    Raises:
        InputError: naming the config keys that memory depends on.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
        words = str(error)
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(
            each in words for each in NO_MEMORY
        ):
            raise
        shared = "" if device.type == "cpu" else ", or gpu_percent of the profile (profiles/gpu)"
        raise InputError(
            f"not enough memory on this {device.type}; lower training.batch_size, the model's "
            f"widths or filters, or faces.size in the config{shared}"
        ) from None
