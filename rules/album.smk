"""
Chooses among the photos of an archive: the best of each series, head shots, and photos that stand
for their folder. Nothing is deleted or rated, and no photo is opened. Asked for by the target
`best_shots`; a run of all leaves it alone.

REQUIRED INPUTS:
    results/archive/faces.parquet, photos.parquet   from archive
    results/archive/{previews,thumbnails}/{job}.parquet   small pictures, from archive

OUTPUTS:
    results/archive/bursts.csv       a row a photo of a series: its rank, and why
    results/archive/headshots.csv    the best faces of each folder
    results/archive/album.csv        the photos that stand for each folder
    results/archive/album.html, album/   a page of all these; the pictures that it loads
"""


rule choose_shots:
    """Choose the best photo of each series, and {params.summary} photos and faces of each folder."""
    input:
        faces="results/archive/faces.parquet",
        photos="results/archive/photos.parquet",
        previews=expand("results/archive/previews/{job}.parquet", job=ARCHIVE_JOBS),
    output:
        bursts="results/archive/bursts.csv",
        headshots="results/archive/headshots.csv",
        album="results/archive/album.csv",
    log:
        "results/logs/choose_shots.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=1),
        runtime=minutes(10, per_mb=0.02),
    params:
        summary=config["archive"]["summary"],
        packages=packages_digest("archive"),
        code=code_digest("choose_shots"),
    script:
        "../workflow_scripts/choose_shots.py"


rule album_page:
    """The page of best shots: of each folder its summary, head shots and series."""
    input:
        bursts="results/archive/bursts.csv",
        headshots="results/archive/headshots.csv",
        album="results/archive/album.csv",
        previews=expand("results/archive/previews/{job}.parquet", job=ARCHIVE_JOBS),
        thumbnails=expand("results/archive/thumbnails/{job}.parquet", job=ARCHIVE_JOBS),
    output:
        page=report(
            "results/archive/album.html",
            caption="../docs/report/album.rst",
            category="Archive",
            labels={"page": "Best shots"},
        ),
        shards=directory("results/archive/album"),
    log:
        "results/logs/album_page.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=1),
        runtime=minutes(10, per_mb=0.02),
    params:
        folder=PHOTOS,
        packages=packages_digest("analysis"),
        code=code_digest("album_page"),
    script:
        "../workflow_scripts/album_page.py"
