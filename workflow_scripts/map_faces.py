"""Rule map_faces of stage pages.

Places of the pool's and the test faces on a t-SNE and a UMAP.
"""

from pathlib import Path

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, read_index, write_index
from facesort.common.job import job
from facesort.pages.maps import choose, map_faces

snakemake: Snakemake

with job(snakemake.log[0]):
    seed = int(snakemake.wildcards.seed)
    pool = Path(snakemake.input.pool)
    rows = {"pool": (pool, np.arange(len(open_array(pool))))}
    if snakemake.input.labelled:
        labelled = Path(snakemake.input.labelled)
        split = read_index(snakemake.input.split, rows=len(open_array(labelled)))
        rows["test"] = (labelled, np.flatnonzero(split["part"] == "test"))
    sets = {
        name: (path, choose(faces, snakemake.params.points, seed))
        for name, (path, faces) in rows.items()
    }
    write_index(map_faces(sets, seed), snakemake.output.map)
