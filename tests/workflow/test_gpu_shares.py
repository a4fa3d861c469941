"""A run that shares one GPU among its jobs (profiles/gpu): which take of it, and how many."""

import re
import shutil
from itertools import pairwise

import layout
import pytest
import yaml
from small_run import ROOT, copy_project, snakemake

PROFILE = yaml.safe_load((ROOT / "profiles/gpu/config.yaml").read_text(encoding="utf-8"))
RULES = {rule: text for rule, (_, text) in layout.rules(ROOT).items()}
MODELS = [
    f"results/{variant}/{model}/seed0/model"
    for variant in ("rgb", "cropped")
    for model in ("stacked", "semi_supervised")
]


def test_every_job_that_may_use_the_card_takes_a_share_and_one_thread(tmp_path):
    """With all that trains or applies a model, and a config that gives these jobs many threads."""
    folder = copy_project(tmp_path / "project")
    change = {"training": {"threads": 8}, "audit": {"pairs": 2}, "data": {"also_score": ["other"]}}
    (folder / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    (folder / "other").mkdir()
    config = ("--configfile", "small.yaml", "change.yaml", "--config", "archive=photos")
    (folder / "photos").mkdir()
    plan = (*config, "-n", "--workflow-profile", str(ROOT / "profiles/gpu"), "--")
    printed = snakemake(folder, *plan, "all", "archive", cores=16)
    shares, threads = {}, {}
    for block in re.split(r"\n(?=\[)", printed):
        if share := re.search(r"^    resources: .*gpu_percent=(\d+)", block, re.M):
            rule = re.search(r"^rule (\w+):$", block, re.M)[1]
            shares[rule] = int(share[1])
            threads[rule] = "threads" in block
    assert set(shares) >= {rule for rule, text in RULES.items() if "envs/torch" in text}
    assert set(shares) - {"answer_faces"} == set(PROFILE["set-threads"])
    assert set(threads.values()) == {False}  # one thread goes without saying
    assert PROFILE["resources"]["gpu_percent"] >= max(shares.values())


@pytest.mark.parametrize("percent", [30, 59])
def test_no_more_train_at_once_than_the_card_gives(project, tmp_path, percent):
    """Four trainings on two cores, on a card for one of them."""
    project = shutil.copytree(project, tmp_path / "project")
    snakemake(project, "--resources", f"gpu_percent={percent}", "--force", "--", *MODELS)
    times = []
    for path in (project / "results/logs/train").rglob("*.log"):
        took = re.findall(r"^took ([\d.]+) s", path.read_text(encoding="utf-8"), re.M)[-1]
        times.append((path.stat().st_mtime - float(took), path.stat().st_mtime))
    assert len(times) == len(MODELS)
    times.sort()
    assert all(end <= begin for (_, end), (begin, _) in pairwise(times))
