"""Action units: emotions told by what a face does, without a label and without a person's names.

Strengths of movements, set against their own set's spread, are gathered by action unit
(``facesort.faces.units``). Two that know nothing of each other then answer, and their probabilities
count alike (geometric mean):

1. Prototypes of the literature (``facesort.common.prototypes``): the share of faces of an emotion
   that show a unit, and a unit's strength where it is shown and where it is not, as normal
   distributions. Units are taken to be independent given the emotion, and emotions to be as
   frequent as each other.
2. Multinomial logistic regression on movements, taught by rendered faces alone, whose emotions are
   drawn from prototypes: ``action_units.csv``, made by
   ``tests/benchmarks/action_units_on_rendered_faces.py``.

Only movements that are found well on rendered faces count. The pool, without labels, tells their
spread; nothing else is learnt.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.faces.units import (
    DEVIATION,
    HIDDEN,
    SHOWN,
    against,
    features,
    gather,
    gathered,
    spread_of,
    to_features,
    used_movements,
)
from facesort.train.models.shape import in_float32, some

WEIGHTS: Final = Path(__file__).with_suffix(".csv")


class ActionUnits(nn.Module):
    """Two answers without labels, and their mean.

    Args:
        movements: columns of what it sees, in the order of ``facs.columns``.
        answer_by: "prototypes", "rendered_faces", or both.
    """

    to_features: Tensor
    to_units: Tensor
    median: Tensor
    spread: Tensor
    unit_median: Tensor
    unit_spread: Tensor
    shown: Tensor
    shares: Tensor
    weights: Tensor
    bias: Tensor

    def __init__(self, movements: int, answer_by: list[str]) -> None:
        super().__init__()
        self.answer_by = answer_by
        used = used_movements()
        matrix = to_features(used)
        if movements != len(matrix):
            raise ValueError(f"{movements} movements; facs.csv has {len(matrix)}")
        self.one_sided = int((used["sides"] == 2).sum())
        taught = pd.read_csv(WEIGHTS, index_col="feature")[list(EMOTIONS)]
        told = features(used)
        table, to_units, correlations = gathered(used)
        self.register_buffer("to_features", torch.from_numpy(matrix))
        self.register_buffer("to_units", torch.from_numpy(to_units))
        self.register_buffer("median", torch.zeros(len(told)))
        self.register_buffer("spread", torch.ones(len(told)))
        self.register_buffer("unit_median", torch.zeros(len(table)))
        self.register_buffer("unit_spread", torch.ones(len(table)))
        self.register_buffer("shown", torch.from_numpy(HIDDEN + SHOWN * correlations).float())
        self.register_buffer("shares", torch.tensor(table.to_numpy(np.float32)))
        self.register_buffer("weights", torch.tensor(taught.loc[told].to_numpy(np.float32)))
        self.register_buffer("bias", torch.tensor(taught.loc["intercept"].to_numpy(np.float32)))

    def fit(
        self, faces: np.ndarray, rows: np.ndarray, labels: np.ndarray | None, seed: int
    ) -> None:
        """Learn the spread of what the model looks at.

        Args:
            faces: float32 (N, M), strengths of movements.
            rows: int64 (n,), those to learn from.
            labels: not looked at.
        """
        x = torch.from_numpy(some(faces, rows, seed))
        self.median, self.spread = _spread(self.gather(x))
        self.unit_median, self.unit_spread = _spread(self.embed(x) @ self.to_units)

    def gather(self, x: Tensor) -> Tensor:
        """Means and differences of both sides, as they are: float32 (B, D)."""
        found: Tensor = gather(x, self.to_features, self.one_sided)
        return found

    def embed(self, x: Tensor) -> Tensor:
        """Means and differences of both sides, in deviations of the pool: float32 (B, D)."""
        with in_float32(x):
            return against(self.gather(x.float()), self.median, self.spread)

    def classify(self, x: Tensor) -> Tensor:
        """The mean of the answers' log probabilities, float32 (B, 8)."""
        ways = {"prototypes": self.by_prototypes, "rendered_faces": self.by_rendered_faces}
        with in_float32(x):
            seen = self.embed(x)
            answers = [ways[each](seen).log_softmax(1) for each in self.answer_by]
            return torch.stack(answers).mean(0)

    def by_rendered_faces(self, seen: Tensor) -> Tensor:
        """Logits of the regression that rendered faces taught, of embeddings: float32 (B, 8)."""
        return seen @ self.weights + self.bias

    def by_prototypes(self, seen: Tensor) -> Tensor:
        """Log likelihoods by the literature's prototypes, of embeddings: float32 (B, 8)."""
        units = against(seen @ self.to_units, self.unit_median, self.unit_spread)[:, :, None]
        shown = _normal(units, self.shown[:, None])
        hidden = _normal(units, HIDDEN)
        return (self.shares * shown + (1 - self.shares) * hidden + 1e-9).log().sum(1)


def _spread(values: Tensor) -> tuple[Tensor, Tensor]:
    """Median and spread of the columns of (N, D); 1 where they hardly vary."""
    median, spread = spread_of(values.numpy())
    return torch.from_numpy(median), torch.from_numpy(spread)


def _normal(values: Tensor, mean: Tensor | float) -> Tensor:
    """How likely values are about a mean, but for a factor that is the same for all."""
    return torch.exp(-(((values - mean) / DEVIATION) ** 2) / 2)


def build(shape: tuple[int, ...], settings: dict[str, Any]) -> nn.Module:
    return ActionUnits(shape[0], settings["answer_by"])
