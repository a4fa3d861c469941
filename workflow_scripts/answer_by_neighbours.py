"""Rule answer_by_neighbours of stage score.

Votes of the nearest labelled faces of the training part.
"""

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import create_array, open_array, read_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.score.probes import neighbours_votes

snakemake: Snakemake

with job(snakemake.log[0]):
    index = read_index(snakemake.input.index)
    split = read_index(snakemake.input.split, rows=len(index))
    labels = index["label"].map(EMOTIONS.index).to_numpy()
    votes, neighbours = neighbours_votes(
        np.asarray(open_array(snakemake.input.embeddings), np.float32),
        labels,
        np.flatnonzero(split["part"] == "train"),
        len(EMOTIONS),
    )
    with create_array(snakemake.output.probabilities, votes.shape, "float32") as out:
        out[:] = votes
    print(f"{neighbours} nearest of the training part vote")
