"""Embedding learned from people's comparisons (Vemulapalli and Agarwala 2019).

Backbone; 1x1 convolution; DenseNet block (five layers that each add 64 channels in their paper);
average pooling over the whole map; fully connected layer; embedding of 16 numbers and unit length.
Their backbone is FaceNet's NN2, pretrained on faces, whose weights are not published; ours is
plain: a 3x3 convolution with batch normalisation and ReLU, then 2x2 max-pooling, for each of
`filters`.

Loss of a triplet: both faces of the pair that people find most alike must be nearer to each other
than to the odd one out, by a margin, in squared distance. Source: https://arxiv.org/abs/1811.11283
"""

from typing import Any

import torch
from torch import Tensor, nn

from facesort.train.models.layers import ReLU, start_weights


class DenseLayer(nn.Module):
    """Adds channels to those that it is given (Huang et al. 2017, arxiv.org/abs/1608.06993)."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.relu = ReLU()
        self.convolution = nn.Conv2d(channels, growth, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.convolution(self.relu(self.norm(x)))], 1)


class Triplet(nn.Module):
    def __init__(
        self,
        channels: int,
        filters: list[int],
        reduce: int,
        growth: int,
        layers: int,
        dense: int,
        dimensions: int,
    ) -> None:
        super().__init__()
        backbone: list[nn.Module] = []
        for after in filters:
            backbone += [
                nn.Conv2d(channels, after, 3, padding=1),
                nn.BatchNorm2d(after),
                ReLU(),
                nn.MaxPool2d(2),
            ]
            channels = after
        self.backbone = nn.Sequential(*backbone)
        self.block = nn.Sequential(
            nn.Conv2d(channels, reduce, 1),
            *(DenseLayer(reduce + number * growth, growth) for number in range(layers)),
            nn.BatchNorm2d(reduce + layers * growth),
            ReLU(),
        )
        self.dense = nn.Sequential(nn.Linear(reduce + layers * growth, dense), ReLU())
        self.embedding = nn.Linear(dense, dimensions)
        start_weights(self, convolutions="he_uniform")

    def embed(self, x: Tensor) -> Tensor:
        """float32 (B, dimensions), of unit length."""
        pooled = self.block(self.backbone(x)).mean((2, 3))
        return nn.functional.normalize(self.embedding(self.dense(pooled)).float())

    def phase_loss(self, phase: str, x: Tensor, target: Tensor) -> Tensor:
        """Mean triplet loss.

        Args:
            x: float (3B, C, H, W): of each triplet the two faces most alike, then the odd one out.
            target: float32 (B,), margins.
        """
        first, second, odd = self.embed(x).unflatten(0, (-1, 3)).unbind(1)
        return triplet_loss(first, second, odd, target)

    def phase_parameters(self, phase: str) -> list[nn.Parameter]:
        return list(self.parameters())


def triplet_loss(first: Tensor, second: Tensor, odd: Tensor, margin: Tensor) -> Tensor:
    """Mean over triplets of the hinges of both faces of the pair; scalar.

    Args:
        first, second, odd: float (B, D), embeddings.
        margin: float (B,).
    """

    def apart(a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().sum(1)

    nearest = apart(first, second) + margin
    return (
        nn.functional.relu(nearest - apart(first, odd))
        + nn.functional.relu(nearest - apart(second, odd))
    ).mean()


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    names = ("filters", "reduce", "growth", "layers", "dense", "dimensions")
    return Triplet(shape[2], **{name: settings[name] for name in names})
