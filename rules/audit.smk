"""
Tells whom the answers are wrong about (docs/audit.md): with audit.groups, every row's answers for
groups of people, set side by side.

REQUIRED INPUTS:
    results/audit/groups_pool.parquet, groups_labelled.parquet
    results/{variant}/landmarks/pool.parquet, labelled.parquet
    results/{variant}/{model}/seed{seed}/model                   classifiers
    results/{variant}/{model}/seed{seed}/probabilities.npy       classifiers
    results/{variant}/{model}/seed{seed}/clusters.npz, names.csv models that are clustered
    results/labelled/faces.parquet, split.parquet

OUTPUTS:
    results/{variant}/{model}/seed{seed}/audit/probabilities.npy  float32 (faces of the pool, 8);
                                                                  classifiers
    results/audit.csv, results/audit.md, results/figures/audit.png
"""

# Where faces are looked for: in what a row sees, and at least in the first variant.
AUDITED = list(dict.fromkeys([config["variants"][0], *(c["variant"] for c in CELLS)]))


use rule classify as classify_pool with:
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        labelled=seen_of("pool"),
    output:
        probabilities="results/{variant}/{model}/seed{seed}/audit/probabilities.npy",
    log:
        "results/logs/classify_pool/{variant}/{model}/seed{seed}.log",


rule audit_groups:
    """Set groups of people side by side: what each row answers, and how often it is right."""
    input:
        groups=[
            f"results/audit/groups_{name}.parquet"
            for name in ["pool"] + ["labelled"] * LABELLED
        ],
        pool_presence=expand("results/{v}/landmarks/pool.parquet", v=AUDITED),
        labelled_presence=expand(
            "results/{v}/landmarks/labelled.parquet", v=AUDITED if LABELLED else []
        ),
        pools=[
            "results/{variant}/{model}/seed{seed}/{file}".format(
                file=(
                    "clusters.npz"
                    if cell["model"] in CLUSTERED
                    else (
                        "audit/probabilities.npy"
                        if cell["model"] in LAST_LAYERS
                        else "embeddings.npy"
                    )
                ),
                **cell,
            )
            for cell in CELLS
        ],
        labelled=[
            "results/{variant}/{model}/seed{seed}/probabilities.npy".format(**cell)
            for cell in CELLS
            if cell["model"] in CLASSIFIERS
        ],
        names=[
            "results/{variant}/{model}/seed{seed}/names.csv".format(**cell)
            for cell in CELLS
            if cell["model"] in CLUSTERED
        ],
        voters=[
            "results/{variant}/{model}/seed{seed}/labelled_embeddings.npy".format(
                **cell
            )
            for cell in CELLS
            if cell["model"] in NEIGHBOURS
        ],
        index=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
    output:
        csv="results/audit.csv",
        md="results/audit.md",
        figure=report(
            "results/figures/audit.png",
            caption="../docs/report/audit.rst",
            category="Figures",
            subcategory="Groups of people",
            labels={"figure": "gaps between groups of people"},
        ),
    log:
        "results/logs/audit_groups.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(3000, per_mb=6),
        runtime=minutes(30, per_mb=0.1),
    params:
        cells=CELLS,
        variants=AUDITED,
        clustered=CLUSTERED,
        neighbours=NEIGHBOURS,
        sees_landmarks=[
            name
            for name in MODELS
            if config["models"][name].get("view", KINDS[name].view) != "faces"
        ],
        smallest=config["audit"]["smallest"],
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("audit_groups"),
    script:
        "../workflow_scripts/audit_groups.py"
