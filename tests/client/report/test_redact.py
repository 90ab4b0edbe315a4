"""The gate: no planted secret leaves, whatever surrounds it; persons and devices get stand-ins; it never crashes nor crawls."""

from __future__ import annotations

import json
import re
import string
import time

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from client.confidential import MARK, sensitive
from client.report.pseudonyms import Pseudonyms
from client.report.redact import ALL_HIDDEN, Redactor, clean, default_privacy
from diagnostics.model import Privacy

HEX = "0123456789abcdef"

# --- properties

words = st.text(max_size=40)
password = st.text(
    string.ascii_letters + string.digits + "!#$%*+-./:?@^_~()[]{}|,;&<>", min_size=6, max_size=30
).filter(lambda one: one[0].isalnum() and any(char.isdigit() for char in one) and "removed" not in one)
blank = st.sampled_from(["", " ", "\n", "\t", ": ", "(", '"', "'", ",", ";"])
around = st.tuples(words, blank).map("".join)


@pytest.mark.parametrize(
    "form",
    [
        "password={}",
        "Password: {}",
        "client_secret={}",
        "X-Api-Key: {}",
        "session_id={}",
        "Authorization: Bearer {}",
        "Cookie: a={}; b=c",
        "Proxy-Authorization: Basic {}",
    ],
)
@given(before=words, secret=password, after=around)
def test_a_named_secret_never_survives_whatever_surrounds_it(form, before, secret, after):
    planted = before + form.format(secret) + after
    result = Redactor().text(planted)
    assert secret not in result.replace(clean(before), "", 1).replace(clean(after), "")


@pytest.mark.parametrize(
    ("prefix", "alphabet", "length"),
    [
        ("ghp_", string.ascii_letters + string.digits, 36),
        ("glpat-", string.ascii_letters + string.digits + "_-", 20),
        ("AKIA", string.ascii_uppercase + string.digits, 16),
        ("AIza", string.ascii_letters + string.digits + "_-", 35),
        ("eyJ", string.ascii_letters + string.digits + "_-", 60),
        ("hvs.", string.ascii_letters + string.digits, 24),
    ],
)
@given(data=st.data(), before=words, after=words)
def test_a_token_never_survives_whatever_is_glued_to_it(prefix, alphabet, length, data, before, after):
    secret = data.draw(st.text(alphabet, min_size=length, max_size=length))
    assume(secret not in before and secret not in after)
    assert secret not in Redactor().text(f"{before}{prefix}{secret}{after}")


@given(
    before=words, after=words, mac=st.lists(st.sampled_from([a + b for a in HEX for b in HEX]), min_size=6, max_size=6)
)
def test_a_hardware_address_never_survives(before, after, mac):
    for glue in ":-":
        address = glue.join(mac)
        assert address not in Redactor().text(f"{before}{address}{after}")


@given(name=st.text(string.ascii_lowercase, min_size=5, max_size=12).map(lambda one: f"q{one}z"), tail=words)
def test_a_home_folders_name_never_survives_nor_elsewhere(name, tail):
    gate = Redactor()
    result = gate.text(f"/home/{name}/x\nwritten by {name} at C:\\Users\\{name}\\y")
    assert name not in result
    assert name not in gate.text(f"{name} {tail.replace(name, '')}")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
@example("password=[removed]x")
@example("authorization: [removed]")
@example("password='[removed]' password=\"[removed]\"")
@example("https://[removed]@host https://a@b@c")
@example("/home//home/anna/home/x")
@example("\ud800 half \udc00")
def test_it_is_idempotent_and_never_crashes(text):
    once = Redactor().text(text)
    gate = Redactor()
    assert gate.text(once) == once
    once.encode()


PIECES = re.findall(
    r"\S+",
    r"""password = : " ' \ token :// @ user /home/ eyJ Bearer a1 < > authorization cookie -----BEGIN -- 00:11:22:33:44:55
    x@y.zz ?code= & C:\Users\ [removed] user-1 ~ /Users/ [ ] Digest""",
)
tangle = st.lists(st.sampled_from([*PIECES, " ", "\n", "-----BEGIN PRIVATE KEY-----"]), max_size=30).map("".join)


@given(tangle)
def test_it_is_idempotent_on_tangles_of_what_it_looks_for(text):
    once = Redactor().text(text)
    assert Redactor().text(once) == once


@given(
    st.lists(st.ip_addresses().map(str) | st.sampled_from(["09:00:00", "::", "fe80::", "/24", " ", ":", ".", "1.2.3"]))
)
def test_addresses_are_hidden_once_and_always_by_the_same_name(pieces):
    names = Pseudonyms()
    text = "".join(pieces)
    once = Redactor(pseudonyms=names, hide=ALL_HIDDEN).text(text)
    assert Redactor(pseudonyms=names, hide=ALL_HIDDEN).text(text) == once
    assert Redactor(pseudonyms=names, hide=ALL_HIDDEN).text(once) == once


@given(st.ip_addresses())
def test_no_address_survives_where_it_is_hidden(address):
    assume(not address.is_loopback and not address.is_unspecified)
    gate = Redactor(hide=ALL_HIDDEN)
    assert str(address) not in gate.text(f"from {address}, to [{address}]:443 and {address}/24 at 09:00:00")
    assert "09:00:00" in gate.text(f"{address} 09:00:00")


@given(st.lists(st.tuples(st.sampled_from(["mac", "user", "address"]), st.text(max_size=6)), max_size=30))
def test_stand_ins_are_stable_and_never_shared(values):
    names = Pseudonyms()
    first = {(kind, value.casefold()): names.name(kind, value) for kind, value in values}
    assert {(kind, value.casefold()): names.name(kind, value) for kind, value in reversed(values)} == first
    assert len(set(first.values())) == len(first)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_any_value_keeps_its_shape_and_can_be_written(value):
    gate = Redactor()
    result = gate.value(value)
    json.dumps(result).encode()
    assert Redactor().value(result) == result or result != result  # noqa: PLR0124 -- NaN is unlike itself
    assert type(result) is type(value)


@given(
    secret=password,
    name=st.sampled_from(["password", "DB_PASSWORD", "apiKey", "x-api-key", "Authorization", "cookie", "sid"]),
)
def test_nothing_leaves_from_under_a_secret_name(secret, name):
    for value in (secret, [secret], {"a": secret}, {"a": [{"b": secret}]}, 12345678):
        assert MARK in json.dumps(Redactor().value({name: value}))
        assert secret not in json.dumps(Redactor().value({"outer": [{name: value}]}))


# --- values and facts


def test_an_argument_list_hides_what_follows_the_option():
    assert Redactor().value(["tool", "--password", "hunter2", "-v"]) == ["tool", "--password", MARK, "-v"]


def test_pairs_of_name_and_value_are_understood():
    assert Redactor().value([{"name": "api_key", "value": "hunter2"}]) == [{"name": "api_key", "value": MARK}]


def test_deep_nesting_ends_somewhere():
    value: object = "x"
    for _ in range(500):
        value = [value]
    assert MARK in json.dumps(Redactor().value(value))


def test_keys_that_become_the_same_stay_apart():
    result = Redactor().value({"/home/anna": 1, "/home/berta": 2})
    assert sorted(result.values()) == [1, 2]


@pytest.mark.parametrize(
    "name", ["password_expires_days", "token_count", "tokens", "secret_required", "session_id_set", "author", "pinned"]
)
def test_states_of_secrets_are_no_secrets(name):
    assert not sensitive(name)


def privacy(key: str) -> Privacy:
    return {
        "hardware.serial": Privacy.DEVICE,
        "os.user": Privacy.PERSONAL,
        "os.host_name": Privacy.DEVICE,
        "net.ip": Privacy.NETWORK,
    }.get(key, Privacy.PUBLIC)


def test_what_a_private_fact_says_is_replaced_everywhere():
    gate = Redactor(privacy_of=privacy, known_as=("laptop-7",))
    facts = gate.facts(
        {
            "os.name": "Debian by abergmann",
            "os.user": "abergmann",
            "hardware.serial": "PF3XK9QZ",
            "os.host_name": "LAPTOP-7",
            "net.ip": "10.0.0.7",
        }
    )
    assert facts == {
        "os.name": "Debian by user-1",
        "os.user": "user-1",
        "hardware.serial": "serial-1",
        "os.host_name": "LAPTOP-7",
        "net.ip": "10.0.0.7",
    }
    assert gate.text("serial pf3xk9qz of abergmann on laptop-7") == "serial serial-1 of user-1 on laptop-7"


def test_addresses_go_too_where_the_policy_says_so():
    gate = Redactor(privacy_of=privacy, hide=frozenset({Privacy.NETWORK}))
    assert gate.facts({"net.ip": "10.0.0.7"}) == {"net.ip": "address-1"}
    assert gate.text("from 10.0.0.7 to 10.0.0.8") == "from address-1 to address-2"


def test_a_home_folder_in_an_unusual_place_is_known():
    gate = Redactor(home="/data/people/anna")
    assert gate.text("in /data/people/anna/x and /data/people/annabel") == "in ~/x and /data/people/annabel"


def test_what_the_employee_wrote_loses_its_secrets_only():
    gate = Redactor()
    assert gate.written("I am anna@example.com, my password is Geheim1 in /home/anna") == (
        f"I am anna@example.com, my password is {MARK} in /home/anna"
    )
    assert gate.count == 1


def test_control_sequences_do_not_reach_a_terminal():
    assert Redactor().text("a\x1b[31mred\x1b[0m\x00\u202eb\r\n\tc") == "ared\u200bb\r\n\tc".replace("\u200b", "")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("os.user", Privacy.PERSONAL),
        ("hardware.serial", Privacy.DEVICE),
        ("net.address", Privacy.NETWORK),
        ("os.name", Privacy.PUBLIC),
    ],
)
def test_a_facts_name_says_how_private_it_is(key, expected):
    assert default_privacy(key) is expected


# --- stand-ins


def test_stand_ins_stay_the_same_from_ticket_to_ticket(tmp_path):
    path = tmp_path / "deep" / "pseudonyms.json"
    first = Pseudonyms(path)
    assert [first.name("mac", one) for one in ("aa", "bb", "AA")] == ["mac-1", "mac-2", "mac-1"]
    first.keep()
    assert path.stat().st_mode & 0o777 == 0o600
    again = Pseudonyms(path)
    assert [again.name("mac", one) for one in ("bb", "cc")] == ["mac-2", "mac-3"]


def test_a_broken_map_costs_nothing_but_the_numbers(tmp_path, caplog):
    path = tmp_path / "data" / "pseudonyms.json"
    path.parent.mkdir()
    path.write_text("{broken")
    assert Pseudonyms(path).name("mac", "aa") == "mac-1"
    path.unlink()
    path.mkdir()
    names = Pseudonyms(path)
    assert names.name("mac", "aa") == "mac-1"
    names.keep()
    assert list(path.parent.iterdir()) == [path]


# --- time

HARD = {
    "log": "2026-01-31 09:00 host daemon[12]: something happened at 10.0.0.53 port 443 password ok\n",
    "jwt": "eyJ",
    "letters": "a",
    "name": "password",
    "name and sign": "password=",
    "at": "a@",
    "addresses": "://a://a:",
    "mac": "00:",
    "home": "/home/",
    "backslashes": "\\",
    "begin": "-----BEGIN PRIVATE KEY",
    "header": "authorization:",
    "mysql": "mysql ",
    "open quote": 'password="',
    "tags": "<password ",
    "colons": "f:",
    "bearer": "bearer ",
    "dashes": "-",
    "signs": "password===",
    "escapes": "\x1b[",
    "dots": "a.a",
    "user": "-u a:",
    "windows": "\\Users\\",
    "percent": "%2Fhome",
}


@pytest.mark.parametrize("piece", HARD.values(), ids=HARD.keys())
def test_time_grows_with_the_text_and_not_with_its_square(piece):
    def took(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        best = 1e9
        for _ in range(3):
            began = time.perf_counter()
            Redactor().text(text)
            best = min(best, time.perf_counter() - began)
        return best

    small, large = took(10_000), took(80_000)
    assert large < 8 * 4 * max(small, 0.002)  # the square would be 64 times
