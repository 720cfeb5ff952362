"""The Studio, which is plain files, and the page that shows the API."""

from __future__ import annotations

import html
import json
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from pixelis.server.office import ERRORS, Asker
from pixelis.server.refusal import RefusalError
from pixelis.trace.page import asset as trace_asset

router = APIRouter()
TRACE = "trace.css"
KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "jpg": "image/jpeg",
    "svg": "image/svg+xml",
}


@router.get("/", include_in_schema=False)
async def studio() -> HTMLResponse:
    """The page; it holds no data, everything it shows comes through the API."""
    return HTMLResponse(asset("index.html"))


@router.get("/studio/{name}", include_in_schema=False)
async def file(name: str) -> Response:
    """One of the page's own files."""
    if name not in names():
        raise RefusalError(404, "there is no such file", "not_found")
    headers = {"Cache-Control": "no-cache"}
    return Response(asset(name), 200, headers, KINDS[name.rpartition(".")[2]])


@router.get("/docs", response_class=HTMLResponse, responses=ERRORS, tags=["state"])
async def docs(request: Request, key: Asker) -> HTMLResponse:
    """The API as a page; everything on it comes from `/openapi.json`."""
    return HTMLResponse(page(request.app.openapi()))


@cache
def names() -> frozenset[str]:
    folder = files("pixelis.server") / "studio"
    return frozenset({TRACE, *(each.name for each in folder.iterdir() if each.is_file())})


@cache
def asset(name: str) -> bytes:
    """A file of the page; the look of steps and marks is the trace's own."""
    if name == TRACE:
        return trace_asset(name).encode()
    return (files("pixelis.server") / "studio" / name).read_bytes()


def page(document: dict[str, Any]) -> str:
    """Every path with what it does, what it takes and what it gives."""
    pieces = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pixelis API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/studio/docs.css"></head><body><main><h1>Pixelis API</h1>'
        '<p>As OpenAPI: <a href="/openapi.json">/openapi.json</a></p>'
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            pieces.append(_operation(path, method, operation))
    pieces.append("<h2>Forms</h2>")
    for name, schema in document["components"]["schemas"].items():
        shown = html.escape(json.dumps(schema, indent=2, ensure_ascii=False))
        pieces.append(f"<details id='{html.escape(name)}'><summary>{html.escape(name)}</summary>")
        pieces.append(f"<pre>{shown}</pre></details>")
    return "".join([*pieces, "</main></body></html>"])


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{status}</th><td>{html.escape(told.get('description', ''))}</td></tr>"
        for status, told in sorted(operation["responses"].items())
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
    takes = f'<p>Takes <a href="#{name}">{name}</a></p>' if name else ""
    text = html.escape(operation.get("description", ""))
    return (
        f"<section><h2><b>{method.upper()}</b> <code>{html.escape(path)}</code></h2>"
        f"<p>{text}</p>{takes}<details><summary>Replies</summary><table>{rows}</table></details>"
        "</section>"
    )
