"""
Finds faces in a folder of photographs, reads them, and makes a page to browse and to judge them.

REQUIRED INPUTS: what the rules below name

OUTPUTS:
    results/archive/browse.html  the page; opens offline
    results/archive/browse/      what it loads: columns of all faces, and their pictures in shards
"""

# The jobs that photos fall to by their path.
ARCHIVE_JOBS = range(8)


rule browse_page:
    """The page to find faces by look, movement, size and pose on, and to judge tags."""
    input:
        faces="results/archive/faces.parquet",
        photos="results/archive/photos.parquet",
        thumbnails=expand("results/archive/thumbnails/{job}.parquet", job=ARCHIVE_JOBS),
        previews=expand("results/archive/previews/{job}.parquet", job=ARCHIVE_JOBS),
    output:
        page=report(
            "results/archive/browse.html",
            caption="../docs/report/browse.rst",
            category="Archive",
            labels={"page": "Faces to browse"},
        ),
        shards=directory("results/archive/browse"),
    log:
        "results/logs/browse_page.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=1),
        runtime=minutes(10, per_mb=0.02),
    params:
        link="",
        packages=packages_digest("analysis"),
        code=code_digest("browse_page"),
    script:
        "../workflow_scripts/browse_page.py"
