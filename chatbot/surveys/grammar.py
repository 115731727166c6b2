"""The words in which people ask about a corpus as a whole, as regular expressions for `survey.py`.

Whatever they are put into is matched without regard to case. A question counts only if it is made of them
from its first word to its last.
"""

from __future__ import annotations

import re

from chatbot.languages import LANGUAGES
from chatbot.surveys.periods import CHANGES

FORMATS = {
    "pdf": ("pdf",),
    "word": ("docx", "doc"),
    "docx": ("docx",),
    "powerpoint": ("pptx", "ppt"),
    "excel": ("xlsx", "xlsm", "xls"),
    "csv": ("csv",),
    "markdown": ("md",),
    "md": ("md",),
    "html": ("html",),
    "text": ("txt",),
    "txt": ("txt",),
}
"""What people call a format, and the endings of its files."""
NUMBERS = {
    word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}

POLITE = (
    r"(?:please|kindly|so|hi|hello|(?:can|could|would|will) (?:you|i)(?: please)?|tell me(?! everything)"
    r"|i (?:want|need|would like) to know|i'd like to know|do you know)\b[ ,:]*"
)
LIST = (
    r"(?:list|name|enumerate|display|show(?: me)?|give(?: me)?|find(?: me)?|get(?: me)?)"
    r"(?: (?:a|the)(?: complete| full)? (?:list|names|titles) of)?"
)
ALL = r"(?: (?:all|every|each)(?: of)?)?(?: (?:the|your|our|my))?(?: available)?"
FORMAT = rf"(?P<format>{'|'.join(FORMATS)})"
FILES = rf"(?:(?:{FORMAT}[ -])?(?:documents?|files?|docs?)|(?P<pdfs>pdfs?))"
PAPERS = (
    r"(?:policies|guides|manuals|minutes|reports|procedures|papers|handbooks|contracts|letters|guidelines"
    r"|memos|articles|pages|notes|texts|chapters|sections)"
)
NAMED = r"(?P<named>policies|guides|manuals|minutes|reports|procedures|handbooks|contracts|guidelines|memos)"
"""Kinds of documents that are often called so in their titles."""
NAMED_ONE = (
    r"(?P<named>polic(?:y|ies)|guides?|manuals?|minutes|reports?|procedures?|handbooks?|contracts?|guidelines?"
    r"|memos?)"
)
SEVERAL_DOCUMENTS = frozenset(
    "documents docs files pdfs policies guides manuals reports procedures handbooks contracts guidelines"
    " memos".split()
)
LIBRARY = (
    r"(?:the|this|these|your|my|our|any|all)(?: of (?:the|your|my|our))?"
    r" (?:documents?|files?|library|corpus|collection|knowledge base|handbook|documentation)"
)
WHOLE_LIBRARY = (
    r"(?:(?:(?:all )?(?:of )?(?:the|this|these|those|your|my|our)|all) (?:documents|files|library|corpus"
    r"|collection|knowledge base|documentation)|everything here)"
)
MENTION = (
    r"(?:(?:that|which) )?(?:also )?(?:mention(?:s|ing)?|talk(?:s|ing)? about|refer(?:s|ring)? to"
    r"|speak(?:s|ing)? (?:of|about)|discuss(?:es|ing)?|cover(?:s|ing)?|deal(?:s|ing)? with|contain(?:s|ing)?"
    r"|say(?:s|ing)? (?:something|anything) about|use(?:s|ing)? the (?:word|term|phrase))"
)
NOT_MENTION = (
    rf"(?:(?:that|which) )?(?:(?:do|does|did) not|don['’]?t|doesn['’]?t|never) {MENTION}"
    r"|without (?:(?:any )?mention(?:s|ing)?(?: of)?|the (?:word|term|phrase))"
)
MENTION_NEITHER = rf"{MENTION} neither (?P<neither>.+) nor (?P<nor>.+)"
ABOUT = (
    r"(?:(?:that|which) )?(?:(?:are|is) |(?:have|has|contains?) (?:anything |something |information ))?"
    r"(?:about|regarding|concerning|related to|relating to|on the (?:topic|subject) of)|on|for|in"
)
MENTIONED = r"(?:mentioned|discussed|referred to|talked about)"
MENTIONS = r"(?:mentions?|occurrences?|references?|passages?|places|sentences?|paragraphs?)"
CHANGED = rf"(?:{CHANGES})"
NEWEST = rf"(?:newest|latest|most recent|(?:most recently|last) {CHANGED})"
OLDEST = rf"(?:oldest|earliest|least recent|(?:least recently|first) {CHANGED})"
NUMBER = rf"(?P<number>\d{{1,2}}|{'|'.join(NUMBERS)})"
GROUPING = (
    r"(?:(?P<language>languages?)|(?P<folder>folders?|directories)|(?:file )?formats?"
    r"|(?:file|document) types?)"
)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?!\w)", re.IGNORECASE)


# How a question about documents begins, and whether it must say more; its limits follow.
COUNT_HEADS = (
    (False, _compile(rf"(?:how many|(?:what(?:'s| is) )?(?:the )?(?:total )?number of|count){ALL} {FILES}")),
    (True, _compile(rf"how many{ALL} {PAPERS}(?= {MENTION} )")),
    (True, _compile(rf"how many{ALL} {NAMED}")),
)
LIST_HEADS = (
    (False, _compile(rf"(?:{LIST}|(?:what|which) are){ALL} {FILES}")),
    (True, _compile(rf"(?:which|what)(?: of)?{ALL}(?: kinds? of)? {FILES}")),
    (True, _compile(rf"(?:do (?:you|we) have|are there|(?:do|does))(?: any(?: of{ALL})?| some) {FILES}")),
    (True, _compile(rf"(?:which|what|{LIST}){ALL} {PAPERS}(?= {MENTION} )")),
    (True, _compile(rf"(?:which|what|{LIST}){ALL} {NAMED}")),
    (False, _compile(rf"{LIST} (?:all|every|each)(?: of)?(?: (?:the|your|our|my))? {NAMED}")),
)
ORDER_HEADS = (
    _compile(
        rf"(?:(?:(?:what|which)(?: (?:is|are|was|were)|['’]s)|{LIST})(?: me)? )?(?:the )?(?:{NUMBER} )?"
        rf"(?:(?P<newest>{NEWEST})|(?P<oldest>{OLDEST}))(?: {NUMBER.replace('number', 'later_number')})?"
        rf" (?:{FILES}|{NAMED_ONE})"
    ),
    _compile(
        rf"(?:which|what)(?: of{ALL})? (?:{FILES}|{NAMED_ONE}) (?:is|are|was|were|has been|have been)"
        rf"(?: the)? (?:(?P<newest>{NEWEST}(?: one)?|{CHANGED} (?:last|latest|most recently))"
        rf"|(?P<oldest>{OLDEST}(?: one)?|{CHANGED} first))"
    ),
)
WHAT_CHANGED = _compile(
    rf"what(?:['’]s| is| was| has| has been| have been| were)?"
    rf" (?:new|{CHANGED}(?: (?:last|lately|recently))?)(?: (?:in|among) {LIBRARY})?"
)

# Questions that are read as a whole.
MENTION_WHOLES = (
    _compile(
        rf"(?:where|(?:in|on) (?:which|what)(?: of)?{ALL} (?:{FILES}|{PAPERS}|places?)) (?:is|are)"
        rf" (?P<topic>.+?) {MENTIONED}(?: in {LIBRARY})?"
    ),
    _compile(
        rf"(?:is|are) (?P<topic>.+?) {MENTIONED}(?: anywhere)?(?: in {LIBRARY})?"
        rf"|where (?:do|does) {LIBRARY} {MENTION} (?P<mentioned>.+)"
    ),
)
ITEM_WHOLES = (
    _compile(
        rf"{LIST}{ALL} {MENTIONS} (?:of|to|about|{MENTION}|(?:where|in which)(?=.+ {MENTIONED}))"
        rf" (?P<topic>.+?)(?: (?:is|are) {MENTIONED})?(?: in {LIBRARY})?"
    ),
    _compile(rf"how (?:often|many times) (?:is|are) (?P<topic>.+?) {MENTIONED}(?: in {LIBRARY})?"),
    _compile(
        rf"(?:{LIST}|tell me) (?:everything|anything|all)(?: (?:that )?(?:you|we) (?:have|know)| there is)?"
        rf" (?:about|on|regarding|concerning|that mentions) (?P<topic>.+?)(?: in {LIBRARY})?"
    ),
)
PAGE_WHOLE = _compile(
    r"how many pages (?:(?:does|do|has|have)|(?:long )?(?:is|are)(?: there)?(?: in)?) (?P<topic>.+?)"
    r"(?: (?:document|file|pdf))?(?: (?:have|contain|comprise|got))?"
)
LIST_WHOLE = _compile(
    rf"(?:{LIST} (?:all|every|each)|what are all|(?:give|show)(?: me)? a(?: complete| full)? list)"
    rf"(?: of)?(?: the| your| our| my)? (?P<topic>.+?)(?: {MENTIONED})?(?: (?:in|from) {LIBRARY})?"
    r"|(?:which|what) (?!types?|kinds?|sorts?)(?P<existing>[\w-]+(?: [\w-]+)?) are there"
    rf"(?: in {LIBRARY})?"
)
GROUP_WHOLES = (
    _compile(
        rf"(?:which|what) {GROUPING} are (?:there|{WHOLE_LIBRARY}(?: (?:written )?in)?)(?: in {LIBRARY})?"
    ),
    _compile(rf"(?:in )?(?:which|what) {GROUPING} (?:do|does) {WHOLE_LIBRARY} (?:have|use|come in)"),
    _compile(rf"in (?:which|what) {GROUPING} are {WHOLE_LIBRARY}(?: written)?"),
    _compile(rf"{LIST}{ALL} {GROUPING}"),
    _compile(
        rf"(?:(?:{LIST}|count|group|sort|order|arrange|how many) )?(?:{WHOLE_LIBRARY}|documents|files)"
        r"(?: are there| do (?:you|we) have)? (?:(?:grouped |sorted )?by|per|(?:in|for|of) each)(?: the)?"
        rf" (?:{GROUPING}|types?)"
    ),
)
OVERVIEW_WHOLES = (
    _compile(
        rf"(?:summari[sz]e|describe|(?:give me |show me )?(?:an? )?(?:summary|overview) of) {WHOLE_LIBRARY}"
        rf"|what (?:are|is) {WHOLE_LIBRARY} about|what (?:is|['’]s) in {WHOLE_LIBRARY}"
        rf"|(?:what|which) (?:topics|subjects|themes)(?: (?:do|does) {WHOLE_LIBRARY} cover| are covered(?: in"
        rf" {WHOLE_LIBRARY})?)|what (?:can|could|may|should) i ask(?: you)?(?: about)?"
    ),
)

_ANY_FILES = re.sub(r"\?P<\w+>", "?:", FILES)
_DOCUMENT = (
    rf"(?:(?:the|this|our|your|a|an) )?(?:{_ANY_FILES} )?(?:(?:on|about|called|named) )?(?P<document>.+?)"
    rf"(?: {_ANY_FILES})?"
)
_SHORT = r"(?:(?:short|brief|quick|concise|one-paragraph) )?"
_SUMMARY = (
    r"(?:summary|overview|outline|gist|recap|essentials"
    r"|(?:key|main|most important) (?:points|ideas|facts|takeaways|rules))"
)
_ASKS = rf"(?:{LIST}|write(?: me)?|make(?: me)?|i need|what (?:is|are))"
OUTLINE_WHOLES = (
    _compile(rf"(?:summari[sz]e|sum up|outline|recap|explain(?: to me)?|tl;?dr)(?: for me)?:? {_DOCUMENT}"),
    _compile(rf"(?:{_ASKS} )?(?:(?:an?|the) )?{_SHORT}{_SUMMARY} (?:of|about|on|in|from) {_DOCUMENT}"),
    _compile(rf"what (?:is|are) {_DOCUMENT} about"),
    _compile(rf"what(?:['’]s| is)(?: (?:said|covered|described|regulated))? in {_DOCUMENT}"),
    _compile(rf"what (?:does|do) {_DOCUMENT} (?:say|cover|regulate|contain)"),
    _compile(rf"(?:(?:more |something )?about|what do you know about) {_DOCUMENT}"),
)
"""Questions for what one document says as a whole."""

EXISTS = _compile(
    r"(?:do|have|can) (?:you|we|i) (?:have(?: access to)?|got|read|indexed|know(?: of| about)?|search|see)"
    r"|(?:that )?(?:you|we) (?:have|know(?: of)?|can (?:read|search))"
    rf"|(?:does|do) {LIBRARY} (?:have|hold|contain)|(?:are )?in (?:{LIBRARY}|total|all)"
    r"|are (?:there|available|here|loaded|indexed)|exist|altogether|there are"
)
FOLDER = re.compile(
    r"(?:(?:(?:that|which) )?are )?(?:stored |kept )?(?:in|under|inside|from|of) (?:"
    r"(?:the )?(?:folder|directory) (?P<after>[\w./-]+)|(?:the )?(?P<before>[\w./-]+) (?:folder|directory)"
    r"|(?P<path>[\w.-]+(?:/[\w.-]+)*/+))(?!\S)",
    re.IGNORECASE,
)
LANGUAGE = _compile(
    rf"(?:(?:(?:that|which) )?(?:are|is) )?(?:written )?in (?P<language>{'|'.join(LANGUAGES.values())})"
)
IN_FORMAT = _compile(
    rf"(?:(?:(?:that|which) )?(?:are|is) (?:in |an? )?|in |as |of (?:the )?type )(?:{FORMAT}|(?P<pdfs>pdfs))"
    r"(?: (?:format|files?|documents?))?"
)
BY_DATE = _compile(
    r"(?:(?:sorted |ordered |arranged )?by (?:date|age)|in order of (?:date|age)"
    r"|(?:sorted )?(?P<newest>(?:newest|latest|most recent) first)|(?P<oldest>oldest first))"
)
TO_TOPIC = re.compile(
    rf"(?:{MENTION_NEITHER}|(?:(?P<without>{NOT_MENTION})|(?P<mention>{MENTION})|{ABOUT}) (?P<topic>.+))",
    re.IGNORECASE,
)
TOPIC_OPENING = re.compile(
    r"(?:both )?(?:(?:the|a|an|any) )?(?:(?:words?|terms?|phrases?|names?|topics?|subjects?)(?: of)? )?",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[?!])\s+|(?<=\w{3}\.)\s+|\n+")
CONTINUES = re.compile(
    r"^(?:(?:and|but|or|so|also|only|just|now|then|what about|how about|(?:the|those|which) ones)\b[ ,]*)+",
    re.IGNORECASE,
)
QUOTES = "\"'“”‘’«»"
