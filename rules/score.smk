"""
Predicts the test faces' emotions and scores all cells on them.

REQUIRED INPUTS:
    results/{variant}/{model}/seed{seed}/clusters.npz, names.csv     models that are clustered
    results/{variant}/{model}/seed{seed}/probabilities.npy           classifiers
    results/{variant}/{model}/seed{seed}/labelled_embeddings.npy
    results/labelled/faces.parquet
    results/labelled/split.parquet
    results/agreement.csv
    results/{variant}/movements/pool.npy, landmarks/pool.parquet     with naming.method: facs
    results/{variant}/{model}/seed{seed}/embeddings.npy              triplet accuracy
    results/fetch/triplets.parquet
    results/elsewhere/{other}/faces.parquet, refused.parquet, overlap.parquet    other sets
    results/{variant}/{model}/seed{seed}/elsewhere/{other}/embeddings.npy or probabilities.npy

OUTPUTS:
    results/{variant}/{model}/seed{seed}/probabilities.npy    the model triplet: votes of neighbours
    results/{variant}/{model}/seed{seed}/predictions.parquet  a row a test face
    results/{variant}/{model}/seed{seed}/metrics.json
    results/causes.csv, results/causes.md         where accuracy is lost
    results/comparisons.csv                       tests of cells
    results/table1.csv, results/table1.md
    results/table2.csv, results/table2.md         by valence
    results/ensembles.csv, results/ensembles.md   cells joined
    results/{variant}/{model}/seed{seed}/triplets.parquet  a row a held-out comparison: right or not
    results/{variant}/{model}/seed{seed}/triplets.json     triplet accuracy
    results/triplets.csv, results/triplets.md              the same of all cells
    results/{variant}/{model}/seed{seed}/few_labels.csv, few_labels.npy  with few_labels.per_emotion
    results/few_labels.csv, results/few_labels.md
    results/figures/few_labels.png, results/figures/label_first.png
    results/elsewhere/{other}/answers.parquet     with data.also_score: a row a face of the set: path,
                                                  label, and each cell's answer
    results/elsewhere.csv, results/elsewhere.md   all cells' scores on each such set
    results/figures/elsewhere.png
"""

# Variants whose movements name joined clusters, where no labelled face may.
BY_ANATOMY = config["variants"] if config["naming"]["method"] == "facs" else []


rule answer_by_neighbours:
    """Votes of the nearest labelled faces of the training part on every labelled face's emotion."""
    input:
        embeddings="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        probabilities="results/{variant}/{model}/seed{seed}/probabilities.npy",
    log:
        "results/logs/answer_by_neighbours/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(NEIGHBOURS),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=20),
        runtime=minutes(10, per_mb=1),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("answer_by_neighbours"),
    script:
        "../workflow_scripts/answer_by_neighbours.py"


rule predict_by_cluster:
    """Each test face takes the name of its nearest cluster; probes tell what was there to find."""
    input:
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
        names="results/{variant}/{model}/seed{seed}/names.csv",
        embeddings="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        predictions="results/{variant}/{model}/seed{seed}/predictions.parquet",
        metrics="results/{variant}/{model}/seed{seed}/metrics.json",
    log:
        "results/logs/predict/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(CLUSTERED),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(3000, per_mb=1),
        runtime=minutes(20, per_mb=0.05),
    params:
        clustered=CLUSTERED,
        method=config["naming"]["method"],
        packages=packages_digest("analysis"),
        code=code_digest("predict"),
    script:
        "../workflow_scripts/predict.py"


rule predict_by_classifier:
    """Each test face takes its most probable emotion; probes tell what was there to find."""
    input:
        probabilities="results/{variant}/{model}/seed{seed}/probabilities.npy",
        embeddings="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        predictions="results/{variant}/{model}/seed{seed}/predictions.parquet",
        metrics="results/{variant}/{model}/seed{seed}/metrics.json",
    log:
        "results/logs/predict/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(CLASSIFIERS),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(3000, per_mb=1),
        runtime=minutes(20, per_mb=0.05),
    params:
        clustered=CLUSTERED,
        packages=packages_digest("analysis"),
        code=code_digest("predict"),
    script:
        "../workflow_scripts/predict.py"


rule find_causes:
    """Where each model loses accuracy: embedding, clusters, names, or new faces."""
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
        csv="results/causes.csv",
        md="results/causes.md",
    log:
        "results/logs/find_causes.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("find_causes"),
    script:
        "../workflow_scripts/find_causes.py"


rule compare_cells:
    """Test every cell against chance and chosen others, with Holm's correction."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
    output:
        csv="results/comparisons.csv",
    log:
        "results/logs/compare_cells.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        table=config["table"],
        packages=packages_digest("analysis"),
        code=code_digest("compare_cells"),
    script:
        "../workflow_scripts/compare_cells.py"


rule table1:
    """All cells beside the paper's figures, with intervals, tests and causes."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
        metrics=[
            "results/{variant}/{model}/seed{seed}/metrics.json".format(**cell)
            for cell in CELLS
        ],
        # Those tell what was chosen without labels.
        models=[
            "results/{variant}/{model}/seed{seed}/model".format(**cell)
            for cell in CELLS
            if cell["model"] in CHOOSING
        ],
        comparisons="results/comparisons.csv",
        causes="results/causes.csv",
        agreement="results/agreement.csv",
        # Which emotions the set has.
        index="results/labelled/faces.parquet",
    output:
        csv="results/table1.csv",
        md="results/table1.md",
    log:
        "results/logs/table1.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        naming=config["split"]["naming"],
        data=DATA,
        rendered=DEMO,
        packages=packages_digest("analysis"),
        code=code_digest("table1"),
    script:
        "../workflow_scripts/table1.py"


rule table2:
    """All cells by valence: positive against negative, without and with neutral."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
    output:
        csv="results/table2.csv",
        md="results/table2.md",
    log:
        "results/logs/table2.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("table2"),
    script:
        "../workflow_scripts/table2.py"


rule join_cells:
    """Join cells: classifiers by probabilities, clusterings by votes and co-association."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
        sources=[
            "results/{variant}/{model}/seed{seed}/{file}".format(
                file=(
                    "clusters.npz"
                    if cell["model"] in CLUSTERED
                    else "probabilities.npy"
                ),
                **cell,
            )
            for cell in CELLS
        ],
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
        # What names clusters where no labelled face may.
        movements=expand("results/{v}/movements/pool.npy", v=BY_ANATOMY),
        presence=expand("results/{v}/landmarks/pool.parquet", v=BY_ANATOMY),
    output:
        csv="results/ensembles.csv",
        md="results/ensembles.md",
    log:
        "results/logs/join_cells.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        clustered=CLUSTERED,
        clustering=config["clustering"],
        method=config["naming"]["method"],
        by_anatomy=BY_ANATOMY,
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("join_cells"),
    script:
        "../workflow_scripts/join_cells.py"


rule score_triplets:
    """Whether the nearest two of three faces are those that people find most alike."""
    input:
        embeddings="results/{variant}/{model}/seed{seed}/embeddings.npy",
        triplets="results/fetch/triplets.parquet",
    output:
        answers="results/{variant}/{model}/seed{seed}/triplets.parquet",
        metrics="results/{variant}/{model}/seed{seed}/triplets.json",
    log:
        "results/logs/score_triplets/{variant}/{model}/seed{seed}.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10, per_mb=0.02),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("score_triplets"),
    script:
        "../workflow_scripts/score_triplets.py"


rule triplets_table:
    """How well every cell's embedding agrees with people's comparisons, and people with each other."""
    input:
        answers=[
            "results/{variant}/{model}/seed{seed}/triplets.parquet".format(**cell)
            for cell in CELLS
        ],
        triplets="results/fetch/triplets.parquet",
        lost="results/fetch/triplets_lost.csv",
    output:
        csv="results/triplets.csv",
        md="results/triplets.md",
    log:
        "results/logs/triplets_table.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(10),
    params:
        cells=CELLS,
        data=DATA + (", whose annotators are simulated" if DEMO else ""),
        packages=packages_digest("analysis"),
        code=code_digest("triplets_table"),
    script:
        "../workflow_scripts/triplets_table.py"


rule try_few_labels:
    """Teach by few labels, drawn at random or chosen as typical, and score on the test faces."""
    input:
        embeddings="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
        clustering=branch(
            lambda wildcards: wildcards.model in CLUSTERED,
            then="results/{variant}/{model}/seed{seed}/clusters.npz",
            otherwise=[],
        ),
        anatomy=branch(
            lambda wildcards: any(
                cell["model"] == "action_units"
                and cell["variant"] == wildcards.variant
                and str(cell["seed"]) == wildcards.seed
                for cell in CELLS
            ),
            then=[
                "results/{variant}/action_units/seed{seed}/labelled_embeddings.npy",
                "results/{variant}/action_units/seed{seed}/probabilities.npy",
            ],
            otherwise=[],
        ),
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        csv="results/{variant}/{model}/seed{seed}/few_labels.csv",
        answers="results/{variant}/{model}/seed{seed}/few_labels.npy",
    log:
        "results/logs/try_few_labels/{variant}/{model}/seed{seed}.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(3000, per_mb=1),
        runtime=minutes(30, per_mb=0.1),
    params:
        few=config["few_labels"],
        clustering=config["clustering"],
        packages=packages_digest("analysis"),
        code=code_digest("try_few_labels"),
    script:
        "../workflow_scripts/try_few_labels.py"


rule few_labels_table:
    """All cells by the number of labels, and which faces to label first."""
    input:
        tables=[
            "results/{variant}/{model}/seed{seed}/few_labels.csv".format(**cell)
            for cell in CELLS
        ],
        answers=[
            "results/{variant}/{model}/seed{seed}/few_labels.npy".format(**cell)
            for cell in CELLS
        ],
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        csv="results/few_labels.csv",
        md="results/few_labels.md",
        curves=report(
            "results/figures/few_labels.png",
            caption="../docs/report/few_labels.rst",
            category="Figures",
            subcategory="Few labels",
            labels={"figure": "scores by labels an emotion"},
        ),
        first=report(
            "results/figures/label_first.png",
            caption="../docs/report/label_first.rst",
            category="Figures",
            subcategory="Few labels",
            labels={"figure": "which faces to label first"},
        ),
    log:
        "results/logs/few_labels_table.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        supervision={name: KINDS[name].supervision for name in MODELS},
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("few_labels_table"),
    script:
        "../workflow_scripts/few_labels_table.py"


rule answer_elsewhere:
    """Every cell's answers for the faces of {wildcards.other}, by the run's models and names."""
    input:
        index="results/elsewhere/{other}/faces.parquet",
        labelled="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
        sources=[
            "results/{variant}/{model}/seed{seed}/elsewhere/{{other}}/{file}.npy".format(
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
    output:
        answers="results/elsewhere/{other}/answers.parquet",
    log:
        "results/logs/answer_elsewhere/{other}.log",
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
        code=code_digest("answer_elsewhere"),
    script:
        "../workflow_scripts/answer_elsewhere.py"


rule elsewhere_table:
    """All cells' scores on other sets, and what they lose from the main scored faces to each."""
    input:
        answers=expand("results/elsewhere/{other}/answers.parquet", other=OTHERS),
        overlaps=expand("results/elsewhere/{other}/overlap.parquet", other=OTHERS),
        refused=expand("results/elsewhere/{other}/refused.parquet", other=OTHERS),
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
    output:
        csv="results/elsewhere.csv",
        md="results/elsewhere.md",
        figure=report(
            "results/figures/elsewhere.png",
            caption="../docs/report/elsewhere.rst",
            category="Figures",
            subcategory="Other sets",
            labels={"figure": "balanced accuracy from set to set"},
        ),
    log:
        "results/logs/elsewhere_table.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=10),
        runtime=minutes(30),
    params:
        cells=CELLS,
        folders={name: shown(about["folder"]) for name, about in OTHERS.items()},
        data=DATA,
        packages=packages_digest("analysis"),
        code=code_digest("elsewhere_table"),
    script:
        "../workflow_scripts/elsewhere_table.py"
