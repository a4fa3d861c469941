"""Costs: benchmarks as Snakemake writes them, in one table."""

import math

from facesort.pages.costs import by_stage, read_benchmarks

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_benchmarks_are_gathered_and_summed(tmp_path):
    (tmp_path / "train" / "rgb").mkdir(parents=True)
    (tmp_path / "train/rgb/seed0.tsv").write_text(HEAD + "5\t0:00:05\t700\t1\t1\t1\t1\t1\t9\t4.5\n")
    (tmp_path / "train/rgb/seed1.tsv").write_text(HEAD + "7\t0:00:07\t800\t1\t1\t1\t1\t1\t9\t6\n")
    (tmp_path / "table1.tsv").write_text(HEAD + "0.1\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n")
    table = read_benchmarks(tmp_path)
    assert list(table["stage"]) == ["table1", "train", "train"]
    assert list(table["job"]) == ["", "rgb/seed0", "rgb/seed1"]
    assert math.isnan(table["memory_mb"][0])
    first, second = by_stage(table).to_dict("records")
    assert (first["stage"], first["jobs"], first["seconds"]) == ("train", 2, 12)
    assert (first["longest"], first["cpu_seconds"], first["memory_mb"]) == (7, 10.5, 800)
    assert second["stage"] == "table1"


def test_no_benchmarks_give_an_empty_table(tmp_path):
    assert by_stage(read_benchmarks(tmp_path)).empty
