"""Action units: emotions told by what a face does, without a label and without a person's names.

Strengths of movements, set against their own set's spread, are gathered by action unit. Two that
know nothing of each other then answer, and their probabilities count alike (geometric mean):

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
from facesort.common.prototypes import shares
from facesort.faces import facs
from facesort.faces.spread import MOST, median_and_spread
from facesort.train.models.shape import in_float32, some

WEIGHTS: Final = Path(__file__).with_suffix(".csv")
ONE_SIDED: Final = " on one side"
# How strong a unit's measure is, in deviations of the set, where it is not shown; how much more
# where it is, for a correlation of 1 of its movements with it; and its deviation in both. Rounded
# from 1,600 rendered faces of 48 pixels.
HIDDEN, SHOWN, DEVIATION = -0.2, 2.0, 0.85


class ActionUnits(nn.Module):
    """Two answers without labels, and their mean.

    Args:
        movements: columns of what it sees, in the order of ``facs.columns``.
        answer_by: "prototypes", "rendered_faces", or both.
    """

    to_means: Tensor
    to_differences: Tensor
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
        every = facs.columns(facs.table())
        if movements != len(every):
            raise ValueError(f"{movements} movements; facs.csv has {len(every)}")
        used = used_movements()
        paired = used[used["sides"] == 2]
        means = np.zeros((len(every), len(used)), np.float32)
        differences = np.zeros((len(every), len(paired)), np.float32)
        for at, name in enumerate(used.index):
            sides = [every.index(column) for column in facs.columns(used.loc[[name]])]
            means[sides, at] = 1 / len(sides)
            if len(sides) == 2:
                differences[sides, paired.index.get_loc(name)] = 1, -1
        taught = pd.read_csv(WEIGHTS, index_col="feature")[list(EMOTIONS)]
        told = features(used)
        table, to_units, correlations = gathered(used)
        self.register_buffer("to_means", torch.from_numpy(means))
        self.register_buffer("to_differences", torch.from_numpy(differences))
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
        return torch.cat([x @ self.to_means, (x @ self.to_differences).abs()], 1)

    def embed(self, x: Tensor) -> Tensor:
        """Means and differences of both sides, in deviations of the pool: float32 (B, D)."""
        with in_float32(x):
            return ((self.gather(x.float()) - self.median) / self.spread).clamp(-MOST, MOST)

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
        units = (seen @ self.to_units - self.unit_median) / self.unit_spread
        units = units.clamp(-MOST, MOST)[:, :, None]
        shown = _normal(units, self.shown[:, None])
        hidden = _normal(units, HIDDEN)
        return (self.shares * shown + (1 - self.shares) * hidden + 1e-9).log().sum(1)


def used_movements() -> pd.DataFrame:
    """The rows of ``facs.table`` that the model looks at: found well, and of the face."""
    found = facs.reliable()
    return found[found["unit"] < facs.HEAD]


def features(used: pd.DataFrame) -> list[str]:
    """What the embedding's numbers are: movements, then differences of sides."""
    return [*used.index, *(f"{name}{ONE_SIDED}" for name in used.index[used["sides"] == 2])]


def gathered(used: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Which features are of which units.

    Returns:
        ``prototypes.shares`` of the units that have movements; float32 (features, units), weights
        of each unit's movements, of sum 1; and float64 (units,), their correlation with the unit.
    """
    every, table = features(used), shares()
    columns, correlations, kept = [], [], []
    for unit in table.index:
        number, one_sided, _ = unit.partition(ONE_SIDED)
        of = used[used["unit"] == int(number)]
        of = of[of["sides"] == 2] if one_sided else of
        if of.empty:
            continue
        column = np.zeros(len(every), np.float32)
        column[[every.index(f"{name}{one_sided}") for name in of.index]] = 1 / len(of)
        columns.append(column)
        correlations.append(of["all"].mean())
        kept.append(unit)
    return table.loc[kept], np.stack(columns, 1), np.array(correlations)


def _spread(values: Tensor) -> tuple[Tensor, Tensor]:
    """Median and spread of the columns of (N, D); 1 where they hardly vary."""
    median, spread = median_and_spread(values.numpy())
    return torch.tensor(median).float(), torch.tensor(np.where(spread > 0, spread, 1)).float()


def _normal(values: Tensor, mean: Tensor | float) -> Tensor:
    """How likely values are about a mean, but for a factor that is the same for all."""
    return torch.exp(-(((values - mean) / DEVIATION) ** 2) / 2)


def build(shape: tuple[int, ...], settings: dict[str, Any]) -> nn.Module:
    return ActionUnits(shape[0], settings["answer_by"])
