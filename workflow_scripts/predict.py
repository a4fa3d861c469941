"""Rule predict: give every scored face its cluster's name or its likeliest class, and score it."""

import json

import numpy as np
from snakemake.script import snakemake

from facesort.arrays import open_array, read_index, write_index
from facesort.emotions import EMOTIONS
from facesort.job import InputError, job
from facesort.scoring import scored_predictions, scores
from facesort.tables import write_text

with job(snakemake.log[0]):
    index = read_index(snakemake.input.index)
    part = read_index(snakemake.input.split, rows=len(index))["part"]
    if path := snakemake.input.get("probabilities"):
        probabilities = open_array(path)
        if not np.isfinite(probabilities).all():
            raise InputError(
                f"{path}: not finite; lower the model's learning_rate (config: models)"
            )
        groups, names, named_by = probabilities.argmax(axis=1), list(EMOTIONS), "classifier"
    else:
        from facesort.clustering import load_clustering
        from facesort.naming import read_names

        clustering = load_clustering(snakemake.input.clustering)
        given = read_names(snakemake.input.names, len(clustering.centroids), clustering.digest)
        groups, names, named_by = clustering.labelled, given.emotions, given.origin
    predictions = scored_predictions(index, part, groups, names, named_by)
    metrics = scores(predictions) | {"named_by": named_by}
    write_index(predictions, snakemake.output.predictions)
    write_text(json.dumps(metrics, indent=2) + "\n", snakemake.output.metrics)
    print(f"accuracy {metrics['accuracy']:.4f} on {metrics['n_test']} faces")
