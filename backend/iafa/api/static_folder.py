"""Built files that are served as they are: nothing outside the folder, nothing hidden, answers that browsers keep.

A build may lay a compressed copy beside a file (`main.js.br`, `main.js.gz`): who can read it gets that one."""

import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

NOT_FOUND = 404
_PACKED = (("br", ".br"), ("gzip", ".gz"))
_TEXTS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


def accepts(request: Request, encoding: str) -> bool:
    """Whether the one who asks can read a body in this encoding."""
    offers = request.headers.get("accept-encoding", "").replace(" ", "").lower().split(",")
    return encoding in offers or any(
        offer.startswith(f"{encoding};q=") and offer.rpartition("=")[2].strip("0.") for offer in offers
    )


class StaticFolder:
    """One folder; it may be missing, then nothing is found in it."""

    def __init__(self, directory: Path) -> None:
        self._files = StaticFiles(directory=directory, check_dir=False)

    async def find(self, path: str, request: Request, *, cache: str) -> Response | None:
        """The file as an answer (or its 304), None when there is no such file."""
        parts = path.split("/")
        if any(part in ("", "..") or part.startswith(".") for part in parts):
            return None
        found = await self._packed(path, request) or await self._plain(path, request)
        if found is not None:
            found.headers["cache-control"] = cache
            found.headers.add_vary_header("Accept-Encoding")
        return found

    async def get(self, path: str, request: Request, *, cache: str) -> Response:
        """The file, or the 404 of every unknown address."""
        response = await self.find(path, request, cache=cache)
        if response is None:
            raise HTTPException(NOT_FOUND)
        return response

    async def _packed(self, path: str, request: Request) -> Response | None:
        for encoding, suffix in _PACKED:
            found = await self._plain(path + suffix, request) if accepts(request, encoding) else None
            if found is not None:
                found.headers["content-type"] = _content_type(path)
                found.headers["content-encoding"] = encoding
                return found
        return None

    async def _plain(self, path: str, request: Request) -> Response | None:
        try:
            return await self._files.get_response(path, request.scope)
        except HTTPException:
            return None


def _content_type(path: str) -> str:
    """As the plain file would have it."""
    name = _TEXTS.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"{name}; charset=utf-8" if name.startswith("text/") else name
