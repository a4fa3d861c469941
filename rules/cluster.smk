"""
Clusters the embeddings and names the clusters (4.1).

REQUIRED INPUTS:
    results/{variant}/{model}/seed{seed}/embeddings.npy
    results/{variant}/{model}/seed{seed}/labelled_embeddings.npy
    results/labelled/faces.parquet
    results/labelled/split.parquet
    results/{variant}/movements/pool.npy
    results/{variant}/landmarks/pool.parquet
    names/{variant}/{model}/seed{seed}.csv   optional: a person's names, which win; columns cluster,
                                             emotion

OUTPUTS:
    results/{variant}/{model}/seed{seed}/clusters.npz  centroids, and the cluster of every face
    results/{variant}/{model}/seed{seed}/names.csv     the emotion of each cluster, who or what chose
                                                       it, and what each way of naming would say
    results/agreement.csv                              how far persons who named agree
"""


rule cluster:
    """Fit K-means to the pool's embeddings, and put labelled faces to their nearest cluster."""
    input:
        pool="results/{variant}/{model}/seed{seed}/embeddings.npy",
        labelled=branch(
            LABELLED,
            then="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
            otherwise=[],
        ),
    output:
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
    log:
        "results/logs/cluster/{variant}/{model}/seed{seed}.log",
    conda:
        "../envs/analysis.yaml"
    # The demo's small jobs take one, so that they start warm.
    threads: 1 if DEMO else 2
    resources:
        mem_mb=megabytes(3000, per_mb=0.2),
        runtime=minutes(30, per_mb=0.02),
    params:
        clustering=config["clustering"],
        packages=packages_digest("analysis"),
        code=code_digest("cluster"),
    script:
        "../workflow_scripts/cluster.py"


rule name_clusters:
    """Name each cluster: as a person did, else by {params.method}; what each way says beside it."""
    input:
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
        embeddings=branch(
            LABELLED,
            then="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
            otherwise=[],
        ),
        index=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
        movements="results/{variant}/movements/pool.npy",
        presence="results/{variant}/landmarks/pool.parquet",
        person=lambda wildcards: list(map(local, person_names(dict(wildcards.items())))),
    output:
        names="results/{variant}/{model}/seed{seed}/names.csv",
    log:
        "results/logs/name_clusters/{variant}/{model}/seed{seed}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=6),
        runtime=minutes(10),
    params:
        method=config["naming"]["method"],
        packages=packages_digest("analysis"),
        code=code_digest("name_clusters"),
    script:
        "../workflow_scripts/name_clusters.py"


rule measure_agreement:
    """Cohen's kappa of every two persons who named the same clustering."""
    input:
        clusterings=[
            "results/{variant}/{model}/seed{seed}/clusters.npz".format(**cell)
            for cell in NAMED_TWICE
        ],
        names=[local(path) for cell in NAMED_TWICE for path in names_files(cell)],
    output:
        csv="results/agreement.csv",
    log:
        "results/logs/measure_agreement.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        cells=[{**cell, "names": names_files(cell)} for cell in NAMED_TWICE],
        packages=packages_digest("analysis"),
        code=code_digest("measure_agreement"),
    script:
        "../workflow_scripts/measure_agreement.py"
