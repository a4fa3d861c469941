"""Rule join_cells of stage score.

Cells joined, and their gain over the best single one.
"""

from pathlib import Path

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.cluster.anatomy import read_anatomy
from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.score.ensembles import Member, ensembles_markdown, make_ensembles, name_scores

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    index = read_index(inputs.index)
    labels = index["label"].map(EMOTIONS.index).to_numpy()
    part = read_index(inputs.split, rows=len(index))["part"].to_numpy(str)
    naming, test = part == "naming", np.flatnonzero(part == "test")
    read = map(read_anatomy, inputs.movements, inputs.presence)
    anatomies = dict(zip(params.by_anatomy, read, strict=True))
    members = []
    for cell, path, source in zip(params.cells, inputs.predictions, inputs.sources, strict=True):
        predicted = read_index(path, rows=len(test))["predicted"].to_numpy(str)
        clustering = None
        if cell["model"] in params.clustered:
            clustering = load_clustering(source)
            anatomy = anatomies.get(cell["variant"])
            scores = name_scores(clustering, predicted, labels, naming, test, anatomy)
        else:
            scores = open_array(source)[test]
        cell_of = (cell["model"], cell["variant"], int(cell["seed"]))
        members.append(Member(*cell_of, predicted, scores, clustering))
    table = make_ensembles(
        members,
        labels,
        naming,
        test,
        clustering=params.clustering,
        method=params.method,
        anatomies=anatomies,
    )
    table.to_csv(snakemake.output.csv, index=False)
    Path(snakemake.output.md).write_text(
        ensembles_markdown(table, data=params.data), encoding="utf-8"
    )
