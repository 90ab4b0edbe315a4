"""Who wins, who may not, and what is said about mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from client.errors import SettingsFault, UsageError
from client.platform.paths import Paths
from client.settings.layers import MOST_PROBLEMS, Layer, Loaded, load
from client.settings.schema import KEYS, Settings

Merge = Callable[..., Loaded]


def test_with_no_files_everything_is_built_in(merge: Merge) -> None:
    loaded = merge()
    assert loaded.values == Settings()
    assert (loaded.problems, loaded.notes, loaded.sources) == ((), (), ())
    assert {loaded.origin(key).layer for key in KEYS} == {Layer.BUILT_IN}


# what the policy's default, the user and the lock say -> which one wins
PRECEDENCE = [
    ("", "", "", "en", Layer.BUILT_IN, False),
    ("de", "", "", "de", Layer.POLICY_DEFAULT, False),
    ("", "fr", "", "fr", Layer.USER, False),
    ("de", "fr", "", "fr", Layer.USER, False),
    ("", "", "it", "it", Layer.POLICY_LOCKED, True),
    ("de", "", "it", "it", Layer.POLICY_LOCKED, True),
    ("", "fr", "it", "it", Layer.POLICY_LOCKED, True),
    ("de", "fr", "it", "it", Layer.POLICY_LOCKED, True),
]


@pytest.mark.parametrize(("default", "user", "lock", "wins", "layer", "locked"), PRECEDENCE)
def test_precedence(merge: Merge, default: str, user: str, lock: str, wins: str, layer: Layer, *, locked: bool) -> None:
    policies = {}
    if default:
        policies["a"] = f'[defaults.client]\nlanguage = "{default}"'
    if lock:
        policies["b"] = f'[client]\nlanguage = "{lock}"'
    loaded = merge(f'[client]\nlanguage = "{user}"' if user else None, **policies)
    assert loaded.values.client.language == ("" if wins == "en" else wins)
    origin = loaded.origin("client.language")
    assert (origin.layer, origin.locked) == (layer, locked)
    assert (
        Path(origin.file).name
        == {
            Layer.BUILT_IN: "",
            Layer.POLICY_DEFAULT: "a.toml",
            Layer.USER: "settings.toml",
            Layer.POLICY_LOCKED: "b.toml",
        }[layer]
    )


def test_a_later_policy_file_wins_over_an_earlier_one(merge: Merge) -> None:
    loaded = merge(z10='[brand]\nname = "ten"\nphone = "1"', z20='[brand]\nname = "twenty"')
    assert (loaded.values.brand.name, loaded.values.brand.phone) == ("twenty", "1")


def test_lists_replace_and_do_not_add_up(merge: Merge) -> None:
    loaded = merge(
        '[[services]]\nname = "Mine"\nurl = "https://mine.example.com"',
        it='[[services]]\nname = "Mail"\naddress = "mail.example.com:993"',
    )
    assert [one.name for one in loaded.values.services] == ["Mail"]
    assert loaded.targets().services == loaded.values.services


def test_a_value_that_does_not_count_is_a_note_and_no_problem(merge: Merge) -> None:
    loaded = merge('[client]\nlanguage = "fr"', it='[client]\nlanguage = "de"')
    assert loaded.problems == ()
    assert len(loaded.notes) == 1
    assert "client.language does not count" in loaded.notes[0]


# --- a policy never falls open

EVIL = '[desk]\nkind = "demo"\nurl = "https://evil.example.com"'
GOOD = "https://help.example.com"


@pytest.mark.parametrize(
    ("policy", "url"),
    [
        (f'[desk]\nurl = "{GOOD}"', GOOD),
        (f'[defaults.desk]\nurl = "{GOOD}"', GOOD),  # a default of such a key is a decision, too
        ('[desk]\nkind = "demo"', ""),  # half a decision closes the other half
        ('[desk]\nurl = "htps//broken"', ""),
        ("[defaults.desk]\nurl = 7", ""),
        ("[desk\nurl =", ""),
        (b"\xff\xfe\x00", ""),
        ("x = " + "[" * 5000, ""),
        (b"#" * 300_000, ""),
    ],
)
def test_the_user_never_decides_where_tickets_go_once_it_has(merge: Merge, policy: str | bytes, url: str) -> None:
    loaded = merge(EVIL, it=policy)
    assert loaded.values.desk.url == url
    assert loaded.origin("desk.url").locked
    assert any("desk.url does not count" in note for note in loaded.notes)


def test_without_a_policy_the_user_decides(merge: Merge) -> None:
    assert merge(EVIL).values.desk.url == "https://evil.example.com"


def test_desk_and_sign_in_are_one_decision(merge: Merge) -> None:
    """A token asked for IT's help desk must not go to the user's, nor the other way round."""
    own = '[desk]\nurl = "https://evil.example.com"\n[sign_in]\nissuer = "https://evil.example.com"'
    assert merge(own).values.sign_in.issuer == "https://evil.example.com"
    for policy in (f'[desk]\nurl = "{GOOD}"', f'[sign_in]\nissuer = "{GOOD}"'):
        loaded = merge(own, a=policy)
        assert {loaded.values.desk.url, loaded.values.sign_in.issuer} == {GOOD, ""}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('issuer = "http://login.example.com"', "https:// (http:// only on this computer)"),
        ('issuer = "https://login.example.com/?tenant=1"', "without ? and #"),
        ('scopes = ["profile"]', '"openid" one of them'),
        ('scopes = ["openid email"]', '"openid" one of them'),
        ('redirect = "https://127.0.0.1/x"', "without a port"),
        ('redirect = "http://127.0.0.1:80/x"', "without a port"),
        ('redirect = "http://evil.example.com/x"', "without a port"),
        ('redirect_ports = ["80"]', "from 1024 to 65535"),
        ('method = "password"', '"secret", "oidc"'),
    ],
)
def test_a_sign_in_that_cannot_be_safe_is_not_taken(merge: Merge, line: str, words: str) -> None:
    loaded = merge(f"[sign_in]\n{line}")
    assert words in loaded.problems[0]
    assert loaded.values.sign_in == merge("").values.sign_in


def test_a_policy_about_other_things_leaves_the_desk_to_the_user(merge: Merge) -> None:
    loaded = merge(EVIL, it='[brand]\nname = "IT"')
    assert loaded.values.desk.url == "https://evil.example.com"


def test_a_broken_policy_closes_and_its_good_neighbour_counts(merge: Merge) -> None:
    loaded = merge(
        '[desk]\nurl = "https://evil.example.com"\n[fixes]\nallowed = ["x"]', a=f'[desk]\nurl = "{GOOD}"', b="["
    )
    assert loaded.values.desk.url == GOOD
    assert loaded.values.fixes.allowed == ("*",)
    assert loaded.origin("fixes.allowed").locked
    assert not loaded.origin("client.language").locked
    assert len(loaded.problems) == 1


def test_a_wrong_locked_value_stays_locked_at_the_policys_default(merge: Merge) -> None:
    loaded = merge(
        "[thresholds]\ndisk_free_percent = 50",
        it="[thresholds]\ndisk_free_percent = 500\n[defaults.thresholds]\ndisk_free_percent = 9",
    )
    assert loaded.values.thresholds.disk_free_percent == 9
    assert loaded.origin("thresholds.disk_free_percent").locked


def test_the_good_part_of_a_policy_with_one_wrong_value_counts(merge: Merge) -> None:
    loaded = merge(it=f'[desk]\nurl = "{GOOD}"\nkind = 3\n[thresholds]\ndisk_free_percent = 7')
    assert (loaded.values.desk.url, loaded.values.thresholds.disk_free_percent) == (GOOD, 7)
    assert len(loaded.problems) == 1


# --- mistakes: told all at once, with the file, the key and the nearest right one

MISTAKES = [
    ('kind = "demo"', "there is no key kind outside of a table. Did you mean desk.kind?"),
    ('[desk]\nulr = "x"', "there is no key desk.ulr. Did you mean desk.url?"),
    ("[desc]\nurl = 1", "there is no table [desc]. Did you mean desk?"),
    ("[thresholds]\ndisk_free = 1", "there is no key thresholds.disk_free. Did you mean thresholds.disk_free_bytes?"),
    (
        "disk_free_percent = 1",
        "there is no key disk_free_percent outside of a table. Did you mean thresholds.disk_free_percent?",
    ),
    (
        "[network]\nconnectivity-url = 1",
        "there is no key network.connectivity-url. Did you mean network.connectivity_url?",
    ),
    ("zzzzzz = 1", "there is no key zzzzzz outside of a table."),
    ("[[service]]\nname = 1", "there is no table [service]. Did you mean services?"),
    ("[defaults]\nx = 1", "[defaults] is for the policies of the IT department only; put its keys into their tables."),
    ("desk = 3", "desk must be a table: write [desk] and its keys below."),
    ("[desk]\nkind = 3", "desk.kind must be text, not 3."),
    (
        '[desk]\nurl = "help.example.com"',
        "desk.url must be an address that starts with https:// or http://, without a user name, not",
    ),
    (
        '[desk]\nurl = "https://a:b@help.example.com"',
        "desk.url must be an address that starts with https:// or http://, without a user name",
    ),
    (
        '[network]\nproxy = "proxy:3128"',
        'network.proxy must be "system", "none" or an address such as "http://proxy.example.com:3128", not',
    ),
    ('[network]\npublic_urls = "https://x.example"', "network.public_urls must be a list of texts, not"),
    (
        '[network]\npublic_urls = ["x"]',
        "network.public_urls must be a list of addresses that start with https:// or http://, not",
    ),
    ("[network]\npublic_urls = [3]", "network.public_urls must be a list of texts, not [3]."),
    ('[network]\ninternal_names = ["http://x"]', "network.internal_names must be a list of host names, not"),
    ('[network]\nca_file = "ca.pem"', 'network.ca_file must be the full path of a file, not "ca.pem".'),
    (
        "[thresholds]\ndisk_free_percent = 101",
        "thresholds.disk_free_percent must be a whole number from 0 to 100, not 101.",
    ),
    (
        "[thresholds]\ndisk_free_percent = 1.5",
        "thresholds.disk_free_percent must be a whole number from 0 to 100, not 1.5.",
    ),
    (
        "[thresholds]\ndisk_free_percent = true",
        "thresholds.disk_free_percent must be a whole number from 0 to 100, not true.",
    ),
    (
        '[thresholds]\ndisk_free_percent = "5"',
        'thresholds.disk_free_percent must be a whole number from 0 to 100, not "5".',
    ),
    ("[thresholds]\nlatency_local_ms = 0", "thresholds.latency_local_ms must be a whole number of at least 1, not 0."),
    (
        "[thresholds]\ndisk_free_bytes = 99999999999999999999",
        "thresholds.disk_free_bytes must be a smaller number, not 99999999999999999999.",
    ),
    (
        '[client]\nlog_level = "loud"',
        'client.log_level must be one of "debug", "info", "warning", "error", not "loud".',
    ),
    ("[client]\ntray = 1", "client.tray must be true or false, not 1."),
    ('[client]\nlanguage = "../../etc"', 'client.language must be a language such as "de", not "../../etc".'),
    ('[notifications]\nquiet_from = "24:00"', 'notifications.quiet_from must be a time such as "22:00", not "24:00".'),
    (
        "[notifications]\nquiet_from = 22:00:00",
        'notifications.quiet_from must be a time such as "22:00", not "22:00:00".',
    ),
    (f'[brand]\nname = "{"x" * 90}"', "brand.name must be text of at most 80 characters, not"),
    ("[schedule]\ncheck_every_min = -1", "schedule.check_every_min must be a whole number from 0 to 10080, not -1."),
    ("services = 3", "services must be a list: write [[services]] above each one."),
    ("services = [3]", "service 1 must be a table with name, and url or address."),
    (
        "[[services]]\nurl = 'https://x.example'",
        "service 1 must have a name, and a url or an address, all of them text.",
    ),
    ("[[services]]\nname = ' '\nurl = 'https://x.example'", "service 1 must have a name."),
    ("[[services]]\nname = 'A'", "service 1 (A) must have either a url or an address."),
    (
        "[[services]]\nname = 'A'\nurl = 'https://x.example'\naddress = 'x:1'",
        "service 1 (A) must have either a url or an address.",
    ),
    ("[[services]]\nname = 'A'\naddress = 'x'", 'service 1 (A) has an address that must be "host:port", not "x".'),
    ("[[services]]\nname = 'A'\naddress = 'x:0'", 'service 1 (A) has an address that must be "host:port", not "x:0".'),
    ("[[services]]\nname = 'A'\naddress = 'x:65536'", 'service 1 (A) has an address that must be "host:port", not'),
    ("[[services]]\nname = 'A'\naddress = 'x:1'\nadress = 'x:1'", "service 1 has no key adress. Did you mean address?"),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES, ids=[sentence[:40] for _, sentence in MISTAKES])
def test_a_mistake_is_told_and_the_value_falls_back(merge: Merge, paths: Paths, text: str, sentence: str) -> None:
    loaded = merge(text)
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(f"{paths.settings_file}: {sentence}")
    assert loaded.values == Settings() or "adress" in text  # there only the unknown key is left out


def test_all_mistakes_are_told_at_once(merge: Merge) -> None:
    loaded = merge(
        '[client]\ntray = 1\nlog_level = "loud"\n[brand]\nnom = 1\n[desk]\nurl = "x"', a="[client]\nlangage = 1"
    )
    assert len(loaded.problems) == 5


def test_good_values_beside_bad_ones_count(merge: Merge) -> None:
    loaded = merge(
        '[client]\ntray = 1\nlanguage = "de"\n[[services]]\nname = "A"\naddress = "x:1"\n[[services]]\nname = "B"'
    )
    assert loaded.values.client.language == "de"
    assert [one.name for one in loaded.values.services] == ["A"]


def test_a_password_in_an_address_is_not_repeated(merge: Merge) -> None:
    loaded = merge(
        '[desk]\nurl = "https://anna:hunter2@help.example.com"\n[network]\nproxy = "ftp://anna:hunter2@proxy"'
    )
    assert len(loaded.problems) == 2
    assert "hunter2" not in "".join(loaded.problems)


def test_control_characters_of_a_file_do_not_reach_the_screen(merge: Merge) -> None:
    loaded = merge('"\\u001b[31mred" = 1\n[desk]\n"\\u001b]0;x\\u0007" = 2\nkind = ["\\u001b[2J"]')
    assert len(loaded.problems) == 3
    assert all(problem.isprintable() for problem in loaded.problems)


def test_a_flood_of_mistakes_is_bounded(merge: Merge) -> None:
    loaded = merge("\n".join(f"key{number} = 1" for number in range(500)))
    assert len(loaded.problems) == MOST_PROBLEMS + 1
    assert loaded.problems[-1] == f"There are {500 - MOST_PROBLEMS} more problems."


# --- a named file


def test_a_named_file_replaces_the_users(merge: Merge, paths: Paths, tmp_path: Path) -> None:
    paths.settings_file.write_text('[brand]\nname = "mine"\nphone = "1"')
    other = tmp_path / "other.toml"
    other.write_text('[brand]\nname = "other"')
    loaded = load(paths, user_file=other, policy=())
    assert (loaded.values.brand.name, loaded.values.brand.phone) == ("other", "")
    assert loaded.sources == (str(other),)


@pytest.mark.parametrize("content", [None, b"[", b"\xff\xfe"])
def test_a_named_file_must_be_there_and_be_toml(paths: Paths, tmp_path: Path, content: bytes | None) -> None:
    named = tmp_path / "named.toml"
    if content is not None:
        named.write_bytes(content)
    with pytest.raises(SettingsFault) as caught:
        load(paths, user_file=named, policy=())
    assert str(named) in caught.value.message
    assert caught.value.problems


def test_a_named_file_with_wrong_values_stops_nothing(paths: Paths, tmp_path: Path) -> None:
    named = tmp_path / "named.toml"
    named.write_text("[client]\ntray = 3")
    loaded = load(paths, user_file=named, policy=())
    assert len(loaded.problems) == 1
    assert loaded.values == Settings()


def test_asking_for_an_unknown_key_names_the_nearest(merge: Merge) -> None:
    loaded = merge()
    assert loaded.value("thresholds.disk_free_percent") == 5
    with pytest.raises(UsageError, match=r"There is no settings key desk\.ulr\. Did you mean desk\.url\?"):
        loaded.origin("desk.ulr")
