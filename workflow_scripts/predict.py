"""Rule predict: the emotion of each test face, from its cluster's name or a classifier."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array, read_index, write_index
from facesort.clustering import load_clustering
from facesort.emotions import EMOTIONS
from facesort.job import job
from facesort.scoring import score

snakemake: Snakemake

with job(snakemake.log[0]):
    index = read_index(snakemake.input.index)
    test = np.flatnonzero(read_index(snakemake.input.split, rows=len(index))["part"] == "test")
    if snakemake.wildcards.model in snakemake.params.clustered:
        named = pd.read_csv(snakemake.input.names).set_index("cluster")
        groups = load_clustering(snakemake.input.clustering).labelled[test]
        predicted = named["emotion"].loc[groups].to_numpy(str)
        naming = str(named["origin"].iloc[0])
    else:
        groups = open_array(snakemake.input.probabilities)[test].argmax(1)
        predicted = np.array(EMOTIONS)[groups]
        naming = "none"
    labels = index["label"].to_numpy(str)[test]
    predictions = pd.DataFrame(
        {
            "face": test,
            "path": index["path"].to_numpy(str)[test],
            "label": labels,
            "group": groups,
            "predicted": predicted,
        }
    )
    write_index(predictions, snakemake.output.predictions)
    metrics = {"naming": naming, "n_test": len(test), **score(labels, predicted, groups)}
    text = json.dumps(metrics, indent=2) + "\n"
    Path(snakemake.output.metrics).write_text(text, encoding="utf-8")
