"""What others have in XMP stays the same; ours goes in, is read by all, and comes out again."""

import re
import subprocess
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from made_xmp import EXIFTOOL, READERS, exiftool, listed, needs_exiftool, packet
from small_run import ROOT

from facesort.archive.xmp import (
    KEYWORDS,
    NAMESPACES,
    XmpError,
    embedded,
    list_of,
    orientation,
    parse,
    regions,
    said,
    texts,
)
from facesort.sidecars.merging import EMPTY, Face, beginning, merged, taken_out

FORMATS = ROOT.parent / "shared" / "data" / "photos" / "formats"
FACES = [
    Face((0.1, 0.3, 0.2, 0.6), ["smiling", "looks happy"], {"smiling": 0.912, "happy": 0.8}),
    Face((-0.1, 0.2, 0.5, 1.1), ["smiling"], {"smiling": 0.7}),
    Face((0.5, 0.6, 0.5, 0.6), [], {"smiling": 0.2}),
]
TAGS = ["smiling", "looks happy"]


def canonical(data):
    return etree.tostring(parse(data), method="c14n")


def nothing():
    """What is inside a photo without XMP."""
    return None, []


def with_ours(base, faces=FACES, flat=True, inside=nothing):
    """XMP with ours in it, once it is sure that it comes out again."""
    data, wrote = merged(base, faces, flat, inside)
    left = taken_out(data, wrote)
    assert canonical(left) == canonical(base)
    assert taken_out(left, wrote) is left
    again, _ = merged(left, faces, flat, inside)
    assert canonical(again) == canonical(data)
    return data, wrote


def lists(data):
    return {name: texts(list_of(parse(data), name)) for name in KEYWORDS}


def test_a_new_sidecar_has_all_four_lists_and_the_faces():
    data, _ = with_ours(EMPTY)
    slash = ["facesort/smiling", "facesort/looks happy"]
    assert lists(data) == {
        "digiKam:TagsList": slash,
        "MicrosoftPhoto:LastKeywordXMP": slash,
        "lr:hierarchicalSubject": ["facesort|smiling", "facesort|looks happy"],
        "mediapro:CatalogSets": [],
        "dc:subject": TAGS,
    }
    assert b"rbX>0.100000<" in data and b"rbW>0.200000<" in data and b"rbH>0.400000<" in data
    # Cut at the photo's edges.
    assert b"rbX>0.000000<" in data and b"rbH>0.500000<" in data
    assert b"facesort:smiling>0.912<" in data and data.count(b"facesort-") == 3
    for never in (b"Name>", b"Rating", b"Label", b"pick", b"Pick", b"DigitalSourceType", b"AI"):
        assert never not in data
    assert regions(parse(data)) == said(parse(data)) == []
    assert lists(with_ours(EMPTY, flat=False)[0])["dc:subject"] == []
    untagged, _ = with_ours(packet(listed("dc:subject", "Rome")), FACES[2:])
    assert lists(untagged)["digiKam:TagsList"] == [] and b"facesort-0" in untagged


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        (listed("dc:subject", "Rome"), "Rome"),
        (listed("lr:hierarchicalSubject", "Places|Rome"), "Places/Rome"),
        (listed("mediapro:CatalogSets", "Places|Rome") + listed("dc:subject", "x"), "Places/Rome"),
        (listed("digiKam:TagsList", kind="Seq") + listed("dc:subject", "Rome"), "Rome"),
        (listed("digiKam:TagsList", "Places/Rome", kind="Seq"), "Places/Rome"),
        (listed("digiKam:TagsList", "A|B/Rome"), "A|B/Rome"),
        (listed("dc:subject", " "), None),
        ("", None),
    ],
)
@pytest.mark.parametrize("flat", [True, False])
def test_nobody_loses_a_keyword(theirs, expected, flat):
    """Each reader reads ours, and all of others that it had read before."""
    base = packet(theirs)
    data, _ = with_ours(base, flat=flat)
    lose_nothing(base, data)
    for name, reads in READERS.items():
        ours = any(each.endswith("smiling") for each in reads(data))
        assert ours == (name != "photoprism" or (flat and "dc:subject" not in theirs))
    if expected:
        assert expected in READERS["digikam"](data) & READERS["immich"](data)


def lose_nothing(base, data):
    """A keyword may have got levels above it; blank ones nobody needs."""
    for name, reads in READERS.items():
        # Where a level holds what parts levels elsewhere, the other sign stands for it there.
        before, after = ({word.replace("|", "/") for word in reads(each)} for each in (base, data))
        levels = {level for word in after for level in word.split("/")}
        assert {word for word in before - after if word.strip()} <= levels, name


def test_keywords_inside_the_photo_fill_empty_lists():
    own = parse(packet(listed("lr:hierarchicalSubject", "A/B|C", "Rome")))
    data, _ = with_ours(EMPTY, inside=lambda: (own, ["Frost", "C"]))
    assert lists(data)["digiKam:TagsList"][:3] == ["A|B/C", "Rome", "Frost"]
    assert lists(data)["lr:hierarchicalSubject"][:3] == ["A/B|C", "Rome", "Frost"]
    assert lists(data)["dc:subject"][:3] == ["C", "Rome", "Frost"]
    every = "".join(listed(name, "x") for name in KEYWORDS)
    merged(packet(every), FACES, True, lambda: pytest.fail("nothing is to be filled"))


def test_a_word_that_a_person_had_stays_theirs():
    base = packet(listed("dc:subject", "smiling") + listed("digiKam:TagsList", "facesort/smiling"))
    data, wrote = with_ours(base)
    assert lists(data)["dc:subject"].count("smiling") == 1
    assert lists(taken_out(data, wrote))["digiKam:TagsList"] == ["facesort/smiling"]


def test_what_others_change_later_stays_when_ours_goes():
    base = packet(listed("dc:subject", "Rome"))
    data, wrote = with_ours(base)
    tree = parse(data)
    for name in ("digiKam:TagsList", "dc:subject"):
        etree.SubElement(list_of(tree, name), f"{{{NAMESPACES['rdf']}}}li").text = "2019"
    left = lists(taken_out(etree.tostring(tree), wrote))
    assert left["digiKam:TagsList"] == ["Rome", "2019"] == left["dc:subject"]
    # As we left it: it goes as a whole, also if it is our tags alone that somebody took out.
    assert left["lr:hierarchicalSubject"] == []
    fewer = re.sub(rb"<rdf:li>facesort.smiling</rdf:li>", b"", data)
    assert canonical(taken_out(fewer, wrote)) == canonical(base)


def test_without_the_ledger_regions_and_keywords_below_our_root_go():
    data, _ = with_ours(packet(listed("lr:hierarchicalSubject", "Rome", "facesort|holiday")))
    left = taken_out(data, None)
    assert b"facesort-" not in left and b"facesort:tags" not in left
    assert lists(left)["lr:hierarchicalSubject"] == ["Rome", "facesort|holiday"]
    assert taken_out(packet(), None) == packet()


@pytest.mark.parametrize(
    ("base", "why"),
    [
        (packet("<dc:subject>Rome</dc:subject>"), "dc:subject is no list"),
        (packet("", 'dc:subject="Rome"'), "dc:subject is no list"),
        (packet(listed("dc:subject", "a") * 2), "dc:subject is there 2 times"),
        (packet("<Iptc4xmpExt:ImageRegion/>"), "ImageRegion is no list"),
        (packet().replace(b'xmlns:tiff="http', b'xmlns:r="relative" xmlns:tiff="http'), "canonic"),
        (b"<x/>", "no XMP"),
    ],
)
def test_what_cannot_be_merged_is_refused(base, why):
    with pytest.raises(XmpError, match=why):
        merged(base, FACES, True, nothing)


def test_a_new_sidecar_changes_no_orientation():
    for told in ('tiff:Orientation="1"', 'tiff:Orientation="6"'):
        for data in (packet("", told), packet(f"<{told[:16]}>{told[-2]}</{told[:16]}>")):
            assert orientation(parse(beginning(parse(data), 6))) in (None, 6)
            assert orientation(parse(beginning(parse(data), 1))) in (None, 1)
    note = 'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="AB"'
    assert b"HasExtended" not in beginning(parse(packet("", note)), 1)
    assert beginning(None, 1) is EMPTY


# Names of people, places and things, with what XML has to write otherwise.
WORDS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
    ),
    max_size=12,
)


@st.composite
def documents(draw):
    """XMP of any program: lists in any container and namespaces, attributes, regions, spaces."""
    rdf = draw(st.sampled_from(["rdf", "r", "a"]))
    gap = draw(st.sampled_from(["", " ", "\n  ", "<!-- by hand -->"]))
    escaped = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}

    def word():
        return "".join(escaped.get(char, char) for char in draw(WORDS))

    inside = ""
    for name in draw(st.lists(st.sampled_from([*KEYWORDS, *OTHERS]), unique=True)):
        kind = draw(st.sampled_from(["Bag", "Seq", "Alt"]))
        items = [f"{gap}<{rdf}:li>{word()}</{rdf}:li>" for _ in range(draw(st.integers(0, 4)))]
        inside += f"{gap}<{name}><{rdf}:{kind}>{''.join(items)}{gap}</{rdf}:{kind}></{name}>"
    for name in draw(st.lists(st.sampled_from(SIMPLE[:2]), unique=True)):
        inside += f"<{name}>{word()}</{name}>{gap}"
    attributes = "".join(
        f' {name}="{word()}"' for name in draw(st.lists(st.sampled_from(SIMPLE[2:]), unique=True))
    )
    rest = f'{gap}<{rdf}:Description {rdf}:about=""{attributes}/>' if draw(st.booleans()) else ""
    spaces = {name: uri for name, uri in NAMESPACES.items() if name not in ("rdf", "x")}
    declared = " ".join(f'xmlns:{name}="{uri}"' for name, uri in spaces.items())
    text = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" {declared}>{gap}<{rdf}:RDF xmlns:{rdf}='
        f'"{NAMESPACES["rdf"]}"><{rdf}:Description {rdf}:about="{word()}">{inside}'
        f"</{rdf}:Description>{rest}{gap}</{rdf}:RDF></x:xmpmeta>"
    )
    begin = draw(st.sampled_from(["", '<?xpacket begin="" id="W5M0"?>\n', '<?xml version="1.0"?>']))
    return (begin + text).encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))


OTHERS = ("dc:creator", "Iptc4xmpExt:PersonInImage", "Iptc4xmpExt:ImageRegion")
SIMPLE = ("dc:source", "dc:format", "tiff:Make", "tiff:Model", "dc:identifier")


def merge_and_undo(base, flat):
    lose_nothing(base, with_ours(base, flat=flat)[0])


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "database": None}


@settings(max_examples=30, **QUIET)
@given(documents(), st.booleans())
def test_random_xmp_is_merged_and_undone(base, flat):
    merge_and_undo(base, flat)


@pytest.mark.slow
@settings(max_examples=1000, **QUIET)
@given(documents(), st.booleans())
def test_a_thousand_random_files_are_merged_and_undone(base, flat):
    merge_and_undo(base, flat)


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs ../shared/data/photos")
def test_xmp_of_other_programs_is_merged_and_undone():
    count = 0
    for path in sorted(FORMATS.iterdir()):
        told, iptc = embedded(path)
        told = path.read_bytes() if path.suffix == ".xmp" else told
        if told:
            base = beginning(parse(told), 1)
            data, _ = with_ours(base, inside=lambda words=iptc: (None, words))
            assert regions(parse(data)) == regions(parse(base))
            count += 1
    assert count >= 5


@needs_exiftool
def test_exiftool_reads_the_same_and_what_it_writes_comes_out(tmp_path):
    path = tmp_path / "a.xmp"
    data, wrote = with_ours(packet(listed("dc:subject", "Rome"), 'tiff:Make="Canon"'))
    path.write_bytes(data)
    read = exiftool(path)
    assert read["XMP-dc:Subject"] == ["Rome", *TAGS]
    assert read["XMP-digiKam:TagsList"] == ["Rome", "facesort/smiling", "facesort/looks happy"]
    assert read["XMP-microsoft:LastKeywordXMP"] == read["XMP-digiKam:TagsList"]
    assert len(read["XMP-lr:HierarchicalSubject"]) == 3 and read["XMP-tiff:Make"] == "Canon"
    first = read["XMP-iptcExt:ImageRegion"][0]
    assert (first["RId"], first["RegionBoundary"]["RbH"]) == ("facesort-0", 0.4)
    assert first["XMP-facesort:Smiling"] == 0.912
    # It writes the whole file in its own way; ours is found in it all the same.
    change = ["-q", "-overwrite_original", "-TagsList+=2019", "-Rating=3"]
    subprocess.run([EXIFTOOL, *change, str(path)], check=True)
    path.write_bytes(taken_out(path.read_bytes(), wrote))
    left = exiftool(path)
    assert left["XMP-digiKam:TagsList"] == ["Rome", 2019] and left["XMP-xmp:Rating"] == 3
    assert left["XMP-dc:Subject"] == "Rome" or left["XMP-dc:Subject"] == ["Rome"]
    assert not any("facesort" in str(each) for each in (left.keys(), left.values()) if each)


def test_the_table_of_the_docs_is_what_programs_read():
    """docs/sidecars.md: what each program reads of a photo whose keyword is Places > Rome."""
    page = (ROOT / "docs/sidecars.md").read_text(encoding="utf-8")
    base = packet(listed("lr:hierarchicalSubject", "Places|Rome"))
    data, _ = with_ours(base, FACES[1:2])
    for name, reads in READERS.items():
        words = ", ".join(f"`{word}`" for word in sorted(reads(data)))
        assert f"| {words} |" in page, (name, words)


def test_many_namespaces_and_keywords_take_little_time():
    """A small file of a stranger's must not hold up a run."""
    spaces = " ".join(f'xmlns:n{n}="http://a.org/{n}/"' for n in range(3_000))
    base = packet("").replace(b"<rdf:RDF ", b"<rdf:RDF " + spaces.encode() + b" ")
    words = packet(listed("dc:subject", *(f"word {n}" for n in range(20_000))))
    began = time.process_time()
    for each in (base, words):
        data, wrote = merged(each, FACES, True, nothing)
        taken_out(data, wrote)
    assert time.process_time() - began < 20
