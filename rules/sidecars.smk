"""
Writes an archive's tags and faces into sidecars (XMP), which photo managers read, and takes them
out again. Asked for by the targets `sidecars` and `undo_sidecars`; a run of all leaves it alone.
Without archive.write, `sidecars` only tells what it would do.

REQUIRED INPUTS:
    archive.photos of the config      a folder of photographs, or results/demo/photos
    results/archive/faces.parquet     faces and their tags (rules/archive.smk)
    results/archive/photos.parquet    the photos that were read
    results/archive/listing.parquet   their files and sidecars
    archive.exclude of the config     photos that are left out, if any are

OUTPUTS:
    results/archive/erased.csv        with archive.exclude: how much was erased of photos left out
    results/archive/sidecars.csv      a row a photo: what becomes of its sidecar, and why
    results/archive/undone.csv        a row a sidecar from which ours was taken out
    results/archive/sidecars/         what was written, and what each sidecar held before
    sidecars, beside the photos or below archive.sidecars_to, with archive.write alone
"""

SIDECARS_TO = config["archive"]["sidecars_to"]


rule sidecars:
    """Write tags and faces beside the photos, or tell what would be written (docs/sidecars.md)."""
    input:
        faces="results/archive/faces.parquet",
        photos="results/archive/photos.parquet",
        listing="results/archive/listing.parquet",
        folder=ancient(PHOTOS or "archive.photos of the config"),
        # Both hold the ledger.
        erased="results/archive/erased.csv" if EXCLUDE else [],
    output:
        table="results/archive/sidecars.csv",
    log:
        "results/logs/sidecars.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=4),
        runtime=minutes(20, per_mb=5),
    params:
        folder=lambda wildcards, input: str(input.folder),
        to=SIDECARS_TO,
        flat=config["archive"]["flat_tags"],
        write=config["archive"]["write"],
        files=tree_digest(SIDECARS_TO) if SIDECARS_TO else "",
        # Undeclared: a failed job keeps what it has written.
        ledger="results/archive/sidecars/ledger.sqlite",
        packages=packages_digest("archive"),
        code=code_digest("sidecars"),
    script:
        "../workflow_scripts/sidecars.py"


rule erase_photos:
    """Erase what the targets of this stage have kept of photos that are left out."""
    input:
        exclude=EXCLUDE,
        listing="results/archive/listing.parquet",
        # Last: no job writes its tables any more.
        photos="results/archive/photos.parquet",
        folder=ancient(PHOTOS or "archive.photos of the config"),
    output:
        table="results/archive/erased.csv",
    log:
        "results/logs/erase_photos.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=4),
        runtime=minutes(60),
    params:
        folder=lambda wildcards, input: str(input.folder),
        jobs=len(ARCHIVE_JOBS),
        packages=packages_digest("archive"),
        code=code_digest("erase_photos"),
    script:
        "../workflow_scripts/erase_photos.py"


rule undo_sidecars:
    """Take out of all sidecars what was written."""
    output:
        table="results/archive/undone.csv",
    log:
        "results/logs/undo_sidecars.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(60),
    params:
        ledger="results/archive/sidecars/ledger.sqlite",
        # What has been written since it was last undone.
        written=tree_digest("results/archive/sidecars"),
        packages=packages_digest("archive"),
        code=code_digest("undo_sidecars"),
    script:
        "../workflow_scripts/undo_sidecars.py"
