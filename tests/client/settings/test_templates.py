"""The templates for administrators: written from the declaration, whole in every language, and read back as what was chosen."""

from __future__ import annotations

import contextlib
import json
import plistlib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from client.platform.paths import Paths
from client.settings import darwin, win32
from client.settings.admx import NAMESPACE, ROOT_KEY, adml, admx, english, offered, words_from
from client.settings.generate import policy_files
from client.settings.layers import Layer, Loaded, load
from client.settings.schema import KEYS, Key, Settings
from client.settings.values import BadValue, read_value
from tests.client.settings.registry import FakeRegistry

ROOT = Path(__file__).parents[3]
POLICY = ROOT / "resources" / "policy"
IN = {"p": NAMESPACE}
# Something for every key; the first that the key takes is entered.
CHOSEN = (
    "https://it.example.com/",
    "22:00",
    "none",
    "C:\\it\\root.pem",
    "a.example.com",
    "openid",
    "fr",
    "53682",
    f"https://it.example.com/our.pack ed25519:{'e' * 43}=",
    "http://localhost/deskside",
    "* -> queue=IT",
)
REFERENCE = re.compile(r"\$\((string|presentation)\.(\w+)\)")


def german() -> bytes:
    return adml(words_from((POLICY / "words-de.toml").read_text(encoding="utf-8")))


def template() -> ET.Element:
    return parsed(admx())


def parsed(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314 -- of our own making


def policies(prefix: str) -> Iterator[tuple[Key, ET.Element]]:
    """(key, policy) of all locking ("") or suggesting ("defaults__") policies."""
    by_name = {one.get("name"): one for one in template().iterfind(".//p:policy", IN)}
    for key in offered():
        yield key, by_name.pop(prefix + key.name.replace(".", "__"))


@pytest.mark.parametrize("name", sorted(policy_files()))
def test_what_is_handed_out_is_up_to_date(name: str) -> None:
    assert (POLICY / name).read_bytes() == policy_files()[name], "run: python -m client.settings.generate"


def test_every_key_but_lists_of_tables_has_a_form() -> None:
    lists_of_tables = {name for name, key in KEYS.items() if "$ref" in str(msgspec.json.schema(key.type))}
    assert {key.name for key in offered()} == KEYS.keys() - (lists_of_tables - {"services"})


def test_every_key_and_table_has_german_words_of_its_own() -> None:
    words, own = words_from((POLICY / "words-de.toml").read_text(encoding="utf-8")), english()
    assert words.tables.keys() == own.tables.keys()
    assert own.titles.keys() == words.titles.keys()
    assert own.keys.keys() == words.keys.keys()
    assert not [name for name in own.keys if words.keys[name] == own.keys[name]]


@pytest.mark.parametrize("words", [lambda: adml(english()), german], ids=["en", "de"])
def test_everything_that_the_template_names_has_words(words: Callable[[], bytes]) -> None:
    text = admx().decode()
    resources = parsed(words())
    strings = [one.get("id") for one in resources.iterfind(".//p:string", IN)]
    forms = [one.get("id") for one in resources.iterfind(".//p:presentation", IN)]
    named = set(REFERENCE.findall(text))
    assert named == {("string", one) for one in strings} | {("presentation", one) for one in forms}
    assert len(strings) == len(set(strings))
    assert len(forms) == len(set(forms))
    assert all((one.text or "").strip() for one in resources.iterfind(".//p:string", IN))


def test_categories_are_there_before_they_are_named() -> None:
    root = template()
    known = {one.get("name") for one in root.iterfind(".//p:category", IN)}
    named = {one.get("ref") for one in root.iterfind(".//p:parentCategory", IN)}
    assert named <= known


def test_each_form_asks_for_what_its_policy_writes() -> None:
    forms = {one.get("id"): one for one in parsed(adml(english())).iterfind(".//p:presentation", IN)}
    boxes = {"text": "textBox", "decimal": "decimalTextBox", "enum": "dropdownList", "list": "listBox"}
    for policy in template().iterfind(".//p:policy", IN):
        written = list(policy.find("p:elements", IN) or ())
        if form := policy.get("presentation"):
            asked = list(forms[form.removeprefix("$(presentation.").removesuffix(")")])
            assert [(box.tag.rpartition("}")[2], box.get("refId")) for box in asked] == [
                (boxes[one.tag.rpartition("}")[2]], one.get("id")) for one in written
            ]
        else:
            assert (written, policy.get("valueName") is not None) == ([], True)


@pytest.mark.parametrize("prefix", ["", "defaults__"], ids=["locked", "suggested"])
def test_what_group_policy_writes_is_read_as_what_was_chosen(prefix: str, paths: Paths) -> None:
    registry: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    for key, policy in policies(prefix):
        chosen, wanted[key.name] = choose(key)
        write(registry, policy, chosen)
    loaded = load(paths, policy=win32.read(FakeRegistry(registry)))
    assert not loaded.problems, "\n".join(loaded.problems)
    assert {name: loaded.value(name) for name in wanted} == wanted
    layer = Layer.POLICY_DEFAULT if prefix else Layer.POLICY_LOCKED
    assert {loaded.origin(name).layer for name in wanted} == {layer}


def test_the_profile_suggests_the_built_in_values_and_locks_nothing(paths: Paths, tmp_path: Path) -> None:
    profile = plistlib.loads((POLICY / "macos" / "deskside.mobileconfig").read_bytes())
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == darwin.DOMAIN
    # The system writes the payload into the preferences of the domain that it names.
    file = tmp_path / f"{darwin.DOMAIN}.plist"
    file.write_bytes(plistlib.dumps(payload))
    loaded = load(paths, policy=darwin.read(tmp_path, owner=file.stat().st_uid))
    assert (loaded.values, loaded.problems) == (Settings(), ())
    assert {loaded.origin(name).layer for name in KEYS} == {Layer.POLICY_DEFAULT}


def test_a_profile_has_no_two_payloads_of_one_name() -> None:
    profile = plistlib.loads((POLICY / "macos" / "deskside.mobileconfig").read_bytes())
    names = [
        one[name] for one in (profile, *profile["PayloadContent"]) for name in ("PayloadUUID", "PayloadIdentifier")
    ]
    assert len(names) == len(set(names)) == 4


def test_the_form_for_jamf_offers_every_key_locked_and_suggested() -> None:
    form = json.loads((POLICY / "macos" / "deskside-jamf.json").read_bytes())
    assert set(names_of(form)) == {*KEYS} == set(names_of(form["properties"]["defaults"]))
    assert "$ref" not in json.dumps(form)


def test_the_example_for_linux_is_read_as_it_is(merge: Callable[..., Loaded]) -> None:
    text = (POLICY / "linux" / "deskside.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text).keys() <= {name.partition(".")[0] for name in KEYS}
    loaded = merge(None, deskside=text)
    assert (loaded.values, loaded.problems) == (Settings(), ())


def names_of(form: dict[str, Any]) -> Iterator[str]:
    for table, about in form["properties"].items():
        if table in KEYS:
            yield table
        elif table != "defaults":
            yield from (f"{table}.{name}" for name in about["properties"])


def choose(key: Key) -> tuple[Any, Any]:
    """A value that is not the built-in one as an administrator enters it in the form, and as the program has it."""
    if key.name == "services":
        entered = {"Single sign-on": "https://sso.example.com/health", "Files": "files.example.com:445"}
        sso, files = ({"name": name} for name in entered)
        shaped = [sso | {"url": entered[sso["name"]]}, files | {"address": entered[files["name"]]}]
        return entered, msgspec.convert(shaped, key.type)
    if isinstance(key.default, bool):
        return not key.default, not key.default
    offers: tuple[Any, ...] = CHOSEN
    if isinstance(key.default, int):
        offers = tuple(range(3000))
    elif "enum" in (form := msgspec.json.schema(key.type)):
        offers = form["enum"]
    for one in offers:
        entered = [one] if isinstance(key.default, tuple) else one
        with contextlib.suppress(BadValue):
            if (value := read_value(key, entered)) != key.default:
                return entered, value
    raise AssertionError(f"nothing fits {key.name}")


def write(registry: dict[str, Any], policy: ET.Element, chosen: Any) -> None:
    """What the Group Policy client writes for an enabled policy (for a switch also when it is disabled)."""
    place = registry
    assert policy.get("class") == "Machine"
    for part in folders(policy.attrib["key"]):
        place = place.setdefault(part, {})
    elements = policy.find("p:elements", IN)
    if elements is None:
        state = policy.find("p:enabledValue" if chosen else "p:disabledValue", IN)
        assert state is not None
        place[policy.attrib["valueName"]] = int(state[0].attrib["value"])
        return
    (element,) = elements
    kind = element.tag.rpartition("}")[2]
    if kind == "list" and element.get("explicitValue"):
        place.update(chosen)
    elif kind == "list":
        for part in folders(element.attrib["key"])[len(folders(policy.attrib["key"])) :]:
            place = place.setdefault(part, {})
        place.update({str(number): text for number, text in enumerate(chosen, 1)})
    elif kind == "enum":
        offers = [one.text or "" for one in element.iterfind("p:item/p:value/p:string", IN)]
        assert chosen in offers
        place[element.attrib["valueName"]] = chosen
    elif kind == "decimal":
        assert int(element.attrib["minValue"]) <= chosen <= int(element.attrib["maxValue"])
        place[element.attrib["valueName"]] = chosen
    else:
        assert kind == "text"
        assert len(chosen) <= int(element.attrib["maxLength"])
        place[element.attrib["valueName"]] = chosen


def folders(key: str) -> list[str]:
    assert key.startswith(f"{ROOT_KEY}\\")
    return key.removeprefix(f"{ROOT_KEY}\\").split("\\")
