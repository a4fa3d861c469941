"""Rule cluster: K-means on the pool's embeddings, and each labelled face's nearest centroid."""

import numpy as np
from snakemake.script import snakemake

from facesort.arrays import open_array
from facesort.clustering import check_embeddings, cluster, save_clustering
from facesort.job import job

with job(snakemake.log[0]):
    params = snakemake.params
    pool, labelled = open_array(snakemake.input.embeddings), open_array(snakemake.input.labelled)
    check_embeddings(pool, snakemake.input.embeddings, at_least=params.clusters)
    check_embeddings(labelled, snakemake.input.labelled)
    clustering = cluster(
        pool, labelled, clusters=params.clusters, starts=params.starts, seed=params.seed
    )
    save_clustering(clustering, snakemake.output.clustering)
    sizes = np.bincount(clustering.pool, minlength=params.clusters)
    print(f"clustering {clustering.digest}: inertia {clustering.inertia:.6g}, sizes {sizes}")
