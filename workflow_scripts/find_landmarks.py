"""Rule find_landmarks of stage faces.

The face mesh of every face of a set.
"""

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import append_array, open_array, read_blocks, write_index
from facesort.common.job import Progress, job
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.procrustes import POINTS

snakemake: Snakemake

CHUNK = 256
LOW = 0.5

with job(snakemake.log[0]):
    faces = open_array(snakemake.input.faces)
    mesh = FaceMesh(snakemake.threads)
    progress = Progress(len(faces), "landmarks")
    presence = np.empty(len(faces), np.float32)
    done = 0
    with append_array(snakemake.output.landmarks, (len(faces), POINTS, 3), "float32") as out:
        for some in read_blocks(snakemake.input.faces, at_once=CHUNK):
            points, presence[done : done + len(some)] = mesh.find(some)
            out.write(points.data)
            done += len(some)
            progress.update(len(some))
    progress.close()
    write_index(pd.DataFrame({"presence": presence}), snakemake.output.presence)
    print(f"{(presence < LOW).sum():,} of {len(faces):,} faces: landmarks are a guess")
