"""Where persons' names of clusters lie, and whose count."""

from facesort.cluster.names_files import misplaced_names, names_files, person_names

CELL = {"variant": "rgb", "model": "stacked", "seed": 1}
FOLDER = "names/rgb/stacked"


def test_without_a_file_nobody_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert person_names(CELL) == names_files(CELL) == []
    (tmp_path / FOLDER).mkdir(parents=True)
    assert person_names(CELL) == names_files(CELL) == []


def test_the_file_without_a_persons_name_counts_and_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    names = ["seed1.Ada L..csv", "seed1.ben.csv", "seed1.Óscar d'Or.csv", "seed1.अनिता.csv"]
    for name in names:
        (tmp_path / FOLDER / name).touch()
    others = [f"{FOLDER}/{name}" for name in names]
    assert person_names(CELL) == [] and names_files(CELL) == others
    (tmp_path / FOLDER / "seed1.csv").touch()
    assert person_names(CELL) == [f"{FOLDER}/seed1.csv"]
    assert names_files(CELL) == [f"{FOLDER}/seed1.csv", *others]


def test_other_files_are_nobodys_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    for name in ("seed10.csv", "seed1..csv", "seed1.csv~", "seed1.{a}.csv", "seed0.ada.csv"):
        (tmp_path / FOLDER / name).touch()
    (tmp_path / "names/rgb/convolutional").mkdir()
    (tmp_path / "names/rgb/convolutional/seed1.csv").touch()
    assert person_names(CELL) == names_files(CELL) == []


def test_names_that_lie_elsewhere_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = (("rgb", "cropped"), ("stacked", "geometry"))
    assert misplaced_names(*places) == []
    right = ["rgb/stacked/seed0.csv", "cropped/geometry/seed12.Ada L..csv", "rgb/stacked/notes.txt"]
    wrong = ["rgb-stacked-seed0.csv", "rgb/stacked/rgb-stacked-seed0.csv", "rgb/staked/seed0.csv"]
    for path in right + wrong:
        file = tmp_path / "names" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    told = misplaced_names(*places)
    assert [line.split()[1] for line in told] == sorted(f"names/{path}" for path in wrong)
    assert all("names/<variant>/<model>/seed<n>.csv" in line for line in told)
