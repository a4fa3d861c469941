"""Engineered features with support vector machines, after EmoReact.

Named measures of the face (lip stretch, brow height, head rotation, ...) are taken from landmarks,
standardised, and given to one SVM an emotion, linear or with a radial kernel.
Source: Nojavanasghari et al. 2016, https://doi.org/10.1145/2993148.2993168
"""

from typing import Any

import numpy as np
import torch
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.train.models.shape import Normalised, in_float32, sines, some

# Distances between two points of the mesh, on the face's right and left side.
PAIRED = {
    "lip corner to eye": ((61, 33), (291, 263)),
    "lip corner to nose": ((61, 98), (291, 327)),
    "lip corner to chin": ((61, 152), (291, 152)),
    "eye opening": ((159, 145), (386, 374)),
    "upper lid to brow": ((159, 105), (386, 334)),
    "inner brow height": ((55, 133), (285, 362)),
    "outer brow height": ((46, 33), (276, 263)),
    "cheek to lower lid": ((50, 145), (280, 374)),
    "nostril to inner eye": ((98, 133), (327, 362)),
}
# Distances across or along the middle of the face.
SINGLE = {
    "lip stretch": (61, 291),
    "mouth opening": (13, 14),
    "mouth height": (0, 17),
    "upper lip thickness": (0, 13),
    "lower lip thickness": (14, 17),
    "nose to upper lip": (2, 0),
    "jaw drop": (2, 152),
    "brow furrow": (55, 285),
    "nose width": (98, 327),
    "nose wrinkle": (4, 9),
    "chin raise": (17, 152),
}
MEASURES = (
    *SINGLE,
    *PAIRED,
    *(f"{name}, right against left" for name in PAIRED),
    *("lip corner height", "lip corner height, right against left", "lip protrusion"),
    *("yaw", "pitch", "roll"),
)
# Of one emotion against the others: strength, and the width of the radial kernel.
GRID = {"C": [0.1, 1.0, 10.0]}
WIDTHS = [0.01, 0.03, 0.1]
# Faces in the cross-validation that chooses them: the time of an SVM grows with their square.
CHOICE = 3000
FOLDS = 3


def measures(shapes: Tensor, turns: Tensor) -> Tensor:
    """The named measures of ``MEASURES``.

    Args:
        shapes: float (B, 468, 3), aligned, of unit length.
        turns: float (B, 3, 3), how they were turned to be so.

    Returns:
        float (B, len(MEASURES)).
    """

    def apart(pairs: list[tuple[int, int]]) -> Tensor:
        first, second = (
            torch.tensor(side, device=shapes.device) for side in zip(*pairs, strict=True)
        )
        return torch.linalg.norm(shapes[:, first] - shapes[:, second], dim=2)

    right, left = (apart([sides[i] for sides in PAIRED.values()]) for i in range(2))
    height = shapes[:, [61, 291], 1] - shapes[:, [13, 14], 1].mean(1, keepdim=True)
    return torch.cat(
        [
            apart(list(SINGLE.values())),
            (right + left) / 2,
            right - left,
            height.mean(1, keepdim=True),
            height[:, :1] - height[:, 1:],
            shapes[:, [0], 2] - shapes[:, [2], 2],
            sines(turns),
        ],
        dim=1,
    )


class Engineered(nn.Module):
    """Measures and their SVMs.

    Args:
        kernel: "linear" or "rbf".
        balance: whether rare emotions weigh as much as frequent ones.
    """

    mean: Tensor
    scale: Tensor
    support: Tensor
    dual: Tensor
    bias: Tensor
    width: Tensor

    def __init__(self, kernel: str, balance: bool) -> None:
        super().__init__()
        self.kernel, self.balance = kernel, balance
        self.normalised = Normalised()
        self.register_buffer("mean", torch.zeros(len(MEASURES)))
        self.register_buffer("scale", torch.ones(len(MEASURES)))
        self.register_buffer("support", torch.zeros(0, len(MEASURES)))
        self.register_buffer("dual", torch.zeros(0, len(EMOTIONS)))
        self.register_buffer("bias", torch.zeros(len(EMOTIONS)))
        self.register_buffer("width", torch.zeros(()))

    def fit(
        self, faces: np.ndarray, rows: np.ndarray, labels: np.ndarray | None, seed: int
    ) -> None:
        """Teach an SVM an emotion, against all others.

        Strength and kernel are chosen by cross-validation within the faces learnt from.

        Args:
            faces: float32 (N, 478, 3), landmarks.
            rows: int64 (n,), those to learn from.
            labels: int64 (N,), indices of ``EMOTIONS``.
        """
        assert labels is not None
        self.normalised.fit(some(faces, rows, seed))
        raw = self._measure(torch.from_numpy(np.ascontiguousarray(faces[rows])))
        self.mean.copy_(raw.mean(0))
        self.scale.copy_(raw.std(0).clamp_min(1e-9))
        x, y = ((raw - self.mean) / self.scale).double().numpy(), labels[rows]
        weight = "balanced" if self.balance else None
        chosen = self._choose(x, y, weight, seed)
        duals = np.zeros((len(x), len(EMOTIONS)))
        with threadpool_limits(1):
            for emotion in np.unique(y):
                machine = SVC(kernel=self.kernel, class_weight=weight, **chosen)
                machine.fit(x, y == emotion)
                duals[machine.support_, emotion] = machine.dual_coef_[0]
                self.bias[emotion] = machine.intercept_[0]
        # An emotion that has no face to learn from is never answered.
        self.bias[np.setdiff1d(np.arange(len(EMOTIONS)), y)] = -1e3
        used = np.flatnonzero(duals.any(1))
        self.width.fill_(chosen.get("gamma", 0.0))
        self.support = torch.from_numpy(x[used]).float()
        self.dual = torch.from_numpy(duals[used]).float()
        if self.kernel == "linear":
            # One weight a measure says the same as all support vectors.
            self.dual = self.support.T @ self.dual
            self.support = torch.eye(len(MEASURES))
        print(f"engineered ({self.kernel}): {chosen}, {len(used):,} support vectors")

    def _choose(
        self, x: np.ndarray, y: np.ndarray, weight: str | None, seed: int
    ) -> dict[str, float]:
        some_rows = np.random.default_rng(seed).permutation(len(x))[:CHOICE]
        x, y = x[some_rows], y[some_rows]
        grid = GRID | ({"gamma": WIDTHS} if self.kernel == "rbf" else {})
        folds = min(FOLDS, int(np.unique(y, return_counts=True)[1].min()))
        if folds < 2:
            return {name: values[len(values) // 2] for name, values in grid.items()}
        search = GridSearchCV(
            SVC(kernel=self.kernel, class_weight=weight),
            grid,
            scoring="balanced_accuracy" if self.balance else "accuracy",
            cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        )
        with threadpool_limits(1):
            best: dict[str, float] = search.fit(x, y).best_params_
        return best

    def _measure(self, x: Tensor) -> Tensor:
        with in_float32(x):
            return measures(*self.normalised.aligned(x.float()))

    def embed(self, x: Tensor) -> Tensor:
        """The standardised measures, float32 (B, len(MEASURES))."""
        return (self._measure(x) - self.mean) / self.scale

    def classify(self, x: Tensor) -> Tensor:
        """Distances from the margins, which order the emotions; they are no calibrated logits."""
        seen = self.embed(x)
        with in_float32(x):
            if self.kernel == "linear":
                return seen @ self.dual + self.bias
            return (
                torch.exp(-self.width * torch.cdist(seen, self.support) ** 2) @ self.dual
                + self.bias
            )

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        # As many support vectors as were found, which the settings do not tell.
        for name in ("support", "dual"):
            if prefix + name in state:
                setattr(self, name, torch.empty_like(state[prefix + name]))
        super()._load_from_state_dict(state, prefix, *rest)
