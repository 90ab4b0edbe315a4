"""What managed Macs are given, from the one declaration of the keys: a configuration profile and the form for Jamf Pro.

The profile sets nothing by itself: every key is in its `defaults` at its built-in value, to be changed there, or to be moved out
of `defaults` to lock it. Sources: Apple's configuration profile reference; Jamf Pro's custom schemas (JSON Schema).
"""

from __future__ import annotations

import json
import plistlib
import uuid
from typing import Any, Final

import msgspec

from client.settings.admx import english
from client.settings.darwin import DOMAIN
from client.settings.layers import DEFAULTS
from client.settings.schema import KEYS, json_schema

# Names that stay the same for every build of the template; whoever deploys it gives it their own.
_IDENTITY: Final = uuid.UUID("6f0a5a0e-7f5c-4d0b-9a51-9e1f1d6f2c10")


def mobileconfig() -> bytes:
    """A configuration profile for the computer, an XML property list."""
    payload = {
        "PayloadType": DOMAIN,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{DOMAIN}.settings",
        "PayloadUUID": _uuid("settings"),
        "PayloadDisplayName": "Deskside",
        DEFAULTS: _built_in(),
    }
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadScope": "System",
            "PayloadIdentifier": f"{DOMAIN}.profile",
            "PayloadUUID": _uuid("profile"),
            "PayloadDisplayName": "Deskside",
            "PayloadDescription": "Settings of Deskside. What stands in defaults, people may change; what stands beside it, not.",
            "PayloadContent": [payload],
        },
        sort_keys=False,
    )


def jamf_schema() -> bytes:
    """The form that Jamf Pro shows for the preference domain io.github.deskside, as JSON."""
    schema = json_schema()
    words = english()
    tables: dict[str, Any] = {}
    for order, name in enumerate(words.tables):
        table = _resolved(schema["$defs"]["Settings"]["properties"][name], schema["$defs"])
        tables[name] = {
            "title": words.titles[name],
            "description": words.tables[name],
            "property_order": order,
            **table,
        }
        for place, (key, about) in enumerate(table.get("properties", {}).items()):
            about |= {"title": words.titles[f"{name}.{key}"], "property_order": place}
    suggested = {
        "title": words.defaults,
        "description": words.suggested,
        "property_order": len(tables),
        "type": "object",
        "properties": tables,
    }
    form = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Deskside ({DOMAIN})",
        "description": words.locked,
        "type": "object",
        "properties": {**tables, DEFAULTS: suggested},
    }
    return json.dumps(form, indent=2, ensure_ascii=False).encode() + b"\n"


def _built_in() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in KEYS.values():
        table, _, name = key.name.partition(".")
        value = msgspec.to_builtins(key.default)
        value = list(value) if isinstance(value, tuple) else value
        if name:
            found.setdefault(table, {})[name] = value
        else:
            found[table] = value
    return found


def _resolved(node: Any, known: dict[str, Any]) -> Any:
    """The schema with what it refers to put in its place: forms follow no references."""
    if isinstance(node, list):
        return [_resolved(one, known) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = {**known[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
    return {k: _resolved(v, known) for k, v in node.items() if k not in {"default", "additionalProperties"}}


def _uuid(what: str) -> str:
    return str(uuid.uuid5(_IDENTITY, what)).upper()
