"""Rule plot_clusters: samples of each cluster."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array
from facesort.clustering import load_clustering
from facesort.figures import plot_clusters, save
from facesort.job import job
from facesort.reading import read_table

snakemake: Snakemake

with job(snakemake.log[0]):
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    names = read_table(snakemake.input.names, "cluster", "emotion")
    figure = plot_clusters(
        open_array(snakemake.input.faces),
        load_clustering(snakemake.input.clustering).pool,
        names,
        snakemake.params.per_cluster,
        int(seed),
        f"{model}, {variant}, seed {seed}: random faces of each cluster "
        f"({names['origin'].iloc[0]} names)",
    )
    save(figure, snakemake.output.figure)
