"""Rule naming_page of stage pages.

The page on which a person names the clusters.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.cluster.anatomy import read_anatomy
from facesort.cluster.chance import clusters_at_chance
from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index
from facesort.common.job import job
from facesort.pages.naming_page import distances_to_centroids, naming_page

snakemake: Snakemake

with job(snakemake.log[0]):
    clustering = load_clustering(snakemake.input.clustering)
    places = read_index(snakemake.input.map)
    page = naming_page(
        open_array(snakemake.input.faces),
        clustering,
        distances_to_centroids(snakemake.input.embeddings, clustering),
        places[places["set"] == "pool"],
        read_anatomy(snakemake.input.movements, snakemake.input.presence),
        cell=dict(snakemake.wildcards.items()),
        at_chance=clusters_at_chance(clustering, snakemake.input.index, snakemake.input.split),
        per_cluster=snakemake.params.per_cluster,
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
