"""Rule measure_agreement of stage cluster.

How far persons agree on the clusters' names.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.cluster.agreement import COLUMNS, agreement, person
from facesort.cluster.kmeans import load_clustering
from facesort.cluster.naming import read_person_names
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    tables = []
    for cell, path in zip(snakemake.params.cells, snakemake.input.clusterings, strict=True):
        clustering = load_clustering(path)
        page = Path(path).with_name("naming.html")
        told = {person(file): read_person_names(file, clustering, page) for file in cell["names"]}
        names = {who: table["emotion"].to_list() for who, table in told.items()}
        opened = {who: int(table["opened"].sum()) for who, table in told.items()}
        sizes = np.bincount(clustering.pool, minlength=len(clustering.centroids))
        where = {key: cell[key] for key in ("variant", "model", "seed")}
        tables.append(agreement(names, sizes, opened).assign(**where))
    table = pd.concat([pd.DataFrame(columns=COLUMNS), *tables])[COLUMNS]
    table.to_csv(snakemake.output.csv, index=False)
