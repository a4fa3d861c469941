"""
Fetches the unlabelled faces: the training pool.

REQUIRED INPUTS:
    data.fec_csv of the config      a CSV in the FEC format (results/demo/fec.csv without one)

OUTPUTS:
    results/sample/faces.parquet    a row a chosen face: URL and box
    results/sample/refused.parquet  a row a face of the CSV that could not be read, and why
    results/fetch/faces.npy         uint8 (faces, size, size, 3), RGB
    results/fetch/faces.parquet     row i is face i
    results/fetch/ledger.parquet    a row a URL: what became of it
    results/fetch/refused.parquet   a row a face that was lost, and why
"""


rule sample_faces:
    """Read the CSV line by line and choose {params.size} distinct faces (URL and box), seeded."""
    input:
        csv=config["data"]["fec_csv"] or "results/demo/fec.csv",
    output:
        faces="results/sample/faces.parquet",
        refused="results/sample/refused.parquet",
    log:
        "results/logs/sample_faces.log",
    benchmark:
        "results/benchmarks/sample_faces.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=lambda wildcards, input: 1000 + 8 * int(input.size_mb),
        runtime=30,
    params:
        size=config["faces"]["sample"],
        seed=config["faces"]["seed"],
        code=code_digest("sample_faces"),
    script:
        "../workflow_scripts/sample_faces.py"


rule fetch_faces:
    """Fetch the photos, cut the faces out and resize them to {params.size} pixels, in one pass."""
    input:
        faces="results/sample/faces.parquet",
        photos=branch(DEMO, then="results/demo/photos", otherwise=[]),
    output:
        faces="results/fetch/faces.npy",
        index="results/fetch/faces.parquet",
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
    log:
        "results/logs/fetch_faces.log",
    benchmark:
        "results/benchmarks/fetch_faces.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=24 * 60,
    params:
        size=config["faces"]["size"],
        fetch=config["fetch"],
        demo_port=config["demo"]["port"] if DEMO else None,
        # Undeclared, so that a failed or killed job keeps what it has fetched.
        state="results/fetch/state",
        code=code_digest("fetch_faces"),
    script:
        "../workflow_scripts/fetch_faces.py"
