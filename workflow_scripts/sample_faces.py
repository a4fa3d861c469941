"""Rule sample_faces of stage fetch.

Choose a seeded sample of distinct faces, or all those of a manifest; some photos are left out.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import write_index
from facesort.common.job import job
from facesort.fetch.exclusions import read_exclusions, without
from facesort.fetch.fec import sample_faces
from facesort.fetch.manifest import read_manifest

snakemake: Snakemake

with job(snakemake.log[0]):
    path, params = snakemake.input.csv, snakemake.params
    if params.manifest:
        faces, refused = read_manifest(path)
    else:
        faces, refused = sample_faces(path, params.size, params.seed)
    chosen = len(faces)
    faces = without(faces, read_exclusions(snakemake.input.exclude or None))
    write_index(faces, snakemake.output.faces)
    write_index(refused, snakemake.output.refused)
    print(f"{len(faces):,} faces in {faces['url'].nunique():,} photos; {len(refused):,} refused")
    print(f"{chosen - len(faces):,} more are left out (config: fetch.exclude)")
    for row in refused.head(3).itertuples():
        print(f"warning: {path}, row {row.row}: {row.reason}")
