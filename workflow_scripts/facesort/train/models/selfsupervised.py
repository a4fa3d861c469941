"""Self-supervised: what a tight crop and the shape of its face have in common; no label.

Two views of each face, its picture and its landmarks, are encoded so that they find each other
among all faces of a batch (contrast of views: Tian et al. 2020, https://arxiv.org/abs/1906.05849).
Neither hair, background and light (which landmarks do not have), nor the pose (which is taken out
of them, ``shape.py``) help to find it; crops are moved, turned, mirrored, and change their light.
Expression, and the form of the face, are what is left.

The embedding is the picture's: its directions in the order in which they correlate with the shape
(canonical correlation, Hotelling 1936), each weighted by its correlation to some power, and none
by less than a floor: too little to move a cluster, enough for a probe to find what no landmark
tells. Which power, and the weights of which epoch, is chosen without labels
(``facesort.train.stability``).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, relu

from facesort.train.models.shape import fixed_signs, in_float32

FEATURES = 256
SHARED = 64
# Of the features, those principal directions make the embedding that vary most.
EMBEDDING = 128
# So that near faces of a batch still differ; Chen et al. 2020 use 0.1 to 0.5.
TEMPERATURE = 0.1
# Noise on the landmarks' numbers, whose spread is 1.
JITTER = 0.1


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016); the first one halves the side."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(after)
        self.shortcut = nn.Conv2d(before, after, 1, stride=2, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.second_norm(self.second(relu(self.first_norm(self.first(x)))))
        return relu(inner + self.shortcut_norm(self.shortcut(x)))


class SelfSupervised(nn.Module):
    """See the head of this file.

    Args:
        shape: (height, width, channels) of a crop.
        filters: of the stem; they double in each of three blocks.
        dimensions: numbers that describe a shape.
        powers: candidates for the power of the correlations.
        floor: the least weight of a direction.
    """

    setting = "power"
    centre: Tensor
    directions: Tensor
    correlations: Tensor
    power: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int],
        filters: int,
        dimensions: int,
        powers: list[float],
        floor: float,
    ) -> None:
        super().__init__()
        self.candidates, self.floor = powers, floor
        self.stem = nn.Sequential(
            nn.Conv2d(1, filters, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(Block(filters << n, filters << (n + 1)) for n in range(3)))
        places = 1
        for side in shape[:2]:
            for _ in range(4):
                side = (side + 1) // 2
            places *= side
        self.dense = nn.Linear((filters << 3) * places, FEATURES)
        self.picture_head = nn.Sequential(
            nn.BatchNorm1d(FEATURES), nn.ReLU(), nn.Linear(FEATURES, SHARED)
        )
        self.shape_encoder = nn.Sequential(
            nn.Linear(dimensions, FEATURES),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
            nn.Linear(FEATURES, FEATURES),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
            nn.Linear(FEATURES, SHARED),
        )
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("directions", torch.zeros(FEATURES, EMBEDDING))
        self.register_buffer("correlations", torch.zeros(EMBEDDING))
        self.register_buffer("power", torch.ones(()))

    def features(self, x: Tensor) -> Tensor:
        """What the picture's encoder says, float (B, FEATURES)."""
        # Light and colour say nothing of an expression: grey, and every crop equally bright.
        grey = x.mean(1, keepdim=True)
        grey = grey - grey.mean((2, 3), keepdim=True)
        grey = grey / (grey.std((2, 3), keepdim=True) + 0.05)
        out: Tensor = self.dense(self.blocks(self.stem(grey)).flatten(1))
        return out

    def phase_loss(self, phase: str, x: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of finding each crop's shape among the batch's, and the other way.

        Args:
            x: float (B, C, H, W), crops.
            target: float (B, dimensions), their shapes in numbers of spread 1.
        """
        if len(x) == 1:
            # The last face of a pool may be alone: there is no other to tell it from.
            return torch.stack([each.sum() for each in self.parameters()]).sum() * 0.0
        shapes = target + JITTER * torch.randn_like(target)
        picture = normalize(self.picture_head(self.features(x)).float(), dim=1)
        shape = normalize(self.shape_encoder(shapes).float(), dim=1)
        likeness = picture @ shape.T / TEMPERATURE
        own = torch.arange(len(x), device=x.device)
        return (cross_entropy(likeness, own) + cross_entropy(likeness.T, own)) / 2

    def phase_parameters(self, phase: str) -> list[nn.Parameter]:
        return list(self.parameters())

    def correlate(self, features: Tensor, shapes: Tensor) -> None:
        """Find the features' directions in the order in which they correlate with the shapes.

        Args:
            features: float (n, FEATURES), such as codes.
            shapes: float (n, dimensions).
        """
        one, white = _whitening(features.double())
        other, _ = _whitening(shapes.double())
        # In full: after the canonical directions, those that correlate with no shape.
        u, s, _ = torch.linalg.svd(one.T @ other / len(one))
        directions = fixed_signs(white @ u)
        self.centre.copy_(features.mean(0))
        self.directions.zero_()
        self.correlations.zero_()
        self.directions[:, : directions.shape[1]] = directions.float()
        self.correlations[: len(s)] = s.clamp(0, 1).float()

    def choose(self, candidate: float) -> None:
        """Weigh the directions by their correlations to this power, or by the floor."""
        self.power.fill_(candidate)

    def codes(self, x: Tensor) -> Tensor:
        """The features of a crop and of its mirror image, their mean: float32 (B, FEATURES)."""
        return (self.features(x) + self.features(x.flip(3))).float() / 2

    def weigh(self, codes: Tensor) -> Tensor:
        """The embedding of codes, float32 (B, EMBEDDING)."""
        weights = (self.correlations**self.power).clamp_min(self.floor)
        with in_float32(codes):
            return (codes - self.centre) @ self.directions * weights

    def embed(self, x: Tensor) -> Tensor:
        return self.weigh(self.codes(x))


def _whitening(points: Tensor) -> tuple[Tensor, Tensor]:
    """Points (n, d) made uncorrelated, of variance 1, and the matrix (d, m) that does it.

    Of more than ``EMBEDDING`` directions, those that vary most are kept.
    """
    apart = points - points.mean(0)
    values, vectors = torch.linalg.eigh(apart.T @ apart / len(points))
    # Directions that hardly vary say nothing sure.
    kept = (values > 1e-3 * values[-1]).nonzero().flatten()[-EMBEDDING:]
    matrix = vectors[:, kept] / values[kept].sqrt()
    return apart @ matrix, matrix


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return SelfSupervised(
        shape,
        settings["filters"],
        settings["dimensions"],
        settings["powers"],
        settings["floor"],
    )
