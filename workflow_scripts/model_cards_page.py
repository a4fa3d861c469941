"""Rule model_cards_page of stage export.

All model cards on one page.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.pages.cards_page import cards_page

snakemake: Snakemake

with job(snakemake.log[0]):
    cards = [Path(path).read_text(encoding="utf-8") for path in snakemake.input.cards]
    page = cards_page("Model cards", cards)
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
