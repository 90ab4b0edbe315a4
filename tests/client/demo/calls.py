"""Calls of the employee API as tests make them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx

NEW = {"subject": "No network", "body": "Nothing works"}
File = tuple[str, bytes, str]


def send(
    api: httpx.Client, *files: File, key: str = "", path: str = "/tickets", part: str = "ticket", new: Any = None
) -> httpx.Response:
    raw = json.dumps(NEW if new is None else new).encode()
    parts = [(part, (None, raw, "application/json")), *(("files", one) for one in files)]
    return api.post(path, headers={"Idempotency-Key": key or str(uuid.uuid4())}, files=parts)


def ticket(api: httpx.Client, *files: File, **new: Any) -> dict[str, Any]:
    answer = send(api, *files, new={**NEW, **new})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["ticket"]
    return found


def assert_problem(answer: httpx.Response, status: int, words: str = "") -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["title"]
    assert body["detail"]
    assert body["hint"]
    assert body["status"] == status
    assert words in body["detail"]
    return body
