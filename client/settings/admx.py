"""The templates for Group Policy and Intune, from the one declaration of the keys: deskside.admx and its words (.adml).

Every key is there twice: below "Deskside" it locks the value, below "Defaults that people may change" it only suggests it. What
Windows then writes is what `client.settings.win32` reads. Keys that are lists of tables have no form in a template, except the
services ("name" = "address"); they are set in the registry by a script, or as a file.

Source: Microsoft's Group Policy ADMX schema, namespace PolicyDefinitions/2006/07.
"""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec

from client.settings.schema import KEYS, Key, Settings

NAMESPACE: Final = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
REVISION: Final = "1.0"
ROOT_KEY: Final = r"Software\Policies\Deskside"
LARGEST: Final = 2**32 - 1  # what a REG_DWORD holds; larger limits cannot be set here, larger values neither
_LONGEST_TEXT: Final = 1023


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a template says in one language. `tables` and `keys` are by their names in the settings, all of them."""

    language: str
    product: str
    defaults: str
    supported: str
    locked: str
    suggested: str
    on: str
    value: str
    nothing: str
    services: str
    tables: Mapping[str, str]
    titles: Mapping[str, str]
    keys: Mapping[str, str]


def english() -> Words:
    """The words of the declaration itself."""
    hints = typing.get_type_hints(Settings)
    tables = {
        table: KEYS[table].description if table in KEYS else (hints[table].__doc__ or "").split("\n")[0]
        for table in hints
    }
    return Words(
        language="en-US",
        product="Deskside",
        defaults="Defaults that people may change",
        supported="Deskside 0.1 or later",
        locked="Setting this locks it: people see the value and cannot change it.",
        suggested="This only sets the value that counts until somebody chooses another.",
        on="Enabled: yes. Disabled: no.",
        value="Value",
        nothing="(nothing)",
        services="Name of the service, and its URL or host:port",
        tables=tables,
        titles={name: title_of(name) for name in {*tables, *KEYS}},
        keys={key.name: key.description for key in KEYS.values()},
    )


def words_from(text: str) -> Words:
    """The words of another language, from a TOML file of the shape of `Words` (resources/policy/words-de.toml).

    Raises:
        msgspec.ValidationError: something is missing or of the wrong type.
    """
    return msgspec.convert(tomllib.loads(text), Words)


def title_of(name: str) -> str:
    """A key's or table's name as words: "check_every_min" becomes "Check every min"."""
    return name.rpartition(".")[2].replace("_", " ").capitalize()


def offered() -> tuple[Key, ...]:
    """The keys that a template has a form for."""
    return tuple(key for key in KEYS.values() if key.name == "services" or not _is_tables(key))


def admx() -> bytes:
    """The template without words: what is written where."""
    root = ET.Element("policyDefinitions", xmlns=NAMESPACE, revision=REVISION, schemaVersion="1.0")
    spaces = ET.SubElement(root, "policyNamespaces")
    ET.SubElement(spaces, "target", prefix="deskside", namespace="Deskside.Policies")
    ET.SubElement(root, "resources", minRequiredRevision=REVISION)
    supported = ET.SubElement(ET.SubElement(root, "supportedOn"), "definitions")
    ET.SubElement(supported, "definition", name="SUPPORTED", displayName="$(string.SUPPORTED)")
    categories = ET.SubElement(root, "categories")
    for name, parent in _categories():
        category = ET.SubElement(categories, "category", name=name, displayName=f"$(string.{name})")
        if parent:
            ET.SubElement(category, "parentCategory", ref=parent)
    policies = ET.SubElement(root, "policies")
    for key in offered():
        for prefix in ("", "defaults"):
            policies.append(_policy(key, prefix))
    return _bytes(root)


def adml(words: Words) -> bytes:
    """The words of the template in one language.

    Raises:
        KeyError: a key or table has no words in this language.
    """
    root = ET.Element("policyDefinitionResources", xmlns=NAMESPACE, revision=REVISION, schemaVersion="1.0")
    ET.SubElement(root, "displayName").text = words.product
    ET.SubElement(root, "description").text = words.product
    resources = ET.SubElement(root, "resources")
    strings = ET.SubElement(resources, "stringTable")

    def string(name: str, text: str) -> None:
        ET.SubElement(strings, "string", id=name).text = text

    string("SUPPORTED", words.supported)
    string("deskside", words.product)
    string("deskside_defaults", words.defaults)
    for name, _ in _categories():
        if "__" in name:
            string(name, words.titles[name.rpartition("__")[2]])
    presentations = ET.SubElement(resources, "presentationTable")
    for key in offered():
        for choice in _choices(key):
            string(_choice_id(key, choice), choice or words.nothing)
        for prefix in ("", "defaults"):
            name = _id(key, prefix)
            string(name, words.titles[key.name])
            what = [words.keys[key.name], words.suggested if prefix else words.locked]
            string(f"{name}_help", "\n\n".join([*what, words.on] if _plain(key) is bool else what))
            if _plain(key) is not bool:
                presentations.append(_presentation(key, name, words))
    return _bytes(root)


def _categories() -> Iterator[tuple[str, str]]:
    """(name, parent): the product, its defaults, and in both a category for each table."""
    yield "deskside", ""
    yield "deskside_defaults", "deskside"
    for table in dict.fromkeys(key.table for key in offered()):
        yield f"deskside__{table}", "deskside"
        yield f"deskside_defaults__{table}", "deskside_defaults"


def _policy(key: Key, prefix: str) -> ET.Element:
    name = _id(key, prefix)
    place = rf"{ROOT_KEY}\defaults" if prefix else ROOT_KEY
    table = rf"{place}\{key.table}"
    policy = ET.Element(
        "policy",
        {
            "name": name,
            "class": "Machine",
            "displayName": f"$(string.{name})",
            "explainText": f"$(string.{name}_help)",
            "key": table,
        },
    )
    short = key.name.rpartition(".")[2]
    kind = _plain(key)
    if kind is bool:
        policy.set("valueName", short)
    else:
        policy.set("presentation", f"$(presentation.{name})")
    ET.SubElement(policy, "parentCategory", ref=f"deskside{'_defaults' if prefix else ''}__{key.table}")
    ET.SubElement(policy, "supportedOn", ref="SUPPORTED")
    if kind is bool:
        for switch, number in (("enabledValue", "1"), ("disabledValue", "0")):
            ET.SubElement(ET.SubElement(policy, switch), "decimal", value=number)
        return policy
    elements = ET.SubElement(policy, "elements")
    if key.name == "services":
        ET.SubElement(elements, "list", id="value", key=table, explicitValue="true")
    elif typing.get_origin(kind) is tuple:
        ET.SubElement(elements, "list", id="value", key=rf"{table}\{short}", valuePrefix="")
    elif choices := _choices(key):
        enum = ET.SubElement(elements, "enum", id="value", valueName=short, required="true")
        for choice in choices:
            item = ET.SubElement(enum, "item", displayName=f"$(string.{_choice_id(key, choice)})")
            ET.SubElement(ET.SubElement(item, "value"), "string").text = choice
    elif kind is int:
        least, most = _limits(key)
        ET.SubElement(
            elements, "decimal", id="value", valueName=short, required="true", minValue=str(least), maxValue=str(most)
        )
    else:
        ET.SubElement(elements, "text", id="value", valueName=short, maxLength=str(_longest(key)))
    return policy


def _presentation(key: Key, name: str, words: Words) -> ET.Element:
    presentation = ET.Element("presentation", id=name)
    kind = _plain(key)
    if key.name == "services":
        ET.SubElement(presentation, "listBox", refId="value").text = words.services
    elif typing.get_origin(kind) is tuple:
        ET.SubElement(presentation, "listBox", refId="value").text = words.value
    elif _choices(key):
        default = str(_choices(key).index(key.default))
        ET.SubElement(
            presentation, "dropdownList", refId="value", noSort="true", defaultItem=default
        ).text = words.value
    elif kind is int:
        start = str(min(key.default, LARGEST))
        ET.SubElement(
            presentation, "decimalTextBox", refId="value", defaultValue=start, spin="false"
        ).text = words.value
    else:
        box = ET.SubElement(presentation, "textBox", refId="value")
        ET.SubElement(box, "label").text = words.value
        ET.SubElement(box, "defaultValue").text = str(key.default)
    return presentation


def _id(key: Key, prefix: str) -> str:
    return "__".join(part for part in (prefix, *key.name.split(".")) if part)


def _choice_id(key: Key, choice: str) -> str:
    return f"{_id(key, '')}__is_{choice or 'nothing'}"


def _plain(key: Key) -> Any:
    return typing.get_args(key.type)[0] if hasattr(key.type, "__metadata__") else key.type


def _is_tables(key: Key) -> bool:
    kind = _plain(key)
    inner = typing.get_args(kind)[:1] if typing.get_origin(kind) is tuple else ()
    return bool(inner) and isinstance(inner[0], type) and issubclass(inner[0], msgspec.Struct)


def _choices(key: Key) -> tuple[str, ...]:
    kind = _plain(key)
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()


def _limits(key: Key) -> tuple[int, int]:
    least, most = 0, LARGEST
    for meta in getattr(key.type, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta):
            least = int(meta.ge) if meta.ge is not None else int(meta.gt) + 1 if meta.gt is not None else least
            most = int(meta.le) if meta.le is not None else most
    return least, most


def _longest(key: Key) -> int:
    found = [meta.max_length for meta in getattr(key.type, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    return next((one for one in found if one), _LONGEST_TEXT)


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + content + b"\n"
