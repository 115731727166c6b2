"""PowerPoint presentations (.pptx): slides with their titles, shapes from top to bottom, tables and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.documents.archives import DAMAGE, accepts_archive, check_archive, damaged, parse_xml
from chatbot.documents.metadata import finish_document
from chatbot.documents.number_formats import show_number
from chatbot.documents.properties import read_archive_properties
from chatbot.documents.slides import MAX_TITLE_CHARACTERS, Piece, Slide, add_slides, sort_by_place
from chatbot.documents.text import TextBuilder
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from pptx.presentation import Presentation

NAME = "PowerPoint"
SUFFIXES = (".pptx",)

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_BULLETS = (f"{_A}buChar", f"{_A}buAutoNum", f"{_A}buBlip")

accepts = accepts_archive


def load(path: Path) -> ParsedDocument:
    """Read a PowerPoint presentation. Raises DocumentError."""
    check_archive(path, NAME, "ppt/", old_kind="PowerPoint presentation (.ppt)")
    builder = TextBuilder()
    try:
        add_slides(builder, _read_slides(_open_presentation(path)))
    except DAMAGE as error:
        raise damaged(path, NAME) from error
    properties = read_archive_properties(path)
    return finish_document(
        builder, path, titles=[properties.title], dates=[properties.date], authors=[properties.author]
    )


def _open_presentation(path: Path) -> Presentation:
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    try:
        return Presentation(str(path))
    except (PythonPptxError, *DAMAGE) as error:
        raise damaged(path, NAME) from error


def _read_slides(presentation: Presentation) -> Iterator[Slide]:
    height = presentation.slide_height or 1
    for slide in presentation.slides:
        yield Slide() if slide._element.get("show") == "0" else _read_slide(slide, height)


def _read_slide(slide: Any, height: int) -> Slide:  # noqa: ANN401 - python-pptx has no types
    title = slide.shapes.title
    words = title.text_frame.text if title is not None else ""
    if len(words) > MAX_TITLE_CHARACTERS:  # a layout made for a title may be filled with more
        title, words = None, ""
    places = [
        (shape.top or 0, shape.left or 0, shape)
        for shape in slide.shapes
        if not _is_furniture(shape) and (title is None or shape.shape_id != title.shape_id)
    ]
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    return Slide(
        title=words,
        pieces=tuple(_read_shapes(sort_by_place(places, height))),
        notes=tuple(paragraph.text for paragraph in notes.paragraphs) if notes is not None else (),
    )


def _is_furniture(shape: Any) -> bool:  # noqa: ANN401 - a shape of python-pptx
    """Whether a shape only repeats a date, a footer or the slide's number."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    furniture = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
    return shape.is_placeholder and shape.placeholder_format.type in furniture


def _read_shapes(shapes: Iterable[Any]) -> Iterator[Piece]:
    """Yield what shapes say, those in groups too."""
    from pptx.shapes.group import GroupShape

    for shape in shapes:
        if isinstance(shape, GroupShape):
            yield from _read_shapes(shape.shapes)
        elif shape.has_text_frame:
            yield from _read_paragraphs(shape)
        elif getattr(shape, "has_table", False):
            rows = tuple([cell.text for cell in row.cells] for row in shape.table.rows)
            yield Piece(rows=rows)
        elif getattr(shape, "has_chart", False):
            yield from _read_chart(shape.chart)
        else:
            yield from _read_diagram(shape)


def _read_paragraphs(shape: Any) -> Iterator[Piece]:  # noqa: ANN401 - a shape of python-pptx
    paragraphs = [paragraph for paragraph in shape.text_frame.paragraphs if paragraph.text.strip()]
    is_list = _holds_list(shape) and len(paragraphs) > 1
    for paragraph in paragraphs:
        properties = paragraph._p.pPr
        marks = {} if properties is None else {child.tag for child in properties}
        is_item = (is_list and f"{_A}buNone" not in marks) or any(bullet in marks for bullet in _BULLETS)
        yield Piece(paragraph.text, paragraph.level + 1 if is_item else 0)


def _holds_list(shape: Any) -> bool:  # noqa: ANN401 - a shape of python-pptx
    """Whether a shape is the body of a slide; its paragraphs have bullets unless they say otherwise."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    bodies = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY)
    return shape.is_placeholder and shape.placeholder_format.type in bodies


def _read_chart(chart: Any) -> Iterator[Piece]:  # noqa: ANN401 - a chart of python-pptx
    """Yield a chart's title, and its numbers as a table with a row for each category."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield Piece(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        series = list(plot.series)
        values = [[*one.values] for one in series]
        rows = [
            [str(category), *(_show_value(numbers, place) for numbers in values)]
            for place, category in enumerate(plot.categories)
        ]
        yield Piece(rows=(["", *(one.name for one in series)], *rows), header_rows=1)


def _show_value(numbers: list[float | None], place: int) -> str:
    number = numbers[place] if place < len(numbers) else None
    return "" if number is None else show_number(number)


def _read_diagram(shape: Any) -> Iterator[Piece]:  # noqa: ANN401 - a shape of python-pptx
    """Yield the words of a diagram (SmartArt), which lie in a part of their own."""
    for relations in shape._element.iter(f"{_DIAGRAM}relIds"):
        data = parse_xml(shape.part.related_part(relations.get(f"{_RELATION}dm")).blob)
        for paragraph in data.iter(f"{_A}p"):
            yield Piece("".join(text.text or "" for text in paragraph.iter(f"{_A}t")), 1)
