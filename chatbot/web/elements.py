"""The small things that all parts of the page are made of: line drawings, buttons, counts."""

from __future__ import annotations

from html import escape

_PATHS = {
    "plus": "M12 5v14M5 12h14",
    "chat": "M4 5h16v11H9l-5 4z",
    "documents": "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
    "rename": "M4 20l1-4L16 5l3 3L8 19z",
    "delete": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "retry": "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
    "up": "M7 11l4-8c2 0 3 1 3 3v3h5c1 0 2 1 1.7 2.3l-1.4 6c-.2 1-1 1.7-2 1.7H7M7 11v8H3v-8z",
    "down": "M17 13l-4 8c-2 0-3-1-3-3v-3H5c-1 0-2-1-1.7-2.3l1.4-6C4.9 5.7 5.7 5 6.7 5H17M17 13V5h4v8z",
    "send": "M12 19V5M6 11l6-6 6 6",
    "stop": "M7 7h10v10H7z",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "close": "M6 6l12 12M18 6L6 18",
    "theme": "M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z",
    "export": "M12 4v11M7 10l5 5 5-5M5 20h14",
    "open": "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
    "sources": "M5 4h12v16H5zM8 8h6M8 12h6M20 7v13",
    "search": "M11 18a7 7 0 1 1 0-14 7 7 0 0 1 0 14zM16 16l5 5",
    "why": "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18zM12 11v6M12 7.5v.5",
    "filters": "M4 6h16M7 12h10M10 18h4",
    "leave": "M10 4H5v16h5M14 8l5 4-5 4M19 12H9",
    "unfold": "M6 9l6 6 6-6",
    "back": "M19 12H5M11 6l-6 6 6 6",
    "logo": "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
}


def draw_icon(name: str) -> str:
    """The icon as SVG that screen readers pass over."""
    return (
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f'<path d="{_PATHS[name]}"/></svg>'
    )


def count_words(number: int, noun: str) -> str:
    """`1 document`, `28 documents`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def render_button(action: str, icon: str, label: str, *, text: str = "", css: str = "", **data: str) -> str:
    """A button that tells the page's script what to do; its label is what screen readers say.

    Who speaks to the page says the words that are shown, so the spoken name begins with them.
    """
    fields = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    shown = f"<span>{escape(text)}</span>" if text else ""
    name = label if text.casefold() in label.casefold() else f"{text} – {label}"
    return (
        f'<button type="button" class="{css or "quiet"}" data-action="{action}" aria-label="{escape(name)}"'
        f' title="{escape(label)}"{fields}>{draw_icon(icon)}{shown}</button>'
    )
