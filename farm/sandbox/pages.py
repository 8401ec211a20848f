"""The sandbox's own small pages: one look, no script, and nothing in them that was not escaped."""

from __future__ import annotations

import re
from html import escape

from aiohttp import web

_LINK = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]]")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'self';"
    " form-action 'self'; base-uri 'none'"
)
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #f7f6f3; --card: #fff; --line: #ddd8ce;
  --quiet: #6b7280; --accent: #2f6f4f; --mine: #e3f1e8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5df; --paper: #16191d; --card: #1f2429;
  --line: #353b42; --quiet: #9aa3ad; --accent: #7cc79d; --mine: #24402f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 44rem; padding: 1.25rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 1rem; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
a { color: var(--accent); } .quiet { color: var(--quiet); font-size: .875rem; }
.card { display: block; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; padding: .8rem 1rem; margin: 0 0 .6rem; color: inherit;
  text-decoration: none; overflow-wrap: anywhere; }
.card strong { display: block; } pre { white-space: pre-wrap; font: inherit; margin: 0; }
.chat { display: flex; flex-direction: column-reverse; gap: .5rem; height: calc(100vh - 2.5rem);
  overflow-y: auto; }
iframe { width: 100%; height: 60vh; border: 1px solid var(--line); border-radius: .6rem; }
.chat .card { margin: 0; max-width: 85%; } .chat .mine { align-self: flex-end;
  background: var(--mine); }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; }
input, button { font: inherit; padding: .5rem .7rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--card); color: inherit; min-width: 0; }
form.card { display: flex; align-items: center; }
label { display: flex; flex: 1 1 100%; flex-direction: column; gap: .2rem; }
label input { flex: none; }
input { flex: 1 1 10rem; } button { background: var(--accent); color: var(--paper);
  border-color: var(--accent); cursor: pointer; }
"""


def page(
    title: str, body: str, *, refresh: int | None = None, onward: str = "", status: int = 200
) -> web.Response:
    """A whole page; `body` is HTML whose every foreign part was escaped by the caller.

    `refresh` is in seconds; `onward` is an address to which the page leads at once.
    """
    when = f"0;url={escape(onward)}" if onward else refresh
    again = f'<meta http-equiv="refresh" content="{when}">' if when else ""
    heading = f"<h1>{escape(title)}</h1>" if title else ""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{again}<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{heading}{body}</body></html>"
    )
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        },
    )


def linked(text: str) -> str:
    """The text escaped, with its http and https addresses made clickable."""
    html, end = "", 0
    for link in _LINK.finditer(text):
        address = escape(link[0])
        html += escape(text[end : link.start()])
        html += f'<a href="{address}" rel="noreferrer noopener">{address}</a>'
        end = link.end()
    return html + escape(text[end:])
