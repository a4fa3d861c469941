"""Where and in which precision the arithmetic runs."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Device:
    """A torch device and whether matrix products and convolutions run in bfloat16 on it."""

    device: torch.device
    bfloat16: bool

    def autocast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def __str__(self) -> str:
        return f"{self.device.type} in {'bfloat16' if self.bfloat16 else 'float32'}"


def choose_device(precision: str, threads: int) -> Device:
    """Take the GPU if there is one, and bfloat16 if the hardware has instructions for it.

    Args:
        precision: "auto", "bfloat16" or "float32".
        threads: CPU threads that torch may use.
    """
    torch.set_num_threads(threads)
    # Bit-equal results run after run; the few operations without such a kernel only warn.
    torch.use_deterministic_algorithms(True, warn_only=True)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = False
        device, native = torch.device("cuda"), torch.cuda.is_bf16_supported()
    else:
        device, native = torch.device("cpu"), _cpu_has_bfloat16()
    return Device(device, precision == "bfloat16" or (precision == "auto" and native))


def _cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 natively (AVX512-BF16, which AMX machines have too)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
