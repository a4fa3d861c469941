"""Rule plot_embedding of stage pages.

T-SNE and UMAP as a picture, and as a page that shows the faces.
"""

from pathlib import Path

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.pages.figures import cluster_groups, emotion_groups, plot_embedding
from facesort.pages.map_page import map_page

snakemake: Snakemake

with job(snakemake.log[0]):
    cell = "{model}, {variant}, seed {seed}".format(**dict(snakemake.wildcards.items()))
    places = read_index(snakemake.input.map)
    predictions = read_index(snakemake.input.predictions).set_index("face")
    pool = (places["set"] == "pool").to_numpy()
    tested = predictions.loc[places.loc[~pool, "face"]]
    emotions = np.full(len(places), "", object)
    predicted = emotions.copy()
    emotions[~pool], predicted[~pool] = tested["label"], tested["predicted"]
    colourings = {"emotion": emotion_groups(emotions)}
    panels = [("test faces by emotion", ~pool, colourings["emotion"])]
    if snakemake.input.clustering:
        names = read_table(snakemake.input.names, "emotion")["emotion"].to_list()
        clusters = np.empty(len(places), np.int64)
        clusters[pool] = load_clustering(snakemake.input.clustering).pool[places["face"][pool]]
        clusters[~pool] = tested["group"]
        predicted[pool] = np.array(names)[clusters[pool]]
        by_cluster = cluster_groups(clusters, names)
        colourings = {
            "cluster": by_cluster,
            **colourings,
            "prediction": emotion_groups(predicted),
        }
        panels = [
            ("pool by cluster and its name", pool, by_cluster),
            ("test faces by cluster", ~pool, by_cluster),
            *panels,
        ]
    else:
        colourings = {"prediction": emotion_groups(predicted), **colourings}
        panels = [("test faces by prediction", ~pool, colourings["prediction"]), *panels]
    save(plot_embedding(places, panels, cell), snakemake.output.figure)
    page = map_page(
        places,
        {"pool": open_array(snakemake.input.pool), "test": open_array(snakemake.input.labelled)},
        colourings,
        title=f"Map of faces: {cell}",
        totals={"pool": len(open_array(snakemake.input.pool)), "test": len(predictions)},
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
