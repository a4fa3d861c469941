"""Rule list_photos of stage archive.

List the files of an archive, and put each into a bucket.
"""

from snakemake.iocontainers import Snakemake

from facesort.archive.listing import list_archive
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    counts = list_archive(snakemake.params.folder, snakemake.output.listing)
    print(
        "{photos:,} files that may be photos, {sidecars:,} sidecars, {others:,} others that are "
        "neither files nor folders to enter".format_map(counts)
    )
