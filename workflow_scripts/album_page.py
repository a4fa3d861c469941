"""Rule album_page of stage album.

The page of best shots: of each folder its summary, head shots and series.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.album.album import album_page
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    given = snakemake.input
    page = album_page(
        (given.bursts, given.headshots, given.album),
        given.previews,
        given.thumbnails,
        snakemake.output.shards,
        Path(snakemake.params.folder).resolve().as_uri() + "/",
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
