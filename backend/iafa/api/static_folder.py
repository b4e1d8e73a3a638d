"""Built files that are served as they are: nothing outside the folder, nothing hidden, answers that browsers keep."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

NOT_FOUND = 404


class StaticFolder:
    """One folder; it may be missing, then nothing is found in it."""

    def __init__(self, directory: Path) -> None:
        self._files = StaticFiles(directory=directory, check_dir=False)

    async def find(self, path: str, request: Request, *, cache: str) -> Response | None:
        """The file as an answer (or its 304), None when there is no such file."""
        parts = path.split("/")
        if any(part in ("", "..") or part.startswith(".") for part in parts):
            return None
        try:
            response = await self._files.get_response(path, request.scope)
        except HTTPException:
            return None
        response.headers["cache-control"] = cache
        return response

    async def get(self, path: str, request: Request, *, cache: str) -> Response:
        """The file, or the 404 of every unknown address."""
        response = await self.find(path, request, cache=cache)
        if response is None:
            raise HTTPException(NOT_FOUND)
        return response
