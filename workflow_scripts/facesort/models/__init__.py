"""The models of the paper, one short file each (section 4).

Every model is a ``torch.nn.Module`` built by its file's ``build(shape, settings)`` and answers to a
few of these, each for a batch ``x``: float (B, C, H, W) in [0, 1]:

- ``embed(x)``: the embedding, float (B, D); all models;
- ``reconstruct(x)``: the decoder's last layer before its activation, float (B, C, H, W), which
  ``activate`` turns to pixels; all models with a decoder;
- ``classify(x)``: logits over the eight emotions, float (B, 8); all models with a classifier;
- ``phase_parameters(phase)``: what the training phase "reconstruct" or "classify" may change.
"""

from importlib import import_module
from typing import Any, Final

MODELS: Final = ("stacked", "convolutional", "semi_supervised", "supervised")


def build(name: str, shape: tuple[int, int, int], settings: dict[str, Any]) -> Any:
    """Build a model by name with fresh weights from torch's global generator.

    Args:
        name: one of ``MODELS``.
        shape: (height, width, channels) of its input.
        settings: the model's block of the config.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; there are {', '.join(MODELS)}")
    return import_module(f"facesort.models.{name}").build(shape, settings)
