"""Groups of people by the user's table: read from hostile files, cut, and matched with faces."""

import time

import numpy as np
import pandas as pd
import pytest

from facesort.common.group_table import NOT_TOLD
from facesort.common.job import InputError
from facesort.faces.groups import (
    MOST,
    band_words,
    match_groups,
    read_groups,
)

BANDS = {"age": [13, 18, 30]}


def read(tmp_path, text, columns=None, bands=BANDS):
    path = tmp_path / "groups.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_groups(path, columns, bands)


def pool(*paths):
    return {"pool": pd.DataFrame({"path": paths})}


def test_numbers_are_cut_into_bands_and_words_are_taken_however_they_are_spelt(tmp_path):
    text = "age,file,Skin tone\n12,a.jpg,dark\n13,b.jpg,Dark\n17.9,c.jpg,dark\n30,d.jpg,  light \n"
    table = read(tmp_path, text)
    assert list(table.index) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert list(table["age"]) == ["under 13", "13 to 17", "13 to 17", "30 and over"]
    assert list(table["Skin tone"]) == ["dark", "dark", "dark", "light"]
    # Without bands each number is a group, as a tone of a scale is.
    assert list(read(tmp_path, "file,tone\na,1\nb,6\n")["tone"]) == ["1", "6"]
    # Bands that the data have already.
    assert list(read(tmp_path, "file,age\na,20-29\nb,more than 70\n")["age"]) == [
        "20-29",
        "more than 70",
    ]
    assert band_words([13, 14]) == ["under 13", "13", "14 and over"]


def test_empty_cells_and_numbers_that_are_none_are_not_told(tmp_path, capsys):
    text = "file,age,sex\na,,f\nb,old,N/A\nc,nan,m\nd,inf,?\ne,20,\n"
    table = read(tmp_path, text)
    assert list(table["age"]) == [NOT_TOLD] * 4 + ["18 to 29"]
    assert list(table["sex"]) == ["f", NOT_TOLD, "m", NOT_TOLD, NOT_TOLD]
    assert "2 cells of age are no numbers, such as 'old'" in capsys.readouterr().out


def test_rows_that_cannot_be_read_are_counted_and_the_same_row_twice_is_one(tmp_path, capsys):
    text = b'path;sex\na.jpg;f\nb.jpg;m;x\n"c.jpg;m\n;f\na.jpg;f\n\xff.jpg;m\n'
    table = read(tmp_path, text)
    assert list(table["sex"]) == ["f", "m"] and table.index[1] == r"\xff.jpg"
    told = capsys.readouterr().out
    assert "3 rows cannot be read, such as row 3 (3 columns)" in told
    assert "1 rows say the same again" in told


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("", None, "groups.csv: empty (config: audit.groups)"),
        ("file\na.jpg\n", None, "no column of groups beside 'file'"),
        ("file,sex\n", None, "no row tells a file's groups"),
        ("file,sex,sex\na,f,f\n", None, "two columns are called 'sex'"),
        ("file,sex\na,f\n", ["gender"], "no column 'gender', but 'sex' (config: audit.columns)"),
        ("file,sex\na,f\n./a,m\n", None, "row 3: ./a has other groups than in row 2"),
        ("file,who\n" + "".join(f"{n},{n}\n" for n in range(MOST + 1)), None, "41 different"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line_that_says_where(tmp_path, text, columns, said):
    with pytest.raises(InputError) as error:
        read(tmp_path, text, columns)
    assert said in str(error.value) and "groups.csv" in str(error.value)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"No such file.*audit.groups"):
        read_groups(tmp_path / "none.csv", None, BANDS)


def test_columns_can_be_chosen_and_those_without_a_name_are_none(tmp_path):
    text = ",pth,who,sex\n" + "".join(f"{n},{n}.jpg,person {n},f\n" for n in range(MOST + 1))
    assert list(read(tmp_path, text, ["sex"])) == ["sex"]


def test_faces_are_found_by_path_or_name_and_others_are_not_told(tmp_path, capsys):
    table = read(tmp_path, "file,sex\n/old/place/x/a.jpg,f\nb.PNG,m\nc.jpg,m\nz.jpg,f\n")
    groups = match_groups(table, pool("x/a.jpg", "x/b.png", "y/c.jpg", "y/d.jpg"), "t.csv")["pool"]
    assert list(groups["sex"]) == ["f", "m", "m", NOT_TOLD]
    told = capsys.readouterr().out
    assert "3 of 4 rows name a face" in told and "3 of 4 faces of the pool have a row" in told


def test_a_name_that_two_faces_have_is_of_neither(tmp_path):
    table = read(tmp_path, "file,sex\na.jpg,f\ny/b.jpg,m\n")
    groups = match_groups(table, pool("x/a.jpg", "y/a.jpg", "x/b.jpg", "y/b.jpg"), "t.csv")["pool"]
    assert list(groups["sex"]) == [NOT_TOLD, NOT_TOLD, NOT_TOLD, "m"]


def test_a_row_is_of_the_set_whose_path_it_gives_in_full(tmp_path, capsys):
    table = read(tmp_path, "file,sex\n1.jpg,f\n2.jpg,m\nanger/3.jpg,m\n")
    sets = {
        "pool": pd.DataFrame({"path": ["1.jpg", "in/2.jpg"]}),
        "labelled": pd.DataFrame({"path": ["anger/1.jpg", "fear/2.jpg", "anger/3.jpg"]}),
    }
    groups = match_groups(table, sets, "t.csv")
    assert list(groups["pool"]["sex"]) == ["f", NOT_TOLD]
    assert list(groups["labelled"]["sex"]) == [NOT_TOLD, NOT_TOLD, "m"]
    assert "1 rows fit faces of more than one set, such as 2.jpg" in capsys.readouterr().out


def test_faces_of_the_web_are_found_by_url_or_name_and_those_of_one_photo_by_their_number(tmp_path):
    index = pd.DataFrame(
        {
            "face_id": ["f1", "f2", "f3", "f4"],
            "url": ["http://h/1/a.jpg?s=2", "http://h/b.jpg", "http://h/b.jpg", "http://h/c.jpg"],
        }
    )
    text = "image,sex\na.jpg,f\nb.jpg,m\nf3,f\nhttp://h/c.jpg,m\n"
    groups = match_groups(read(tmp_path, text), {"pool": index}, "t.csv")["pool"]
    assert list(groups["sex"]) == ["f", NOT_TOLD, "f", "m"]


def test_a_table_of_other_faces_is_an_error_that_names_both(tmp_path):
    table = read(tmp_path, "file,sex\na.jpg,f\n")
    with pytest.raises(InputError, match=r"none of its 1 rows.*a.jpg; faces of the pool.*x/b.jpg"):
        match_groups(table, pool("x/b.jpg"), "t.csv")


def test_a_fifth_of_a_million_rows_takes_seconds(tmp_path):
    rng = np.random.default_rng(0)
    rows = "".join(f"d/{n}.jpg,{age}\n" for n, age in enumerate(rng.integers(0, 90, 200_000)))
    began = time.process_time()
    table = read(tmp_path, "file,age\n" + rows)
    names = [f"{n}.jpg" for n in range(0, 200_000, 50)]
    groups = match_groups(table, pool(*names), "t.csv")["pool"]
    assert len(table) == 200_000 and (groups["age"] != NOT_TOLD).all()
    assert list(groups["age"]) == list(table["age"].iloc[::50])
    assert time.process_time() - began < 12
