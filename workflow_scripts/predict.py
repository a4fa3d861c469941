"""Rules predict_by_cluster and predict_by_classifier of stage score.

The emotion of each test face, from its cluster's name or a classifier.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import load_clustering
from facesort.cluster.naming import METHODS, names_by_draws
from facesort.common.arrays import open_array, read_index, write_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.score.probes import answer_by_probes, narrowed, silhouette
from facesort.score.scores import score, score_draws, score_groups
from facesort.train.models import MODELS

snakemake: Snakemake

with job(snakemake.log[0]):
    seed, model = int(snakemake.wildcards.seed), snakemake.wildcards.model
    index = read_index(snakemake.input.index)
    split = read_index(snakemake.input.split, rows=len(index))
    test, train = (np.flatnonzero(split["part"] == part) for part in ("test", "train"))
    every_label = index["label"].to_numpy(str)
    labels = every_label[test]
    embeddings = open_array(snakemake.input.embeddings)
    more, by_method = {}, {}
    if model in snakemake.params.clustered:
        columns = ("cluster", "emotion", "origin", *METHODS)
        named = read_table(snakemake.input.names, *columns).set_index("cluster")
        clustering = load_clustering(snakemake.input.clustering)
        groups = clustering.labelled[test]
        predicted = named["emotion"].loc[groups].to_numpy(str)
        by_method = {method: named[method].loc[groups].to_numpy(str) for method in METHODS}
        naming = str(named["origin"].iloc[0])
        if naming == "automatic":
            names = names_by_draws(
                clustering,
                embeddings,
                index["label"].map(EMOTIONS.index).to_numpy(),
                (split["part"] == "naming").to_numpy(),
                (split["part"] == "train").to_numpy(),
                snakemake.params.method,
                seed,
            )
            more = score_draws(labels, names, groups)
    else:
        answers = open_array(snakemake.input.probabilities)[:].argmax(1)
        groups, predicted = answers[test], np.array(EMOTIONS)[answers[test]]
        naming = "none"
        if MODELS[model].supervision != "none":
            own = np.flatnonzero(split["semi"]) if model == "semi_supervised" else train
            right = np.array(EMOTIONS)[answers[own]] == every_label[own]
            more = {"learnt_accuracy": float(right.mean())}
    narrow = narrowed(embeddings, train, seed)
    probed, settings = answer_by_probes(narrow, every_label, train, test, seed)
    predictions = pd.DataFrame(
        {
            "face": test,
            "path": index["path"].to_numpy(str)[test],
            "label": labels,
            "group": groups,
            "predicted": predicted,
            **by_method,
            **probed,
        }
    )
    write_index(predictions, snakemake.output.predictions)
    metrics = {
        "naming": naming,
        "n_test": len(test),
        **score(labels, predicted, groups),
        **score_groups(labels, groups, seed),
        **{
            f"{name}_{kind}": score(labels, told, groups)[kind]
            for name, told in probed.items()
            for kind in ("accuracy", "balanced_accuracy")
        },
        **settings,
        "silhouette_groups": silhouette(narrow[test], groups, seed),
        "silhouette_emotions": silhouette(narrow[test], labels, seed),
        **more,
    }
    text = json.dumps(metrics, indent=2) + "\n"
    Path(snakemake.output.metrics).write_text(text, encoding="utf-8")
