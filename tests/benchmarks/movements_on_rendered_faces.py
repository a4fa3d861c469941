"""How well each movement is found: correlation with the action units that rendered faces show.

    ./run python tests/benchmarks/movements_on_rendered_faces.py

fills the last columns of ``facesort/faces/facs.csv``. Each face is another person in another
light; each action unit is drawn or not by itself (with probability .3, of any strength, a quarter
of them on one side alone), so that no movement is found by its company; the head is turned by up to
30 degrees. Columns of both sides are set against their own side's unit, all faces of both together.
The faces have 96 pixels, and are made 48 small for one column more.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.demo.action_units import CODES
from facesort.demo.dataset import portrait
from facesort.demo.person import Scene
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.facs import FOUND, TABLE, columns, table
from facesort.faces.movements import movements
from facesort.faces.spread import standardised

SIDE, SMALL = 96, 48
PROBABILITY, ONE_SIDED = 0.3, 0.25
YAWS = ((0, 10), (10, 20), (20, 30))


def rendered(faces: int, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Faces uint8 (N, 96, 96, 3) and their truth: float (N, 2), of the person's right and left."""
    pictures, drawn, scenes = [], [], []
    for number in range(faces):
        rng = np.random.default_rng([seed, number])
        scene = Scene(rng)
        scene.yaw, scene.pitch, scene.roll = np.radians(rng.uniform([-30, -14, -16], [30, 14, 16]))
        scene.gaze = rng.uniform(-0.6, 0.6, 2)
        units = (rng.random(len(CODES)) < PROBABILITY) * rng.uniform(0.2, 1, len(CODES))
        both = units[:, None] * (1 + rng.normal(0, 0.06, (len(CODES), 2)))
        alone = np.flatnonzero(rng.random(len(CODES)) < ONE_SIDED)
        both[alone, rng.integers(2, size=len(alone))] *= 0.08
        drawn.append(np.clip(both, 0, 1).astype(np.float32))
        scenes.append(scene)
        pictures.append(portrait(rng, "neutral", SIDE, scene=scene, units=drawn[-1])[0])
    truth = {str(code): np.array(drawn)[:, at] for at, code in enumerate(CODES)}
    across, up = np.array([scene.gaze for scene in scenes]).T
    turns = {name: np.array([getattr(s, name) for s in scenes]) for name in ("yaw", "pitch")}
    # Renderer and measure count roll in opposite directions.
    turns["roll"] = -np.array([scene.roll for scene in scenes])
    alike = turns | {"gaze_across": across, "gaze_up": up, "gaze_down": -up}
    truth |= {name: np.column_stack([value, value]) for name, value in alike.items()}
    # The person's left is the viewer's right: the right eye looks at the nose when it looks there.
    truth |= {
        "gaze_in": np.column_stack([across, -across]),
        "gaze_out": np.column_stack([-across, across]),
    }
    return np.array(pictures), truth


def correlations(
    strengths: pd.DataFrame, presence: np.ndarray, truth: dict[str, np.ndarray]
) -> pd.DataFrame:
    """By movement and bin of yaw, and of all faces; NaN where rendered faces do not show it."""
    values = pd.DataFrame(standardised(strengths, presence), columns=strengths.columns)
    yaw = abs(np.degrees(truth["yaw"][:, 0]))
    bins = {f"yaw_{low}_{high}": (yaw >= low) & (yaw < high) for low, high in YAWS}
    rows = {}
    told = table()
    for movement, tested_by in told["tested_by"].items():
        if isinstance(tested_by, float):
            continue
        terms = str(tested_by).split()
        shown = sum((-1 if t[0] == "-" else 1) * truth[t.lstrip("-")] for t in terms)
        seen = values[columns(told.loc[[movement]])].to_numpy()
        shown = shown.mean(1, keepdims=True) if seen.shape[1] == 1 else shown
        rows[movement] = {
            name: np.corrcoef(seen[among].ravel(), shown[among].ravel())[0, 1]
            for name, among in (bins | {"all": np.ones(len(yaw), bool)}).items()
        }
    return pd.DataFrame(rows).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=1200)
    pictures, truth = rendered(parser.parse_args().faces)
    size = (SMALL, SMALL)
    small = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures])
    mesh = FaceMesh(1)
    measured = []
    for faces in (pictures, small):
        points, presence = mesh.find(faces)
        measured.append(correlations(movements(points), presence, truth))
    found = table()[["sides", "unit", "what", "plain", "tested_by"]].join(measured[0].round(2))
    found["all_48"] = measured[1]["all"].round(2)
    found["found"] = np.where(found["all"] >= FOUND, "yes", "no")
    found.loc[found["all"].isna(), "found"] = "untested"
    found.to_csv(TABLE, lineterminator="\n")
    print(found.to_string())


if __name__ == "__main__":
    main()
