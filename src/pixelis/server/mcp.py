"""The tools over the Model Context Protocol: standard input and output, or HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pixelis.server.door import Door
from pixelis.server.keys import Keys
from pixelis.server.metrics import Metrics
from pixelis.server.settings import Settings
from pixelis.server.tools import GUIDE, Found, Tools
from pixelis.trace.pixels import shown

SIDE_PX = 1200
AT_ONCE = 4  # calls; more wait


class Calls:
    """Counts the posts under way, so that a stop can wait for them.

    None is refused meanwhile: clients ask for the tools again before they take a result.
    """

    def __init__(self) -> None:
        self.open_answers = 0

    def stop(self) -> None:
        """Nothing is to be done."""

    def cut(self) -> None:
        """Nothing is to be done: the server ends what it has to wait for too long."""

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """A post, until its reply is sent."""
        self.open_answers += 1
        try:
            yield
        finally:
            self.open_answers -= 1


def server_of(tools: Tools) -> Server[Any]:
    """The protocol server around the tools."""
    limit = anyio.CapacityLimiter(AT_ONCE)
    names = {told["name"] for told in tools.schemas()}

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_tool(told) for told in tools.schemas()])

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in names:
            there = ", ".join(sorted(names))
            raise MCPError(types.INVALID_PARAMS, f"no tool {params.name!r}; tools are {there}")
        found = await anyio.to_thread.run_sync(
            tools.call, params.name, params.arguments or {}, _owner(context), limiter=limit
        )
        return await anyio.to_thread.run_sync(_result, found)

    return Server(
        "pixelis",
        version=version("pixelis"),
        title="Pixelis",
        instructions=GUIDE,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def over_stdio(tools: Tools) -> None:
    """Serves one client on standard input and output until it closes them."""
    server = server_of(tools)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def over_http(tools: Tools, settings: Settings, keys: Keys) -> tuple[ASGIApp, Calls]:
    """The application that serves `/mcp` (streamable HTTP) and `/health`, behind the same door, and
    its calls under way."""
    calls = Calls()
    manager = StreamableHTTPSessionManager(
        server_of(tools),
        json_response=True,  # one reply a call; the library cuts its event streams off at a stop
        max_request_body_size=settings.max_body,
        max_sessions=1000,
    )

    async def talk(scope: Scope, receive: Receive, send: Send) -> None:
        waited_for = scope["type"] == "http" and scope["method"] == "POST"
        with calls.one() if waited_for else contextlib.nullcontext():
            await manager.handle_request(scope, receive, send)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield
        await asyncio.to_thread(tools.close)

    routes = [Route("/health", health), Mount("/mcp", talk)]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    return Door(_Exact(app), settings, keys, Metrics()), calls


class _Exact:
    """`/mcp` is the path clients use; a mount answers below it only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/mcp":
            scope = {**scope, "path": "/mcp/", "raw_path": b"/mcp/"}
        await self.app(scope, receive, send)


def _owner(context: Any) -> str:
    """The name of the key a call came with; one for everybody on standard input."""
    request = getattr(context, "request", None)
    state = request.scope.get("state", {}) if isinstance(request, Request) else {}
    key = state.get("key")
    return key.name if key is not None else ""


def _tool(told: dict[str, Any]) -> types.Tool:
    return types.Tool(
        name=told["name"],
        description=told["description"],
        input_schema=told["parameters"],
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


def _result(found: Found) -> types.CallToolResult:
    content: list[Any] = [types.TextContent(text=found.text)]
    for image in found.images:
        kind, _, data = shown(image, SIDE_PX).url.removeprefix("data:").partition(";base64,")
        content.append(types.ImageContent(data=data, mime_type=kind))
    facts = dict(found.facts) or None
    return types.CallToolResult(content=content, structured_content=facts, is_error=found.error)
