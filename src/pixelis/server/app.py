"""The application: its parts wired together, and the routes of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from pixelis.agent import Agent
from pixelis.server.archive import Archive
from pixelis.server.chat import Chat, Stream, unless_gone
from pixelis.server.door import Door, GoneError
from pixelis.server.episodes import router as episodes
from pixelis.server.evals import router as evals
from pixelis.server.forms import ChatForm, Completion, ModelCard, ModelList, State
from pixelis.server.keeper import Keeper
from pixelis.server.keys import Keys
from pixelis.server.learning import router as learning
from pixelis.server.memories import router as memories
from pixelis.server.metrics import Metrics
from pixelis.server.office import ERRORS, Asker, Office, office_of
from pixelis.server.pages import router as pages
from pixelis.server.refusal import RefusalError, failed
from pixelis.server.runs import Runs
from pixelis.server.settings import Settings
from pixelis.server.wording import complaint, no_path

ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorForm"}
core = APIRouter(responses=ERRORS)


@core.get("/health", tags=["state"])
async def health() -> State:
    """Says that the process lives; needs no key."""
    return State(status="ok")


@core.get("/ready", tags=["state"])
async def ready(request: Request, key: Asker) -> State:
    """Says that questions are taken; 503 while the server stops."""
    if not office_of(request).ready:
        raise RefusalError(503, "the server is stopping", "stopping")
    return State(status="ready")


@core.get("/metrics", tags=["state"], response_class=Response)
async def metrics(request: Request, key: Asker) -> Response:
    """Counters and times in Prometheus' text format."""
    text = office_of(request).metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@core.get("/v1/models", tags=["openai"])
async def models(request: Request, key: Asker) -> ModelList:
    """The models one can ask; the default comes first."""
    office = office_of(request)
    return ModelList(data=[_card(name, office) for name in office.desk.agents])


@core.get("/v1/models/{name:path}", tags=["openai"])
async def model(name: str, request: Request, key: Asker) -> ModelCard:
    """One model."""
    office = office_of(request)
    office.desk.agent(name)
    return _card(name, office)


@core.post("/v1/chat/completions", tags=["openai"], response_model=Completion)
async def chat(form: ChatForm, request: Request, key: Asker) -> Any:
    """Answers a question about the latest picture or clip of the conversation.

    With `stream` the reply is a stream of server-sent events: a chunk for each step as it happens
    (`choices[0].delta.pixelis.step`), then the answer, then `[DONE]`.
    """
    office = office_of(request)
    asked = Chat(form, office.desk, office.recent, key.name, office.learn)
    if not form.stream:
        return await asked.reply(request)
    events = asked.stream()
    # Nothing is sent before the model is at work, so that a refusal still has its status.
    return Stream(await unless_gone(request, anext(events)), events)


def _card(name: str, office: Office) -> ModelCard:
    return ModelCard(id=name, created=office.started)


def build(
    agents: Mapping[str, Agent],
    settings: Settings,
    keys: Keys | None = None,
    archive: Archive | None = None,
    keeper: Keeper | None = None,
    runs: Runs | None = None,
) -> tuple[ASGIApp, Office]:
    """The whole server as one ASGI application, and what its routes share.

    Args:
        agents: by the name clients ask for; the first is the default.
        keys: None or empty asks for none, and then only this machine may come in.
        archive: where feedback goes; without one the routes of the memory are not there. It is
            not closed here.
        keeper: learns from what is asked of the default model; closed when the server ends.
        runs: finished evaluation runs to show; without them their routes are not there. Closed
            when the server ends.
    """
    metrics = Metrics()
    office = Office(agents, settings, metrics, archive, keeper, runs)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if keeper is not None:
            keeper.start(office.desk)
        yield
        if keeper is not None:
            await keeper.close()
        if runs is not None:
            runs.close()
        office.desk.close()

    app = FastAPI(
        title="Pixelis",
        version="1",
        summary="A vision-language agent that looks before it answers.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.office = office
    remembering = () if archive is None else (memories, learning)
    showing = () if runs is None else (evals,)
    for router in (core, episodes, *remembering, *showing, pages):
        app.include_router(router)
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(GoneError, _gone)
    app.add_exception_handler(Exception, _failed)
    _describe(app)
    return Door(app, settings, keys or Keys(), metrics), office


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    office_of(request).metrics.refused.labels(error.code).inc()
    return JSONResponse(error.body(), error.status, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """One thing that is wrong with what was sent."""
    assert isinstance(error, RequestValidationError)
    told, place = complaint(error.errors(), request.headers.get("content-type", ""))
    return JSONResponse(RefusalError(400, told, "invalid", place).body(), 400)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told, code = str(error.detail), "not_found"
    if error.status_code == 404:
        told, code = no_path(request.url.path, office_of(request).archive is not None)
    elif error.status_code == 405:
        told, code = "the path does not take this method; /docs lists them", "wrong_method"
    elif error.status_code == 400:
        told, code = "the body is not JSON", "invalid"
    body = RefusalError(error.status_code, told, code).body()
    return JSONResponse(body, error.status_code, error.headers)


async def _gone(request: Request, error: Exception) -> Response:
    """For the log alone: nobody reads it."""
    return Response(status_code=499)


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours, in the shape of every other; the door writes the traceback to the log."""
    id = request.scope["state"]["request_id"]
    return JSONResponse(failed(id).body(), 500)


def _describe(app: FastAPI) -> None:
    """The OpenAPI document: with the key, and without the status the framework would add."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            components = document.setdefault("components", {})
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"key": []}]
            for path, methods in document["paths"].items():
                for operation in methods.values():
                    operation["responses"].pop("422", None)
                    for status, reply in operation["responses"].items():
                        if int(status) >= 400:  # also where the good reply is a page or a picture
                            reply["content"] = {"application/json": {"schema": ERROR_SCHEMA}}
                    if path == "/health":
                        operation["security"] = []
            for name in ("HTTPValidationError", "ValidationError"):
                components.get("schemas", {}).pop(name, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
