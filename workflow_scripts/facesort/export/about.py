"""``model.json``: what another program must know to use an exported file."""

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from facesort.archive import face_detector
from facesort.archive.model_views import MARGIN, View
from facesort.archive.tables import LOOKS
from facesort.archive.tags import built_in
from facesort.archive.thresholds import by_labels, unknown
from facesort.common.emotions import EMOTIONS
from facesort.common.trees import shown
from facesort.export.onnx_files import OPSET, PRECISIONS
from facesort.export.views import OUTPUTS
from facesort.faces import face_mesh, facs
from facesort.faces.alignment import STABLE, stable_places

LICENCE: Final = (
    "The workflow's code is MIT. What may be done with these weights also hangs on the faces, the "
    "labels and the start weights that they were made from."
)
MEDIAPIPE: Final = " The mesh and the blendshapes are MediaPipe's: Apache-2.0, mediapipe.LICENSE."
OUTPUT_WORDS: Final = {
    "probabilities": ["faces", len(EMOTIONS)],
    "presence": ["faces"],
    "landmarks": ["faces", 478, 3],
    "strengths": ["faces", "movements"],
}


def about_model(
    made: dict[str, Any],
    view: View,
    folder: Path,
    *,
    border: int,
    pool_landmarks: np.ndarray | None,
    thresholds: dict[str, float | None],
    told_by: int,
    calibrated: int,
) -> dict[str, Any]:
    """What to know of a model's files.

    Args:
        made: the trained model's own ``model.json``.
        folder: holds the files.
        border: pixels that the variant "cropped" cuts off.
        pool_landmarks: float (N, 478, 3), for a model that sees aligned faces.
        thresholds: as of ``look_thresholds``.
        told_by: how many faces told them.
        calibrated: faces of the pool that gave the ranges of int8.
    """
    meshed = view.kind in ("landmarks", "movements")
    shape = [face_mesh.INPUT, face_mesh.INPUT, 3] if meshed else list(view.shape)
    inputs: dict[str, Any] = {
        "faces": {
            "type": "uint8",
            "shape": ["faces", *shape],
            "channels": "one, BT.601 luma" if shape[2] == 1 else "red, green, blue",
            "values": "0 to 255, as in the picture; the file divides by 255",
        }
    }
    if meshed:
        inputs["windows"] = {
            "type": "float32",
            "shape": ["faces", 2, 3],
            "values": "the map from the picture's pixels (x, y, 1) to those of its window",
        }
    outputs = {
        name: {"type": "float32", "shape": OUTPUT_WORDS[name]} for name in OUTPUTS[view.kind]
    }
    if "strengths" in outputs:
        outputs["strengths"]["names"] = facs.columns(facs.table())
    return {
        "model": made["model"],
        "variant": made["variant"],
        "seed": made["seed"],
        "files": {precision: file_facts(folder / f"{precision}.onnx") for precision in PRECISIONS},
        "opset": OPSET,
        "operators": "standard ones of ONNX alone",
        "inputs": inputs,
        "outputs": outputs,
        "labels": list(EMOTIONS),
        "never_answered": [name for name in EMOTIONS if name not in made["emotions"]],
        "alignment": alignment(view, made["variant"], border, pool_landmarks),
        "thresholds": thresholds,
        "thresholds_told_by": f"{told_by} labelled faces that nothing was learnt from",
        "int8_ranges_told_by": f"{calibrated} faces of the pool",
        "made_from": {
            "code": made["code"],
            "data": {own_name(path): digest for path, digest in made["data"].items()},
        },
        "licence": LICENCE + (MEDIAPIPE if meshed else ""),
    }


def own_name(path: str) -> str:
    """A path as what is passed on may tell it: of a person's own files the name alone."""
    return path if path.startswith("results/") or "/" not in path else shown(Path(path).name)


def file_facts(path: Path) -> dict[str, Any]:
    """Name, bytes and digest of a file."""
    data = path.read_bytes()
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def alignment(
    view: View, variant: str, border: int, pool_landmarks: np.ndarray | None
) -> dict[str, Any]:
    """How a face is to be cut out, in words and numbers; arguments are those of ``about_model``."""
    if view.kind in ("landmarks", "movements"):
        return {
            "how": "The first window is a square about the face's picture. Each later one is put "
            "by the landmarks found: level with the line between both outer eye corners, about the "
            "middle of all landmarks. Look again while place or size would change by more than "
            "`near`, at most `looks` times. What lies outside the picture is black.",
            "window_by_longer_side": face_mesh.MARGIN,
            "outer_eye_corners": [face_mesh.RIGHT_EYE, face_mesh.LEFT_EYE],
            "near": face_mesh.NEAR,
            "looks": face_mesh.PASSES,
        }
    if view.kind == "aligned":
        assert pool_landmarks is not None
        places = stable_places([pool_landmarks], view.shape[0])
        return {
            "how": "Turn, scale and move the picture so that these landmarks come closest to "
            "these places, by least squares. What lies outside the picture is its edge, repeated.",
            "landmarks": STABLE.tolist(),
            "places": np.round(places, 3).tolist(),
        }
    cut = border if variant == "cropped" else 0
    return {
        "how": "A square about the middle of the face's box, so many times as wide as the box's "
        "longer side. What lies outside the photo is its edge, repeated. Resized to `side` pixels "
        "by area means, or cubically where it is enlarged; then `cut` pixels less on each side.",
        "square_by_longer_side": MARGIN,
        "side": view.shape[0] + 2 * cut,
        "cut": cut,
    }


def look_thresholds(answers: np.ndarray, labels: np.ndarray) -> dict[str, float | None]:
    """From which probability on an emotion is right in 90 of 100 faces; None if from none on.

    Args:
        answers: float (n, 8), of faces that the model has not learnt from.
        labels: str (n,).
    """
    table = by_labels(unknown(built_in()), answers, labels)["threshold"]
    return {
        name: None if np.isnan(table[words]) else round(float(table[words]), 4)
        for name, words in LOOKS.items()
    }


def about_detector(path: Path) -> dict[str, Any]:
    """What to know of the face detector's file."""
    return {
        "files": {path.stem: file_facts(path)},
        "opset": 11,
        "inputs": {
            "input": {
                "type": "float32",
                "shape": [1, 3, "height", "width"],
                "channels": "blue, green, red",
                "less": [mean for _, mean in face_detector.CHANNELS],
                "sides": "multiples of 32, filled up with zeros after the mean is taken off",
            }
        },
        "outputs": ["boxes", "scores (the second is of a face)", "five points"],
        "anchors": {str(grid): list(sides) for grid, sides in face_detector.GRIDS.items()},
        "shift": face_detector.SHIFT,
        "scale": face_detector.SCALE,
        "least_score": face_detector.SCORE,
        "overlap": face_detector.OVERLAP,
        "decoding": "facesort/archive/face_detector.py, decode",
        "licence": "MIT, face_detector.LICENSE",
    }
