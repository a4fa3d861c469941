"""Rule answer_pairs of stage audit.

Every cell's answers for the faces of the rendered pairs.
"""

from typing import Any

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.audit.counterfactual import answers_by_name_or_number, answers_by_probability
from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index, write_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError, job
from facesort.common.reading import read_table
from facesort.score.elsewhere.answers import answers_by_neighbours, column

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    drawn = read_index(inputs.index)["label"].to_numpy(str)
    # In the order of the cells that have them.
    clusterings, names = iter(inputs.clusterings), iter(inputs.names)
    voters = iter(inputs.voters)
    answers: dict[str, Any] = {}
    for cell, path in zip(params.cells, inputs.sources, strict=True):
        source, name = open_array(path), column(cell)
        if len(source) != len(drawn):
            raise InputError(f"{path}: {len(source)} rows for {len(drawn)} faces; delete it, rerun")
        if cell["model"] in params.clustered:
            named = read_table(next(names), "cluster", "emotion")
            clustering = load_clustering(next(clusterings))
            answers[name] = answers_by_name_or_number(source, clustering, named)
        elif cell["model"] in params.neighbours:
            labelled = read_index(inputs.labelled)
            labels = labelled["label"].map(EMOTIONS.index).to_numpy()
            split = read_index(inputs.split, rows=len(labelled))
            train = np.flatnonzero(split["part"] == "train")
            answers[name] = answers_by_neighbours(source, open_array(next(voters)), labels, train)
        else:
            answers[name], answers[f"{name} drawn"] = answers_by_probability(source, drawn)
    write_index(pd.DataFrame(answers), snakemake.output.answers)
    print(f"{len(params.cells)} cells answered for {len(drawn):,} faces")
