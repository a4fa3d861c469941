"""Rule list_photos of stage archive.

List the files of an archive but for those that are left out, and put each into a bucket.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.archive.left_out import LeftOut, read_exclusions
from facesort.archive.listing import list_archive
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params, path = snakemake.params, snakemake.input.exclude
    exclusions = read_exclusions(path, params.folder)
    with LeftOut(params.folder, exclusions, Path(params.state), params.max_bytes) as left_out:
        counts = list_archive(params.folder, snakemake.output.listing, left_out)
    left_out.write(snakemake.output.left_out)
    print(
        "{photos:,} files that may be photos, {sidecars:,} sidecars, {others:,} others that are "
        "neither files nor folders to enter".format_map(counts)
    )
    print(f"{left_out.counts.total():,} files are left out (config: archive.exclude)")
    for line in exclusions.lines():
        if not left_out.counts[line]:
            print(f"warning: {path}, line {line}: nothing in the archive is what it names")
