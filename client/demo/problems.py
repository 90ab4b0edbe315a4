"""What the employee API answers when it says no: problem JSON (RFC 9457) with a title, a detail and a hint.

Imports Django's answers and nothing of django-helpdesk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse

API_PREFIX = "/api/employee/v1"
BUSY_RETRY_S = 2  # a writer waits 20 s for the database before this is said; two more seconds are polite

log = logging.getLogger("deskside.demo")


class Problem(Exception):
    """An answer that says no.

    Args:
        status: the HTTP status.
        title: what kind of problem, the same words each time.
        detail: what is wrong with this request.
        hint: what the caller can do.
        headers: such as `Retry-After` or `Allow`.
        file: the name of the file it is about.
    """

    def __init__(
        self, status: int, title: str, detail: str, *, hint: str, headers: dict[str, str] | None = None, file: str = ""
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.hint = hint
        self.headers = headers or {}
        self.file = file

    def answer(self) -> HttpResponse:
        """The answer as it goes out."""
        body: dict[str, object] = {"title": self.title, "status": self.status, "detail": self.detail, "hint": self.hint}
        if self.file:
            body["file"] = self.file
        return HttpResponse(
            msgspec.json.encode(body),
            status=self.status,
            content_type="application/problem+json",
            headers={"Cache-Control": "no-store", **self.headers},
        )


def not_found(detail: str = "There is no such address in the employee API.") -> Problem:
    """404: it does not exist, or it is somebody else's, and nobody can tell the two apart."""
    return Problem(404, "Not found", detail, hint="Check the number, or look at the list of your tickets.")


def problems_for_api(next_layer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: below the API's address every refusal is a problem JSON, those of Django itself included."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = next_layer(request)
        if not request.path.startswith(f"{API_PREFIX}/") and request.path != API_PREFIX:
            return response
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if response.status_code < 400 or response.headers.get("Content-Type") == "application/problem+json":  # noqa: PLR2004 -- HTTP's own line
            return response
        if response.status_code == 404:  # noqa: PLR2004 -- as above
            return not_found().answer()
        return other_refusal(response.status_code).answer()

    return answer


def other_refusal(status: int) -> Problem:
    """What Django refuses before the API sees it, such as another host's name."""
    if status < 500:  # noqa: PLR2004 -- HTTP's own line
        return Problem(
            status,
            "Request not understood",
            "The request could not be read.",
            hint="Compare it with the API's description.",
        )
    return Problem(
        status,
        "The help desk has a fault",
        "The request could not be finished; it may have been carried out.",
        hint="Send the same request with the same key again later.",
    )


def fault(error: Exception) -> HttpResponse:
    """The answer to an exception that no one expected; the log has its traceback, the caller only what helps."""
    if isinstance(error, OperationalError) and "locked" in str(error):
        return Problem(
            503,
            "The help desk is busy",
            "Too many are writing at once.",
            hint="Send the same request with the same key again.",
            headers={"Retry-After": str(BUSY_RETRY_S)},
        ).answer()
    log.error("unexpected fault", exc_info=error)
    return other_refusal(500).answer()
