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
    measure_agreement,
    find_causes,
    table1,
    table2,
    triplets_table,
    few_labels_table,
    report_losses,
    plot_clusters,
    plot_reconstructions,
    plot_confusion,
    plot_history,
    plot_architecture,
    collect_costs,
    summary_page,


include: "rules/demo.smk"
include: "rules/fetch.smk"
include: "rules/faces.smk"
include: "rules/train.smk"
include: "rules/cluster.smk"
include: "rules/score.smk"
include: "rules/pages.smk"


onstart:
    if wrong := run.read_only_error(Path("results")):
        raise WorkflowError(wrong)
    warm.offer(workflow)
    display.start(workflow)


onsuccess:
    display.stop()
    if "all" in map(str, workflow.dag.targetrules):
        if failed := run.write_report(config, workflow.main_snakefile):
            print(failed)
    print(run.closing_words(Path("results"), unscored_words(config)))


onerror:
    display.stop()
    print(run.error_lines(Path("results/logs"), STARTED))
    print(run.clock_line(Path("results")))
