"""Texts that would run a script, call an address or cover the page, if anything took them for markup."""

from __future__ import annotations

import os
from pathlib import Path

SINK = "http://sink.example"
HIT = "window.hits=(window.hits||0)+1"

_SCRIPTS = [
    "<script>{hit}</script>",
    "<img src=x onerror={hit}>",
    "<svg onload={hit}>",
    "<svg><script>{hit}</script></svg>",
    "<body onload={hit}>",
    "<details open ontoggle={hit}><summary>x</summary></details>",
    "<video><source onerror={hit}></video>",
    "<input autofocus onfocus={hit}>",
    "<iframe srcdoc='<script>parent.{hit}</script>'></iframe>",
    '<a href="javascript:{hit}">click</a>',
    "[click](javascript:{hit})",
    "[click](data:text/html;base64,PHNjcmlwdD48L3NjcmlwdD4=)",
    '"><script>{hit}</script>',
    "' onmouseover='{hit}' x='",
    '" autofocus onfocus="{hit}',
    "</textarea><script>{hit}</script>",
    "</title><script>{hit}</script>",
    "</script><script>{hit}</script>",
    "<!--><img src=x onerror={hit}>-->",
    "<math><mtext></mtext><mglyph><style><img src=x onerror={hit}></style></mglyph></math>",
    "<noscript><p title='</noscript><img src=x onerror={hit}>'></noscript>",
    "<template><script>{hit}</script></template>",
    "<object data='javascript:{hit}'></object>",
    "<embed src='javascript:{hit}'>",
    "<marquee onstart={hit}>x</marquee>",
    "<style>@import 'javascript:{hit}';</style>",
    "&lt;script&gt;{hit}&lt;/script&gt;",
    "\\u003cscript\\u003e{hit}\\u003c/script\\u003e",
    "{{{{constructor.constructor('{hit}')()}}}}",
    "${{{hit}}} <%= {hit} %> #{{{hit}}}",
    "`<img src=x onerror={hit}>`",
    "```\n</code></pre><script>{hit}</script>\n```",
    "| <img src=x onerror={hit}> | x |\n|---|---|\n| y | z |",
    "# <img src=x onerror={hit}>",
    "- <svg onload={hit}>\n- x",
    "**<script>{hit}</script>**",
    "<x onclick={hit} tabindex=1 id=x contenteditable>x</x>",
    "\u2028<script>{hit}</script>\u2029",
    "<scr\u0000ipt>{hit}</scr\u0000ipt>",
    "\u202e<script>{hit}</script>",
]
_BEACONS = [
    "![x]({sink}/image.png)",
    "![x][beacon]\n\n[beacon]: {sink}/reference.png",
    "<img src={sink}/image.png>",
    "<img srcset='{sink}/set.png 1x'>",
    "<div style='background:url({sink}/css.png)'>x</div>",
    "<video poster={sink}/poster.png src={sink}/video.mp4 autoplay></video>",
    "<audio src={sink}/audio.mp3 autoplay></audio>",
    "<input type=image src={sink}/input.png>",
    "<link rel=stylesheet href={sink}/style.css>",
    "<link rel=prefetch href={sink}/prefetch>",
    "<meta http-equiv=refresh content='0;url={sink}/refresh'>",
    "<base href={sink}/>",
    "<iframe src={sink}/frame></iframe>",
    "<object data={sink}/object></object>",
    "<form action={sink}/form><button autofocus>Go on</button></form>",
    "<svg><image href={sink}/svg.png></image><use href={sink}/use.svg#x></use></svg>",
    "<div style='position:fixed;inset:0;z-index:99999;background:red'>Your session is over</div>",
    "<a href={sink}/ping ping={sink}/ping>x</a>",
    "[Sign in again]({sink}/phish)",
    "{sink}/bare-link",
]


def list_payloads() -> list[str]:
    """Our own, and a line each of the file that CHATBOT_TEST_PAYLOADS names."""
    own = [text.format(hit=HIT, sink=SINK) for text in [*_SCRIPTS, *_BEACONS]]
    more = os.environ.get("CHATBOT_TEST_PAYLOADS")
    return own + (Path(more).read_text(encoding="utf-8", errors="replace").splitlines() if more else [])


PAYLOADS = list_payloads()
