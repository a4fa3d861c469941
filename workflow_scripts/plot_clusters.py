"""Rule plot_clusters: random faces of the pool from each cluster, beside its name."""

import numpy as np
from snakemake.script import snakemake

from facesort.arrays import open_array
from facesort.clustering import load_clustering
from facesort.figures import figure_title, plot_clusters, sample_clusters, save_figure
from facesort.job import job
from facesort.naming import read_names

with job(snakemake.log[0]):
    clustering = load_clustering(snakemake.input.clustering)
    count = len(clustering.centroids)
    names = read_names(snakemake.input.names, count, clustering.digest)
    pool = open_array(snakemake.input.pool)
    chosen = sample_clusters(clustering.pool, count, snakemake.params.faces, snakemake.params.seed)
    figure = plot_clusters(
        [pool[rows] for rows in chosen],
        names.emotions,
        np.bincount(clustering.pool, minlength=count).tolist(),
        figure_title(**snakemake.wildcards),
    )
    save_figure(figure, snakemake.output.figure)
