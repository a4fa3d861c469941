"""Rule export_table of stage export.

All exported files side by side, and the whole chains from a photo to an answer.
"""

import platform
from pathlib import Path

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import write_whole
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.export.table import export_markdown

snakemake: Snakemake


def cpu() -> str:
    """The processor's name, where the system tells one."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    named = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    table = pd.concat(
        read_table(path, "precision", "bytes").assign(**cell)
        for cell, path in zip(params.cells, snakemake.input.tables, strict=True)
    )
    table = table[[*params.cells[0], *(c for c in table if c not in params.cells[0])]]
    detector = Path(snakemake.input.detector, "float16.onnx").stat().st_size
    with write_whole(output.csv) as part:
        table.to_csv(part, index=False, lineterminator="\n")
    with write_whole(output.md) as part:
        text = export_markdown(table, detector, data=params.data, cpu=cpu())
        part.write_text(text, encoding="utf-8")
