"""What a model consists of, read off the built model: for its figure and its ``model.json``."""

from typing import Any

import torch
from torch import nn

from facesort.train.models import build

LAST = {"selu": "SELU", "sigmoid": "Sigmoid"}


def describe(name: str, shape: tuple[int, ...], settings: dict[str, Any]) -> list[dict]:
    """The layers of a model in the order in which a face passes them.

    The model is built without memory (torch's meta device) and shown one face; hooks on its layers
    write down what comes out.

    Returns:
        For each layer: ``part`` (the model's attribute that holds it), ``layer`` (its class),
        ``detail`` (kernel, stride), ``shape`` (channels, height, width; or width) of its output,
        and ``parameters``.
    """
    with torch.device("meta"):
        model = build(name, shape, settings).eval()  # one face is no batch to normalise
        face = torch.empty(1, shape[2], *shape[:2])
    layers: list[dict[str, Any]] = []
    seen: set[nn.Module] = set()

    def note(part: str, module: nn.Module, output: Any) -> None:
        if module not in seen:
            # Attention hands on its weights too.
            output = output[0] if isinstance(output, tuple) else output
            seen.add(module)
            layers.append(
                {
                    "part": part,
                    "layer": type(module).__name__,
                    "detail": _detail(module),
                    "shape": list(output.shape[1:]),
                    "parameters": sum(p.numel() for p in module.parameters()),
                }
            )

    for path, module in model.named_modules():
        # Attention reads its last layer's weights without passing a face through it.
        if path and (isinstance(module, nn.MultiheadAttention) or not list(module.children())):
            part = path.partition(".")[0]
            module.register_forward_hook(
                lambda module, _, output, part=part: note(part, module, output)
            )
    if not hasattr(model, "reconstruct") and not hasattr(model, "classify"):
        model.embed(face)
    for answer in ("reconstruct", "classify"):
        if hasattr(model, answer):
            last = getattr(model, answer)(face)
            # The last activation is no layer: it is computed together with the loss.
            activation = LAST[model.output] if answer == "reconstruct" else "Softmax"
            layers.append(
                {
                    "part": layers[-1]["part"],
                    "layer": activation,
                    "detail": "",
                    "shape": list(last.shape[1:]),
                    "parameters": 0,
                }
            )
    return layers


def _detail(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        kernel, stride = module.kernel_size[0], module.stride[0]
        return f"{kernel}x{kernel}" + (f", stride {stride}" if stride > 1 else "")
    if isinstance(module, nn.MultiheadAttention):
        return f"{module.num_heads} heads"
    if isinstance(module, nn.MaxPool2d):
        return f"{module.kernel_size}x{module.kernel_size}"
    return ""
