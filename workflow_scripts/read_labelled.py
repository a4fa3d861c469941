"""Rule read_labelled: read the labelled tree into one array."""

from pathlib import Path

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array, write_index
from facesort.imaging import ImageError
from facesort.job import InputError, Progress, job
from facesort.labelled import list_labelled, pixel_digest, read_faces

snakemake: Snakemake

with job(snakemake.log[0]):
    folder, size = snakemake.params.folder, snakemake.params.size
    index = list_labelled(folder, snakemake.params.label_from, snakemake.params.min_relfcs)
    digests: list[str] = []
    refused: list[dict[str, str]] = []
    progress = Progress(len(index), "labelled faces")
    good = np.zeros(len(index), bool)
    faces = read_faces(folder, index["path"], size, snakemake.threads)
    part = f"{snakemake.output.faces}.all"
    with create_array(part, (len(index), size, size, 3), "uint8") as everything:
        for row, face in enumerate(faces):
            progress.update(1, refused=len(refused))
            if isinstance(face, ImageError):
                refused.append({"path": index["path"].iloc[row], "reason": str(face)})
                if len(refused) <= 10:
                    print(f"warning: {folder}/{index['path'].iloc[row]}: left out, {face}")
                continue
            everything[row] = face
            digests.append(pixel_digest(face))
            good[row] = True
    progress.close()
    if not digests:
        Path(part).unlink()
        raise InputError(
            f"{folder}: not one of {len(index)} images can be read; the first, "
            f"{refused[0]['path']}: {refused[0]['reason']}"
        )
    if refused:
        print(f"warning: {len(refused)} images left out; see {snakemake.output.refused}")
        everything = open_array(part)
        with create_array(snakemake.output.faces, (len(digests), size, size, 3), "uint8") as out:
            for new, old in enumerate(np.flatnonzero(good)):
                out[new] = everything[old]
        Path(part).unlink()
    else:
        Path(part).replace(snakemake.output.faces)
    write_index(index[good].assign(digest=digests), snakemake.output.index)
    write_index(pd.DataFrame(refused, columns=["path", "reason"]), snakemake.output.refused)
