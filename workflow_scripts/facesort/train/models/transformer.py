"""Patch transformer with glimpse pooling; goes beyond the paper, which names it as a base (2).

Delbrouck et al. (2020), "A Transformer-based joint-encoding for Emotion Recognition and Sentiment
Analysis", https://arxiv.org/abs/2006.15955, encode series of visual features by attention, and
pool them by glimpses: a small network gives every token a score a glimpse, a softmax over the
tokens makes weights of a glimpse's scores, and the weighted sums, side by side, pass a dense layer
and a layer normalisation before the classifier.

Here the tokens are patches of one face. As there are few faces to learn from, 3x3 convolutions
make them (Xiao et al. 2021, https://arxiv.org/abs/2106.14881) instead of one large one, and the
attention blocks normalise first. Positions are learned.
"""

from typing import Any

import torch
from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.train.models.layers import Classifier
from facesort.train.sharding import sharded


class Positions(nn.Module):
    """Adds to each token what has been learned of its place."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.empty(tokens, width))
        nn.init.trunc_normal_(self.places, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.places


class Glimpses(nn.Module):
    """Float (B, tokens, width) to (B, glimpses * width): several weighted sums of the tokens."""

    def __init__(self, width: int, glimpses: int, dropout: float) -> None:
        super().__init__()
        self.scores = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, glimpses)
        )

    def forward(self, x: Tensor) -> Tensor:
        weights = self.scores(x).float().softmax(1).to(x.dtype)
        return (weights.transpose(1, 2) @ x).flatten(1)


class Transformer(Classifier):
    def __init__(
        self,
        shape: tuple[int, int, int],
        patch: int,
        width: int,
        depth: int,
        heads: int,
        glimpses: int,
        dropout: float,
    ) -> None:
        super().__init__()
        height, width_of_face, channels = shape
        self.stem, rows, columns = stem((height, width_of_face), channels, patch, width)
        self.positions = Positions(rows * columns, width)
        self.blocks = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(
                    width,
                    heads,
                    4 * width,
                    dropout,
                    activation=nn.GELU(),
                    batch_first=True,
                    norm_first=True,
                )
                for _ in range(depth)
            ),
            nn.LayerNorm(width),
        )
        self.pool = nn.Sequential(
            Glimpses(width, glimpses, dropout),
            nn.Linear(glimpses * width, 2 * width),
            nn.LayerNorm(2 * width),
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * width, len(EMOTIONS)))

    def embed(self, x: Tensor) -> Tensor:
        tokens = sharded(self.stem, x).flatten(2).transpose(1, 2)
        embedding: Tensor = self.pool(self.blocks(self.positions(tokens)))
        return embedding


def stem(
    sides: tuple[int, int], channels: int, patch: int, width: int
) -> tuple[nn.Sequential, int, int]:
    """Convolutions from a face to a token a patch, and the rows and columns of tokens.

    Each prime factor of the patch is the stride of a convolution, which another one follows;
    channels double with each, up to the tokens' width. A side that the patch does not divide gets
    a last token that sees less.
    """
    strides = prime_factors(patch)
    layers: list[nn.Module] = []
    for number, stride in enumerate(strides):
        after = max(8, width >> (len(strides) - 1 - number))
        pad = max(1, stride // 2)
        for kernel, step in ((2 * pad + 1, stride), (3, 1)):
            layers += [
                nn.Conv2d(channels, after, kernel, step, padding=kernel // 2),
                nn.GroupNorm(1, after),
                nn.GELU(),
            ]
            channels = after
        sides = (-(-sides[0] // stride), -(-sides[1] // stride))
    return nn.Sequential(*layers, nn.Conv2d(channels, width, 1)), *sides


def prime_factors(number: int) -> list[int]:
    """Of an integer above 1, ascending: 12 gives 2, 2, 3."""
    smallest = next(n for n in range(2, number + 1) if number % n == 0)
    return [smallest, *(prime_factors(number // smallest) if smallest < number else [])]


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return Transformer(
        shape,
        settings["patch"],
        settings["width"],
        settings["depth"],
        settings["heads"],
        settings["glimpses"],
        settings["dropout"],
    )
