"""
Fetches the unlabelled faces, the training pool, or reads them from a folder.

REQUIRED INPUTS:
    data.fec_csv of the config      a CSV in the FEC format (results/demo/fec.csv, if no data are named)
    or data.manifest                a manifest of an earlier run
    or data.faces                   a folder of face crops: then the files below are of its files in
                                    place of URLs, and there is no results/sample

OUTPUTS:
    results/sample/faces.parquet    a row a chosen face: URL and box
    results/sample/refused.parquet  a row a face of the CSV that could not be read, and why
    results/fetch/faces.npy         uint8 (faces, size, size, 3), RGB
    results/fetch/faces.parquet     row i is face i
    results/fetch/ledger.parquet    a row a URL: what became of it
    results/fetch/refused.parquet   a row a face that was lost, and why
    results/fetch/manifest.csv      URL, box and sha256 of every face: enough to have them again
    results/fetch/losses.csv        photos and faces lost, by host and cause
    results/figures/losses.png      the same as a picture
"""


rule sample_faces:
    """Read the CSV line by line and choose {params.size} distinct faces (URL and box), seeded."""
    input:
        csv=(
            "results/demo/fec.csv"
            if DEMO
            else local(
                config["data"]["manifest"]
                or config["data"]["fec_csv"]
                or "data.fec_csv of the config"
            )
        ),
        exclude=local(config["fetch"]["exclude"] or []),
    output:
        faces="results/sample/faces.parquet",
        refused="results/sample/refused.parquet",
    log:
        "results/logs/sample_faces.log",
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=8),
        runtime=minutes(10, per_mb=0.1),
    params:
        size=config["faces"]["sample"],
        seed=config["faces"]["seed"],
        manifest=config["data"]["manifest"] is not None,
        packages=packages_digest("faces"),
        code=code_digest("sample_faces"),
    script:
        "../workflow_scripts/sample_faces.py"


rule fetch_shard:
    """Fetch the photos of the hosts that fall to shard {wildcards.shard}."""
    input:
        faces="results/sample/faces.parquet",
        photos=branch(DEMO, then="results/demo/photos", otherwise=[]),
        exclude=local(config["fetch"]["exclude"] or []),
    output:
        counts="results/fetch/shards/{shard}.csv",
    log:
        "results/logs/fetch_shard/{shard}.log",
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(60, per_mb=100),
    params:
        size=config["faces"]["size"],
        fetch=FETCH,
        port=config["demo"]["port"] if DEMO else 0,
        # Undeclared, so that a failed or killed job keeps what it has fetched.
        state=lambda wildcards, output: f"{Path(output.counts).parents[1]}/state",
        packages=packages_digest("faces"),
        code=code_digest("fetch_shard"),
    script:
        "../workflow_scripts/fetch_shard.py"


rule fetch_faces:
    """Fetch what no shard has, and write the faces, {params.size} pixels a side, in order."""
    input:
        faces="results/sample/faces.parquet",
        photos=branch(DEMO, then="results/demo/photos", otherwise=[]),
        exclude=local(config["fetch"]["exclude"] or []),
        shards=expand("results/fetch/shards/{shard}.csv", shard=SHARDS),
    output:
        faces="results/fetch/faces.npy",
        index="results/fetch/faces.parquet",
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
        manifest="results/fetch/manifest.csv",
    log:
        "results/logs/fetch_faces.log",
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(60, per_mb=100),
    params:
        size=config["faces"]["size"],
        # What failed in a shard of this run is not asked for again here.
        fetch=FETCH | {"retry_failed": config["fetch"]["retry_failed"] and not SHARDS},
        port=config["demo"]["port"] if DEMO else 0,
        state=lambda wildcards, output: f"{Path(output.faces).parent}/state",
        packages=packages_digest("faces"),
        code=code_digest("fetch_faces"),
    script:
        "../workflow_scripts/fetch_faces.py"


rule read_faces:
    """Read a folder of face crops in place of photos from the web, {params.size} pixels a side."""
    input:
        folder=local(config["data"]["faces"] or "data.faces of the config"),
    output:
        faces="results/fetch/faces.npy",
        index="results/fetch/faces.parquet",
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
        manifest="results/fetch/manifest.csv",
    log:
        "results/logs/read_faces.log",
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(120),
    params:
        folder=lambda wildcards, input: str(input.folder),
        size=config["faces"]["size"],
        sample=config["faces"]["sample"],
        seed=config["faces"]["seed"],
        max_bytes=config["fetch"]["max_bytes"],
        max_pixels=config["fetch"]["max_pixels"],
        # A folder's time tells nothing of what is in its folders.
        files=lambda wildcards: tree_digest(config["data"]["faces"]),
        packages=packages_digest("faces"),
        code=code_digest("read_faces"),
    script:
        "../workflow_scripts/read_faces.py"


# The pool comes from where the config says.
if config["data"]["faces"]:

    ruleorder: read_faces > fetch_faces

else:

    ruleorder: fetch_faces > read_faces


rule report_losses:
    """Count by host and cause what is missing, in a table and a picture."""
    input:
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
    output:
        table="results/fetch/losses.csv",
        figure=report(
            "results/figures/losses.png",
            caption="../docs/report/losses.rst",
            category="Figures",
            subcategory="Lost photos",
            labels={"cells": "all"},
        ),
    log:
        "results/logs/report_losses.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("report_losses"),
    script:
        "../workflow_scripts/report_losses.py"
