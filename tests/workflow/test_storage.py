"""Results on object storage: an S3 server of its own, started here from a package."""

import shutil

import pytest
import yaml
from small_run import (
    BEYOND,
    ROOT,
    TRIPLET,
    copy_project,
    jobs_to_run,
    same_results,
    snakemake,
    would_run,
)

ON_S3 = ("--default-storage-provider", "s3", "--default-storage-prefix", "s3://faces/mine")
CONFIG = ("--configfile", "small.yaml", "change.yaml")
TABLE1 = ("--", "results/table1.csv")
SECRET = "a-secret-of-this-test-alone"
# A person's files of every kind, as the config names them; beside them names/ of clusters.
TRANSFER = BEYOND["models"]["transfer"] | {"weights": "w.pth"}
OWN = {
    "folders": {
        "data": {"faces": "pile", "labelled": "labelled", "also_score": ["other"]},
        "models": {"transfer": TRANSFER},
        "audit": {"groups": "people.csv", "before": "before.csv", "pairs": 0},
    },
    "lists": {
        "data": {"fec_csv": "fec.csv", "labelled": "labelled"},
        "models": {"triplet": TRIPLET},
        "fetch": {"exclude": "exclude.txt"},
    },
    "manifest": {"data": {"manifest": "manifest.csv", "labelled": "labelled"}},
}


@pytest.fixture
def bucket(monkeypatch):
    """A bucket ``faces`` on a server of this machine, which Snakemake finds by the environment."""
    why = "needs the group storage, and moto[server] (docs/storage.md)"
    pytest.importorskip("snakemake_storage_plugin_s3", reason=why)
    server = pytest.importorskip("moto.server", reason=why).ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    settings = {"endpoint_url": endpoint, "access_key": "a-key", "secret_key": SECRET}
    for name, value in settings.items():
        monkeypatch.setenv(f"SNAKEMAKE_STORAGE_S3_{name.upper()}", value)
    import boto3

    names = {"aws_access_key_id": "a-key", "aws_secret_access_key": SECRET}
    s3 = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1", **names)
    yield s3.create_bucket(Bucket="faces")
    server.stop()


def copy_with(folder, **change):
    """The project in a new folder, with the small config and changes to it."""
    copy_project(folder)
    (folder / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    return folder


def fetched(bucket, folder):
    """All that the bucket has, in a folder as a local run would have it."""
    for each in bucket.objects.filter(Prefix="mine/"):
        path = folder / each.key.removeprefix("mine/")
        path.parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(each.key, str(path))
    return folder


def results_of(folder):
    """The files below its results, but for what no rule declares."""
    results = folder / "results"
    found = (path.relative_to(results) for path in results.rglob("*") if path.is_file())
    shown = (path for path in found if path.name[0] != ".")
    return {path for path in shown if path.parts[:2] not in (("data.json",), ("fetch", "state"))}


@pytest.mark.slow
def test_a_run_on_s3_gives_the_local_table(bucket, tmp_path):
    here, cloud = (copy_with(tmp_path / name, variants=["rgb"]) for name in ("here", "clöud"))
    snakemake(here, *CONFIG, *TABLE1, cores=1)
    printed = snakemake(cloud, *CONFIG, *ON_S3, *TABLE1, cores=1)
    got = fetched(bucket, tmp_path / "got")
    assert results_of(got) == results_of(here)
    assert same_results(got, here) == []
    # What a model was made from has the same names too.
    model = "results/rgb/stacked/seed0/model/model.json"
    assert (got / model).read_bytes() == (here / model).read_bytes()
    assert "\nResults: s3://faces/mine/results (docs/storage.md)\n" in printed

    # Nothing is left to do, nor for a folder that has only the project.
    assert "Nothing to be done" in snakemake(cloud, *CONFIG, *ON_S3, *TABLE1)
    fresh = copy_with(tmp_path / "fresh", variants=["rgb"])
    assert would_run(fresh, *CONFIG, *ON_S3, *TABLE1) == set()

    # What is deleted is made again, alone.
    table = bucket.Object("mine/results/table1.csv")
    before = table.get()["Body"].read()
    table.delete()
    assert would_run(cloud, *CONFIG, *ON_S3, *TABLE1) == {"table1"}
    printed += snakemake(cloud, *CONFIG, *ON_S3, *TABLE1)
    assert table.get()["Body"].read() == before

    # The secret is in nothing that was written, here or there.
    assert SECRET not in printed
    files = [path for folder in (cloud, got) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("own", OWN)
def test_files_of_a_person_stay_here(bucket, tmp_path, own):
    """The same jobs are planned as without S3, and none looks there for such a file."""
    folder = copy_with(tmp_path / "project", variants=["rgb"], **OWN[own])
    for place in ("pile", "labelled/anger", "other/anger", "names/rgb/stacked"):
        (folder / place).mkdir(parents=True)
    shutil.copy(ROOT / "docs/pictures/summary.webp", folder / "pile/1.webp")
    for name in ("w.pth", "people.csv", "before.csv", "fec.csv", "exclude.txt", "manifest.csv"):
        (folder / name).write_text("x", encoding="utf-8")
    (folder / "names/rgb/stacked/seed0.csv").touch()
    assert jobs_to_run(folder, *CONFIG, *ON_S3) == jobs_to_run(folder, *CONFIG)
