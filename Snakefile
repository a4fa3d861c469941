# facesort: sort face photographs by apparent expression, and know how well that worked.
# The stages below stand in the order that data flows; each file opens with its inputs and outputs.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


configfile: Path(workflow.basedir) / "config.yaml"


include: "rules/common.smk"


rule all:
    """The tables and their figures: every model on every variant."""
    input:
        "results/table1.csv",
        "results/table1.md",
        "results/table2.md",
        "results/causes.md",
        "results/ensembles.md",
        "results/fetch/losses.csv",
        "results/figures/losses.png",
        "results/figures/confusion.png",
        "results/figures/history.png",
        expand("results/figures/architecture_{model}.png", model=MODELS),
        branch(DEMO, then="results/demo/contact_sheet.png", otherwise=[]),
        figures("embedding", CLUSTERED + CLASSIFIERS),
        figures("clusters", CLUSTERED),
        figures("reconstructions", AUTOENCODERS),


include: "rules/demo.smk"
include: "rules/faces.smk"
include: "rules/labelled.smk"
include: "rules/variants.smk"
include: "rules/train.smk"
include: "rules/embed.smk"
include: "rules/cluster.smk"
include: "rules/score.smk"
include: "rules/figures.smk"


onsuccess:
    print(closing_words())


onerror:
    print(error_lines(Path("results/logs"), STARTED))
