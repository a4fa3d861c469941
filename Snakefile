# facesort: sort face photographs by apparent expression, and know how well that worked.
# The stages below stand in the order that data flows; each file opens with its inputs and outputs.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


configfile: Path(workflow.basedir) / "config.yaml"


report: "docs/report/workflow.rst"


include: "rules/common.smk"


rule all:
    """The tables, their figures and pages: every model on every variant."""
    input:
        RESULTS,
        "results/summary.html",


# On a cluster these run where Snakemake does: they take seconds, less than a job of their own waits.
localrules:
    all,
    split_labelled,
    name_clusters,
    causes,
    table1,
    table2,
    triplets,
    few_labels_table,
    plot_clusters,
    plot_reconstructions,
    plot_confusion,
    plot_history,
    plot_architecture,
    report_losses,
    agreement,
    merge_benchmarks,
    summary,


include: "rules/demo.smk"
include: "rules/faces.smk"
include: "rules/labelled.smk"
include: "rules/variants.smk"
include: "rules/landmarks.smk"
include: "rules/train.smk"
include: "rules/embed.smk"
include: "rules/cluster.smk"
include: "rules/score.smk"
include: "rules/figures.smk"
include: "rules/pages.smk"


onstart:
    if wrong := read_only_error(Path("results")):
        raise WorkflowError(wrong)


onsuccess:
    write_report()
    print(closing_words())


onerror:
    print(error_lines(Path("results/logs"), STARTED))
    print(clock_line(Path("results")))
