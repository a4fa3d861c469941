"""Rule plot_confusion: the confusion matrices of all cells, over all their seeds."""

from collections import defaultdict

import numpy as np
from snakemake.script import snakemake

from facesort.arrays import read_index
from facesort.figures import plot_confusion, save_figure
from facesort.job import job
from facesort.scoring import confusion

with job(snakemake.log[0]):
    counts: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros((8, 9)))
    for cell, path in zip(snakemake.params.cells, snakemake.input.predictions, strict=True):
        frame = read_index(path)
        counts[cell["model"], cell["variant"]] += confusion(
            frame["label"].to_numpy(), frame["predicted"].to_numpy()
        )
    save_figure(plot_confusion(counts), snakemake.output.figure)
