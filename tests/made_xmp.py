"""XMP to try sidecars with, and what photo managers would read of it, by their own rules.

The rules of darktable (``exif.cc``), Immich (``metadata.service.ts``) and PhotoPrism
(``xmp_document.go``) were read in their sources (2026); digiKam's and Lightroom's are as others
tell them. None of the programs was run.
"""

import json
import shutil
import subprocess

import pytest

from facesort.archive.xmp import NAMESPACES, XmpError, list_of, parse, texts

EXIFTOOL = shutil.which("exiftool")
needs_exiftool = pytest.mark.skipif(not EXIFTOOL, reason="needs libimage-exiftool-perl")


def packet(inside="", attributes="", **prefixes):
    """A sidecar: elements and attributes of one description; namespaces under any prefix."""
    known = {prefixes.get(name, name): uri for name, uri in NAMESPACES.items()}
    declared = " ".join(f'xmlns:{name}="{uri}"' for name, uri in known.items() if name != "x")
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">'
        f'<rdf:Description rdf:about="" {declared} {attributes}>{inside}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def listed(name, *words, kind="Bag"):
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return f"<{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>"


def person(name, box):
    """A region of mwg-rs; the box in shares of the photo as stored: left, right, top, bottom."""
    left, right, top, bottom = box
    area = {"x": (left + right) / 2, "y": (top + bottom) / 2, "w": right - left, "h": bottom - top}
    told = " ".join(f'stArea:{key}="{value}"' for key, value in area.items())
    return (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f'<rdf:li mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area {told}/></rdf:li>'
        "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def exiftool(path):
    """What exiftool reads of a file, by group and name."""
    command = [EXIFTOOL, "-j", "-G1", "-struct", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]


def _first(data, names):
    """The words of the first list of these that has any, and its name."""
    tree = parse(data)
    for name in names:
        try:
            words = texts(list_of(tree, name))
        except XmpError:
            continue
        if words:
            return name, words
    return "", []


def digikam(data):
    """Of these lists the first with any, with "/" between levels; flat ones else."""
    order = (
        *("digiKam:TagsList", "MicrosoftPhoto:LastKeywordXMP", "lr:hierarchicalSubject"),
        *("mediapro:CatalogSets", "dc:subject"),
    )
    name, words = _first(data, order)
    return {word.replace("|", "/") if name[0] in "lm" else word for word in words}


def lightroom(data):
    """Its own list, and flat keywords that this does not hold."""
    tree = parse(data)
    levels, flat = (texts(list_of(tree, name)) for name in ("lr:hierarchicalSubject", "dc:subject"))
    held = {level for word in levels for level in word.split("|")}
    return {word.replace("|", "/") for word in levels} | {word for word in flat if word not in held}


def darktable(data):
    """Lightroom's list, else flat keywords."""
    _, words = _first(data, ("lr:hierarchicalSubject", "dc:subject"))
    return {word.replace("|", "/") for word in words}


def immich(data, iptc=()):
    """digiKam's list, else Lightroom's, else the keywords of the photo's IPTC block."""
    name, words = _first(data, ("digiKam:TagsList", "lr:hierarchicalSubject"))
    if name.startswith("lr"):
        words = ["/".join(level.replace("/", "|") for level in word.split("|")) for word in words]
    return set(words or iptc)


def photoprism(data):
    """Flat keywords alone, and these in a Seq."""
    container = list_of(parse(data), "dc:subject")
    return set(texts(container)) if container is not None and "Seq" in container.tag else set()


READERS = {each.__name__: each for each in (digikam, lightroom, darktable, immich, photoprism)}
