"""Rule answer_elsewhere of stage score.

Every cell's answers for the faces of a set that is only scored on.
"""

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index, write_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, job
from facesort.common.reading import read_table
from facesort.score.elsewhere.answers import (
    answers_by_cluster,
    answers_by_neighbours,
    column,
    most_probable,
)

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    index = read_index(inputs.index)
    labelled = read_index(inputs.labelled)
    labels = labelled["label"].map(EMOTIONS.index).to_numpy()
    split = read_index(inputs.split, rows=len(labelled))
    train = np.flatnonzero(split["part"] == "train")
    # In the order of the cells that have them.
    clusterings, names = iter(inputs.clusterings), iter(inputs.names)
    voters = iter(inputs.voters)
    answers = {}
    for cell, path in zip(params.cells, inputs.sources, strict=True):
        source = open_array(path)
        if len(source) != len(index):
            raise InputError(f"{path}: {len(source)} rows for {len(index)} faces; delete it, rerun")
        if cell["model"] in params.clustered:
            named = read_table(next(names), "cluster", "emotion")
            given = answers_by_cluster(source, load_clustering(next(clusterings)), named)
        elif cell["model"] in params.neighbours:
            given = answers_by_neighbours(source, open_array(next(voters)), labels, train)
        else:
            given = most_probable(source)
        answers[column(cell)] = given
    about = {"path": index["path"].to_numpy(str), "label": index["label"].to_numpy(str)}
    write_index(pd.DataFrame(about | answers), snakemake.output.answers)
    print(f"{len(answers)} cells answered for {len(index):,} faces")
