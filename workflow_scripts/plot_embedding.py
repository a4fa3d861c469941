"""Rule plot_embedding: t-SNE of the test faces."""

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array, read_index
from facesort.figures import embedding_groups, plot_embedding, save, tsne
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    predictions = read_index(snakemake.input.predictions)
    if len(predictions) > snakemake.params.points:
        chosen = np.random.default_rng(int(seed)).permutation(len(predictions))
        predictions = predictions.iloc[np.sort(chosen[: snakemake.params.points])]
    places = tsne(open_array(snakemake.input.embeddings)[predictions["face"]], int(seed))
    clustered = snakemake.params.clustered
    what = "cluster and its name" if clustered else "predicted emotion"
    figure = plot_embedding(
        places,
        embedding_groups(predictions, clustered),
        predictions["label"].to_numpy(str),
        f"{model}, {variant}, seed {seed}: {what}",
    )
    save(figure, snakemake.output.figure)
