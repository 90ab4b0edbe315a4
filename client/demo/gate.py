"""What every call of the employee API passes before it does anything: method, token, rate, size, parameters, key, body."""

from __future__ import annotations

import functools
import hashlib
import re
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from client.demo.models import EmployeeToken
from client.demo.problems import Problem, fault
from client.demo.settings import MAX_FILES, MAX_FILES_BYTES, MAX_JSON_BYTES, MAX_REQUEST_BYTES
from client.demo.shapes import NewComment, NewTicket

KEY = re.compile(r"[A-Za-z0-9._:-]{8,128}")  # as the API's description says
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
Shape = TypeVar("Shape", NewTicket, NewComment)
View = Callable[..., HttpResponse]
BURST_S = (
    10  # an employee may use this many seconds' worth of the rate at once: a window that opens asks several things
)


class Upload(NamedTuple):
    """A file of a message: the name the employee knows it by, what the sender says it is, and its content."""

    name: str
    media_type: str
    content: UploadedFile

    @property
    def size(self) -> int:
        """In bytes."""
        return self.content.size or 0


class Rate:
    """How often one employee may ask: a bucket each, refilled evenly. Kept in memory; a restart forgives.

    Args:
        per_minute: requests a minute; 0 lifts the limit.
        clock: seconds that never go back.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._size = max(1.0, self._per_second * BURST_S)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}

    def wait_s(self, who: int) -> float:
        """Seconds until this caller may ask again; 0: it may, and this request is counted."""
        if self._per_second <= 0:
            return 0
        with self._lock:
            now = self._clock()
            left, seen = self._buckets.get(who, (self._size, now))
            left = min(self._size, left + (now - seen) * self._per_second)
            if left >= 1:
                self._buckets[who] = (left - 1, now)
                return 0
            self._buckets[who] = (left, now)
            return (1 - left) / self._per_second


def employee_call(**methods: View) -> View:
    """One address of the API: which function answers which method. They get the request and the employee."""

    @csrf_exempt  # a bearer token is not sent by a browser on its own, so no other page can borrow it
    def view(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            act = methods.get(request.method or "") or refuse_method(request, methods)
            employee = who_asks(request)
            take_turn(employee)
            if request.method == "POST":
                check_size(request)
            return act(request, employee, **parts)
        except Problem as problem:
            return problem.answer()
        except RequestDataTooBig:
            return Problem(413, "Too large", "There is too much text.", hint="Put the text into a file.").answer()
        except (TooManyFieldsSent, TooManyFilesSent):
            return too_many_files().answer()
        except Exception as error:  # noqa: BLE001 -- the boundary: nothing may leave as a web page
            return fault(error)

    return cast("View", functools.update_wrapper(view, next(iter(methods.values()))))


def refuse_method(request: HttpRequest, methods: dict[str, View]) -> View:
    """Raises what says which methods there are.

    Raises:
        Problem: 405.
    """
    allowed = ", ".join(sorted(methods))
    raise Problem(
        405,
        "Method not allowed",
        f"{request.method} cannot be used here.",
        hint=f"Use {allowed}.",
        headers={"Allow": allowed},
    )


def who_asks(request: HttpRequest) -> User:
    """The employee whose token came with the request.

    Raises:
        Problem: 401 without a valid token, 403 if the account may not use the desk (any more).
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    digest = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
    known = EmployeeToken.objects.select_related("employee").filter(sha256=digest).first()
    if scheme.lower() != "bearer" or known is None:
        raise Problem(
            401,
            "Sign-in needed",
            "The token is missing or not known.",
            hint="Sign in again.",
            headers={"WWW-Authenticate": 'Bearer realm="employee API"'},
        )
    if not known.employee.is_active:
        raise Problem(
            403,
            "Not allowed",
            "This account may not use the help desk any more.",
            hint="Ask your IT department to open it again.",
        )
    return known.employee


def take_turn(employee: User) -> None:
    """Counts the request.

    Raises:
        Problem: 429 with `Retry-After` in whole seconds.
    """
    wait = settings.DESKSIDE_RATE.wait_s(employee.pk)
    if wait > 0:
        seconds = max(1, int(wait + 0.999))
        raise Problem(
            429,
            "Too many requests",
            "You have asked too often.",
            hint=f"Wait {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


def check_size(request: HttpRequest) -> None:
    """Refuses a body before it is read.

    Raises:
        Problem: 413.
    """
    if int(request.headers.get("Content-Length") or 0) > MAX_REQUEST_BYTES:
        raise Problem(
            413,
            "Too large",
            f"A request may have {MAX_REQUEST_BYTES // 1024**2} MB, its files {MAX_FILES_BYTES // 1024**2} MB together.",
            hint="Leave a file out or make it smaller.",
        )


def no_body(request: HttpRequest) -> None:
    """For calls that take none.

    Raises:
        Problem: 415.
    """
    if int(request.headers.get("Content-Length") or 0) > 0:
        raise Problem(415, "Unsupported content", "This call takes no body.", hint="Send it without one.")


def parameters(request: HttpRequest, *known: str) -> dict[str, str]:
    """The query's parameters, each at most once.

    Raises:
        Problem: 400 for an unknown or repeated one: a filter that is ignored would return everything.
    """
    found: dict[str, str] = {}
    for name, values in request.GET.lists():
        if name not in known:
            offer = f"Known are: {', '.join(known)}." if known else "This call takes none."
            raise bad_parameter("There is an unknown query parameter.", offer)
        if len(values) > 1:
            raise bad_parameter(f"The query parameter {name} came {len(values)} times.", "Send it once.")
        if CONTROL.search(values[0]):
            raise bad_parameter(f"The query parameter {name} has a control character.", "Send text.")
        found[name] = values[0]
    return found


def bad_parameter(detail: str, hint: str) -> Problem:
    """400 for the query."""
    return Problem(400, "Request not understood", detail, hint=hint)


def key_of(request: HttpRequest) -> str:
    """The `Idempotency-Key`.

    Raises:
        Problem: 400 if it is missing or malformed.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise Problem(
            400,
            "Request not understood",
            "The header Idempotency-Key is missing or not 8 to 128 letters, digits, dots, colons, underscores or hyphens.",
            hint="Make one UUID per message and keep it for every repetition.",
        )
    return key


def message(request: HttpRequest, part: str, shape: type[Shape]) -> tuple[Shape, list[Upload]]:
    """The JSON part of a multipart body, validated, and its files.

    Args:
        part: the name of the JSON part.
        shape: the msgspec type it must have.

    Raises:
        Problem: 415 for another content type, 400 for a body that cannot be read, 422 for JSON of another shape.
    """
    if request.content_type != "multipart/form-data":
        raise Problem(
            415,
            "Unsupported content",
            "The body must be multipart/form-data.",
            hint=f"Send a JSON part called `{part}` and the files as parts called `files`.",
        )
    try:
        texts: Any = request.POST
        uploads: Any = request.FILES
    except (MultiPartParserError, UnreadablePostError) as error:
        raise unreadable("The multipart body cannot be read.") from error
    strangers = ({*texts} - {part}) | ({*uploads} - {part, "files"})
    if strangers:
        raise unreadable(f"There is a part that is neither `{part}` nor `files`.")
    parts: list[bytes] = [one.encode("utf-8", "surrogatepass") for one in texts.getlist(part)]
    for upload in uploads.getlist(part):
        if (upload.size or 0) > MAX_JSON_BYTES:
            raise unreadable(f"The part `{part}` is longer than {MAX_JSON_BYTES // 1024} kB.")
        parts.append(upload.read())
    if len(parts) != 1:
        raise unreadable(f"There must be exactly one part called `{part}`.")
    if len(parts[0]) > MAX_JSON_BYTES:
        raise unreadable(f"The part `{part}` is longer than {MAX_JSON_BYTES // 1024} kB.")
    files = uploads.getlist("files")
    if len(files) > MAX_FILES:
        raise too_many_files()
    new = decode(parts[0], shape, part)
    names = new.file_names if new.file_names is not None else [one.name or "" for one in files]
    if len(names) != len(files):
        raise Problem(
            422,
            "Content not accepted",
            f"`file_names` has {len(names)} names, but {len(files)} files came.",
            hint="Name every file, in the order of the parts, and give every part a file name.",
        )
    return new, [Upload(name, one.content_type or "", one) for name, one in zip(names, files, strict=True)]


def decode(raw: bytes, shape: type[Shape], part: str) -> Shape:
    """JSON of exactly this shape.

    Raises:
        Problem: 400 if it is no JSON, 422 if it has another shape.
    """
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise Problem(
            422,
            "Content not accepted",
            f"{str(error)[:300]} in `{part}`.",
            hint="Compare it with the API's description.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(f"The part `{part}` is not valid JSON.") from error


def too_many_files() -> Problem:
    """422 for the number of parts."""
    return Problem(
        422, "Content not accepted", f"There are more than {MAX_FILES} files.", hint="Put them into one zip archive."
    )


def unreadable(detail: str) -> Problem:
    """400 for the body."""
    return Problem(400, "Request not understood", detail, hint="Compare it with the API's description.")


def answer(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON answer that no cache on the way keeps."""
    return HttpResponse(
        msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "private, no-cache", **(headers or {})},
    )


def conditional(request: HttpRequest, body: Any) -> HttpResponse:
    """An answer with an ETag, or 304 where the caller has it already."""
    raw = msgspec.json.encode(body)
    etag = f'"{hashlib.sha256(raw).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    wanted = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    if etag in wanted or "*" in wanted:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(raw, content_type="application/json", headers=headers)
