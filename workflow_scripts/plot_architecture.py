"""Rule plot_architecture of stage pages.

A model's layers, as read off the model when it was trained.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.drawing import save
from facesort.common.job import job
from facesort.common.reading import read_json
from facesort.pages.architecture import plot_architecture

snakemake: Snakemake

with job(snakemake.log[0]):
    about = read_json(Path(snakemake.input.model, "model.json"))
    title = f"{about['model']}, {about['variant']}"
    save(plot_architecture(about["layers"], about["shape"], title), snakemake.output.figure)
