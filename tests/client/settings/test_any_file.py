"""Whatever a file says: settings come out, the mistakes are sentences, and a policy never falls open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from client.platform.paths import Paths
from client.settings.layers import DEFAULTS, Layer, load
from client.settings.schema import KEYS, TABLES, TOGETHER, Settings
from client.settings.source import Source

NOWHERE = Path("/nonexistent")
PATHS = Paths(**dict.fromkeys(Paths._fields, NOWHERE))

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary(max_size=8)
    | st.dates()
    | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({name.rpartition(".")[2] for name in KEYS} | {"name", "url", "address"})
near_right = st.sampled_from(
    [
        "",
        "https://x.example",
        "http://127.0.0.1:1",
        "x:1",
        "de",
        "22:00",
        "system",
        "info",
        "demo",
        0,
        1,
        50,
        True,
        ["a"],
    ]
)
inner = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), near_right | anything, max_size=6)
tables = st.dictionaries(
    st.sampled_from([*sorted(TABLES), "services", DEFAULTS]) | st.text(max_size=8),
    inner
    | st.lists(inner, max_size=3)
    | anything
    | st.dictionaries(st.sampled_from(sorted(TABLES)), inner, max_size=3),
    max_size=6,
)
sources = st.builds(
    lambda table, broken, lenient: Source(
        file="policy.toml",
        table={} if broken else table,
        problem="cannot be read" if broken else "",
        texts_only=lenient,
    ),
    tables,
    st.booleans(),
    st.booleans(),
)


@given(user=tables, policy=st.lists(sources, max_size=3))
@settings(max_examples=150, deadline=None)
def test_settings_always_come_out_and_can_be_handed_on(user: dict[str, Any], policy: list[Source]) -> None:
    loaded = merged(user, policy)
    again = msgspec.json.decode(msgspec.json.encode(loaded.values), type=Settings)  # the check run gets them as JSON
    assert again == loaded.values
    assert loaded.origins.keys() == KEYS.keys()
    assert all(sentence.isprintable() for sentence in (*loaded.problems, *loaded.notes))
    assert sum(map(len, loaded.problems)) < 60 * 600


# Files that are about what is for the machine, so that most examples are about the rule and not about its surroundings.
value = (
    st.sampled_from(["https://it.example", "http://it.example", "demo", "", "/it.pem", ["disk.*"], [], 3]) | anything
)
machine_tables = st.fixed_dictionaries(
    {},
    optional={
        "desk": st.fixed_dictionaries({}, optional={"kind": value, "url": value}),
        "fixes": st.fixed_dictionaries({}, optional={"allowed": value, "privileged": value}),
        "network": st.fixed_dictionaries({}, optional={"ca_file": value, "proxy": value}),
    },
)
machine_policies = st.lists(
    st.builds(
        lambda locked, defaults, broken: Source(
            file="policy.toml",
            table={} if broken else {**locked, DEFAULTS: defaults},
            problem="is broken" if broken else "",
        ),
        machine_tables,
        machine_tables,
        st.integers(0, 9).map(lambda number: number == 0),
    ),
    max_size=3,
)
EVIL = {
    "desk": {
        "kind": "employee",
        "url": "https://evil.example",
        "queue": "evil",
        "request_type": "evil",
        "fields": ["cause=evil"],
        "routing": ["* -> queue=evil"],
        "personal_key": True,
        "oauth_client": "evil:evil",
    },
    "sign_in": {
        "method": "oidc",
        "issuer": "https://evil.example",
        "client_id": "evil",
        "scopes": ["openid", "evil"],
        "resource": "https://evil.example",
        "audience": "evil",
        "prompt": "login",
        "device_flow": False,
        "redirect": "http://localhost/evil",
        "redirect_ports": ["6666"],
    },
    "fixes": {"allowed": ["evil"], "privileged": ["evil"], "scripts": "/evil"},
    "network": {"ca_file": "/evil.pem"},
    "knowledge": {
        "packs": ["https://evil.example/it.pack ed25519:" + "e" * 43 + "="],
        "refresh_every_min": 1,
        "search_desk": False,
        "share_counts": True,
        "counts_url": "https://evil.example",
    },
    "screenshot": {"hide_windows": ["evil"]},
    "privacy": {"hide_network": True},
    "announcements": {"from_desk": False, "feed": "https://evil.example/it.feed ed25519:" + "e" * 43 + "="},
}


@given(policy=machine_policies)
@settings(max_examples=300, deadline=None)
def test_what_a_policy_touches_is_never_taken_from_the_user(policy: list[Source]) -> None:
    loaded, without = merged(EVIL, policy), merged({}, policy)
    broken = any(one.problem for one in policy)
    touched = {
        key.table
        for key in KEYS.values()
        for one in policy
        if key.set_by == "machine" and (mentions(one.table, key.name) or mentions(one.table.get(DEFAULTS), key.name))
    }
    if touched & TOGETHER:
        touched |= TOGETHER
    for key in KEYS.values():
        if key.set_by != "machine":
            continue
        closed = broken or key.table in touched
        assert (loaded.origin(key.name).layer is Layer.USER) is not closed
        assert (loaded.value(key.name) == without.value(key.name)) is closed


@given(user=tables, policy=st.lists(sources, max_size=2))
@settings(max_examples=100, deadline=None)
def test_a_locked_value_is_the_same_whatever_the_user_says(user: dict[str, Any], policy: list[Source]) -> None:
    loaded, without = merged(user, policy), merged({}, policy)
    for name in KEYS:
        if loaded.origin(name).locked:
            assert loaded.value(name) == without.value(name)


def merged(user: dict[str, Any], policy: list[Source]) -> Any:
    from client.settings.layers import _Merge

    return _Merge().run(tuple(policy), Source(file="settings.toml", table=user))


def mentions(table: Any, name: str) -> bool:
    outer, _, inner = name.partition(".")
    return isinstance(table, dict) and isinstance(table.get(outer), dict) and inner in table[outer]


def test_with_nowhere_to_read_from_the_built_in_values_count() -> None:
    assert load(PATHS, policy=()).values == Settings()
