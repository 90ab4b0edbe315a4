"""The employee API, version 1, as resources/api/employee-api.yaml describes it. Each function answers one method of one address."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from client.demo import announcements, articles, tickets
from client.demo.gate import (
    KEY,
    answer,
    bad_parameter,
    conditional,
    employee_call,
    key_of,
    message,
    no_body,
    parameters,
)
from client.demo.problems import API_PREFIX, not_found
from client.demo.shapes import AnnouncementList, KbAnswer, Me, NewComment, NewTicket, TicketList

MAX_PAGE = 100
MAX_WORDS = 200


def create(request: HttpRequest, employee: User) -> HttpResponse:
    """POST tickets."""
    parameters(request)
    key = key_of(request)
    new, files = message(request, "ticket", NewTicket)
    made, replay = tickets.create(employee, key=key, new=new, files=files)
    where = {"Location": f"{API_PREFIX}/tickets/{made.ticket.id}"}
    if replay:
        return answer(made, headers={**where, "Idempotent-Replay": "true"})
    return answer(made, status=201, headers=where)


def listing(request: HttpRequest, employee: User) -> HttpResponse:
    """GET tickets."""
    given = parameters(request, "ref", "key", "updated_since", "before", "limit")
    if "key" in given and not KEY.fullmatch(given["key"]):
        raise bad_parameter("`key` is no Idempotency-Key.", "Send the key as it was sent with the ticket.")
    if "ref" in given and not 1 <= len(given["ref"]) <= MAX_WORDS:
        raise bad_parameter("`ref` is empty or too long.", "Send the ticket's number, such as IT-12.")
    if "before" in given and not re.fullmatch(r"[1-9][0-9]{0,17}", given["before"]):
        raise bad_parameter("`before` is not what a page gave as `next_before`.", "Leave it out for the first page.")
    if "limit" in given and not (re.fullmatch(r"[1-9][0-9]{0,2}", given["limit"]) and int(given["limit"]) <= MAX_PAGE):
        raise bad_parameter(f"`limit` is not a number from 1 to {MAX_PAGE}.", "Leave it out.")
    found, more = tickets.page(
        employee,
        ref=given.get("ref"),
        key=given.get("key"),
        updated_since=moment(given["updated_since"]) if "updated_since" in given else None,
        before=given.get("before"),
        limit=int(given.get("limit", MAX_PAGE)),
    )
    return conditional(request, TicketList(tickets=tuple(found), next_before=more))


def moment(text: str) -> datetime:
    """A time with its offset, as RFC 3339 writes it.

    Raises:
        Problem: 400.
    """
    try:
        if not re.fullmatch(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", text
        ):
            raise ValueError(text)  # noqa: TRY301 -- one way out for both kinds of mistake
        return datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_parameter(
            "`updated_since` is not a time with its offset.", "Write it as 2026-01-31T09:00:00Z."
        ) from error


def detail(request: HttpRequest, employee: User, ticket_id: str) -> HttpResponse:
    """GET tickets/{id}."""
    parameters(request)
    return conditional(request, tickets.detail(tickets.own_one(employee, ticket_id)))


def comment(request: HttpRequest, employee: User, ticket_id: str) -> HttpResponse:
    """POST tickets/{id}/comments."""
    parameters(request)
    ticket = tickets.own_one(employee, ticket_id)
    key = key_of(request)
    new, files = message(request, "comment", NewComment)
    made, replay = tickets.reply(employee, ticket, key=key, new=new, files=files)
    if replay:
        return answer(made, headers={"Idempotent-Replay": "true"})
    return answer(made, status=201)


def close(request: HttpRequest, employee: User, ticket_id: str) -> HttpResponse:
    """POST tickets/{id}/close."""
    return change(request, employee, ticket_id, wanted=False)


def reopen(request: HttpRequest, employee: User, ticket_id: str) -> HttpResponse:
    """POST tickets/{id}/reopen."""
    return change(request, employee, ticket_id, wanted=True)


def change(request: HttpRequest, employee: User, ticket_id: str, *, wanted: bool) -> HttpResponse:
    """Opens or closes; saying it twice changes nothing the second time."""
    parameters(request)
    no_body(request)
    return answer(tickets.set_open(employee, tickets.own_one(employee, ticket_id), wanted=wanted))


def search(request: HttpRequest, _employee: User) -> HttpResponse:
    """GET kb."""
    words = parameters(request, "q").get("q", "")
    if not 1 <= len(words) <= MAX_WORDS:
        raise bad_parameter(f"`q` must have 1 to {MAX_WORDS} characters.", "Send a few words.")
    return conditional(request, KbAnswer(articles=articles.find(words)))


def announced(request: HttpRequest, _employee: User) -> HttpResponse:
    """GET announcements."""
    parameters(request)
    return conditional(request, AnnouncementList(announcements=announcements.told()))


def me(request: HttpRequest, employee: User) -> HttpResponse:
    """GET me."""
    parameters(request)
    return conditional(request, Me(name=tickets.name_of(employee), email=employee.email))


def nowhere(_request: HttpRequest) -> HttpResponse:
    """Any other address below the API."""
    return not_found().answer()


urlpatterns = [
    path("tickets", employee_call(GET=listing, POST=create)),
    path("tickets/<str:ticket_id>", employee_call(GET=detail)),
    path("tickets/<str:ticket_id>/comments", employee_call(POST=comment)),
    path("tickets/<str:ticket_id>/close", employee_call(POST=close)),
    path("tickets/<str:ticket_id>/reopen", employee_call(POST=reopen)),
    path("kb", employee_call(GET=search)),
    path("announcements", employee_call(GET=announced)),
    path("me", employee_call(GET=me)),
    re_path(r"", nowhere),
]
