"""
Shows which people the answers get wrong, and what changes answers that should not (docs/audit.md).
With audit.groups: every row's answers for groups of people, set side by side. With audit.pairs:
rendered pairs of faces that differ in one thing, and how often the answers for both differ.

REQUIRED INPUTS:
    results/audit/groups_pool.parquet, groups_labelled.parquet
    results/{variant}/landmarks/pool.parquet, labelled.parquet
    results/{variant}/{model}/seed{seed}/model                   each cell's model
    results/{variant}/{model}/seed{seed}/probabilities.npy       classifiers
    results/{variant}/{model}/seed{seed}/clusters.npz, names.csv models that are clustered
    results/labelled/faces.parquet, split.parquet
    the file at audit.before of the config                       where one is named

OUTPUTS:
    results/audit.csv, results/audit.md, results/figures/audit.png
    results/{variant}/{model}/seed{seed}/audit/probabilities.npy  float32 (faces of the pool, 8);
                                                                  classifiers
    results/pairs/faces.npy       uint8 (faces, size, size, 3), RGB
    results/pairs/faces.parquet   row i is face i: person, label (the drawn emotion), change
    results/pairs/pairs.parquet   a row a pair: factor, person, label, first, second (rows of faces)
    results/pairs/answers.parquet row i is face i: each cell's answer, and the probability of the
                                  drawn emotion
    results/{variant}/{model}/seed{seed}/pairs/  embeddings.npy or, of classifiers, probabilities.npy
    results/counterfactual.csv, counterfactual.md, counterfactual.html
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
        before=local(config["audit"]["before"] or []),
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


PAIRED = [
    cell
    | {
        "landmarks": seen(config, cell["model"], cell["variant"], "pairs")
        != "results/{variant}/pairs.npy".format(**cell)
    }
    for cell in CELLS
]
MESHED = sorted({cell["variant"] for cell in PAIRED if cell["landmarks"]})


rule render_pairs:
    """Render {params.pairs} pairs for each thing that must not matter: skin, glasses, light ..."""
    output:
        faces="results/pairs/faces.npy",
        index="results/pairs/faces.parquet",
        pairs="results/pairs/pairs.parquet",
    log:
        "results/logs/render_pairs.log",
    conda:
        "../envs/faces.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(60 + config["audit"]["pairs"] // 30),
    params:
        pairs=config["audit"]["pairs"],
        seed=config["audit"]["seed"],
        size=config["faces"]["size"],
        packages=packages_digest("faces"),
        code=code_digest("render_pairs"),
    script:
        "../workflow_scripts/render_pairs.py"


use rule embed as embed_pairs with:
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        pool=seen_of("pairs"),
        labelled=[],
    output:
        pool="results/{variant}/{model}/seed{seed}/pairs/embeddings.npy",
        labelled=[],
    log:
        "results/logs/embed_pairs/{variant}/{model}/seed{seed}.log",


use rule classify as classify_pairs with:
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        labelled=seen_of("pairs"),
    output:
        probabilities="results/{variant}/{model}/seed{seed}/pairs/probabilities.npy",
    log:
        "results/logs/classify_pairs/{variant}/{model}/seed{seed}.log",


rule answer_pairs:
    """Every cell's answers for the rendered pairs, by the run's models and names."""
    input:
        index="results/pairs/faces.parquet",
        sources=[
            "results/{variant}/{model}/seed{seed}/pairs/{file}.npy".format(
                file=(
                    "probabilities" if cell["model"] in LAST_LAYERS else "embeddings"
                ),
                **cell,
            )
            for cell in CELLS
        ],
        clusterings=[
            "results/{variant}/{model}/seed{seed}/clusters.npz".format(**cell)
            for cell in CELLS
            if cell["model"] in CLUSTERED
        ],
        names=[
            "results/{variant}/{model}/seed{seed}/names.csv".format(**cell)
            for cell in CELLS
            if cell["model"] in CLUSTERED
        ],
        # The nearest labelled faces of the training part vote.
        voters=[
            "results/{variant}/{model}/seed{seed}/labelled_embeddings.npy".format(
                **cell
            )
            for cell in CELLS
            if cell["model"] in NEIGHBOURS
        ],
        labelled=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
    output:
        answers="results/pairs/answers.parquet",
    log:
        "results/logs/answer_pairs.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(3000, per_mb=0.2),
        runtime=minutes(30, per_mb=0.02),
    params:
        cells=CELLS,
        clustered=CLUSTERED,
        neighbours=NEIGHBOURS,
        packages=packages_digest("analysis"),
        code=code_digest("answer_pairs"),
    script:
        "../workflow_scripts/answer_pairs.py"


rule counterfactual_table:
    """How often each row's answer changes with one thing that must not matter, and to what."""
    input:
        answers="results/pairs/answers.parquet",
        pairs="results/pairs/pairs.parquet",
        presence=expand("results/{variant}/landmarks/pairs.parquet", variant=MESHED),
    output:
        csv="results/counterfactual.csv",
        md="results/counterfactual.md",
    log:
        "results/logs/counterfactual_table.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=PAIRED,
        variants=MESHED,
        pairs=config["audit"]["pairs"],
        seed=config["table"]["seed"],
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("counterfactual_table"),
    script:
        "../workflow_scripts/counterfactual_table.py"


rule counterfactual_page:
    """Pairs of faces side by side with both answers, the commonest changes first."""
    input:
        table="results/counterfactual.csv",
        answers="results/pairs/answers.parquet",
        pairs="results/pairs/pairs.parquet",
        faces="results/pairs/faces.npy",
    output:
        page=report(
            "results/counterfactual.html",
            caption="../docs/report/counterfactual.rst",
            category="Audit",
            labels={"page": "Counterfactual pairs"},
        ),
    log:
        "results/logs/counterfactual_page.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=1),
        runtime=minutes(10),
    params:
        cells=CELLS,
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("counterfactual_page"),
    script:
        "../workflow_scripts/counterfactual_page.py"
