"""Names as text, and templates of Markdown."""

import pytest
from jinja2 import UndefinedError
from markdown_it import MarkdownIt

from facesort.common.config import POOLS
from facesort.pages.cards import DEMO, SOURCES, fill, name_of_set, names_of_sets, plain

HOSTILE = 'a|b<img src=x onerror="x"> [x](javascript:y) ![y](z) `c` *d* _e_ #f ~g~ &amp; \\ $h$'


def test_a_name_is_shown_as_it_is_and_does_nothing():
    for html in (True, False):
        shown = MarkdownIt("commonmark", {"html": html}).enable("table")
        made = shown.render(f"| a |\n| - |\n| {plain(HOSTILE)} |\n\n- *{plain(HOSTILE)}*\n")
        for tag in ("<img", "<a ", "<code", "<h1"):
            assert tag not in made
        assert made.count("<em>") == 1 and made.count("<td") == 1
        (cell,) = (
            token.children for token in shown.parseInline(plain(HOSTILE)) if token.type == "inline"
        )
        assert "".join(token.content for token in cell) == HOSTILE
    assert "\n" not in plain("a\n---\nb") and plain("a\udcffb") == r"a\\xffb"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (None, DEMO),
        ("/home/someone/faces", "faces"),
        ("/home/someone/faces/", "faces"),
        ("/home/someone/faces/../other", "other"),
        ("faces.csv", "faces.csv"),
        ("/", "a whole disk"),
        ("/x/a\nb", r"a\nb"),
    ],
)
def test_of_a_path_the_last_part_alone_is_told(path, name):
    assert name_of_set(path) == name


def test_sets_are_called_by_what_the_config_names():
    assert set(SOURCES) == set(POOLS)
    data = {"fec_csv": None, "manifest": "/a/list.csv", "faces": None, "labelled": "/b/fer"}
    assert names_of_sets(data) == {"pool": "list.csv", "labelled": "fer"}
    assert set(names_of_sets(dict.fromkeys(data)).values()) == {DEMO}


def test_a_template_without_a_value_is_an_error(tmp_path):
    template = tmp_path / "a.md"
    template.write_text("{{ name|plain }}: {{ n|thousands }}, {{ share|percent }}%\n\n\n\nend\n")
    assert fill(template, name="*", n=1234, share=0.5) == "\\*: 1,234, 50.0%\n\nend\n"
    with pytest.raises(UndefinedError):
        fill(template, n=1, share=0.5)
