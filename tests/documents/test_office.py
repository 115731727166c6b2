"""Office texts and presentations: what their readers must find in small real files, and what not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

from chatbot.documents.formats import load_document
from chatbot.documents.reader import DocumentReader
from chatbot.types import ParsedDocument
from tests.documents.old_office_files import (
    DELETED,
    ENDS_ROW,
    HEADING_1,
    HIDDEN,
    IN_TABLE,
    LISTED,
    Stored,
    make_doc,
    make_ppt,
)
from tests.documents.opendocument_files import make_opendocument
from tests.documents.test_formats import check_offsets, describe

RTF = r"""{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial Cyr;}}
{\stylesheet{\ql Normal;}{\s1\outlinelevel0 heading 1;}{\s2 heading 2;}{\*\cs10 never;}}
{\info{\title Caf\'e9 Policy}{\author never}{\creatim\yr2020\mo1\dy1}{\revtim\yr2024\mo7\dy3}}
{\header never}{\pict\bin5 }{}}x}
\pard\s1 Travel\par
\pard\plain Caf\'e9, \f1\'cf\'f0\'e8\'e2\'e5\'f2\f0 , \u8364?5 and \u-10179?\u-8704?.
{\v never}{\deleted never}{\footnote A note below.}\par
\pard\s2 Limits\par
{\listtext\bullet\tab}\pard\ls1\ilvl0 Trains first\par
{\listtext 2.\tab}\pard\ls1\ilvl1 Night trains too\par
\trowd\trhdr\cellx1\cellx2\pard\intbl City\cell Limit\cell\row
\trowd\cellx1\cellx2\pard\intbl Oslo\par or Bergen\cell 180 euros\cell\row
\pard Ask {\field{\*\fldinst HYPERLINK "http://never.example"}{\fldrslt your manager}}.
{\shp{\*\shpinst{\sp{\sn never}{\sv never}}{\shptxt\pard In a box\par}}{\shprslt never}}\par
}never"""


def read_everywhere(path: Path) -> ParsedDocument:
    """The document, read in this process and in the child alike."""
    document = load_document(path)
    check_offsets(document)
    with DocumentReader() as reader:
        assert reader.read(path) == document
    return document


def test_rtf_keeps_its_order(tmp_path: Path):
    """Styles, letters of several encodings, lists, tables, notes and boxes of Rich Text Format are read."""
    path = tmp_path / "travel.rtf"
    path.write_bytes(RTF.replace("\n", "\r\n").encode("ascii"))

    document = read_everywhere(path)

    assert describe(document) == (
        "heading 1 Travel\nparagraph 0 Café, Привет, €5 and 😀.\nparagraph 0 A note below.\n"
        "heading 2 Limits\nlist_item 1 Trains first\nlist_item 2 2. Night trains too\n"
        "table_header 0 City | Limit\ntable_row 0 Oslo or Bergen | 180 euros\n"
        "paragraph 0 Ask your manager.\nparagraph 0 In a box\n"
    )
    assert (document.title, document.date) == ("Café Policy", "2024-07-03")


def test_old_word_document_keeps_its_order(tmp_path: Path):
    """Headings, lists and tables of Word 97 are read; hidden and deleted words and field codes are not."""
    path = tmp_path / "travel.doc"
    path.write_bytes(
        make_doc(
            [
                Stored([("Travel", b"")], style=HEADING_1),
                Stored(
                    [
                        ("Book ", b""),
                        ("never ", HIDDEN),
                        ("never ", DELETED),
                        ("early: \x13 HYPERLINK never \x14here\x15 – “now”.", b""),
                    ]
                ),
                Stored([("Trains first", b"")], properties=LISTED),
                Stored([("City", b"")], "\x07", properties=IN_TABLE),
                Stored([("Limit", b"")], "\x07", properties=IN_TABLE),
                Stored([], "\x07", properties=ENDS_ROW),
                Stored([("Oslo", b"")], properties=IN_TABLE),
                Stored([("or Bergen", b"")], "\x07", properties=IN_TABLE),
                Stored([("180 euros", b"")], "\x07", properties=IN_TABLE),
                Stored([], "\x07", properties=ENDS_ROW),
                Stored([("Ask your manager.", b"")]),
            ]
        )
    )

    document = read_everywhere(path)

    assert describe(document) == (
        "heading 1 Travel\nparagraph 0 Book early: here – “now”.\nlist_item 2 Trains first\n"
        "table_header 0 City | Limit\ntable_row 0 Oslo or Bergen | 180 euros\nparagraph 0 Ask your manager.\n"
    )
    assert document.title == "Travel"


def test_opendocument_text_keeps_its_order(tmp_path: Path):
    """Headings, lists, tables, footnotes and boxes are read; comments and deleted words are not."""
    body = """<text:tracked-changes><text:p>never</text:p></text:tracked-changes>
    <text:p text:style-name="P1">Travel Policy</text:p>
    <text:h text:outline-level="2">Limits</text:h>
    <text:p>Book<text:s/><text:span>early</text:span>.
    <office:annotation><text:p>never</text:p></office:annotation><text:note>
    <text:note-citation>1</text:note-citation><text:note-body><text:p>A note below.</text:p>
    </text:note-body></text:note>
    <draw:frame><draw:text-box><text:p>In a box</text:p></draw:text-box></draw:frame></text:p>
    <text:list><text:list-item><text:p>Trains first</text:p><text:list><text:list-item><text:p>Night trains
    </text:p></text:list-item></text:list></text:list-item></text:list>
    <table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>City</text:p>
    </table:table-cell><table:table-cell><text:p>2025</text:p></table:table-cell></table:table-row>
    </table:table-header-rows><table:table-row><table:table-cell table:number-columns-repeated="2">
    <text:p>Oslo</text:p><text:p>or Bergen</text:p></table:table-cell></table:table-row></table:table>
    <text:section><text:p>Ask your manager.</text:p></text:section>"""
    path = make_opendocument(
        tmp_path / "travel.odt",
        "text",
        body,
        styles='<style:style style:name="P1" style:parent-style-name="Title" style:family="paragraph"/>',
        meta="<dc:date>2025-06-12T10:00:00</dc:date>",
    )

    document = read_everywhere(path)

    assert describe(document) == (
        "heading 1 Travel Policy\nheading 2 Limits\nparagraph 0 Book early.\nparagraph 0 A note below.\n"
        "paragraph 0 In a box\nlist_item 1 Trains first\nlist_item 2 Night trains\n"
        "table_header 0 City | 2025\ntable_row 0 Oslo or Bergen | Oslo or Bergen\n"
        "paragraph 0 Ask your manager.\n"
    )
    assert (document.title, document.date) == ("Travel Policy", "2025-06-12")


SLIDES = (
    "heading 1 Trains first\nparagraph 0 Above all, trains.\nlist_item 1 Cheap\nlist_item 2 And quiet\n"
    "table_header 0 City | Limit\ntable_row 0 Oslo | 180\nparagraph 0 Smile here.\n"
    "heading 1 Costs by year\ntable_header 0 | Costs\ntable_row 0 2024 | 12\ntable_row 0 2025 | 13.5\n"
)


@pytest.fixture
def slides_pptx(tmp_path: Path) -> Path:
    """A presentation of three slides, the second of which is hidden."""
    presentation = Presentation()
    presentation.core_properties.modified = datetime(2025, 6, 12)
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Trains first"
    slide.placeholders[1].text = "Cheap"
    paragraph = slide.placeholders[1].text_frame.add_paragraph()
    paragraph.text, paragraph.level = "And quiet", 1
    table = slide.shapes.add_table(2, 2, Cm(2), Cm(15), Cm(10), Cm(2)).table
    for number, words in enumerate("City|Limit|Oslo|180".split("|")):
        table.cell(*divmod(number, 2)).text = words
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(1)).text_frame.text = "Above all, trains."
    slide.notes_slide.notes_text_frame.text = "Smile here."
    hidden = presentation.slides.add_slide(presentation.slide_layouts[5])
    hidden.shapes.title.text = "never"
    hidden._element.set("show", "0")
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    slide.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(1)).text_frame.text = "Costs by year"
    chart = CategoryChartData()
    chart.categories = ["2024", "2025"]
    chart.add_series("Costs", (12.0, 13.5))
    slide.shapes.add_chart(XL_CHART_TYPE.PIE, Cm(1), Cm(5), Cm(5), Cm(5), chart).chart.has_title = False
    path = tmp_path / "trains.pptx"
    presentation.save(str(path))
    return path


def test_presentation_reads_slide_by_slide(slides_pptx: Path):
    """Titles are headings, shapes go from top to bottom, notes follow, and hidden slides only count."""
    document = read_everywhere(slides_pptx)

    assert describe(document) == SLIDES
    assert (document.title, document.date) == ("Trains first", "2025-06-12")
    last = document.text.index("Costs by year")
    assert document.page_starts == (0, last, last)


def test_opendocument_presentation_reads_slide_by_slide(tmp_path: Path):
    """Titles are headings, shapes go from top to bottom, notes follow, and hidden slides only count."""

    def frame(words: str, top: int, kind: str = "") -> str:
        box = f"<draw:text-box>{words}</draw:text-box>"
        return f'<draw:frame presentation:class="{kind}" svg:x="1cm" svg:y="{top}cm">{box}</draw:frame>'

    def row(*cells: str) -> str:
        inner = (f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row>{''.join(inner)}</table:table-row>"

    rows = row("City", "Limit") + row("Oslo", "180")
    inner_list = "<text:list><text:list-item><text:p>And quiet</text:p></text:list-item></text:list>"
    items = f"<text:list><text:list-item><text:p>Cheap</text:p>{inner_list}</text:list-item></text:list>"
    first = (
        f'<draw:frame svg:y="12cm"><table:table>{rows}</table:table></draw:frame>{frame(items, 8)}'
        f"<draw:g>{frame('<text:p>Above all, trains.</text:p>', 2)}</draw:g>"
        f"{frame('<text:p>Trains first</text:p>', 5, 'title')}{frame('<text:p>never</text:p>', 1, 'footer')}"
        f"<presentation:notes>{frame('<text:p>Smile here.</text:p>', 1, 'notes')}</presentation:notes>"
    )
    path = make_opendocument(
        tmp_path / "trains.odp",
        "presentation",
        f"<draw:page>{first}</draw:page>"
        f'<draw:page draw:style-name="away">{frame("<text:p>never</text:p>", 1)}</draw:page>'
        f"<draw:page>{frame('<text:p>This is the end.</text:p>', 1)}</draw:page>",
        styles='<style:style style:name="away">'
        '<style:drawing-page-properties presentation:visibility="hidden"/></style:style>',
    )

    document = read_everywhere(path)

    shown = SLIDES[: SLIDES.index("heading 1 Costs")]
    assert describe(document) == f"{shown}heading 1 Slide 3\nparagraph 0 This is the end.\n"
    last = document.text.index("Slide 3")
    assert document.page_starts == (0, last, last)


def test_old_presentation_reads_slide_by_slide(tmp_path: Path):
    """Slides of PowerPoint 97 have their titles, what stands on them from top to bottom, and their notes."""
    path = tmp_path / "trains.ppt"
    path.write_bytes(
        make_ppt(
            [("Trains first", ["Below.\rAnd on.", "Above all, trains."], "Smile here."), ("End", [], "")]
        )
    )

    document = read_everywhere(path)

    assert describe(document) == (
        "heading 1 Trains first\nparagraph 0 Above all, trains.\nparagraph 0 Below.\nparagraph 0 And on.\n"
        "paragraph 0 Smile here.\nheading 1 End\n"
    )
    assert document.page_starts == (0, document.text.index("End"))
