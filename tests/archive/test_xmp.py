"""XMP of strangers: refused with a reason, or read alike however it is written."""

import os
import struct
import zlib

import pytest
from made_photos import encoded, photo
from made_xmp import listed, packet
from PIL import PngImagePlugin
from small_run import ROOT

from facesort.archive.xmp import (
    MOST_BYTES,
    XmpError,
    embedded,
    inside,
    keywords,
    names,
    orientation,
    parse,
    read,
    regions,
    said,
    told,
)

FORMATS = ROOT.parent / "shared" / "data" / "photos" / "formats"
needs_formats = pytest.mark.skipif(not FORMATS.is_dir(), reason="needs ../shared/data/photos")
# The parser stops before entities grow, or we do after it.
DECLARED = "document type|not well-formed"
LAUGHS = b"<!DOCTYPE x [<!ENTITY a 'ha'>%s]>" % b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(20)
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not well-formed"),
        (b"\0", "not well-formed"),
        (b"<x>", "not well-formed"),
        (packet() + packet(), "not well-formed"),
        (packet("<dc:source>x</dc:source>").replace(b">x<", b">\xff\xfe<"), "not well-formed"),
        (packet("<tiff:Make>&a;</tiff:Make>"), "not well-formed"),
        (LAUGHS + packet("<dc:source>&t;</dc:source>"), DECLARED),
        (LAUGHS + packet("", 'dc:source="&t;"'), DECLARED),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + packet(), "a document type"),
        (b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + packet("&a;"), "a document"),
        (b"<html/>", "no rdf:RDF"),
        (b"<?xml version='1.0' encoding='none'?>" + packet(), "not well-formed"),
        (packet(packet().decode()), "no rdf:RDF, or several"),
        (b"<a>" * 5000, "not well-formed"),
        (b" " * (MOST_BYTES + 1), "more than 10,000,000 bytes"),
    ],
)
def test_hostile_xmp_is_refused_with_a_reason(data, why):
    with pytest.raises(XmpError, match=why) as error:
        parse(data)
    assert "\n" not in str(error.value) and len(str(error.value)) <= 200


def test_what_cannot_be_read_tells_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe.xmp")
    with (tmp_path / "large.xmp").open("wb") as file:
        file.truncate(50_000_000)
    (tmp_path / "broken.xmp").write_text('<x tiff:Orientation="6"')
    for name in ("pipe.xmp", "large.xmp", "none.xmp", "broken.xmp"):
        assert read(tmp_path / name) is None
    assert orientation(None) is None
    assert told(None, None, ["a"]) == {"names": [], "keywords": ["a"], "said": []}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (packet("", 'tiff:Orientation="6"'), 6),
        (packet("<tiff:Orientation> 8 </tiff:Orientation>"), 8),
        (packet("", 't:Orientation="3"', tiff="t"), 3),
        (packet("", 'tiff:Orientation="9"'), None),
        (packet("", 'tiff:Orientation="66"'), None),
        (packet("<dc:source>tiff:Orientation=&quot;6&quot;</dc:source>"), None),
        (packet(), None),
    ],
)
def test_orientations(data, told):
    for text in (data, data.decode().encode("utf-16"), b"\n" + data + b"\0\0"):
        assert orientation(parse(text)) == told


def test_names_of_sidecars():
    assert names("A/b.JPG") == ("A/b.JPG.xmp", "A/b.xmp")
    assert names("none") == ("none.xmp", "none.xmp")


AREA = 'stArea:x="0.3" stArea:y="0.4" stArea:w="0.2" stArea:h="0.4" stArea:unit="normalized"'
ELEMENTS = "".join(
    f"<a:{key}>{value}</a:{key}>" for key, value in zip("xywh", (0.3, 0.4, 0.2, 0.4), strict=True)
)
EDGES = "".join(
    f"<i:rb{key}>{value}</i:rb{key}>"
    for key, value in zip("XYWH", (0.2, 0.2, 0.2, 0.4), strict=True)
)


def mwg(face):
    return (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f"{face}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def iptc(fields, boundary=EDGES, shape="rectangle"):
    return (
        '<i:ImageRegion><rdf:Bag><rdf:li rdf:parseType="Resource">'
        f'<i:RegionBoundary rdf:parseType="Resource"><i:rbShape>{shape}</i:rbShape>'
        f"<i:rbUnit>relative</i:rbUnit>{boundary}</i:RegionBoundary>{fields}"
        "</rdf:li></rdf:Bag></i:ImageRegion>"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'<rdf:li mwg-rs:Name="Ada" mwg-rs:Type="Face"><mwg-rs:Area {AREA}/></rdf:li>', 1),
        (
            '<rdf:li><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face">'
            f"<mwg-rs:Area {AREA}/></rdf:Description></rdf:li>",
            1,
        ),
        (
            '<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Ada</mwg-rs:Name>'
            f'<mwg-rs:Area rdf:parseType="Resource">{ELEMENTS}</mwg-rs:Area></rdf:li>',
            1,
        ),
        (f'<rdf:li mwg-rs:Name="" mwg-rs:Type="Face"><mwg-rs:Area {AREA}/></rdf:li>', 0),
        (f'<rdf:li mwg-rs:Name="Rex" mwg-rs:Type="Pet"><mwg-rs:Area {AREA}/></rdf:li>', 0),
        (f'<rdf:li mwg-rs:Name="A"><mwg-rs:Area {AREA.replace("0.3", "nan")}/></rdf:li>', 0),
        (f'<rdf:li mwg-rs:Name="A"><mwg-rs:Area {AREA.replace("0.2", "-1")}/></rdf:li>', 0),
        ('<rdf:li mwg-rs:Name="Ada"/>', 0),
    ],
)
def test_regions_of_mwg(text, found):
    """x and y are the middle; attributes, elements and descriptions inside are the same."""
    people = regions(parse(packet(mwg(text), stArea="a" if "<a:" in text else "stArea")))
    assert len(people) == found
    for person in people:
        assert person.name == "Ada" and person.box == pytest.approx((0.2, 0.4, 0.2, 0.6))


def test_regions_of_microsoft_and_iptc():
    """Left and top here."""
    box = pytest.approx((0.2, 0.4, 0.2, 0.6))
    face = '<rdf:li MPReg:PersonDisplayName="Ada" MPReg:Rectangle="{}"/>'
    microsoft = (
        "<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>"
        f"{face.format('0.2, 0.2, 0.2, 0.4')}{face.format('0.2, 0.2')}"
        "</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>"
    )
    assert regions(parse(packet(microsoft))) == [("Ada", box)]
    person = listed("i:PersonInImage", "Ada")
    alternatives = '<i:Name><rdf:Alt><rdf:li xml:lang="x-default">Ada</rdf:li></rdf:Alt></i:Name>'
    for name in (person, alternatives):
        assert regions(parse(packet(iptc(name), Iptc4xmpExt="i"))) == [("Ada", box)]
        assert not regions(parse(packet(iptc(name, shape="circle"), Iptc4xmpExt="i")))
    both = packet(microsoft + iptc(person), Iptc4xmpExt="i")
    assert len(regions(parse(both))) == 1
    assert told(None, parse(both), [])["names"] == [["Ada", *regions(parse(both))[0].box]]


def test_keywords_are_those_of_all_lists():
    """Flat ones only if they are no level of others."""
    flat = listed("dc:subject", "Rome", "Places", "2019")
    levels = listed("lr:hierarchicalSubject", "Places|Rome", "facesort|smiling")
    first = listed("digiKam:TagsList", "A/B", kind="Seq")
    found = [("A", "B"), ("Places", "Rome"), ("facesort", "smiling"), ("2019",), ("x",)]
    assert keywords([parse(packet(flat + levels + first))], ["x", "A", " "]) == found
    assert keywords([parse(packet(first)), parse(packet(levels))], []) == found[:3]
    tree = parse(packet(flat + levels))
    assert told(tree, tree, ["x"])["keywords"] == ["Places/Rome", "2019"]
    # exiftool writes Microsoft's namespace without its last slash.
    other = packet(listed("m:LastKeywordXMP", "A/B"), MicrosoftPhoto="m")
    assert keywords([parse(other.replace(b"photo/1.0/", b"photo/1.0"))], []) == [("A", "B")]
    for wrong in (flat + flat, "<dc:subject>Rome</dc:subject>"):
        with pytest.raises(XmpError, match="dc:subject is"):
            keywords([parse(packet(wrong))], [])
        assert told(parse(packet(wrong)), None, [])["keywords"] == []


def ours(*tags, lists=3, words=None):
    """A sidecar with a region of ours for each face, and so many lists with levels."""
    words = {word for each in tags for word in each.split(";")} if words is None else words
    slash, bar = ([f"facesort{sign}{word}" for word in sorted(words)] for sign in "/|")
    every = (
        listed("digiKam:TagsList", *slash, kind="Seq"),
        listed("MicrosoftPhoto:LastKeywordXMP", *slash),
        listed("lr:hierarchicalSubject", *bar),
    )
    faces = "".join(
        f'<rdf:li rdf:parseType="Resource"><Iptc4xmpExt:rId>facesort-{n}</Iptc4xmpExt:rId>'
        f"<facesort:tags>{each}</facesort:tags>"
        '<Iptc4xmpExt:RegionBoundary rdf:parseType="Resource">'
        "<Iptc4xmpExt:rbShape>rectangle</Iptc4xmpExt:rbShape>"
        f"<Iptc4xmpExt:rbUnit>relative</Iptc4xmpExt:rbUnit>{EDGES}"
        "</Iptc4xmpExt:RegionBoundary></rdf:li>"
        for n, each in enumerate(tags)
    )
    faces = faces.replace("i:rb", "Iptc4xmpExt:rb")
    region = f"<Iptc4xmpExt:ImageRegion><rdf:Bag>{faces}</rdf:Bag></Iptc4xmpExt:ImageRegion>"
    return parse(packet("".join(every[:lists]) + (region if tags else "")))


@pytest.mark.parametrize(
    ("tree", "verdicts"),
    [
        (ours("smiling;looks happy"), []),
        (ours("smiling;looks happy", words={"smiling"}), [("looks happy", "wrong")]),
        (ours("smiling", words=set()), [("smiling", "wrong")]),
        # Gone from Lightroom's list alone.
        (ours("smiling", lists=2), [("smiling", "wrong")]),
        (ours("smiling", "smiling", "", words=set()), [("smiling", "wrong")] * 2),
        (ours("", words={"looks sad"}), [("looks sad", "right")]),
        (ours("", words={"holiday", "2019"}), []),
        # Which of two faces it is nobody says.
        (ours("", "", words={"looks sad"}), []),
        # A program has written the file anew, without our regions.
        (ours(words={"smiling"}), []),
        (parse(packet()), []),
    ],
)
def test_a_keyword_that_a_person_changes_is_an_answer(tree, verdicts):
    assert [(tag, verdict) for _, tag, verdict in said(tree)] == verdicts
    assert all(box == pytest.approx((0.2, 0.4, 0.2, 0.6)) for box, *_ in said(tree))


def test_a_flat_word_of_a_person_is_no_answer():
    tree = ours("", words=set())
    list_ = tree.find(".//{*}TagsList/*")
    list_.append(parse(packet(listed("dc:subject", "smiling"))).find(".//{*}li"))
    assert said(tree) == []


ROME = packet(listed("dc:subject", "Rome"))
PNG_TEXT = PngImagePlugin.PngInfo()
PNG_TEXT.add_itxt("XML:com.adobe.xmp", ROME.decode())
SAVED = {"PNG": {"pnginfo": PNG_TEXT}, "TIFF": {"tiffinfo": {700: ROME}}}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_packets_inside_photos_are_found(kind):
    data = encoded(photo([]), kind, **SAVED.get(kind, {"xmp": ROME}))
    tree, iptc = inside(data)
    assert keywords([tree], []) == [("Rome",)] and iptc == []
    assert inside(encoded(photo([]), kind)) == (None, [])
    assert inside(data[:100])[1] == [] and embedded(b"") == (b"", [])


def test_a_packet_behind_the_pixels_of_a_png_is_found():
    data = encoded(photo([]), "PNG")
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + ROME
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    tree, _ = inside(data[:-12] + chunk + data[-12:])
    assert keywords([tree], []) == [("Rome",)]


@needs_formats
def test_xmp_of_other_programs_is_read():
    people = {"Marie Curie", "Pierre Curie"}
    for name in ("regions_of_names.jpg", "regions_of_names_orientation6.jpg"):
        tree, iptc = inside((FORMATS / name).read_bytes())
        assert {region.name for region in regions(tree)} == people == set(iptc)
        assert keywords([tree], iptc) == [("People", person) for person in sorted(people)]
    assert inside((FORMATS / "tags_of_picasa.jpg").read_bytes())[1] == ["Frost", "Yard"]
    assert orientation(read(FORMATS / "sidecar_odd_value.xmp")) == 1
    assert read(FORMATS / "sidecar_of_another_program.xmp") is not None  # UTF-16
