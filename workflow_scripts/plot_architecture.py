"""Rule plot_architecture: a model's layers, as read off the model when it was trained."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.architecture import plot_architecture
from facesort.figures import save
from facesort.job import job
from facesort.reading import read_json

snakemake: Snakemake

with job(snakemake.log[0]):
    about = read_json(Path(snakemake.input.model, "model.json"))
    title = f"{about['model']}, {about['variant']}"
    save(plot_architecture(about["layers"], about["shape"], title), snakemake.output.figure)
