"""The FEC reader: no face of any line is lost without a word."""

import csv
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesort.common.job import InputError
from facesort.fetch.fec import Face, Refused, read_faces, sample_faces

URL = "http://farm1.staticflickr.com/{}/a_b.jpg"


def row(*faces: tuple, annotators: int = 6) -> str:
    cells = [str(cell) for face in faces for cell in face]
    quoted = [f'"{cell}"' if cell.startswith("http") else cell for cell in cells]
    return ",".join([*quoted, "ONE_CLASS_TRIPLET", *["12345", "1"] * annotators])


def face(number: int, box: tuple = (0.1, 0.5, 0.2, 0.6)) -> tuple:
    return (URL.format(number), *box)


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def good_lines(count: int) -> list[str]:
    return [row(face(3 * i), face(3 * i + 1), face(3 * i + 2)) for i in range(count)]


def test_rows_of_different_length_are_all_read(tmp_path):
    lines = [
        row(face(3 * i), face(3 * i + 1), face(3 * i + 2), annotators=6 + i % 5) for i in range(20)
    ]
    faces, refused = sample_faces(write(tmp_path / "fec.csv", *lines), None, 0)
    assert set(faces["url"]) == {URL.format(i) for i in range(60)}
    assert refused.empty


def test_a_face_is_url_and_box(tmp_path):
    other_box = (0.6, 0.9, 0.2, 0.6)
    same_number = ("0.10", "5e-1", "0.2", "0.6")
    path = write(
        tmp_path / "fec.csv",
        row(face(1), face(1, other_box), face(2)),
        row(face(2), face(1, same_number), face(3)),
    )
    faces, _ = sample_faces(path, None, 0)
    assert len(faces) == 4
    assert faces["face_id"].is_unique
    found = faces.set_index("url").loc[URL.format(2)]
    assert (found["row"], found["slot"]) == (1, 3), "where it first stands"


def test_numbers_are_exact_and_keep_reaching_over_the_edge(tmp_path):
    box = (-0.013256789, 0.5, 0.25, 1.000000119)
    faces, _ = sample_faces(write(tmp_path / "f.csv", row(face(1, box), face(2), face(3))), None, 0)
    found = faces.set_index("url").loc[URL.format(1), ["left", "right", "top", "bottom"]]
    assert tuple(found) == box


def test_sample_is_seeded_nested_and_free_of_row_order(tmp_path):
    lines = good_lines(40)
    one = write(tmp_path / "one.csv", *lines)
    two = write(tmp_path / "two.csv", *reversed(lines))
    ids = list(sample_faces(one, 30, 7)[0]["face_id"])
    assert ids == list(sample_faces(two, 30, 7)[0]["face_id"]) == sorted(ids)
    assert len(set(ids)) == 30
    assert set(ids) < set(sample_faces(one, 60, 7)[0]["face_id"])
    assert ids != list(sample_faces(one, 30, 8)[0]["face_id"])
    assert len(sample_faces(one, 10_000, 7)[0]) == 120


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((0.1, "nan", 0.2, 0.6), "not finite"),
        ((0.1, "inf", 0.2, 0.6), "not finite"),
        ((0.5, 0.1, 0.2, 0.6), "reversed"),
        ((0.1, 0.5, 0.2, 0.2), "empty"),
        ((1.0, 1.5, 0.2, 0.6), "outside"),
        ((-0.5, 0.0, 0.2, 0.6), "outside"),
        ((12, 80, 30, 90), "not relative"),
        ((0.1, "wide", 0.2, 0.6), "not four numbers"),
        ((0.1, "", 0.2, 0.6), "not four numbers"),
    ],
)
def test_a_wrong_box_is_refused_with_its_row(tmp_path, box, reason):
    path = write(tmp_path / "fec.csv", *good_lines(2), row(face(90), face(91, box), face(92)))
    faces, refused = sample_faces(path, None, 0)
    assert len(faces) == 8
    assert [(r.row, r.slot) for r in refused.itertuples()] == [(3, 2)]
    assert reason in refused["reason"][0]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b.jpg", "", "http://a/\x07b.jpg"])
def test_other_urls_are_refused(tmp_path, url):
    path = write(tmp_path / "fec.csv", row((url, 0.1, 0.5, 0.2, 0.6), face(1), face(2)))
    faces, refused = sample_faces(path, None, 0)
    assert len(faces) == 2
    assert list(refused["slot"]) == [1]


def test_marks_of_editors_are_read_through(tmp_path):
    lines = ["\ufeff" + good_lines(1)[0], "", "   ", good_lines(2)[1]]
    faces, refused = sample_faces(write(tmp_path / "fec.csv", *lines, end="\r\n"), None, 0)
    assert len(faces) == 6
    assert refused.empty
    assert set(faces["row"]) == {1, 4}


def test_quotes_and_commas_in_urls(tmp_path):
    url = 'http://a.org/x,y?q=""1""'
    path = write(tmp_path / "fec.csv", row((url, 0.1, 0.5, 0.2, 0.6), face(1), face(2)))
    faces, _ = sample_faces(path, None, 0)
    assert 'http://a.org/x,y?q="1"' in set(faces["url"])


def test_a_bad_line_costs_no_other(tmp_path):
    lines = good_lines(8)
    path = tmp_path / "fec.csv"
    bad = [
        b'"http://a.org/unbalanced.jpg,0.1,0.5',
        b'"http://a.org/caf\xe9.jpg",0.1,0.5,0.2,0.6',
        b"x" * 1_500_000,
        b"only,four,columns,here",
    ]
    data = b""
    for i, line in enumerate(lines):
        data += line.encode() + b"\n" + (bad[i] + b"\n" if i < len(bad) else b"")
    path.write_bytes(data)
    faces, refused = sample_faces(path, None, 0)
    assert len(faces) == 24
    assert list(refused["row"]) == [2, 4, 6, 8]
    assert set(refused["slot"]) == {0}
    assert refused["text"].str.len().max() <= 1000
    for word, reason in zip(
        ("comma", "UTF-8", "longer", "columns"), refused["reason"], strict=True
    ):
        assert word in reason


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"<html>\n<body>\n", b"pth,label\na.jpg,anger\n", b"\xff\xfea\x00b\x00\n"],
)
def test_what_is_no_fec_file_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"other\.csv: not an FEC file; (row 1|it is empty)"):
        sample_faces(path, None, 0)


def test_mostly_bad_is_no_fec_file(tmp_path):
    path = write(tmp_path / "fec.csv", *good_lines(2), *["a,b,c"] * 3)
    with pytest.raises(InputError, match="row 3: 3 columns"):
        sample_faces(path, None, 0)


def test_unreadable_file_is_said(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match=r"data\.fec_csv"):
            sample_faces(path, None, 0)


cells = st.one_of(
    st.text(max_size=12),
    st.floats().map(str),
    st.sampled_from(["http://a.org/1.jpg", "0.1", "0.9", "ONE_CLASS_TRIPLET", "nan", '"', ","]),
)
lines = st.one_of(
    st.binary(max_size=80),
    st.lists(cells, max_size=24).map(
        lambda row: (lambda out: (csv.writer(out).writerow(row), out.getvalue())[1])(
            io.StringIO()
        ).encode("utf-8", "surrogatepass")
    ),
    st.builds(
        lambda box, url: row((url, *box), face(1), face(2)).encode(),
        st.tuples(*[st.floats(-0.5, 1.5)] * 4),
        st.sampled_from([URL.format(5), "http://b.org/x.jpg", "ftp://c"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=12))
def test_every_face_of_every_line_is_read_or_refused(tmp_path_factory, data):
    content = b"".join(line.rstrip(b"\r\n") + b"\n" for line in data)
    path = tmp_path_factory.getbasetemp() / "property.csv"
    path.write_bytes(content)
    expected = {
        (number, slot)
        for number, line in enumerate(content.split(b"\n"), start=1)
        # The mark of UTF-8 may stand before the first line alone.
        if (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
        for slot in (1, 2, 3)
    }
    good = 0
    refused = set()
    for found in read_faces(path):
        if isinstance(found, Refused):
            refused |= {(found.row, s) for s in ([found.slot] if found.slot else (1, 2, 3))}
        else:
            assert isinstance(found, Face)
            good += 1
            assert (found.row, found.slot) in expected
            assert found.left < found.right
            assert found.top < found.bottom
    assert refused <= expected
    assert good == len(expected) - len(refused)


READ = """
import csv, json, re, sys, time
from pathlib import Path
from facesort.fetch.fec import sample_faces
began = time.process_time()
with open(sys.argv[1]) as file:
    for _ in csv.reader(file):
        pass
split = time.process_time() - began
began = time.process_time()
faces, refused = sample_faces(sys.argv[1], None, 0)
ratio = (time.process_time() - began) / split
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
told = {"ratio": ratio, "MB": int(peak[1]) // 1024}
print(json.dumps(told | {"faces": len(faces), "refused": len(refused)}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_a_file_of_the_real_size_is_read_quickly(tmp_path):
    """142 MB over 156,000 faces in 87,517 photos, as in the training file.

    Beside the time that Python's csv takes to split it: the machine's speed is no matter.
    """
    generator = random.Random(0)
    pool = [
        (
            f"http://farm{1 + i % 9}.staticflickr.com/{i % 7000}/{10**9 + i % 87_517}_"
            f"{generator.randrange(16**10):010x}_b.jpg",
            *(f"{generator.uniform(*ends):.9g}" for ends in ((0, 0.4), (0.5, 1)) * 2),
        )
        for i in range(156_000)
    ]
    with (tmp_path / "fec.csv").open("w") as file:
        for number in range(350_000):
            faces = (pool[number % 156_000], *generator.sample(pool, 2))
            file.write(row(*faces, annotators=generator.choice([6, 6, 6, 7, 8])) + "\n")
    told = subprocess.run(
        [sys.executable, "-c", READ, tmp_path / "fec.csv"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    size = (tmp_path / "fec.csv").stat().st_size
    print(f"\n{size:,} bytes: {told}")
    assert size > 142_000_000
    told = json.loads(told)
    assert (told["faces"], told["refused"]) == (156_000, 0)
    assert told["ratio"] < 12  # 6 in November 2026


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_is_read_is_what_was_written(tmp_path_factory, data, end, ended):
    """Good lines between any others, however these and the file end, keep all their faces."""
    good = good_lines(3)
    content = b""
    for number, line in enumerate(data):
        content += line.replace(b"\n", b"").replace(b"\r", b"") + end.encode()
        if number < 3:
            content += good[number].encode() + end.encode()
    path = tmp_path_factory.getbasetemp() / "mixed.csv"
    path.write_bytes(content if ended else content.removesuffix(end.encode()))
    found = [item for item in read_faces(path) if isinstance(item, Face)]
    wanted = {face(i) for i in range(3 * min(3, len(data)))}
    assert wanted <= {item[1:6] for item in found}


def mutated(data: bytes, generator: random.Random) -> bytes:
    """A file after what editors, disks, downloads and programs do to files."""
    found = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 5))):
        place = generator.randrange(len(found) + 1)
        end = min(len(found), place + generator.randrange(1, 200))
        match generator.randrange(10):
            case 0:
                found[place:end] = b""
            case 1:
                found[place:place] = found[end : end + generator.randrange(1, 200)]
            case 2:
                found[place : place + 1] = bytes([generator.randrange(256)])
            case 3:
                found[place:place] = generator.choice(
                    (
                        b'"',
                        b",",
                        b"\n",
                        b"\r",
                        b"\0",
                        b"\xef\xbb\xbf",
                        b"\xff",
                        b"\xe2\x80\xa8",
                        b";",
                    )
                )
            case 4:
                del found[place:]
            case 5:
                old, new = generator.choice(
                    ((b",", b";"), (b",", b"\t"), (b"\n", b"\r"), (b'"', b""), (b".", b","))
                )
                found = bytearray(found.replace(old, new, generator.choice((1, -1))))
            case 6:
                lines = found.split(b"\n")
                generator.shuffle(lines)
                found = bytearray(b"\n".join(lines))
            case 7:
                found = bytearray(found.decode("latin-1").encode(generator.choice(ENCODINGS)))
            case 8:
                word = generator.choice(
                    (b"nan", b"-1e999", b"1e400", b"0x1", b"1_0", b"", b"http://")
                )
                found = bytearray(found.replace(b"0.", word + b"0.", generator.randrange(1, 4)))
            case 9:
                found += found[:end]
    return bytes(found)


ENCODINGS = ("utf-8", "utf-16", "utf-32", "utf-8-sig")


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_whatever_becomes_of_a_file_counts_add_up(tmp_path, count):
    """Read whole or refused in one line; each of its faces read or refused, or a line of theirs."""
    generator = random.Random(0)
    path = tmp_path / "mutated.csv"
    used = refused_whole = 0
    for number in range(count):
        data = "\n".join(good_lines(generator.randrange(1, 8))).encode() + b"\n"
        path.write_bytes(data := mutated(data, generator))
        lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        found = list(read_faces(path))
        bad = [item for item in found if isinstance(item, Refused)]
        good = [item for item in found if isinstance(item, Face)]
        whole = sum(not item.slot for item in bad)
        assert len(good) + len(bad) - whole + 3 * whole == 3 * len(lines), (number, data)
        assert all(item.reason for item in bad)
        try:
            faces, refused = sample_faces(path, None, 0)
        except InputError as error:
            refused_whole += 1
            assert "not an FEC file" in str(error) and "\n" not in str(error), (number, data)
            assert len(bad) + 2 * whole >= len(good)
        else:
            used += 1
            assert set(faces["face_id"]) == {face.face_id for face in good}
            assert len(refused) == len(bad)
    assert min(used, refused_whole) > count / 10
