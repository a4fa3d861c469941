"""Do exported files answer for many faces as the workflow does? A folder of pictures tells.

    python tests/benchmarks/export_parity.py results/rgb/action_units/seed0 /data/faces 15000

For each precision named (float32 and float16 without any): how far probabilities are from those of
the workflow's own code at most, and the share of faces that get the answer of float32. Times are in
docs/export.md.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.archive.face_detector import session
from facesort.archive.model_views import view_of
from facesort.common.arrays import read_index
from facesort.export.onnx_files import answers
from facesort.export.views import by_workflow, inputs_of
from facesort.faces.face_mesh import MARGIN as WIDE
from facesort.faces.face_mesh import MODEL, look, network, window
from facesort.faces.spread import Spread
from facesort.train.classifying import answers_of
from facesort.train.saving import load_model

CHUNK = 250


def main(cell, pictures, most, precisions):
    torch.set_num_threads(1)
    model, made = load_model(cell / "model")
    view = view_of(str(cell / "model"))
    tell, usual, mesh = answers_of(model, made["emotions"], False), None, None
    if view.kind == "movements":
        strengths = read_index(cell.parents[1] / "movements/pool.parquet")
        presence = read_index(cell.parents[1] / "landmarks/pool.parquet")["presence"]
        usual, mesh = Spread(strengths, presence.to_numpy()), network(MODEL)
    runs = {name: session(cell / f"export/{name}.onnx").run for name in precisions}
    files = sorted(pictures.iterdir())[:most]
    far, same, seen = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0), 0
    for start in range(0, len(files), CHUNK):
        shown = [cv2.imread(str(path))[:, :, ::-1] for path in files[start : start + CHUNK]]
        landmarks = None
        if mesh:
            # One look at the whole picture, as large as it is, puts the window.
            landmarks = np.stack([first_look(mesh, face) for face in shown])
        else:
            sides = view.shape[1::-1]
            shown = [cv2.resize(face, sides, interpolation=cv2.INTER_AREA) for face in shown]
        given = inputs_of(view.kind, np.stack(shown), landmarks)
        own = by_workflow(view.kind, tell, usual, given)
        told = {name: answers(run, given) for name, run in runs.items()}
        seen += len(own)
        for name, found in told.items():
            far[name] = max(far[name], float(abs(found - own).max()))
            same[name] += int((found.argmax(1) == told["float32"].argmax(1)).sum())
        words = (f"{name}: furthest {far[name]:.1e}, equal {same[name]:,}" for name in runs)
        print(f"{seen:,} faces; " + "; ".join(words), flush=True)


def first_look(mesh, face):
    """Landmarks (478, 3) of a look at a whole picture."""
    height, width = face.shape[:2]
    middle = np.array([width, height]) / 2
    return look(mesh, face, window(middle, WIDE * max(height, width), 0.0))[0]


if __name__ == "__main__":
    cell, pictures, most = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    main(cell, pictures, most, sys.argv[4:] or ["float32", "float16"])
