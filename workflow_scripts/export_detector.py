"""Rule export_detector of stage export.

Write the face detector with weights of half the bytes.
"""

import json
import shutil
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.archive.face_detector import MODEL
from facesort.common.job import job
from facesort.export.about import about_detector
from facesort.export.onnx_files import to_float16

snakemake: Snakemake

with job(snakemake.log[0]):
    folder = Path(snakemake.output.folder)
    folder.mkdir(parents=True, exist_ok=True)
    to_float16(MODEL, folder / "float16.onnx")
    text = json.dumps(about_detector(folder / "float16.onnx"), indent=2) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
    shutil.copy(MODEL.with_suffix(".LICENSE"), folder)
