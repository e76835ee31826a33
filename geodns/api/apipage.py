"""A page of the contract that people read.

It is one self-contained file: an edge node has no way to a content network.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any


def page(document: dict[str, Any]) -> tuple[str, str]:
    """The API on one page of HTML, and the Content-Security-Policy that fits it."""
    rows = [
        f"<tr><td><code>{escape(method.upper())}</code><td><code>{escape(path)}</code>"
        f"<td>{escape(each.get('summary', ''))}<td>{_parameter_names(each)}"
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    ]
    info = document["info"]
    html = _PAGE.format(
        title=escape(f"{info['title']} {info['version']}"),
        about=escape(info.get("description", "")),
        style=_STYLE,
        rows="\n".join(rows),
    )
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    return html, policy


def _parameter_names(each: dict[str, Any]) -> str:
    names = [found["name"] for found in each.get("parameters", ()) if found["in"] == "query"]
    return ", ".join(f"<code>{escape(name)}</code>" for name in names)


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem;
       padding: 0 1rem; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
         border-bottom: 1px solid #8884; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<h1>{title}</h1>
<p>{about}</p>
<p>The whole contract with all fields, for programs: <a href="/openapi.json">/openapi.json</a></p>
<table>
<thead><tr><th>Method<th>Path<th>What it does<th>Parameters</thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""
