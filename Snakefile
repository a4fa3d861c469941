# facesort: sort face photographs by apparent expression, and know how well that worked.
# The stages below stand in the order that data flows; each file opens with its inputs and outputs.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


configfile: Path(workflow.current_basedir) / "config.yaml"


report: "docs/report/workflow.rst"


include: "rules/common.smk"


# With --sdm apptainer.
containerized: config["container"]


rule all:
    """The tables, their figures and pages: every model on every variant."""
    input:
        RESULTS,
        "results/summary.html",


rule archive:
    """Faces and tags of all photographs of a folder, and a page of them (docs/archive.md)."""
    input:
        "results/archive/faces.parquet",
        "results/archive/faces.csv",
        "results/archive/photos.parquet",
        "results/archive/photos.csv",
        "results/archive/refused.csv",
        "results/archive/browse.html",
        lambda wildcards: WITHOUT,


rule best_shots:
    """The best photo of each series, head shots, and a summary of each folder (docs/albums.md)."""
    input:
        "results/archive/bursts.csv",
        "results/archive/headshots.csv",
        "results/archive/album.csv",
        "results/archive/album.html",
        lambda wildcards: WITHOUT,


rule export:
    """Each classifier as files for other programs, and what they cost (docs/export.md)."""
    input:
        "results/export.csv",
        "results/export.md",
        "results/model_cards.html",


rule audit:
    """Which people the answers get wrong, and what changes answers (docs/audit.md)."""
    input:
        audit_files(config),


include: "rules/demo.smk"
include: "rules/fetch.smk"
include: "rules/faces.smk"
include: "rules/train.smk"
include: "rules/cluster.smk"
include: "rules/score.smk"
include: "rules/pages.smk"
include: "rules/audit.smk"
include: "rules/archive.smk"
include: "rules/album.smk"
include: "rules/sidecars.smk"
include: "rules/export.smk"


onstart:
    if wrong := (
        run.read_only_error(FOLDER)
        or data_record.other_data_error(FOLDER, config, workflow)
        or data_record.archive_error(FOLDER, config, workflow)
    ):
        # In one line: Snakemake would add where in this file.
        raise SystemExit(f"error: {wrong}")
    data_record.note_data(FOLDER, config, workflow)
    if strays := misplaced_names(("rgb", "grayscale", "cropped"), CLUSTERED):
        run.say("\n".join(strays))
    warm.offer(workflow)
    display.start(workflow)


onsuccess:
    display.stop()
    made = run.made_files(workflow)
    if stored := workflow.storage_settings.default_storage_prefix:
        run.say(f"Results: {stored.rstrip('/')}/results (docs/storage.md)")
    elif {"all", "export"} & set(map(str, workflow.dag.targetrules)):
        if failed := run.write_report(config, workflow.main_snakefile):
            run.say(failed)
        else:
            made.add("results/report.html")
    for rule in ("sidecars", "undo_sidecars"):
        run.say(run.told_lines(FOLDER / f"logs/{rule}.log", STARTED))
    run.say(run.closing_words(FOLDER, made, DATA, unscored_words(config)))


onerror:
    display.stop()
    if not display.just_told():
        run.say(run.error_lines(FOLDER / "logs", STARTED))
    run.say(run.clock_line(FOLDER))
