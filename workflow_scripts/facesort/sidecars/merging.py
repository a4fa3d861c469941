"""Our tags and regions put into XMP, and taken out again: nothing else of it changes.

Keywords go into all lists that programs read (``xmp.WRITTEN``). Readers take the first list that is
not empty, so one that is empty or absent is first filled with what they would have taken instead.
Faces go into IPTC's ``ImageRegion`` with probabilities as properties of our own namespace; never a
name, a rating, a label, or what IPTC tells of pictures made by AI. What is new stands in an
``rdf:Description`` of its own at the end.
"""

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from lxml import etree

from facesort.archive.xmp import (
    HIERARCHIES,
    KEYWORDS,
    NAMESPACES,
    OUR_TAGS,
    ROOT,
    XmpError,
    descriptions,
    fields,
    is_ours,
    keyword,
    keywords,
    list_of,
    orientation,
    ours,
    parse,
    q,
    texts,
)
from facesort.fetch.imaging import Box

FLAT: Final = "dc:subject"
# The standard has dc:subject as a Bag. PhotoPrism reads a Seq alone, and all others read either.
SEQUENCES: Final = ("digiKam:TagsList", FLAT)
REGIONS: Final = "Iptc4xmpExt:ImageRegion"
ABOUT: Final = q("rdf:about")
# On our own rdf:Description.
MARK: Final = "facesort:version"
EMPTY: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    f'<x:xmpmeta xmlns:x="{NAMESPACES["x"]}">\n  <rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">\n'
    '    </rdf:RDF>\n</x:xmpmeta><?xpacket end="w"?>'
).encode()
PARSED: Final = q("rdf:parseType")
# What our own elements are called by.
OWN: Final = {
    prefix: NAMESPACES[prefix]
    for prefix in ("digiKam", "MicrosoftPhoto", "lr", "dc", "Iptc4xmpExt", ROOT)
}
# Of the photo alone, and wrong beside it: that its packet goes on in a further segment of it.
GOES_ON: Final = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"


class Face(NamedTuple):
    """What is to be told of a face: its box as stored, tags, probabilities by column."""

    box: Box
    tags: list[str]
    probabilities: dict[str, float]


# The packet inside a photo, and its IPTC keywords.
Inside = tuple[etree._ElementTree | None, list[str]]
# What was written: by property, whether we made it, all its items if we filled it, and our own.
Wrote = dict[str, tuple[bool, list[str] | None, list[str]]]


def beginning(packet: etree._ElementTree | None, shown: int) -> bytes:
    """What a photo's new sidecar starts from: the packet inside it, since a sidecar hides that.

    Args:
        packet: is changed.
        shown: the photo's orientation; if the packet tells another, that goes, as sidecars' win.
    """
    if packet is None:
        return EMPTY
    _remove(packet, GOES_ON)
    if orientation(packet) != shown:
        _remove(packet, q("tiff:Orientation"))
    data: bytes = etree.tostring(packet, encoding="UTF-8")
    return data


def merged(
    base: bytes,
    faces: list[Face],
    flat: bool,
    inside: Callable[[], Inside],
) -> tuple[bytes, Wrote]:
    """XMP with what is to be told of faces.

    Args:
        base: XMP without anything of ours.
        flat: whether tags also go into dc:subject.
        inside: gives the packet and the IPTC keywords inside the photo, asked for if a list is
            filled: what we write would hide these keywords too.

    Raises:
        XmpError: if it cannot be parsed, has something else in the place of a list, or would not
            be the same as before, canonicalised, once ours is taken out.
    """
    tree = parse(base)
    before, wrote = canonical(tree), Wrote()

    @cache
    def known() -> list[tuple[str, ...]]:
        packet, iptc = inside()
        return keywords([parse(base), *([] if packet is None else [packet])], iptc)

    place = etree.SubElement(
        next(tree.iter(q("rdf:RDF"))), q("rdf:Description"), {q(MARK): "1"}, nsmap=OWN
    )
    place.set(ABOUT, descriptions(tree)[0].get(ABOUT, ""))
    tags = list(dict.fromkeys(tag for face in faces for tag in face.tags))
    for name in (*HIERARCHIES, *([FLAT] if flat else [])) if tags else ():
        wrote[name] = _fill(tree, place, name, known, [keyword(name, tag) for tag in tags])
    made, container = _container(tree, place, REGIONS)
    for number, face in enumerate(faces):
        _region(etree.SubElement(container, q("rdf:li"), {PARSED: "Resource"}), number, face)
    wrote[REGIONS] = (made, None, [])
    etree.indent(place, level=2)
    data: bytes = etree.tostring(tree, encoding="UTF-8")
    again = parse(data)
    _take_out(again, wrote)
    if canonical(again) != before:
        raise XmpError("removing our tags would not restore it")
    return data, wrote


def taken_out(data: bytes, wrote: Wrote | None) -> bytes:
    """XMP without what was written, whoever has changed the rest since; the same bytes if it holds
    nothing of ours.

    A list that we made goes as a whole if nobody has added to it, or taken any but our tags out;
    else our tags alone go.

    Args:
        wrote: None if that is not known: then our regions go, and keywords below our root that
            these name.

    Raises:
        XmpError: if it cannot be parsed, or has something else in the place of a list.
    """
    tree = parse(data)
    if wrote is None:
        tags = {tag for _, tags in ours(tree) for tag in tags}
        own = {name: [keyword(name, tag) for tag in tags] for name in HIERARCHIES}
        wrote = {name: (True, None, words) for name, words in (own | {REGIONS: []}).items()}
    if not _take_out(tree, wrote):
        return data
    left: bytes = etree.tostring(tree, encoding="UTF-8")
    return left


def _take_out(tree: etree._ElementTree, wrote: Wrote) -> bool:
    """Take out what was written; whether anything was."""
    gone = False
    for name, (made, every, own) in wrote.items():
        container = list_of(tree, name)
        if container is None:
            continue
        whole = every is not None and _others(texts(container), own) == _others(every, own)
        words = set(own)
        items = [
            item
            for item in container.findall(q("rdf:li"))
            if whole or item.text in words or (name == REGIONS and is_ours(fields(item)))
        ]
        for item in items:
            _drop(item)
        if made and (items or whole) and not len(container):
            _drop(container.getparent())
        gone |= bool(items or whole)
    for place in _remove(tree, q(MARK)):
        gone = True
        if not len(place) and {*place.attrib} <= {ABOUT}:
            _drop(place)
    return gone


def _others(words: list[str], own: list[str]) -> list[str]:
    ours = set(own)
    return [word for word in words if word not in ours]


def _fill(
    tree: etree._ElementTree,
    place: etree._Element,
    name: str,
    known: Callable[[], list[tuple[str, ...]]],
    own: list[str],
) -> tuple[bool, list[str] | None, list[str]]:
    """Put our keywords into a list, after those that readers would have taken if it has none."""
    made, container = _container(tree, place, name)
    there = texts(container)
    if any(word.strip() for word in there):
        items = own = _others(own, there)
    else:
        others = [_joined(levels, KEYWORDS[name]) for levels in known()]
        items = list(dict.fromkeys(word for word in (*others, *own) if word.strip()))
        own = own if made else items
    for word in items:
        etree.SubElement(container, q("rdf:li")).text = word
    return made, items if made else None, own


def _joined(levels: tuple[str, ...], between: str) -> str:
    """A keyword of its levels; where one holds what parts them, the other sign stands for it."""
    if not between:
        return levels[-1]
    return between.join(level.replace(between, {"/": "|", "|": "/"}[between]) for level in levels)


def _container(
    tree: etree._ElementTree, place: etree._Element, name: str
) -> tuple[bool, etree._Element]:
    """The container of a list, and whether it was made for it."""
    found = list_of(tree, name)
    if found is not None:
        return False, found
    kind = "rdf:Seq" if name in SEQUENCES else "rdf:Bag"
    return True, etree.SubElement(etree.SubElement(place, q(name)), q(kind))


def _region(item: etree._Element, number: int, face: Face) -> None:
    def add(name: str, value: str = "", inside: etree._Element = item) -> etree._Element:
        element = etree.SubElement(inside, q(name), nsmap=OWN)
        element.text = value or None
        return element

    boundary = add("Iptc4xmpExt:RegionBoundary")
    boundary.set(PARSED, "Resource")
    left, right, top, bottom = (min(max(edge, 0.0), 1.0) for edge in face.box)
    add("Iptc4xmpExt:rbShape", "rectangle", boundary)
    add("Iptc4xmpExt:rbUnit", "relative", boundary)
    for key, value in zip("XYWH", (left, top, right - left, bottom - top), strict=True):
        add(f"Iptc4xmpExt:rb{key}", f"{value:.6f}", boundary)
    add("Iptc4xmpExt:rId", f"{ROOT}-{number}")
    add(OUR_TAGS, ";".join(face.tags))
    for name, probability in face.probabilities.items():
        add(f"facesort:{name}", f"{probability:.3f}")


def _remove(tree: etree._ElementTree, name: str) -> list[etree._Element]:
    """Take a simple property away; returns the descriptions that had it."""
    had = []
    for each in descriptions(tree):
        elements = each.findall(name)
        if elements or each.attrib.pop(name, None) is not None:
            had.append(each)
        for element in elements:
            _drop(element)
    return had


def _drop(element: etree._Element) -> None:
    """Remove an element; what stands behind it stays, but for white space."""
    if (element.tail or "").strip():
        raise XmpError("there is text between elements")
    element.getparent().remove(element)


def canonical(tree: etree._ElementTree) -> bytes:
    """C14N: https://www.w3.org/TR/xml-c14n"""
    try:
        found: bytes = etree.tostring(tree, method="c14n", exclusive=True)
    except etree.LxmlError as error:  # of relative namespaces there is none
        raise XmpError(f"it cannot be canonicalised: {error}") from None
    return found
