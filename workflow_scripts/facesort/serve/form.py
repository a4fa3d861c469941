"""A form with photos, read from a client that may be slow, wrong or hostile. It stays in memory."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from facesort.serve.limits import Limits, Refused

# Of a body so many seconds may pass beside those that so many bytes a second take.
PATIENCE: Final = 20.0
SLOWEST: Final = 20_000
# Fields that are no files, and the characters of each.
FIELDS: Final = 10
FIELD: Final = 2_000_000


@dataclass(frozen=True)
class Form:
    """Names and bytes of photos, and the other fields."""

    photos: list[tuple[str, bytes]]
    fields: dict[str, str]


class Forms:
    """Reads forms; knows how many bytes all that are being read and answered hold."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.held = limits, 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[Form]:
        """The form of a request; its bytes count as held until the block ends.

        Raises:
            Refused: 400, 408, 413, 415, 422 or 503.
            starlette.requests.ClientDisconnect: if the client goes away.
        """
        limits, kind = self.limits, request.headers.get("content-type", "").partition(";")[0]
        if kind.strip().lower() != "multipart/form-data":
            raise Refused(415, "send a form (multipart/form-data) with a field photos")
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, "send the form as it is, not compressed")
        told = request.headers.get("content-length", "0")
        if int(told) > limits.bytes:
            raise self._too_large()
        size = 0

        async def body() -> AsyncGenerator[bytes, None]:
            nonlocal size
            async for chunk in self._in_time(request):
                if size + len(chunk) > limits.bytes:
                    raise self._too_large()
                if self.held + len(chunk) > limits.held:
                    raise Refused(503, "busy with other photos; try again")
                size += len(chunk)
                self.held += len(chunk)
                yield chunk

        try:
            yield await self._parsed(request, body())
        finally:
            self.held -= size

    def _too_large(self) -> Refused:
        return Refused(413, f"more than {self.limits.bytes:,} bytes in a request")

    async def _in_time(self, request: Request) -> AsyncIterator[bytes]:
        """The body's parts, as long as they come fast enough."""
        stream, began, size = request.stream(), time.monotonic(), 0
        while True:
            left = began + PATIENCE + size / SLOWEST - time.monotonic()
            try:
                async with asyncio.timeout(left):
                    chunk = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise Refused(408, f"slower than {SLOWEST:,} bytes a second") from None
            size += len(chunk)
            yield chunk

    async def _parsed(self, request: Request, body: AsyncGenerator[bytes, None]) -> Form:
        limits = self.limits
        parser = MultiPartParser(
            request.headers, body, max_files=limits.photos, max_fields=FIELDS, max_part_size=FIELD
        )
        # Nothing goes to a file.
        parser.spool_max_size = limits.bytes
        try:
            parsed = await parser.parse()
        except MultiPartException as error:
            many = error.message.startswith("Too many files")
            why = f"more than {limits.photos} photos in a request" if many else error.message
            raise Refused(413 if many else 400, why) from None
        photos, fields = [], {}
        for name, value in parsed.multi_items():
            if not isinstance(value, UploadFile):
                fields[name] = value
            elif name == "photos":
                photos.append((value.filename or "", await value.read()))
        await parsed.close()
        if not photos:
            raise Refused(422, "no photo: send one or more files in the field photos")
        return Form(photos, fields)
