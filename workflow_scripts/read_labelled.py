"""Rule read_labelled: read the labelled tree into one array."""

import numpy as np
import pandas as pd
from facesort.arrays import create_array, write_index
from facesort.imaging import ImageError
from facesort.job import InputError, Progress, job
from facesort.labelled import list_labelled, pixel_digest, read_faces
from snakemake.script import snakemake

with job(snakemake.log[0]):
    folder, size = snakemake.params.folder, snakemake.params.size
    index = list_labelled(folder, snakemake.params.label_from, snakemake.params.min_relfcs)
    digests: list[str] = []
    refused: list[dict[str, str]] = []
    progress = Progress(len(index), "labelled faces")
    good = np.zeros(len(index), bool)
    faces = read_faces(folder, index["path"], size, snakemake.threads)
    # Read twice as cheaply as stored once: unreadable files are rare, so the array is made for all
    # and cut to the readable ones at the end.
    stack = np.empty((len(index), size, size, 3), np.uint8)
    for row, face in enumerate(faces):
        progress.update(1, refused=len(refused))
        if isinstance(face, ImageError):
            path = f"{folder}/{index['path'].iloc[row]}"
            print(f"warning: {path}: left out, {face}")
            refused.append({"path": index["path"].iloc[row], "reason": str(face)})
            continue
        stack[len(digests)] = face
        digests.append(pixel_digest(face))
        good[row] = True
    progress.close()
    if not digests:
        raise InputError(f"{folder}: not one of {len(index)} images can be read")
    with create_array(snakemake.output.faces, (len(digests), size, size, 3), "uint8") as out:
        out[:] = stack[: len(digests)]
    write_index(index[good].assign(digest=digests), snakemake.output.index)
    write_index(pd.DataFrame(refused, columns=["path", "reason"]), snakemake.output.refused)
