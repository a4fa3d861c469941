"""Costs: the last lines of logs, as jobs write them, in one table."""

from facesort.common.job import job
from facesort.pages.costs import by_rule, read_costs


def write(path, *took):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "took {} s, {} s of CPU, {} of them before its work began, and at most {} MB\n"
    path.write_text("some words\n" + "".join(text.format(*each) for each in took))


def test_logs_are_gathered_and_summed(tmp_path):
    # A log's last such line counts.
    write(tmp_path / "train/rgb/seed0.log", ("50", "50", "1", "1"), ("5.5", "4.50", "0.30", "700"))
    write(tmp_path / "train/rgb/seed1.log", ("7", "6", "0.2", "800"))
    write(tmp_path / "table1.log", ("0.1", "0.1", "0.1", "90"))
    write(tmp_path / "killed.log")
    table = read_costs(tmp_path)
    assert list(table["rule"]) == ["table1", "train", "train"]
    assert list(table["job"]) == ["", "rgb/seed0", "rgb/seed1"]
    first, second = by_rule(table).to_dict("records")
    assert (first["rule"], first["jobs"], first["seconds"]) == ("train", 2, 12.5)
    assert (first["longest"], first["cpu_seconds"], first["memory_mb"]) == (7, 10.5, 800)
    assert (first["start_cpu_seconds"], second["rule"]) == (0.5, "table1")


def test_no_logs_give_an_empty_table(tmp_path):
    assert by_rule(read_costs(tmp_path)).empty


def test_a_job_writes_what_is_read(tmp_path, capsys):
    with job(tmp_path / "embed/rgb.log"):
        filled = b"x" * 200_000_000
    (row,) = read_costs(tmp_path).to_dict("records")
    assert (row["rule"], row["job"]) == ("embed", "rgb") and len(filled) > 0
    assert row["seconds"] > 0 and row["cpu_seconds"] >= row["start_cpu_seconds"] > 0
    assert row["memory_mb"] > 190
    assert capsys.readouterr().err == ""
