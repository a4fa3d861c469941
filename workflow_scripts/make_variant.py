"""Rule make_variant: turn a set of faces into a variant."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array
from facesort.job import job
from facesort.variants import make_variant, variant_shape

snakemake: Snakemake

CHUNK = 1024

with job(snakemake.log[0]):
    faces = open_array(snakemake.input.faces)
    variant, border = snakemake.wildcards.variant, snakemake.params.border
    shape = (len(faces), *variant_shape(variant, faces.shape[1], border))
    with create_array(snakemake.output.faces, shape, "uint8") as out:
        for start in range(0, len(faces), CHUNK):
            out[start : start + CHUNK] = make_variant(faces[start : start + CHUNK], variant, border)
