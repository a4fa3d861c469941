"""Rule plot_confusion: all cells' confusion matrices."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import read_index
from facesort.figures import plot_confusions, save
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    predictions = [read_index(path) for path in snakemake.input.predictions]
    save(plot_confusions(snakemake.params.cells, predictions), snakemake.output.figure)
