"""Rule plot_architecture: a model's layers, as read off the model when it was trained."""

import json
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.architecture import plot_architecture
from facesort.figures import save
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    about = json.loads(Path(snakemake.input.model, "model.json").read_text(encoding="utf-8"))
    title = f"{about['model']}, {about['variant']}"
    save(plot_architecture(about["layers"], about["shape"], title), snakemake.output.figure)
