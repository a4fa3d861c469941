"""Rule plot_embedding of stage pages.

T-SNE and UMAP as a picture, and as a page that shows the faces.
"""

from pathlib import Path

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.cluster.anatomy import read_anatomy
from facesort.cluster.chance import TITLE, WORDS, clusters_at_chance
from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index
from facesort.common.drawing import save
from facesort.common.emotions import UNNAMED
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.pages.colours import cluster_groups, emotion_groups
from facesort.pages.figures import plot_embedding
from facesort.pages.map_page import map_page, strengths

snakemake: Snakemake

with job(snakemake.log[0]):
    cell = "{model}, {variant}, seed {seed}".format(**dict(snakemake.wildcards.items()))
    places = read_index(snakemake.input.map)
    pool = (places["set"] == "pool").to_numpy()
    faces = {"pool": open_array(snakemake.input.pool)}
    totals = {"pool": len(faces["pool"])}
    emotions = np.full(len(places), "", object)
    predicted = emotions.copy()
    clusters = np.zeros(len(places), np.int64)
    colourings, panels, own, at_chance = {}, [], [], False
    # Without labelled faces there is no test set.
    if snakemake.input.predictions:
        predictions = read_index(snakemake.input.predictions).set_index("face")
        tested = predictions.loc[places.loc[~pool, "face"]]
        emotions[~pool], predicted[~pool] = tested["label"], tested["predicted"]
        clusters[~pool] = tested["group"]
        own = sorted(predictions["label"].unique())
        faces["test"], totals["test"] = open_array(snakemake.input.labelled), len(predictions)
        colourings["emotion"] = emotion_groups(emotions, own)
        panels.append(("scored faces by emotion", ~pool, colourings["emotion"]))
    if snakemake.input.clustering:
        names = read_table(snakemake.input.names, "emotion")["emotion"].to_list()
        clustering = load_clustering(snakemake.input.clustering)
        at_chance = clusters_at_chance(clustering, snakemake.input.index, snakemake.input.split)
        clusters[pool] = clustering.pool[places["face"][pool]]
        predicted[pool] = np.array(names)[clusters[pool]]
        by_cluster = cluster_groups(clusters, names)
        colourings = {"cluster": by_cluster, **colourings}
        if UNNAMED not in names:
            colourings["prediction"] = emotion_groups(predicted, own)
        scored = [("scored faces by cluster", ~pool, by_cluster)] if "test" in faces else []
        panels = [("unlabelled faces by cluster", pool, by_cluster), *scored, *panels]
    else:
        colourings = {"prediction": emotion_groups(predicted, own), **colourings}
        panels = [("scored faces by prediction", ~pool, colourings["prediction"]), *panels]
    about = f"{cell}{TITLE}\n{WORDS}" if at_chance else cell
    save(plot_embedding(places, panels, about), snakemake.output.figure)
    # Of the pool, then of the labelled faces, as far as they are measured.
    read = map(read_anatomy, snakemake.input.movements, snakemake.input.presence)
    anatomies = dict(zip(("pool", "test"), read, strict=False))
    page = map_page(
        places,
        faces,
        colourings,
        strengths(places, anatomies),
        title=f"Map of faces: {cell}",
        at_chance=at_chance,
        totals=totals,
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
