"""Rule plot_confusion of stage pages.

All cells' confusion matrices.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.pages.confusion import plot_confusions

snakemake: Snakemake

with job(snakemake.log[0]):
    predictions = [read_index(path) for path in snakemake.input.predictions]
    save(plot_confusions(snakemake.params.cells, predictions), snakemake.output.figure)
