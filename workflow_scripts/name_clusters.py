"""Rule name_clusters of stage cluster.

Name clusters as a person did, or as the config says: from the naming faces, or by anatomy. What
each way would have said stands beside it.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.cluster.anatomy import name_by_fits, read_anatomy
from facesort.cluster.kmeans import load_clustering
from facesort.cluster.naming import BY_LABELS, automatic_names, read_person_names, unvoted_names
from facesort.common.arrays import open_array, read_index
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    inputs, method = snakemake.input, snakemake.params.method
    clustering = load_clustering(inputs.clustering)
    anatomy = read_anatomy(inputs.movements, inputs.presence)
    clusters = len(clustering.centroids)
    found = name_by_fits(anatomy.fits, clustering.pool, anatomy.seen, clusters)
    every = {way: unvoted_names(clustering, "none") for way in BY_LABELS}
    every["facs"] = unvoted_names(clustering, "facs", found)
    if inputs.index:
        labels = read_index(inputs.index)["label"].map(EMOTIONS.index).to_numpy()
        split = read_index(inputs.split, rows=len(labels))
        naming = (split["part"] == "naming").to_numpy()
        embeddings = open_array(inputs.embeddings)
        for way in BY_LABELS:
            every[way] = automatic_names(clustering, embeddings, labels, naming, way)
    names = every[method]
    if inputs.person:
        page = Path(inputs.clustering).with_name("naming.html")
        names = read_person_names(inputs.person[0], clustering, page).drop(columns="opened")
    names = names.assign(**{way: told["emotion"] for way, told in every.items()})
    names.to_csv(snakemake.output.names, index=False)
