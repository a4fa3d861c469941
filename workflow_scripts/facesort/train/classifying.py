"""What a trained classifier answers: probabilities of the eight emotions."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from facesort.common.emotions import EMOTIONS


def answers_of(model: Any, emotions: list[str], mirror: bool) -> Callable[[Tensor], Tensor]:
    """From faces to probabilities, float (B, 8).

    Args:
        model: it has ``classify``.
        emotions: that it has learnt; others get 0, so they are never answered.
        mirror: whether the mean for a face and its mirror image is told.
    """
    known = [EMOTIONS.index(emotion) for emotion in emotions]

    def probabilities(x: Tensor) -> Tensor:
        logits = model.classify(x).float()
        given = torch.zeros_like(logits)
        given[:, known] = logits[:, known].softmax(1)
        return given

    def of_both_sides(x: Tensor) -> Tensor:
        return (probabilities(x) + probabilities(x.flip(3))) / 2

    return of_both_sides if mirror else probabilities
