"""Rule find_landmarks of stage faces.

The face mesh of every face of a set.
"""

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import create_array, open_array, write_index
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
    with create_array(snakemake.output.landmarks, (len(faces), POINTS, 3), "float32") as out:
        for start in range(0, len(faces), CHUNK):
            part = slice(start, start + CHUNK)
            out[part], presence[part] = mesh.find(faces[part])
            progress.update(len(faces[part]))
    progress.close()
    write_index(pd.DataFrame({"presence": presence}), snakemake.output.presence)
    print(f"{(presence < LOW).sum():,} of {len(faces):,} faces: landmarks are a guess")
