"""resources/api/employee-api.yaml says what the server does: schemathesis asks the running server everything it can think of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import client
from client.demo import shapes
from client.demo.launch import DemoDesk
from client.desks import employee, texts

ROOT = Path(client.__file__).resolve().parent.parent
DESCRIPTION = ROOT / "resources" / "api" / "employee-api.yaml"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return dict(yaml.safe_load(DESCRIPTION.read_text("utf-8")))


@pytest.mark.slow
def test_the_server_does_what_is_described_and_nothing_else(demo_desk: DemoDesk, tmp_path: Path) -> None:
    """Half a minute: valid and invalid requests to every address, then chains of them; the seed makes a failure come again."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(DESCRIPTION), "--url", demo_desk.api]
    options = [
        "--header",
        f"Authorization: Bearer {demo_desk.token}",
        "--max-examples",
        "6",
        "--seed",
        "1",
        "--no-color",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.client.demo.schemathesis_hooks"}
    done = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Selected: 9/9" in done.stdout
    assert "No issues found" in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "NewTicket",
        "NewComment",
        "StoredFile",
        "TicketList",
        "TicketDetail",
        "CreatedTicket",
        "CreatedComment",
        "KbAnswer",
        "Me",
    ],
)
def test_every_message_has_the_members_that_are_described(described: dict[str, Any], name: str) -> None:
    schema = described["components"]["schemas"][name]
    assert set(schema["properties"]) == set(getattr(shapes, name).__struct_fields__)
    assert schema["additionalProperties"] is False


def test_limits_and_patterns_are_the_ones_described(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    ours = msgspec.json.schema(shapes.NewTicket)["$defs"]["NewTicket"]["properties"]
    for member, schema in (("subject", "Line"), ("body", "Text")):
        for rule in ("minLength", "maxLength", "pattern"):
            assert ours[member][rule] == schemas[schema][rule]
    fields = msgspec.json.schema(shapes.NewTicket)["$defs"]["Fields"]["properties"]
    told = schemas["NewTicket"]["properties"]["fields"]["properties"]
    assert set(fields) == set(told) == set(employee.FIELDS)
    assert fields["device"]["pattern"] == schemas["Value"]["pattern"]
    assert fields["device"]["maxLength"] == schemas["Value"]["maxLength"] == texts.MAX_VALUE
    for member, known in (("severity", employee.SEVERITIES), ("tier", employee.TIERS)):
        assert set(fields[member]["enum"]) == set(told[member]["enum"]) == known


def test_every_refusal_is_a_problem(described: dict[str, Any]) -> None:
    responses = described["components"]["responses"]
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for status, answer in operation["responses"].items():
                if status >= "400":
                    named = responses[answer["$ref"].rpartition("/")[2]]
                    assert list(named["content"]) == ["application/problem+json"], (path, method, status)
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), (path, method)
