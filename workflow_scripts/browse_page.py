"""Rule browse_page of stage archive.

The page on which an archive's faces are found and judged.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.archive.browse import browse_page
from facesort.common.job import job
from facesort.common.reading import read_table

snakemake: Snakemake

with job(snakemake.log[0]):
    page = browse_page(
        snakemake.input.faces,
        snakemake.input.photos,
        snakemake.input.thumbnails,
        snakemake.input.previews,
        snakemake.output.shards,
        read_table(snakemake.input.thresholds, "tag", "threshold").set_index("tag")["threshold"],
        Path(snakemake.params.folder).resolve().as_uri() + "/",
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
