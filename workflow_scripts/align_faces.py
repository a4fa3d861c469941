"""Rule align_faces of stage faces.

Tight crops of a set of faces, put in one place by their landmarks.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import create_array, open_array
from facesort.common.job import job
from facesort.faces.alignment import stable_places, tight_crops

snakemake: Snakemake

CHUNK = 1024

with job(snakemake.log[0]):
    side = snakemake.params.side
    faces, landmarks = open_array(snakemake.input.faces), open_array(snakemake.input.landmarks)
    places = stable_places(open_array(snakemake.input.pool_landmarks)[:], side)
    shape = (len(faces), side, side, faces.shape[3])
    with create_array(snakemake.output.faces, shape, "uint8") as out:
        for start in range(0, len(faces), CHUNK):
            part = slice(start, start + CHUNK)
            out[part] = tight_crops(faces[part], landmarks[part], places, side)
