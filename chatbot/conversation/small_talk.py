"""What people say to a chatbot that asks nothing of the documents: greetings, thanks, what it can do."""

from __future__ import annotations

import re
from typing import Literal

SmallTalk = Literal["greeting", "thanks", "goodbye", "abilities"]

_NAMES = r"(?:[ ,]+(?:there|all|everyone|again|bot|chatbot|assistant))?"
_GREETINGS = (
    r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|hallo|moin|bonjour|salut"
    r"|hola|guten (?:tag|morgen|abend)|buenos d[ií]as|ciao|buongiorno|ol[aá])"
)
_THANKS = r"(?:many thanks|thanks|thank you|thx|cheers|danke(?: schön)?|merci|gracias|grazie)"
_THIS = r"(?:you|this(?: (?:chat|chatbot|page|bot))?)"
_PATTERNS: tuple[tuple[SmallTalk, str], ...] = (
    ("greeting", rf"{_GREETINGS}{_NAMES}(?:[ ,!.]+how (?:are you|is it going)(?: today)?)?"),
    ("greeting", r"how are you(?: today)?"),
    (
        "thanks",
        rf"(?:(?:ok(?:ay)?|great|perfect|super|cool)[ ,!.]+)?{_THANKS}(?: (?:a lot|so much|very much))?"
        rf"(?:[ ,!.]+(?:that helped|that was helpful|very helpful))?{_NAMES}",
    ),
    ("goodbye", rf"(?:bye(?: bye)?|good ?bye|see you(?: later)?|good night|tschüss|au revoir|adiós){_NAMES}"),
    ("abilities", r"help(?: me)?|who are you|what are you(?: able to do)?|what (?:can|do) you do"),
    (
        "abilities",
        rf"what is {_THIS}|how (?:do|does|can i use) {_THIS}(?: work)?|how can {_THIS} help(?: me)?",
    ),
    (
        "abilities",
        rf"what can {_THIS} help(?: me)? with|what (?:kind|sort) of questions can (?:i ask|you answer)",
    ),
    ("abilities", r"are you (?:a )?(?:human|robot|bot|chatbot|real|an ai)"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)


def recognize_small_talk(text: str) -> SmallTalk | None:
    """What kind of small talk a text is from its first word to its last; None for a question."""
    plain = " ".join(text.split()).strip(" ?!.,…:)(-")
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(plain)), None)
