"""Rule make_variant of stage faces.

Turn a set of faces into a variant.
"""

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import append_array, open_array, read_blocks, read_index
from facesort.common.job import job
from facesort.faces.variants import make_variant, variant_shape

snakemake: Snakemake

with job(snakemake.log[0]):
    variant, border = snakemake.wildcards.variant, snakemake.params.border
    faces = open_array(snakemake.input.faces)
    rows = np.arange(len(faces))
    if snakemake.input.kept:
        rows = read_index(snakemake.input.kept)["face"].to_numpy()
    sources = [(snakemake.input.faces, rows)]
    if snakemake.input.joined:
        labelled, split = snakemake.input.joined
        parts = read_index(split)["part"]
        sources.append((labelled, np.flatnonzero(parts == "train")))
    count = sum(len(rows) for _, rows in sources)
    shape = (count, *variant_shape(variant, faces.shape[1], border))
    with append_array(snakemake.output.faces, shape, "uint8") as out:
        for source, rows in sources:
            for block in read_blocks(source, rows):
                out.write(np.ascontiguousarray(make_variant(block, variant, border)).data)
