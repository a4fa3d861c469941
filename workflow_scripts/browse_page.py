"""Rule browse_page of stage archive.

The page on which an archive's faces are found and judged.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.archive.browse import browse_page
from facesort.archive.review import read_answers
from facesort.common.job import job
from facesort.common.reading import read_table

snakemake: Snakemake

with job(snakemake.log[0]):
    given = snakemake.input
    page = browse_page(
        given.faces,
        given.photos,
        given.thumbnails,
        given.previews,
        snakemake.output.shards,
        read_table(given.thresholds, "tag", "threshold").set_index("tag")["threshold"],
        Path(snakemake.params.folder).resolve().as_uri() + "/",
        read_answers(given.reviewed) if given.reviewed else None,
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
