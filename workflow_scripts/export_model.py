"""Rule export_model of stage export.

Write a classifier as ONNX files in three precisions, and what to know of them.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from snakemake.iocontainers import Snakemake

from facesort.archive.face_detector import session
from facesort.archive.model_views import view_of
from facesort.common.arrays import open_array, read_index
from facesort.common.job import job
from facesort.export.about import about_model, look_thresholds
from facesort.export.onnx_files import PRECISIONS, answers, to_float16, to_int8, write_float32
from facesort.export.views import OUTPUTS, module_of, read_inputs, read_usual
from facesort.faces import face_mesh
from facesort.train.classifying import answers_of
from facesort.train.saving import load_model

snakemake: Snakemake

# Faces of the pool that give the ranges of int8.
CALIBRATED = 64

with job(snakemake.log[0]):
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    folder = Path(output.about).parent
    torch.set_num_threads(snakemake.threads)
    model, made = load_model(given.model)
    view = view_of(given.model)
    usual = read_usual(given.strengths, given.presence)
    tell = answers_of(model, made["emotions"], params.mirror)
    pool = len(open_array(given.pool))
    ranges = read_inputs(
        view.kind,
        given.pool,
        given.pool_landmarks,
        np.unique(np.linspace(0, pool - 1, CALIBRATED).astype(int)),
    )
    paths = {name: Path(output[name]) for name in PRECISIONS}
    module = module_of(view.kind, model, tell, usual)
    example = {name: values[:2] for name, values in ranges.items()}
    write_float32(module, example, OUTPUTS[view.kind], paths["float32"])
    to_float16(paths["float32"], paths["float16"])
    exact = {name for name, _ in module.named_buffers()}
    to_int8(paths["float32"], paths["int8"], ranges, exact)
    split = read_index(given.split)
    kept = np.flatnonzero(split["part"] == "naming")
    labels = read_index(given.index, len(split))["label"].to_numpy(str)[kept]
    told = answers(
        session(paths["float32"]).run,
        read_inputs(view.kind, given.labelled, given.labelled_landmarks, kept),
    )
    learnt_of = open_array(given.alignment) if given.alignment else None
    about = about_model(
        made,
        view,
        folder,
        border=params.border,
        pool_landmarks=learnt_of,
        thresholds=look_thresholds(told, labels),
        told_by=len(kept),
        calibrated=len(ranges["faces"]),
    )
    Path(output.about).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    if view.kind in ("landmarks", "movements"):
        shutil.copy(face_mesh.MODEL.with_name("mediapipe.LICENSE"), folder)
    print(", ".join(f"{path.name} {path.stat().st_size:,} bytes" for path in paths.values()))
