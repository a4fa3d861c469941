"""Engineered features with an RBF SVM (``engineered.py``)."""

from typing import Any

from torch import nn

from facesort.train.models.engineered import Engineered


def build(shape: tuple[int, ...], settings: dict[str, Any]) -> nn.Module:
    return Engineered("rbf", settings["balance"])
