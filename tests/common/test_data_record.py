"""A run on other data stops before it overwrites results, and no other run does."""

import json
from types import SimpleNamespace

import pytest

from facesort.common.data_record import archive_error, note_data, other_data_error

OWN = {"fec_csv": "/data/fec.csv", "labelled": "/data/affectnet"}


UNDO = {"undo_sidecars": "sidecars"}


def config(**data):
    keys = ("fec_csv", "manifest", "faces", "labelled", "table")
    return {"data": dict.fromkeys(keys) | data, "archive": {"photos": None, "exclude": None}}


def workflow(*stages, configfiles=(), touch=False, given=None, targets=(), storage=None):
    """Snakemake's, as far as it is asked: about to run these rules, or one of these files."""
    rules = [(UNDO.get(stage, stage), stage) for stage in stages]
    rules = [SimpleNamespace(snakefile=f"/x/rules/{file}.smk", name=name) for file, name in rules]
    jobs = [SimpleNamespace(rule=rule) for rule in rules]
    dag = SimpleNamespace(needrun_jobs=lambda: iter(jobs))
    dag.targetrules = set(targets)
    return SimpleNamespace(
        dag=dag,
        touch=touch,
        overwrite_configfiles=list(configfiles),
        config_settings=SimpleNamespace(overwrite_config=given or {}),
        storage_settings=SimpleNamespace(default_storage_provider=storage),
    )


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Results with a trained model, made from data; and the line with which a run stops, if any."""
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "my file.yaml"
    mine.touch()
    results = tmp_path / "results"

    def make(**data):
        note_data(results, config(**data), workflow("fetch", "train", configfiles=[mine]))
        (results / "rgb/stacked/seed0/model").mkdir(parents=True, exist_ok=True)
        return results

    return make


def stops(results, *stages, touch=False, **data):
    return other_data_error(results, config(**data), workflow(*(stages or ["train"]), touch=touch))


def test_a_forgotten_configfile_stops_the_run_in_one_line_that_names_it(made, tmp_path):
    results = made(**OWN)
    told = stops(results)
    assert len(told.splitlines()) == 1
    assert f"{results} was made from /data/fec.csv and /data/affectnet" in told
    assert "makes from rendered faces" in told and "--directory" in told
    assert f"the same command with --configfile '{tmp_path}/my file.yaml'" in told
    # What is told helps.
    assert stops(results, **OWN) == ""
    assert f"delete {results}/data.json" in told
    (results / "data.json").unlink()
    assert stops(results) == ""


def test_a_configfile_that_names_other_data_now_is_no_way_back(made, tmp_path):
    results = made(**OWN)
    now = workflow("train", configfiles=[tmp_path / "my file.yaml"])
    told = other_data_error(results, config(faces="/pile"), now)
    assert "To go on with /data/fec.csv and /data/affectnet: name them in the config again" in told


def test_own_data_do_not_overwrite_the_demo_either(made):
    told = stops(made(), **OWN)
    assert "was made from rendered faces, and" in told and "makes from /data/fec.csv" in told
    assert "without data of your own" in told and "--directory" in told


@pytest.mark.parametrize(
    ("before", "now", "stopped"),
    [
        ({"faces": "pile"}, {"faces": "pile"}, False),
        ({"faces": "pile"}, {"faces": "{here}/pile"}, False),
        ({"faces": "pile"}, {"faces": "link"}, False),
        ({"faces": "pile"}, {"faces": "other"}, True),
        ({"fec_csv": "a.csv"}, {"manifest": "a.csv"}, True),
        # Labels come to a pile; they do not go, or become others.
        ({"faces": "pile"}, {"faces": "pile", "labelled": "other"}, False),
        ({"faces": "pile", "labelled": "other"}, {"faces": "pile"}, True),
        ({"faces": "pile", "labelled": "pile"}, {"faces": "pile", "labelled": "other"}, True),
        ({"labelled": "pile", "table": "a.csv"}, {"labelled": "pile", "table": "b.csv"}, True),
    ],
)
def test_what_are_other_data(made, tmp_path, before, now, stopped):
    (tmp_path / "link").symlink_to("pile")
    now = {key: path.format(here=tmp_path) for key, path in now.items()}
    assert bool(stops(made(**before), **now)) is stopped


def test_a_link_that_leads_elsewhere_now_is_the_same_data(made, tmp_path):
    """A person's own name for what grows."""
    (tmp_path / "newest").symlink_to("first")
    results = made(faces="newest")
    (tmp_path / "newest").unlink()
    (tmp_path / "newest").symlink_to("second")
    assert stops(results, faces="newest") == ""


def test_what_makes_nothing_from_the_data_is_not_stopped_and_notes_nothing(made):
    results = made(**OWN)
    before = json.loads((results / "data.json").read_text())
    apart = ("archive", "demo", "Snakefile")
    assert stops(results, *apart) == ""
    note_data(results, config(), workflow(*apart))
    assert json.loads((results / "data.json").read_text()) == before | {
        "archive": None,
        "exclude": None,
    }
    # A model of a cell is trained from the data, whatever asks for it.
    assert stops(results, "archive", "train")


def test_results_without_a_record_or_without_anything_made_begin_anew(made, tmp_path):
    results = made(**OWN)
    (results / "rgb/stacked/seed0/model").rmdir()
    assert stops(results) == ""
    assert stops(tmp_path / "none") == ""
    for text in ("{", "[]", '{"data": 3}', "\udcff"):
        made(**OWN)
        (results / "data.json").write_bytes(text.encode(errors="surrogateescape"))
        assert stops(results) == ""


def test_touched_results_count_as_made_from_the_data_at_hand(made):
    results = made()
    assert stops(results, touch=True, **OWN) == ""
    note_data(results, config(**OWN), workflow("train", touch=True))
    assert stops(results, **OWN) == "" and stops(results)


def test_names_of_any_bytes_are_noted(made):
    results = made(faces="/pile \udcff")
    assert json.loads((results / "data.json").read_text())["data"]["faces"] == "/pile \udcff"
    assert stops(results, faces="/pile \udcff") == ""


@pytest.fixture
def tags(tmp_path, monkeypatch):
    """What a run of the archive is told, which is noted, and made, where nothing is."""
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"

    def tag(photos, stage="archive", exclude=None, **more):
        block = {"photos": photos, "exclude": exclude}
        run, about = workflow(stage, **more), config() | {"archive": block}
        told = archive_error(results, about, run)
        if not told:
            note_data(results, about, run)
            (results / "archive").mkdir(exist_ok=True)
            (results / "archive/listing.parquet").touch()
        return told

    return tag


def test_photos_of_another_folder_do_not_take_an_archives_place_unasked(tags, tmp_path):
    (tmp_path / "link").symlink_to("photos")
    assert tags("photos") == tags(str(tmp_path / "photos")) == tags("link") == ""
    told = tags("other")
    assert len(told.splitlines()) == 1 and "photos in link, and this run would put" in told
    assert "--directory" in told and f"delete {tmp_path}/results/data.json" in told
    assert tags("other", stage="album") and not tags("other", touch=True)
    (tmp_path / "results/data.json").unlink()
    assert tags("third") == ""


def test_photos_that_were_left_out_do_not_come_back_unasked(tags, tmp_path):
    assert tags("photos", exclude="no.txt") == ""
    erased = tmp_path / "results/archive/erased.csv"
    erased.touch()
    told = tags("photos")
    assert len(told.splitlines()) == 1 and "names no list (archive.exclude)" in told
    assert f"delete {erased}" in told
    assert tags("photos", exclude="other.txt") == ""
    assert archive_error(tmp_path / "results", config(), workflow("undo_sidecars")) == ""
    erased.unlink()
    assert tags("photos") == ""


def test_the_data_of_a_run_and_the_photos_of_an_archive_are_noted_apart(tags, made):
    assert tags("photos") == ""
    assert stops(made(**OWN)) and tags("other")
    assert stops(made(**OWN), **OWN) == tags("photos") == ""


def test_an_archive_without_photos_and_photos_without_the_target_are_told(tags):
    assert "--config archive=/photos" in tags(None)
    assert archive_error(None, config(), workflow("undo_sidecars")) == ""
    named = {"given": {"archive": "/photos"}}
    assert "-- archive" in tags("/photos", "train", targets=["all"], **named)
    assert tags("/photos", **named) == ""
    # Nobody forgot a target who named one, or whose file names photos among other things.
    assert tags("/photos", "train", targets=["table1"], **named) == ""
    assert tags("/photos", "train", targets=["all"]) == ""


def test_results_on_object_storage_are_guarded_though_no_copy_is_left_here(made, tmp_path):
    run = workflow("train", storage="s3")
    folder = tmp_path / ".snakemake/storage/s3/faces/results"
    assert other_data_error(folder, config(), run) == ""
    note_data(folder, config(**OWN), run)
    assert other_data_error(folder, config(**OWN), run) == ""
    assert f"{folder} was made from /data/fec.csv" in other_data_error(folder, config(), run)


def test_an_archive_goes_to_no_object_storage(tags):
    told = tags("photos", storage="s3")
    assert len(told.splitlines()) == 1 and "leave out --default-storage-provider" in told
    assert tags("photos") == ""
