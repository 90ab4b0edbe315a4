"""Every key is declared once, with words and a default that is valid."""

from __future__ import annotations

import json

import msgspec
import pytest

from client.settings.schema import KEYS, Key, Settings, json_schema
from client.settings.values import read_service, read_value

MACHINE = {
    "fixes.scripts",
    "announcements.from_desk",
    "announcements.feed",
    "desk.kind",
    "desk.url",
    "desk.queue",
    "desk.request_type",
    "desk.fields",
    "desk.routing",
    "desk.personal_key",
    "desk.oauth_client",
    "sign_in.method",
    "sign_in.issuer",
    "sign_in.client_id",
    "sign_in.scopes",
    "sign_in.resource",
    "sign_in.audience",
    "sign_in.prompt",
    "sign_in.device_flow",
    "sign_in.redirect",
    "sign_in.redirect_ports",
    "network.ca_file",
    "screenshot.hide_windows",
    "privacy.hide_network",
    "fixes.allowed",
    "fixes.privileged",
    "knowledge.packs",
    "knowledge.refresh_every_min",
    "knowledge.search_desk",
    "knowledge.share_counts",
    "knowledge.counts_url",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_a_key_has_words_and_its_default_is_valid(key: Key) -> None:
    assert key.description.endswith((".", "..."))
    if key.name != "services":
        assert read_value(key, msgspec.to_builtins(key.default)) == key.default


def test_what_decides_where_data_goes_is_for_the_machine() -> None:
    assert {key.name for key in KEYS.values() if key.set_by == "machine"} == MACHINE


def test_the_keys_of_the_design_exist() -> None:
    design = """desk.kind desk.url network.connectivity_url network.public_urls network.internal_names network.proxy
        network.no_proxy network.ca_file network.time_server network.bandwidth_url services"""
    assert set(design.split()) <= KEYS.keys()


def test_with_nothing_configured_the_checks_have_targets_and_no_desk() -> None:
    targets = Settings().targets()
    assert (targets.desk_url, targets.services) == ("", ())
    assert targets.thresholds.disk_free_percent == 5


def test_the_schema_is_json_and_describes_every_key() -> None:
    schema = json.loads(msgspec.json.encode(json_schema()))
    tables = schema["$defs"]
    described = {"services"} if tables["Settings"]["properties"]["services"]["description"] else set()
    for table, about in tables["Settings"]["properties"].items():
        if "$ref" in about or "allOf" in about:
            struct = tables[about["$ref"].rpartition("/")[2]]
            assert struct["additionalProperties"] is False
            described |= {f"{table}.{name}" for name, key in struct["properties"].items() if key["description"]}
    assert described == KEYS.keys()
    assert tables["Desk"]["properties"]["url"]["x-set-by"] == "machine"


@pytest.mark.parametrize(
    "item",
    [
        {"name": "SSO", "url": "https://sso.example.com/health"},
        {"name": "Files", "address": "files.example.com:445"},
        {"name": "Old", "address": "192.0.2.7:22"},
        {"name": "New", "address": "[2001:db8::7]:22"},
    ],
)
def test_a_service_is_a_url_or_an_address(item: dict[str, str]) -> None:
    assert read_service(item).name == item["name"]
