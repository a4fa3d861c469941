"""Convolutions on a CPU: every thread takes faces of its own, a few at a time.

Left to itself, oneDNN divides each layer of the whole batch among all threads, which then wait for
each other after every layer, and whose activations (164 MB a layer at the paper's size) leave the
caches between two layers. Here each thread runs its own faces through all layers instead, with
one-threaded kernels; the dense layers and the loss still see the whole batch. docs/training.md has
the measurements.

The sums of a batch's gradients are taken in a fixed order, so equal threads give equal bits.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

# Faces of 200x200 go one by one; small ones together, or Python would take longer than they do.
PIXELS_AT_ONCE = 40_000

In = TypeVar("In")
Out = TypeVar("Out")

_threads = 0  # 0: off


def use_sharding(threads: int) -> None:
    """From now on, shard the convolutions on the CPU among so many threads; 0 turns it off."""
    global _threads
    _threads = threads


def sharded(module: nn.Module, x: Tensor) -> Tensor:
    """``module(x)`` for a module that treats each face alone; sharded if on a CPU and turned on.

    Args:
        module: no layer of it may mix the faces of a batch.
        x: float (B, C, H, W).
    """
    # What is traced, to be exported, is the module's own arithmetic.
    if not _threads or x.device.type != "cpu" or torch.jit.is_tracing():
        out: Tensor = module(x)
        return out
    names, parameters = zip(*module.named_parameters(), strict=True)
    # Cast here once a batch, not once a shard.
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
    else:
        dtype = parameters[0].dtype
    out = _Sharded.apply(module, names, dtype, torch.is_grad_enabled(), x, *parameters)
    return out


class _Shards(nn.Module):
    """Runs shards through a module, each in a thread."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, shards: list[Tensor], learn: bool) -> list[Tensor]:
        def run(shard: Tensor) -> Tensor:
            with torch.set_grad_enabled(learn):  # each thread has a setting of its own
                out: Tensor = self.module(shard)
                return out

        return _in_threads(run, shards)


class _Sharded(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        module: nn.Module,
        names: tuple[str, ...],
        dtype: torch.dtype,
        learn: bool,
        x: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        weights = [p.detach().to(dtype).requires_grad_(p.requires_grad) for p in parameters]
        named = {f"module.{name}": w for name, w in zip(names, weights, strict=True)}
        shards = [shard.to(dtype) for shard in _shards(x.detach())]
        # Swaps the weights once for all threads: the module itself is shared.
        outputs = functional_call(_Shards(module), named, (shards, learn))
        ctx.weights, ctx.outputs = weights, outputs
        return torch.cat([out.detach() for out in outputs])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        outputs, wanted = ctx.outputs, [w for w in ctx.weights if w.requires_grad]
        ctx.outputs = None
        parts = gradients[0].split([len(out) for out in outputs])
        sums: list[list[Tensor] | None] = [None] * _threads

        def run(thread: int) -> None:
            # Its faces are the same ones in every run, and its sum has their order.
            for number in range(thread, len(parts), _threads):
                found = torch.autograd.grad(outputs[number], wanted, parts[number])
                outputs[number] = None
                total = sums[thread]
                if total is None:
                    sums[thread] = [g.float() for g in found]
                else:
                    for t, g in zip(total, found, strict=True):
                        t.add_(g)

        _in_threads(run, range(_threads))
        first, *others = [total for total in sums if total is not None]
        for other in others:
            torch._foreach_add_(first, other)
        summed = iter(first)
        return (
            None,
            None,
            None,
            None,
            None,
            *(next(summed) if w.requires_grad else None for w in ctx.weights),
        )


def _shards(x: Tensor) -> tuple[Tensor, ...]:
    return x.split(max(1, PIXELS_AT_ONCE // (x.shape[2] * x.shape[3])))


def _in_threads(function: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    return list(_pool(_threads).map(function, items))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "shard", initializer=torch.set_num_threads, initargs=(1,))
