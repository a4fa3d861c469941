"""Rule name_clusters: name clusters by a person's file, or else from the naming faces."""

import numpy as np
from snakemake.script import snakemake

from facesort.arrays import open_array, read_index
from facesort.clustering import load_clustering
from facesort.job import job
from facesort.naming import Names, count_votes, name_clusters, read_person_names, write_names

with job(snakemake.log[0]):
    clustering = load_clustering(snakemake.input.clustering)
    count = len(clustering.centroids)
    index = read_index(snakemake.input.index, rows=len(clustering.labelled))
    part = read_index(snakemake.input.split, rows=len(index))["part"]
    naming = np.flatnonzero(part == "naming")
    labels = index["label"].to_numpy()[naming]
    votes = count_votes(clustering.labelled[naming], labels, count)
    if person := snakemake.input.get("person"):
        names = read_person_names(str(person), count, clustering.digest)
    else:
        embeddings = open_array(snakemake.input.labelled)[naming]
        emotions = name_clusters(
            votes, clustering.centroids, embeddings, labels, snakemake.params.method
        )
        names = Names(emotions, "automatic", clustering.digest)
    write_names(names, votes, snakemake.output.names)
    print(f"{names.origin} names: {', '.join(names.emotions)}")
