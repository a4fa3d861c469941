"""What is answered: the page, the description, and tags and XMP of photos."""

import asyncio
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from facesort.common.limits import SHORT
from facesort.common.trees import shown
from facesort.serve.form import Forms
from facesort.serve.guard import Guard, error
from facesort.serve.keeping import keep
from facesort.serve.limits import Limits, Refused
from facesort.serve.openapi import description
from facesort.serve.tag_page import tag_page
from facesort.serve.workers import Workers

FAULT: Final = "an error of the server, which its terminal tells"


def application(
    limits: Limits,
    *,
    workers: int,
    names: frozenset[str] = frozenset(),
    token: str | None = None,
    archive: str | None = None,
    kept: Path | None = None,
    ready: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """The whole application, guarded.

    Args:
        workers: processes that read photos.
        names, token: as of ``Guard``.
        archive: as of ``Tagger``.
        kept: a folder that photos and answers are kept in; None keeps nothing.
        ready: called once photos can be read.
    """
    forms = Forms(limits)
    page, about = tag_page(limits, bool(token), bool(kept)), description(limits)
    pool: Workers

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        nonlocal pool
        try:
            pool = Workers(workers, limits.seconds, "facesort.serve.tagging", limits, archive)
            await pool.ready()
        except Exception as error:  # whatever keeps a process from starting
            print(f"error: the processes that read photos do not start: {error}", file=sys.stderr)
            raise
        try:
            ready()
            yield
        finally:
            pool.stop()

    async def home(_: Request) -> Response:
        policy = {"Content-Security-Policy": "frame-ancestors 'none'"}
        return HTMLResponse(page, headers=policy)

    async def described(_: Request) -> Response:
        return JSONResponse(about)

    async def tags(request: Request) -> Response:
        async with forms.read(request) as form:
            picture = form.fields.get("picture") == "true"
            found = await asyncio.gather(*(one(*photo, picture) for photo in form.photos))
        refused = [each for each in found if "refused" in each]
        status = refused[0]["status"] if len(refused) == len(found) else 200
        if status != 200 and len(found) == 1:
            raise Refused(status, refused[0]["refused"])
        return JSONResponse({"photos": found, "limits": SHORT}, status)

    async def one(name: str, data: bytes, picture: bool) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await pool("tag", name, data, picture)
            if kept:
                keep(kept, name, data, answer)
            return answer
        except Refused as refused:
            status, why = refused.status, refused.why
        except Exception:  # ours; other photos of the request are answered
            traceback.print_exc()
            status, why = 500, FAULT
        return {"name": shown(name), "status": status, "refused": why}

    async def xmp(request: Request) -> Response:
        async with forms.read(request) as form:
            if "answer" not in form.fields or len(form.photos) != 1:
                raise Refused(422, "send one photo, and in the field answer what is told of it")
            made = await pool("sidecar", form.photos[0][1], form.fields["answer"])
        return Response(made, media_type="application/rdf+xml")

    async def refuse(_: Request, why: Exception) -> Response:
        return error(why if isinstance(why, Refused) else Refused(500, FAULT))

    async def refuse_path(_: Request, why: Exception) -> Response:
        status = why.status_code if isinstance(why, HTTPException) else 500
        return error(Refused(status, "no such page, or not by this method"))

    async def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=400)  # to nobody

    routes = [
        Route("/", home),
        Route("/openapi.json", described),
        Route("/v1/tags", tags, methods=["POST"]),
        Route("/v1/xmp", xmp, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {
        Refused: refuse,
        HTTPException: refuse_path,
        ClientDisconnect: gone,
        Exception: refuse,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers, lifespan=life), names, token)
