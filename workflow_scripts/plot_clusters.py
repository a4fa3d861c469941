"""Rule plot_clusters of stage pages.

Samples of each cluster.
"""

from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.pages.figures import plot_clusters

snakemake: Snakemake

with job(snakemake.log[0]):
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    names = read_table(snakemake.input.names, "cluster", "emotion")
    origin = str(names["origin"].iloc[0])
    figure = plot_clusters(
        open_array(snakemake.input.faces),
        load_clustering(snakemake.input.clustering).pool,
        names,
        snakemake.params.per_cluster,
        int(seed),
        f"{model}, {variant}, seed {seed}: random faces of each cluster "
        f"({'no' if origin == 'none' else origin} names)",
    )
    save(figure, snakemake.output.figure)
