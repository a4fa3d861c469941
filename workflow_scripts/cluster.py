"""Rule cluster of stage cluster.

Fit K-means to the pool's embeddings, and place the labelled faces.
"""

from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import fit_clusters, save_clustering
from facesort.common.arrays import open_array
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    pool = open_array(snakemake.input.pool)
    clustering = fit_clusters(
        pool,
        open_array(snakemake.input.labelled) if snakemake.input.labelled else pool[:0],
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
        **snakemake.params.clustering,
    )
    save_clustering(clustering, snakemake.output.clustering)
