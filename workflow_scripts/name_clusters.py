"""Rule name_clusters of stage cluster.

Name clusters as a person did, or from the naming faces; without either they have no names.
"""

from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import load_clustering
from facesort.cluster.naming import automatic_names, no_names, read_person_names
from facesort.common.arrays import open_array, read_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    clustering = load_clustering(snakemake.input.clustering)
    if snakemake.input.person:
        names = read_person_names(snakemake.input.person[0], clustering)
    elif not snakemake.input.index:
        names = no_names(clustering)
    else:
        labels = read_index(snakemake.input.index)["label"].map(EMOTIONS.index).to_numpy()
        split = read_index(snakemake.input.split, rows=len(labels))
        names = automatic_names(
            clustering,
            open_array(snakemake.input.embeddings),
            labels,
            (split["part"] == "naming").to_numpy(),
            snakemake.params.method,
        )
    names.to_csv(snakemake.output.names, index=False)
