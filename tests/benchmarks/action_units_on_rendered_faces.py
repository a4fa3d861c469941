"""What rendered faces teach of movements and emotions, for the model ``action_units``.

    ./run python tests/benchmarks/action_units_on_rendered_faces.py

writes ``facesort/train/models/action_units.csv``: weights of a multinomial logistic regression on
the model's features, which are set against the rendered faces' own spread as any set is. Faces are
drawn from FACS's prototypes with natural variation, as many of each emotion; half of them have 48
pixels, half 96. The strength of regularisation is chosen by cross-validation among them. No
photograph and no person's label is used.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegressionCV

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.common.emotions import EMOTIONS
from facesort.demo.dataset import in_parallel, portrait
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.movements import movements
from facesort.faces.spread import standardised
from facesort.faces.units import features, used_movements
from facesort.train.models import build
from facesort.train.models.action_units import WEIGHTS

SIDE, SMALL = 96, 48
# None of the demo's, whose faces are scored.
SEED = 20_000
STRENGTHS = (0.003, 0.01, 0.03, 0.1)


def rendered(number: int) -> np.ndarray:
    """One face, uint8 (96, 96, 3); its emotion is the one at its number, by turns."""
    rng = np.random.default_rng([SEED, number])
    return portrait(rng, EMOTIONS[number % len(EMOTIONS)], SIDE)[0]


def strengths(faces: list[np.ndarray]) -> np.ndarray:
    """Movements against the set's own spread, float32 (N, M)."""
    points, presence = FaceMesh(2).find(np.stack(faces))
    return standardised(movements(points, 2), presence)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=3200)
    total = parser.parse_args().faces
    pictures = list(in_parallel(rendered, total, 2, "faces"))
    small = [cv2.resize(p, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for p in pictures]
    labels = np.arange(total) % len(EMOTIONS)
    # Emotions by turns: by eights, half of the faces have either size.
    sizes = np.arange(total) // len(EMOTIONS) % 2 == 0
    seen = []
    for faces, of in ((pictures, sizes), (small, ~sizes)):
        x = strengths([face for face, taken in zip(faces, of, strict=True) if taken])
        model = build("action_units", (x.shape[1],), {"answer_by": ["prototypes"]})
        model.fit(x, np.arange(len(x)), None, 0)
        embedded = model.embed(torch.from_numpy(x))
        seen.append((embedded.numpy(), labels[of]))
        told = model.by_prototypes(embedded).argmax(1).numpy()
        print(f"{len(x):,} faces: prototypes alone are right for {(told == labels[of]).mean():.3f}")
    x, y = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    taught = LogisticRegressionCV(
        Cs=STRENGTHS, l1_ratios=(0.0,), use_legacy_attributes=False, max_iter=2000, cv=5
    ).fit(x, y)
    print(f"strength {taught.C_}; {len(x):,} faces")
    table = pd.DataFrame(
        np.vstack([taught.coef_.T, taught.intercept_]),
        index=pd.Index([*features(used_movements()), "intercept"], name="feature"),
        columns=list(EMOTIONS),
    )
    table.round(4).to_csv(WEIGHTS, lineterminator="\n")


if __name__ == "__main__":
    main()
