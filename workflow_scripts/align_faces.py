"""Rule align_faces of stage faces.

Tight crops of a set of faces, put in one place by their landmarks.
"""

import math

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import append_array, open_array, read_blocks, rows_at_once
from facesort.common.job import job
from facesort.faces.alignment import stable_places, tight_crops

snakemake: Snakemake

CHUNK = 1024

with job(snakemake.log[0]):
    side = snakemake.params.side
    inputs = snakemake.input
    places = stable_places(read_blocks(inputs.pool_landmarks), side)
    faces = open_array(inputs.faces)
    shape = (len(faces), side, side, faces.shape[3])
    at_once = rows_at_once(math.prod(faces.shape[1:]) + math.prod(shape[1:]), CHUNK)
    blocks = (read_blocks(path, at_once=at_once) for path in (inputs.faces, inputs.landmarks))
    with append_array(snakemake.output.faces, shape, "uint8") as out:
        for some, points in zip(*blocks, strict=True):
            out.write(tight_crops(some, points, places, side).data)
