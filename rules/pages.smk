"""
Makes the pages that a person reads or works on.

REQUIRED INPUTS: what the rules below name

OUTPUTS:
    results/{variant}/{model}/seed{seed}/naming.html  a page to name the clusters on
    results/agreement.csv                             how far persons who named agree
    results/costs.csv                                 time and memory of every job
    results/summary.html                              all results on one page
    results/report.html                               Snakemake's report, made when a run ends
"""


rule naming_page:
    """A page of each cluster's faces on which a person names it; it shows nobody's names."""
    input:
        faces="results/{variant}/pool.npy",
        embeddings="results/{variant}/{model}/seed{seed}/embeddings.npy",
        clustering="results/{variant}/{model}/seed{seed}/clusters.npz",
        map="results/{variant}/{model}/seed{seed}/map.parquet",
    output:
        page="results/{variant}/{model}/seed{seed}/naming.html",
    log:
        "results/logs/naming_page/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/naming_page/{variant}/{model}/seed{seed}.tsv"
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


rule agreement:
    """Cohen's kappa of every two persons who named the same clustering."""
    input:
        clusterings=[
            "results/{variant}/{model}/seed{seed}/clusters.npz".format(**cell)
            for cell in NAMED_TWICE
        ],
        names=[path for cell in NAMED_TWICE for path in names_files(cell)],
    output:
        csv="results/agreement.csv",
    log:
        "results/logs/agreement.log",
    benchmark:
        "results/benchmarks/agreement.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        cells=[{**cell, "names": names_files(cell)} for cell in NAMED_TWICE],
        packages=packages_digest("analysis"),
        code=code_digest("agreement"),
    script:
        "../workflow_scripts/agreement.py"


rule merge_benchmarks:
    """Time and memory of every job that the results needed, in one table."""
    input:
        RESULTS,
    output:
        csv="results/costs.csv",
    log:
        "results/logs/merge_benchmarks.log",
    benchmark:
        "results/benchmarks/merge_benchmarks.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        # No rule may name another's benchmark as input.
        folder="results/benchmarks",
        packages=packages_digest("analysis"),
        code=code_digest("merge_benchmarks"),
    script:
        "../workflow_scripts/merge_benchmarks.py"


rule summary:
    """Table 1, causes, lost URLs, costs, provenance and limits on one page."""
    input:
        texts=[
            "results/table1.md",
            "results/causes.md",
            "results/table2.md",
            "results/ensembles.md",
            *(["results/triplets.md"] if TRIPLETS else []),
            *(path for path in FEW_LABELS if path.endswith(".md")),
        ],
        confusion="results/figures/confusion.png",
        few_labels=[path for path in FEW_LABELS if path.endswith(".png")],
        agreement="results/agreement.csv",
        costs="results/costs.csv",
        ledger="results/fetch/ledger.parquet",
        refused="results/fetch/refused.parquet",
        faces="results/fetch/faces.parquet",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
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
            labels={"page": "Table 1, causes, costs, provenance, limits"},
        ),
    log:
        "results/logs/summary.log",
    benchmark:
        "results/benchmarks/summary.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        config=CONFIG_DIGEST,
        demo=DEMO,
        packages=packages_digest("analysis"),
        code=code_digest("summary"),
    script:
        "../workflow_scripts/summary.py"
