"""MediaPipe's networks as modules of torch, which can be exported with what follows them.

A file of LiteRT is a list of operators on tensors. The dozen kinds that ``face_mesh.tflite`` and
``face_blendshapes.tflite`` have are done here by torch; any other kind is refused.
Source: schema.fbs of LiteRT, https://github.com/google-ai-edge/LiteRT
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facesort.common.job import InputError

# Of schema.fbs: types of numbers, TensorType; and Padding, of which 0 adds zeros.
NUMBERS: dict[int, Any] = {0: np.float32, 1: np.float16, 2: np.int32}
SAME = 0


class LiteRT(nn.Module):
    """A network of LiteRT for any number of faces; the file's is for one.

    Its weights are held in float32; those of the files are float16, so none changes.

    Args:
        path: of the file.
        channels_first: whether pictures go through it as (B, C, H, W), as torch and ONNX want them
            for convolutions. Else they stay (B, H, W, C), as LiteRT has them, and only
            convolutions of one pixel can be done: a product each.

    Raises:
        InputError: if the file is damaged, or has an operator that is not known here.
    """

    def __init__(self, path: Path, channels_first: bool) -> None:
        # Only found in the environments of the rules that need it.
        from ai_edge_litert import schema_py_generated as schema

        super().__init__()
        self.channels_first = channels_first
        names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
        try:
            model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
            (graph,) = model.subgraphs
        except Exception as error:  # flatbuffers raises what struct and numpy happen to
            raise InputError(f"{path}: not a readable model ({error}); restore it") from None
        self.inputs, self.outputs = map(list, (graph.inputs, graph.outputs))
        held: dict[int, np.ndarray] = {}
        for number, tensor in enumerate(graph.tensors):
            data = model.buffers[tensor.buffer].data
            if data is not None:
                shape = [] if tensor.shape is None else tensor.shape
                held[number] = np.frombuffer(bytes(data), NUMBERS[tensor.type]).reshape(shape)
        self.steps: list[tuple[Callable[..., Tensor], list[int | str], int]] = []
        for step in graph.operators:
            code = model.operatorCodes[step.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            out, inputs = int(step.outputs[0]), [int(number) for number in step.inputs]
            if name == "DEQUANTIZE":
                held[out] = held[inputs[0]].astype(np.float32)
                continue
            if not hasattr(self, name.lower()):
                raise InputError(f"{path}: operator {name} is not known to facesort/export")
            # Whole numbers are settings of a step, and known now; other constants are weights.
            settings = [held[n] for n in inputs if n in held and held[n].dtype == np.int32]
            arguments = [n for n in inputs if n not in held or held[n].dtype != np.int32]
            do = partial(getattr(self, name.lower()), step.builtinOptions, settings)
            given = [each for n in arguments for each in self._weights(name, held, n)]
            self.steps.append((do, given, out))

    def _weights(self, step: str, held: dict[int, np.ndarray], number: int) -> list[int | str]:
        """Names of a step's weights, which are kept; or the number of what a step before makes."""
        if number not in held:
            return [number]
        name, weight = f"weight{number}", torch.from_numpy(np.array(held[number], np.float32))
        kept = {name: weight}
        if step in ("CONV_2D", "DEPTHWISE_CONV_2D") and weight.ndim == 4:
            order = (0, 3, 1, 2) if step == "CONV_2D" else (3, 0, 1, 2)
            kept[name] = weight.permute(order) if self.channels_first else weight[:, 0, 0].T
        if step == "PRELU":
            slope = weight.reshape(-1, 1, 1, 1)
            # All of what comes in by the slope, and what is above zero by what then lacks.
            kept = {name: slope, f"{name}_above": 1 - slope}
        for each, values in kept.items():
            if not hasattr(self, each):
                self.register_parameter(each, nn.Parameter(values.contiguous(), False))
        return list(kept)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The network's outputs, in its order, of its one input.

        Args:
            x: float32 (B, C, H, W) if channels come first, else as the file has it, B in place of
                its 1.
        """
        known: dict[int, Tensor] = {self.inputs[0]: x}
        for do, arguments, out in self.steps:
            given = (known[a] if isinstance(a, int) else getattr(self, a) for a in arguments)
            known[out] = do(*given)
        return [known[number] for number in self.outputs]

    def conv_2d(self, options: Any, settings: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        if not self.channels_first:
            return _activated(options, x @ w + b)
        return self._convolved(options, x, w, b, 1)

    def depthwise_conv_2d(
        self, options: Any, settings: Any, x: Tensor, w: Tensor, b: Tensor
    ) -> Tensor:
        return self._convolved(options, x, w, b, len(w))

    def _convolved(self, options: Any, x: Tensor, w: Tensor, b: Tensor, groups: int) -> Tensor:
        step = (options.strideH, options.strideW)
        if options.padding == SAME:
            # More at the end, where it is odd, unlike torch.
            (top, bottom), (left, right) = (
                _same(side, kernel, stride)
                for side, kernel, stride in zip(x.shape[2:], w.shape[2:], step, strict=True)
            )
            if (top, left) == (bottom, right):
                return _activated(options, functional.conv2d(x, w, b, step, (top, left), 1, groups))
            x = functional.pad(x, (left, right, top, bottom))
        return _activated(options, functional.conv2d(x, w, b, step, 0, 1, groups))

    def max_pool_2d(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        size, step = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
        return functional.max_pool2d(x, size, step)

    def pad(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        before = settings[0][[0, 3, 1, 2]] if self.channels_first else settings[0]
        return functional.pad(x, [int(n) for n in before[::-1].reshape(-1)])

    def prelu(self, options: Any, settings: Any, x: Tensor, every: Tensor, above: Tensor) -> Tensor:
        """By convolutions of one pixel, which ONNX Runtime does in the layout of those around them.

        For its own PRelu it turns every picture about: the mesh then takes 17 ms instead of 8.
        """
        out = functional.conv2d(x, every, groups=len(every))
        return out + functional.conv2d(x.relu(), above, groups=len(above))

    def reshape(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *(int(side) for side in settings[0][1:]))

    def transpose(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return x.permute([int(axis) for axis in settings[0]])

    def strided_slice(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        begin, end, _ = settings
        # Faces, the first axis, all stay. Bits of the masks say where an axis is taken whole.
        for axis in range(1, x.ndim):
            first = 0 if options.beginMask >> axis & 1 else int(begin[axis])
            last = x.shape[axis] if options.endMask >> axis & 1 else int(end[axis])
            if (first, last) != (0, x.shape[axis]):
                x = x.narrow(axis, first, last - first)
        return x

    def concatenation(self, options: Any, settings: Any, *parts: Tensor) -> Tensor:
        faces = max(parts, key=lambda part: part.numel()).shape[0]
        return torch.cat([p.expand(faces, *p.shape[1:]) for p in parts], options.axis)

    def mean(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return x.mean([int(axis) for axis in np.ravel(settings[0])], keepdim=options.keepDims)

    def sum(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return x.sum([int(axis) for axis in np.ravel(settings[0])], keepdim=options.keepDims)

    def add(self, options: Any, settings: Any, x: Tensor, y: Tensor) -> Tensor:
        return _activated(options, x + y)

    def sub(self, options: Any, settings: Any, x: Tensor, y: Tensor) -> Tensor:
        return _activated(options, x - y)

    def mul(self, options: Any, settings: Any, x: Tensor, y: Tensor) -> Tensor:
        return _activated(options, x * y)

    def div(self, options: Any, settings: Any, x: Tensor, y: Tensor) -> Tensor:
        return _activated(options, x / y)

    def squared_difference(self, options: Any, settings: Any, x: Tensor, y: Tensor) -> Tensor:
        return (x - y) * (x - y)

    def neg(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return -x

    def sqrt(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return x.sqrt()

    def rsqrt(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return 1 / x.sqrt()

    def logistic(self, options: Any, settings: Any, x: Tensor) -> Tensor:
        return x.sigmoid()


def _activated(options: Any, x: Tensor) -> Tensor:
    """What a step does with its own result: nothing (0), or a ReLU (1)."""
    if options.fusedActivationFunction not in (0, 1):
        raise InputError(f"activation {options.fusedActivationFunction} is not known")
    return x.relu() if options.fusedActivationFunction else x


def _same(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side, so that a convolution leaves side / stride of it."""
    zeros = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return zeros // 2, zeros - zeros // 2
