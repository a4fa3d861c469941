"""Rule make_variant: turn a set of faces into a variant."""

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array, read_index
from facesort.job import job
from facesort.variants import make_variant, variant_shape

snakemake: Snakemake

CHUNK = 1024

with job(snakemake.log[0]):
    faces = open_array(snakemake.input.faces)
    variant, border = snakemake.wildcards.variant, snakemake.params.border
    rows = np.arange(len(faces))
    if snakemake.input.kept:
        rows = read_index(snakemake.input.kept)["face"].to_numpy()
    shape = (len(rows), *variant_shape(variant, faces.shape[1], border))
    with create_array(snakemake.output.faces, shape, "uint8") as out:
        for start in range(0, len(rows), CHUNK):
            part = faces[rows[start : start + CHUNK]]
            out[start : start + CHUNK] = make_variant(part, variant, border)
