# facesort: sort face photographs by apparent expression, and know how well that worked.
# The stages below stand in the order that data flows; each file opens with its inputs and outputs.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


configfile: Path(workflow.basedir) / "config.yaml"


include: "rules/common.smk"


rule all:
    """Table 1 and its figures: every model on every variant."""
    input:
        "results/table1.csv",
        "results/table1.md",
        "results/figures/confusion.png",
        "results/figures/history.png",
        expand("results/figures/architecture_{model}.png", model=MODELS),
