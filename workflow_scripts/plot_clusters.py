"""Rule plot_clusters of stage pages.

Samples of each cluster.
"""

from snakemake.iocontainers import Snakemake

from facesort.cluster.chance import TITLE, WORDS, clusters_at_chance
from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.pages.figures import plot_clusters

snakemake: Snakemake

with job(snakemake.log[0]):
    inputs = snakemake.input
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    names = read_table(inputs.names, "cluster", "emotion", "origin")
    origin = str(names["origin"].iloc[0])
    title = (
        f"{model}, {variant}, seed {seed}: random faces of each cluster, "
        f"{'no' if origin == 'none' else origin} names"
    )
    clustering = load_clustering(inputs.clustering)
    if clusters_at_chance(clustering, inputs.index, inputs.split):
        title += f"{TITLE}\n{WORDS}"
    figure = plot_clusters(
        open_array(inputs.faces),
        clustering.pool,
        names,
        snakemake.params.per_cluster,
        int(seed),
        title,
    )
    save(figure, snakemake.output.figure)
