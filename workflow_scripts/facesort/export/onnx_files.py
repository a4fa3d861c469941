"""ONNX files in three precisions, of standard operators alone.

- ``float32``: as torch computes.
- ``float16``: weights of half the bytes; programs make them float32 again as they load the file, as
  MediaPipe's own files want it. What goes through the network is float32, so any machine runs it.
- ``int8``: weights of large layers, and what goes in and out of them, in whole numbers of eight
  bits. Their ranges are those that faces of the pool gave (static quantization, in pairs of
  QuantizeLinear and DequantizeLinear).
"""

import warnings
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime import quantization
from torch import nn

PRECISIONS: Final = ("float32", "float16", "int8")
OPSET: Final = 18
# Weights of fewer numbers take no space worth a digit.
LARGE: Final = 256
HALF_MOST: Final = float(np.finfo(np.float16).max)
WEIGHING: Final = ("Conv", "Gemm", "MatMul")
# What follows a layer directly: its range is that of what comes out here, without what is cut off.
AFTER: Final = ("Relu", "MaxPool")
# Layers of fewer weights stay in float: they take few bytes, and the first of them sees pixels.
MANY: Final = 1024
# Faces through a network at a time while ranges are found.
BATCH: Final = 16

Inputs = dict[str, np.ndarray]


def write_float32(model: nn.Module, example: Inputs, outputs: tuple[str, ...], path: Path) -> None:
    """Write a module of torch for any number of faces.

    Args:
        example: its arguments by name, of two faces.
        outputs: names of what it gives, in order.
    """
    # The older of torch's two exporters takes seconds where the newer one takes minutes.
    with warnings.catch_warnings():
        # That it is older, and of every number of the module that it takes as given.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            tuple(torch.from_numpy(values) for values in example.values()),
            path,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_axes={name: {0: "faces"} for name in (*example, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    save(_used(onnx.load(path)), path)


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a file that holds its weights, checked; without notes on where it was made."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        del part.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _used(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without weights that no node sees any more."""
    seen = {name for node in model.graph.node for name in node.input}
    kept = [each for each in model.graph.initializer if each.name in seen]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def to_float16(source: Path, path: Path) -> None:
    """Write a file whose large weights have half the bytes."""
    model = onnx.load(source)
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < LARGE or abs(values).max() > HALF_MOST:
            continue
        name, weight_name = f"{weight.name}_float16", weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
        casts.append(helper.make_node("Cast", [name], [weight_name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    save(model, path)


def to_int8(source: Path, path: Path, faces: Inputs, exact: Container[str] = ()) -> None:
    """Write a file whose large layers work in whole numbers of eight bits.

    Weights have a scale a channel. They take seven of the eight bits: older processors add up
    products in sixteen bits, which would overflow. What else is large is in float16.

    Args:
        faces: of the pool, whose numbers give the ranges: arguments by name.
        exact: names of weights that no network learnt, such as sums over landmarks; they stay.
    """
    quantization.quantize_static(
        onnx.load(source),
        path,
        _Faces(faces),
        quant_format=quantization.QuantFormat.QDQ,
        op_types_to_quantize=[*WEIGHING, *AFTER],
        nodes_to_quantize=weighing(onnx.load(source), exact),
        per_channel=True,
        reduce_range=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        calibrate_method=quantization.CalibrationMethod.MinMax,
    )
    to_float16(path, path)


def weighing(model: onnx.ModelProto, exact: Container[str] = ()) -> list[str]:
    """Names of the layers that become whole numbers: convolutions and dense ones with many weights.

    What is in ``AFTER`` goes with them. Not the last ones before what the file gives: in eight bits
    landmarks would be a pixel apart.

    Args:
        exact: as of ``to_int8``.
    """
    sizes = {w.name: np.prod(w.dims) for w in model.graph.initializer if w.name not in exact}
    layers = [n for n in model.graph.node if n.op_type in WEIGHING and n.input[1] in sizes]
    names, last = {node.name for node in layers}, set()
    # From what the file gives back to the layers that made it.
    behind = {each.name for each in model.graph.output}
    for node in reversed(model.graph.node):
        if behind.intersection(node.output):
            if node.name in names:
                last.add(node.name)
            else:
                behind |= set(node.input)
    chosen = [n for n in layers if sizes[n.input[1]] >= MANY and n.name not in last]
    made = {name for node in chosen for name in node.output}
    for node in model.graph.node:
        if node.op_type in AFTER and node.input[0] in made:
            chosen.append(node)
            made |= set(node.output)
    return [node.name for node in chosen]


class _Faces(quantization.CalibrationDataReader):
    """Gives faces to the calibration, some at a time."""

    def __init__(self, faces: Inputs) -> None:
        self.batches = batches(faces, BATCH)

    def get_next(self) -> Inputs | None:
        return next(self.batches, None)


def batches(faces: Inputs, size: int) -> Iterator[Inputs]:
    """Arguments of so many faces at a time."""
    for start in range(0, len(next(iter(faces.values()))), size):
        yield {name: values[start : start + size] for name, values in faces.items()}


def answers(run: Callable[..., list[np.ndarray]], faces: Inputs) -> np.ndarray:
    """Probabilities, the first of what a file gives: float32 (N, 8).

    Args:
        run: a session's.
    """
    return np.concatenate([run(None, batch)[0] for batch in batches(faces, 32)])
