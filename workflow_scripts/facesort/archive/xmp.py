"""XMP, of a sidecar or inside a photo: parsed with care, and what it tells of the photo.

``photo.jpg.xmp`` is digiKam's and darktable's name of a sidecar, ``photo.xmp`` Lightroom's. The
first is taken where there are both. What cannot be parsed tells nothing. Properties are known by
their namespaces, whatever prefixes stand for them, and structures are read as attributes and as
elements: https://developer.adobe.com/xmp/docs/XMPSpecifications/
"""

import codecs
import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from lxml import etree
from PIL import Image, IptcImagePlugin

from facesort.archive.tables import TAGS
from facesort.fetch.imaging import Box, ImageError, read_file

ENDING: Final = ".xmp"
# A larger one is not read.
MOST_BYTES: Final = 10_000_000
NAMESPACES: Final = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "x": "adobe:ns:meta/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "mediapro": "http://ns.iview-multimedia.com/mediapro/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "facesort": "urn:facesort:1.0/",
}
# Where keywords stand, and what parts their levels; flat ones are the last level alone. Readers
# take the first of these lists that is not empty, or of some of them: this order is digiKam's.
KEYWORDS: Final = {
    "digiKam:TagsList": "/",
    "MicrosoftPhoto:LastKeywordXMP": "/",
    "lr:hierarchicalSubject": "|",
    "mediapro:CatalogSets": "|",
    "dc:subject": "",
}
# Those that we write; dc:subject beside them.
HIERARCHIES: Final = ("digiKam:TagsList", "MicrosoftPhoto:LastKeywordXMP", "lr:hierarchicalSubject")
# Our tags hang below it, so that everyone sees that a machine gave them; a region of ours is called
# by it and the face's number.
ROOT: Final = "facesort"
# What stands in our own regions, beside probabilities.
OUR_TAGS: Final = "facesort:tags"
PARSER: Final = {"resolve_entities": False, "load_dtd": False, "no_network": True}


class XmpError(Exception):
    """XMP that is left alone. The message says why."""


class Region(NamedTuple):
    """A face of a person with a name; the box in shares of the photo as it is stored."""

    name: str
    box: Box


def names(path: str) -> tuple[str, str]:
    """What a photo's sidecar may be called, the one that wins first."""
    return path + ENDING, str(PurePosixPath(path).with_suffix(ENDING))


def q(name: str) -> str:
    """A name with a prefix of ``NAMESPACES`` as lxml has it."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


CONTAINERS: Final = (q("rdf:Bag"), q("rdf:Seq"), q("rdf:Alt"))


def parse(data: bytes) -> etree._ElementTree:
    """XMP as a tree, whatever lies around its ``rdf:RDF``.

    Raises:
        XmpError: if it is too large, not well formed, has a document type (so that entities cannot
            do harm), or is no XMP.
    """
    if len(data) > MOST_BYTES:
        raise XmpError(f"more than {MOST_BYTES:,} bytes")
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.strip(b"\0 \r\n\t")
    try:
        tree = etree.fromstring(data, etree.XMLParser(**PARSER)).getroottree()
    except (etree.LxmlError, ValueError) as error:
        raise XmpError(f"not well-formed XML: {' '.join(str(error).split())}"[:200]) from None
    if tree.docinfo.doctype:
        raise XmpError("it has a document type, as no XMP does")
    if len([*tree.iter(q("rdf:RDF"))]) != 1:
        raise XmpError("no XMP: it holds no rdf:RDF, or several")
    return tree


def read(path: str) -> etree._ElementTree | None:
    """A sidecar; None if it cannot be read or parsed."""
    try:
        return parse(read_file(path, MOST_BYTES))
    except (ImageError, XmpError):
        return None


def embedded(file: str | Path | bytes) -> tuple[bytes, list[str]]:
    """The XMP packet inside a photo, and the keywords of its IPTC block (IIM); perhaps empty.

    Of a JPEG's packet that goes on in further segments, the first part; of raw files, that of those
    which are a TIFF.

    Raises:
        OSError: if the file cannot be read.
    """
    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
            packet = image.info.get("xmp") or b""
            if image.format == "PNG" and not packet:
                packet = _last_of_png(file if isinstance(file, bytes) else Path(file).read_bytes())
            told: Any = (IptcImagePlugin.getiptcinfo(image) or {}).get((2, 25), [])
    except Exception as error:  # Pillow raises many kinds, without a number if it knows no image
        if isinstance(error, OSError) and error.errno:
            raise
        return b"", []
    keywords = told if isinstance(told, list) else [told]
    packet = packet.encode() if isinstance(packet, str) else packet
    return packet, [_iptc_text(word) for word in keywords if word.strip()]


def _last_of_png(data: bytes) -> bytes:
    """The packet of a PNG that stands behind the pixels, where exiftool puts it."""
    at = data.find(b"iTXtXML:com.adobe.xmp\0\0\0")
    length = int.from_bytes(data[at - 4 : at])
    # Keyword, whether and how it is compressed, language, translated keyword, text.
    return data[at + 4 : at + 4 + length].split(b"\0", 5)[-1] if at > 0 else b""


def _iptc_text(word: bytes) -> str:
    try:
        text = word.decode()
    except UnicodeDecodeError:
        text = word.decode("latin-1")
    return "".join(char for char in text if char.isprintable())


def descriptions(tree: etree._ElementTree) -> list[etree._Element]:
    """The elements whose attributes and children are the photo's properties."""
    found: list[etree._Element] = next(tree.iter(q("rdf:RDF"))).findall(q("rdf:Description"))
    return found


def values(tree: etree._ElementTree, name: str) -> list[Any]:
    """All values of a property: text of an attribute, or an element."""
    found: list[Any] = []
    # Microsoft's namespace stands without its last slash where exiftool has written.
    for known in dict.fromkeys((q(name), q(name).replace("/}", "}"))):
        for description in descriptions(tree):
            found += [description.get(known)] if known in description.attrib else []
            found += description.findall(known)
    return found


def array(value: Any) -> etree._Element:
    """The container of a property that is a list.

    Raises:
        XmpError: if it is none.
    """
    inside = [] if isinstance(value, str) else [*value.iterchildren(*CONTAINERS)]
    if len(inside) != 1:
        what = "an attribute" if isinstance(value, str) else etree.QName(value).localname
        raise XmpError(f"{what} is where a list should be")
    return inside[0]


def list_of(tree: etree._ElementTree, name: str) -> etree._Element | None:
    """The container of a photo's list; None if there is none.

    Raises:
        XmpError: if the property is no list, or is there twice.
    """
    found = values(tree, name)
    if len(found) > 1:
        raise XmpError(f"{name} is there {len(found)} times")
    try:
        return array(found[0]) if found else None
    except XmpError:
        raise XmpError(f"{name} is no list") from None


def texts(container: etree._Element | None) -> list[str]:
    """The items of a list of texts."""
    return [] if container is None else [item.text or "" for item in container.findall(q("rdf:li"))]


def fields(value: Any) -> dict[str, Any]:
    """The fields of a structure, by name as lxml has it: text of an attribute, or an element.

    They may be attributes, elements, or either of an ``rdf:Description`` inside.
    """
    if value is None or isinstance(value, str):
        return {}
    inside = value.find(q("rdf:Description"))
    node = value if inside is None else inside
    return dict(node.attrib) | {each.tag: each for each in node.iterchildren(etree.Element)}


def text(value: Any) -> str:
    """A field's text; of alternatives or a list the first."""
    if value is None or isinstance(value, str):
        return (value or "").strip()
    inside = value.find(f"*/{q('rdf:li')}")
    return ((value if inside is None else inside).text or "").strip()


def orientation(tree: etree._ElementTree | None) -> int | None:
    """1 to 8, or None if it tells none."""
    told = values(tree, "tiff:Orientation") if tree is not None else []
    first = text(told[0]) if told else ""
    return int(first) if first in tuple("12345678") else None


def keyword(name: str, tag: str) -> str:
    """How a tag of ours stands in one of the lists: below our root, or flat."""
    between = KEYWORDS[name]
    return ROOT + between + tag if between else tag


def keywords(trees: list[etree._ElementTree], flat: list[str]) -> list[tuple[str, ...]]:
    """All keywords, each as its levels: those of lists with levels first, digiKam's above all.

    Flat ones, of ``dc:subject`` and others, only if they are no level of these.

    Raises:
        XmpError: if something else stands in the place of a list.
    """
    found: dict[tuple[str, ...], None] = {}
    for tree in trees:
        for name, between in KEYWORDS.items():
            words = texts(list_of(tree, name))
            if between:
                found |= {tuple(word.split(between)): None for word in words if word.strip()}
            else:
                flat = [*words, *flat]
    levels = {level for each in found for level in each}
    found |= {(word,): None for word in flat if word.strip() and word not in levels}
    return list(found)


def regions(tree: etree._ElementTree) -> list[Region]:
    """Faces with names: of mwg-rs, Microsoft's and IPTC's regions; of one name the first counts."""
    found: dict[str, Region] = {}
    for name, edges in (*_mwg(tree), *_microsoft(tree), *_iptc(tree)):
        if name and (box := _box(*edges)):
            found.setdefault(name, Region(name, box))
    return list(found.values())


def _structures(tree: etree._ElementTree, *path: str) -> Iterator[dict[str, Any]]:
    """The fields of each item of a list, which is a property, or a field of a structure."""
    for value in values(tree, path[0]):
        for name in path[1:]:
            value = fields(value).get(q(name), "")
        with suppress(XmpError):
            yield from map(fields, array(value).findall(q("rdf:li")))


def _mwg(tree: etree._ElementTree) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for face in _structures(tree, "mwg-rs:Regions", "mwg-rs:RegionList"):
        area = fields(face.get(q("mwg-rs:Area")))
        unit, kind = text(area.get(q("stArea:unit"))), text(face.get(q("mwg-rs:Type")))
        if unit in ("", "normalized") and kind in ("", "Face"):
            # Here x and y are the middle.
            edges = (text(area.get(q(f"stArea:{key}"))) for key in "xywh")
            yield text(face.get(q("mwg-rs:Name"))), (*edges, 0.5)


def _microsoft(tree: etree._ElementTree) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for face in _structures(tree, "MP:RegionInfo", "MPRI:Regions"):
        edges = text(face.get(q("MPReg:Rectangle"))).split(",")
        yield text(face.get(q("MPReg:PersonDisplayName"))), tuple(edges)


def _iptc(tree: etree._ElementTree) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for face in _structures(tree, "Iptc4xmpExt:ImageRegion"):
        person = text(face.get(q("Iptc4xmpExt:PersonInImage")))
        yield person or text(face.get(q("Iptc4xmpExt:Name"))), _rectangle(face)


def _rectangle(face: dict[str, Any]) -> tuple[Any, ...]:
    told = fields(face.get(q("Iptc4xmpExt:RegionBoundary")))
    of = {key: text(told.get(q(f"Iptc4xmpExt:rb{key}"))) for key in ("Shape", "Unit", *"XYWH")}
    fits = (of["Shape"], of["Unit"]) == ("rectangle", "relative")
    return tuple(of[key] for key in "XYWH") if fits else ()


def _box(*edges: Any) -> Box | None:
    """A box of texts: x, y, width, height, and perhaps by how much of these to move it back."""
    try:
        x, y, width, height, back = map(float, edges if len(edges) == 5 else (*edges, 0))
    except ValueError:
        return None
    left, top = x - back * width, y - back * height
    # NaN is in neither order.
    fits = width > 0 and height > 0 and max(abs(x), abs(y), width, height) < 2
    return (left, left + width, top, top + height) if fits else None


def is_ours(face: dict[str, Any]) -> bool:
    """Whether a region, by its fields, is one that we have written."""
    return text(face.get(q("Iptc4xmpExt:rId"))).startswith(ROOT)


def ours(tree: etree._ElementTree) -> list[tuple[Box | None, list[str]]]:
    """Our own regions: their boxes, and which tags we gave these faces."""
    return [
        (_box(*_rectangle(face)), text(face.get(q(OUR_TAGS))).split(";"))
        for face in _structures(tree, "Iptc4xmpExt:ImageRegion")
        if is_ours(face)
    ]


def said(tree: etree._ElementTree) -> list[tuple[Box, str, str]]:
    """What a person said of our tags by changing keywords: box of the face, tag, right or wrong.

    Only where our regions still stand; else a program has written the file anew. A tag that we gave
    and that has gone from one of the lists with levels is wrong, of all faces to which we gave it.
    A tag that is in one of them and that we did not give is right, if the photo has one face alone.
    """
    faces = ours(tree)
    given = {tag for _, tags in faces for tag in tags if tag}
    words = {name: set(texts(list_of(tree, name))) for name in HIERARCHIES}
    found = []
    for tag in TAGS:
        there = [keyword(name, tag) in words[name] for name in HIERARCHIES]
        if tag in given and not all(there):
            found += [(box, tag, "wrong") for box, tags in faces if box and tag in tags]
        elif tag not in given and any(there) and len(faces) == 1:
            found += [(box, tag, "right") for box, _ in faces if box]
    return found


def inside(data: bytes) -> tuple[etree._ElementTree | None, list[str]]:
    """The packet inside a photo, None if there is none that can be parsed; its IPTC keywords."""
    packet, iptc = embedded(data)
    with suppress(XmpError):
        return parse(packet) if packet else None, iptc
    return None, iptc


def told(
    sidecar: etree._ElementTree | None, packet: etree._ElementTree | None, iptc: list[str]
) -> dict[str, list[Any]]:
    """What others tell of a photo: of names and of keywords the sidecar, if it has any.

    Args:
        sidecar, packet: the sidecar, and the one inside the photo.
        iptc: as of ``embedded``.

    Returns:
        "names" and "said": a name, or a tag and a verdict, before the four shares of a box in the
        photo as it is stored. "keywords": levels joined by "/"; none of ours.
    """
    found: dict[str, list[Any]] = {"names": [], "keywords": [], "said": []}
    for tree, flat in ((sidecar, []), (packet, iptc)):
        trees = [] if tree is None else [tree]
        with suppress(XmpError):
            others = ["/".join(each) for each in keywords(trees, flat) if each[0] != ROOT]
            found["keywords"] = found["keywords"] or others
        for each in trees:
            found["names"] = found["names"] or [[name, *box] for name, box in regions(each)]
    if sidecar is not None:
        with suppress(XmpError):
            found["said"] = [[tag, verdict, *box] for box, tag, verdict in said(sidecar)]
    return found
