"""Rule try_few_labels of stage score.

How well an embedding tells emotions apart where few labels teach.
"""

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import create_array, open_array, read_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.score.few_labels.trials import few_labels

snakemake: Snakemake

with job(snakemake.log[0]):
    inputs, params = snakemake.input, snakemake.params
    index = read_index(inputs.index)
    part = read_index(inputs.split, rows=len(index))["part"].to_numpy(str)
    table, answers = few_labels(
        open_array(inputs.embeddings),
        index["label"].map(EMOTIONS.index).to_numpy(),
        np.flatnonzero(part == "train"),
        np.flatnonzero(part == "test"),
        load_clustering(inputs.clustering) if inputs.clustering else None,
        (open_array(inputs.anatomy[0]), open_array(inputs.anatomy[1])) if inputs.anatomy else None,
        few=params.few,
        means=params.clustering,
        seed=int(snakemake.wildcards.seed),
    )
    table.to_csv(snakemake.output.csv, index=False)
    with create_array(snakemake.output.answers, answers.shape, "uint8") as file:
        file[:] = answers
