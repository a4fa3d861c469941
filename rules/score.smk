"""
Predicts the test faces' emotions and scores all cells on them.

REQUIRED INPUTS:
    results/{variant}/{model}/seed{seed}/clusters.npz, names.csv     models that are clustered
    results/{variant}/{model}/seed{seed}/probabilities.npy           classifiers
    results/labelled/faces.parquet
    results/labelled/split.parquet

OUTPUTS:
    results/{variant}/{model}/seed{seed}/predictions.parquet  a row a test face
    results/{variant}/{model}/seed{seed}/metrics.json
    results/table1.csv, results/table1.md
"""


rule predict_by_cluster:
    """Each test face takes the name of its nearest cluster."""
    input:
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
        names="results/{variant}/{model}/seed{seed}/names.csv",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        predictions="results/{variant}/{model}/seed{seed}/predictions.parquet",
        metrics="results/{variant}/{model}/seed{seed}/metrics.json",
    log:
        "results/logs/predict/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/predict/{variant}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model="|".join(CLUSTERED),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        clustered=CLUSTERED,
        code=code_digest("predict"),
    script:
        "../workflow_scripts/predict.py"


rule predict_by_classifier:
    """Each test face takes its most probable emotion."""
    input:
        probabilities="results/{variant}/{model}/seed{seed}/probabilities.npy",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        predictions="results/{variant}/{model}/seed{seed}/predictions.parquet",
        metrics="results/{variant}/{model}/seed{seed}/metrics.json",
    log:
        "results/logs/predict/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/predict/{variant}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model="|".join(CLASSIFIERS),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        clustered=CLUSTERED,
        code=code_digest("predict"),
    script:
        "../workflow_scripts/predict.py"


rule table1:
    """All cells beside the paper's figures, with intervals over images and seeds."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
        metrics=[
            "results/{variant}/{model}/seed{seed}/metrics.json".format(**cell)
            for cell in CELLS
        ],
        agreement="results/agreement.csv",
    output:
        csv="results/table1.csv",
        md="results/table1.md",
    log:
        "results/logs/table1.log",
    benchmark:
        "results/benchmarks/table1.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        cells=CELLS,
        table=config["table"],
        naming=config["split"]["naming"],
        data=(
            "rendered demo faces"
            if DEMO
            else "{fec_csv} and {labelled}".format(**config["data"])
        )
        + ", {size}x{size} pixels".format(**config["faces"]),
        code=code_digest("table1"),
    script:
        "../workflow_scripts/table1.py"
