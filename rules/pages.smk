"""
Draws the figures, and makes the pages that a person reads or works on.

REQUIRED INPUTS: what the rules below name

OUTPUTS:
    results/{variant}/{model}/seed{seed}/map.parquet  face, set (pool, test), its places, and the nearest
    results/{variant}/{model}/seed{seed}/map.html     the same to explore, with the faces
    results/{variant}/{model}/seed{seed}/figures/embedding.png        t-SNE and UMAP
    results/{variant}/{model}/seed{seed}/figures/clusters.png         samples of each cluster
    results/{variant}/{model}/seed{seed}/figures/reconstructions.png  originals and reconstructions
    results/{variant}/{model}/seed{seed}/naming.html  a page to name the clusters on
    results/figures/confusion.png             all cells' confusion matrices
    results/figures/history.png               loss of every epoch, all cells
    results/figures/architecture_{model}.png  layers of each model
    results/data_sheets/{set}.md              where a set is from, what is in it, what it is used for
    results/data_sheets.html                  all of these
    results/costs.csv                         time and memory of every job
    results/summary.html                      all results on one page
    results/summary_frame.html                the same, for the report's first page
    results/report.html                       Snakemake's report, made when a run ends
"""

MEASURED = measured(config)


rule map_faces:
    """Place at most {params.points} faces each of the pool and the test set by t-SNE and UMAP."""
    input:
        pool="results/{variant}/{model}/seed{seed}/embeddings.npy",
        labelled=branch(
            LABELLED,
            then="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
            otherwise=[],
        ),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
    output:
        map="results/{variant}/{model}/seed{seed}/map.parquet",
    log:
        "results/logs/map_faces/{variant}/{model}/seed{seed}.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(4000, per_mb=0.2),
        runtime=minutes(60, per_mb=0.02),
    params:
        points=25_000,
        packages=packages_digest("analysis"),
        code=code_digest("map_faces"),
    script:
        "../workflow_scripts/map_faces.py"


rule plot_embedding:
    """The maps by cluster or prediction and by true emotion (figures 5, 7), still and to explore."""
    input:
        map="results/{variant}/{model}/seed{seed}/map.parquet",
        predictions=branch(
            LABELLED,
            then="results/{variant}/{model}/seed{seed}/predictions.parquet",
            otherwise=[],
        ),
        clustering=branch(
            lambda wildcards: wildcards.model in CLUSTERED,
            then="results/{variant}/{model}/seed{seed}/clusters.npz",
            otherwise=[],
        ),
        names=branch(
            lambda wildcards: wildcards.model in CLUSTERED,
            then="results/{variant}/{model}/seed{seed}/names.csv",
            otherwise=[],
        ),
        # Whether the clusters follow expression.
        index=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
        pool="results/{variant}/pool.npy",
        labelled=branch(LABELLED, then="results/{variant}/labelled.npy", otherwise=[]),
        # To colour by; of the labelled faces only where their landmarks are found anyway.
        movements=[f"results/{{variant}}/movements/{each}.npy" for each in MEASURED],
        presence=[f"results/{{variant}}/landmarks/{each}.parquet" for each in MEASURED],
    output:
        figure=report(
            "results/{variant}/{model}/seed{seed}/figures/embedding.png",
            caption="../docs/report/embedding.rst",
            category="Figures",
            subcategory="Maps of the embeddings",
            labels={"model": "{model}", "variant": "{variant}", "seed": "{seed}"},
        ),
        page="results/{variant}/{model}/seed{seed}/map.html",
    log:
        "results/logs/plot_embedding/{variant}/{model}/seed{seed}.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(3000, per_mb=1),
        runtime=minutes(30),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("plot_embedding"),
    script:
        "../workflow_scripts/plot_embedding.py"


rule plot_clusters:
    """A seeded sample of the pool's faces for each cluster, with the cluster's name."""
    input:
        faces="results/{variant}/pool.npy",
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
        names="results/{variant}/{model}/seed{seed}/names.csv",
        # Whether the clusters follow expression.
        index=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
    output:
        figure=report(
            "results/{variant}/{model}/seed{seed}/figures/clusters.png",
            caption="../docs/report/clusters.rst",
            category="Figures",
            subcategory="Faces of the clusters",
            labels={"model": "{model}", "variant": "{variant}", "seed": "{seed}"},
        ),
    log:
        "results/logs/plot_clusters/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(CLUSTERED),
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        per_cluster=12,
        packages=packages_digest("analysis"),
        code=code_digest("plot_clusters"),
    script:
        "../workflow_scripts/plot_clusters.py"


rule plot_reconstructions:
    """Faces above what the autoencoder made of them after some epochs (figures 6, 8)."""
    input:
        model="results/{variant}/{model}/seed{seed}/model",
    output:
        figure=report(
            "results/{variant}/{model}/seed{seed}/figures/reconstructions.png",
            caption="../docs/report/reconstructions.rst",
            category="Figures",
            subcategory="Reconstructions",
            labels={"model": "{model}", "variant": "{variant}", "seed": "{seed}"},
        ),
    log:
        "results/logs/plot_reconstructions/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(AUTOENCODERS),
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("plot_reconstructions"),
    script:
        "../workflow_scripts/plot_reconstructions.py"


rule plot_confusion:
    """Confusion matrices of all cells, rows normalised, mean over seeds."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
    output:
        figure=report(
            "results/figures/confusion.png",
            caption="../docs/report/confusion.rst",
            category="Figures",
            subcategory="Confusion matrices",
            labels={"cells": "all"},
        ),
    log:
        "results/logs/plot_confusion.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        cells=CELLS,
        packages=packages_digest("analysis"),
        code=code_digest("plot_confusion"),
    script:
        "../workflow_scripts/plot_confusion.py"


rule plot_history:
    """Loss of every epoch: a panel a model and phase, a colour a variant."""
    input:
        models=[
            "results/{variant}/{model}/seed{seed}/model".format(**cell)
            for cell in CELLS
        ],
    output:
        figure=report(
            "results/figures/history.png",
            caption="../docs/report/history.rst",
            category="Figures",
            subcategory="Training",
            labels={"cells": "all"},
        ),
    log:
        "results/logs/plot_history.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        cells=CELLS,
        packages=packages_digest("analysis"),
        code=code_digest("plot_history"),
    script:
        "../workflow_scripts/plot_history.py"


rule plot_architecture:
    """The layers of {wildcards.model}, for the first variant (figures 1-4)."""
    input:
        model="results/{variant}/{{model}}/seed{seed}/model".format(
            variant=config["variants"][0], seed=config["seeds"][0]
        ),
    output:
        figure=report(
            "results/figures/architecture_{model}.png",
            caption="../docs/report/architecture.rst",
            category="Figures",
            subcategory="Architectures",
            labels={"model": "{model}"},
        ),
    log:
        "results/logs/plot_architecture/{model}.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("plot_architecture"),
    script:
        "../workflow_scripts/plot_architecture.py"


rule naming_page:
    """A page of each cluster's faces and movements on which a person names it, without others' names."""
    input:
        faces="results/{variant}/pool.npy",
        embeddings="results/{variant}/{model}/seed{seed}/embeddings.npy",
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
        map="results/{variant}/{model}/seed{seed}/map.parquet",
        movements="results/{variant}/movements/pool.npy",
        presence="results/{variant}/landmarks/pool.parquet",
        # Whether the clusters follow expression: asked of no name, and of no scored face.
        index=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
    output:
        page="results/{variant}/{model}/seed{seed}/naming.html",
    log:
        "results/logs/naming_page/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(CLUSTERED),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=0.2),
        runtime=minutes(10, per_mb=0.02),
    params:
        per_cluster=24,
        packages=packages_digest("analysis"),
        code=code_digest("naming_page"),
    script:
        "../workflow_scripts/naming_page.py"


rule data_sheets:
    """Say of each set of faces where it is from, what is in it, and what it is used for."""
    input:
        faces="results/fetch/faces.parquet",
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
        manifest="results/fetch/manifest.csv",
        kept="results/fetch/kept.parquet",
        leaks="results/fetch/leaks.parquet",
        # A folder's files are no rows of a CSV.
        unread=branch(
            config["data"]["faces"],
            then=[],
            otherwise="results/sample/refused.parquet",
        ),
        labelled=[
            f"results/labelled/{name}.parquet"
            for name in ("faces", "refused", "duplicates", "split")
            if LABELLED
        ],
        others=[
            f"results/elsewhere/{other}/{name}.parquet"
            for other in OTHERS
            for name in ("faces", "refused", "overlap")
        ],
        presence=[
            f"results/{config['variants'][0]}/landmarks/{each}.parquet"
            for each in MEASURED
        ],
    output:
        sheets=data_sheets(config),
        page=report(
            "results/data_sheets.html",
            caption="../docs/report/data_sheets.rst",
            category="Cards",
            labels={"page": "Data sheets: what each set of faces is"},
        ),
    log:
        "results/logs/data_sheets.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=10),
        runtime=minutes(10),
    params:
        data=config["data"],
        others={name: OTHERS[name]["folder"] for name in OTHERS},
        faces=config["faces"],
        polite={key: config["fetch"][key] for key in ("obey_robots", "obey_noai")},
        variants=config["variants"],
        models=MODELS,
        packages=packages_digest("analysis"),
        code=code_digest("data_sheets"),
    script:
        "../workflow_scripts/data_sheets.py"


rule collect_costs:
    """Time and memory of every job that the results needed, in one table."""
    input:
        RESULTS,
    output:
        csv="results/costs.csv",
    log:
        "results/logs/collect_costs.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        # No rule may name another's log as input.
        logs=lambda wildcards, output: f"{Path(output.csv).parent}/logs",
        packages=packages_digest("analysis"),
        code=code_digest("collect_costs"),
    script:
        "../workflow_scripts/collect_costs.py"


rule summary_page:
    """The finding, Table 1, causes, lost URLs, costs, provenance and limits on one page."""
    input:
        table1=branch(LABELLED, then="results/table1.csv", otherwise=[]),
        predictions=branch(
            LABELLED,
            then=[
                "results/{variant}/{model}/seed{seed}/predictions.parquet".format(
                    **cell
                )
                for cell in CELLS
            ],
            otherwise=[],
        ),
        # Some of these faces are shown.
        shown="results/{variant}/{set}.npy".format(
            variant=config["variants"][0], set="labelled" if LABELLED else "pool"
        ),
        texts=texts(config),
        # Those that stand with a text.
        figures=[
            path
            for path in RESULTS
            if Path(path).stem in ("few_labels", "label_first", "elsewhere", "audit")
            and path.endswith(".png")
        ],
        others=expand("results/elsewhere/{other}/faces.parquet", other=OTHERS),
        agreement="results/agreement.csv",
        costs="results/costs.csv",
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
        faces="results/fetch/faces.parquet",
        index=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        split=branch(LABELLED, then="results/labelled/split.parquet", otherwise=[]),
        names=[
            "results/{variant}/{model}/seed{seed}/names.csv".format(**cell)
            for cell in CELLS
            if cell["model"] in CLUSTERED
        ],
        models=[
            "results/{variant}/{model}/seed{seed}/model".format(**cell)
            for cell in CELLS
        ],
    output:
        page=report(
            "results/summary.html",
            caption="../docs/report/summary.rst",
            category="Summary",
            labels={"page": "The finding, Table 1, causes, costs, provenance, limits"},
        ),
        frame="results/summary_frame.html",
    log:
        "results/logs/summary_page.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        config=CONFIG_DIGEST,
        data=DATA,
        demo=DEMO,
        unscored=unscored_words(config),
        cells=CELLS,
        seed=config["seeds"][0],
        pages=[
            path.removeprefix("results/") for path in RESULTS if path.endswith(".html")
        ],
        packages=packages_digest("analysis"),
        code=code_digest("summary_page"),
    script:
        "../workflow_scripts/summary_page.py"
