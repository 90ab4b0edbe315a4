"""Signing in with the company account, against a real provider: in the browser, with a code, renewed, ended, and attacked."""

from __future__ import annotations

import asyncio
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import msgspec
import pytest

from client.errors import SecretsFault, SignInFault, SignInNeeded, UsageError
from tests.browser import Browser
from tests.servers.oidc_server import walk


class Person:
    """Sits in front of the browser: a thread that follows the pages, as `login`."""

    def __init__(self, login: str = "robin", *, no: bool = False, change=lambda address: address) -> None:
        self.login, self.no, self.change = login, no, change
        self.page: httpx.Response | None = None
        self.address = ""

    def __call__(self, address: str) -> None:
        self.address = address
        self.thread = threading.Thread(target=self._walk, daemon=True)
        self.thread.start()

    def _walk(self) -> None:
        self.page = walk(self.change(self.address), self.login, no=self.no)

    def sees(self) -> str:
        self.thread.join(30)
        assert self.page is not None
        return self.page.text


def sign_in(computer, person: Person, **more):
    return computer.run(lambda accounts: accounts.sign_in_by_browser(person, **more))


def whoami(computer) -> str:
    return computer.run(lambda accounts: accounts.whoami()).name


def tokens(keys, account: str = "default") -> dict:
    (kept,) = [value for name, value in keys.kept.items() if name.endswith(f"company account {account}")]
    return msgspec.json.decode(kept)


# --- in the browser


def test_whoever_signs_in_is_known_to_the_help_desk_from_then_on(computer, keys) -> None:
    person = Person()
    identity = sign_in(computer, person)
    assert (identity.name, identity.email) == ("Robin Berg", "robin@example.com")
    assert "You are signed in" in person.sees()
    assert whoami(computer) == "Robin Berg"
    assert computer.resumed == 1
    asked = parse_qs(urlsplit(person.address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"][0].startswith("http://127.0.0.1:")


def test_the_whole_way_in_a_real_browser(computer, tmp_path) -> None:
    with Browser() as browser:

        def person(address: str) -> None:
            browser.open(address)
            browser.type("input[name=login]", "kim")
            browser.type("input[name=password]", "x")
            browser.click("#go")
            browser.shows("Deskside asks for")
            threading.Thread(target=browser.click, args=("#go",), daemon=True).start()  # the page waits for the verdict

        identity = sign_in(computer, person)
        browser.shows("You are signed in")
        assert browser.requested_hosts() <= {"127.0.0.1"}
    assert identity.name == "Kim Lund"


def test_a_person_who_says_no_is_not_signed_in_and_reads_so_in_the_browser(computer, keys) -> None:
    person = Person(no=True)
    with pytest.raises(SignInFault, match="declined"):
        sign_in(computer, person)
    assert "declined" in person.sees()
    assert keys.kept == {}


def test_cancelling_ends_the_waiting_and_says_so_in_the_browser(computer) -> None:
    async def work(accounts):
        opened = asyncio.Event()
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(accounts.sign_in_by_browser(lambda _: loop.call_soon_threadsafe(opened.set)))
        await opened.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    computer.run(work)


# --- hostile ways back


def back_with(**changes: str):
    """Lets the browser come back with other parameters than the provider gave: a page that was slipped in between."""

    def change(address: str) -> str:
        asked = parse_qs(urlsplit(address).query)
        back = asked["redirect_uri"][0]
        parts = urlsplit(back)
        given = {"code": "stolen", "state": asked["state"][0]} | changes
        query = urlencode({name: value for name, value in given.items() if value})
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    return change


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "guessed"}, "does not belong to this sign-in"),
        ({"state": ""}, "does not belong to this sign-in"),
        ({"iss": "https://evil.example"}, "by another sign-in service"),
        ({}, "does not say who gave it"),
    ],
)
def test_an_answer_that_is_not_ours_signs_nobody_in(computer, keys, changes, words) -> None:
    person = Person(change=back_with(**changes))
    with pytest.raises(SignInFault, match=words):
        sign_in(computer, person)
    person.sees()
    assert keys.kept == {}


def test_a_stolen_code_is_worth_nothing_without_the_verifier(computer, keys, provider) -> None:
    person = Person(change=back_with(iss=provider.issuer))
    with pytest.raises(SignInFault, match="does not accept this sign-in"):
        sign_in(computer, person)
    assert keys.kept == {}


def test_another_issuer_than_the_one_that_is_set_is_refused(make_computer, provider) -> None:
    other = make_computer(issuer=provider.issuer.replace("127.0.0.1", "localhost"))
    with pytest.raises(SignInFault, match="speaks for another sign-in service"):
        sign_in(other, Person())


def test_without_a_keyring_nobody_is_asked_for_a_password_in_vain(computer, keys) -> None:
    keys.fault = SecretsFault("The password store is locked.")
    person = Person()
    with pytest.raises(SecretsFault):
        sign_in(computer, person)
    assert person.address == ""


def test_a_sign_in_for_now_is_kept_nowhere_and_ends_with_the_process(computer, keys) -> None:
    async def work(accounts):
        person = Person()
        await accounts.sign_in_by_browser(person, keep=False)
        assert (await accounts.whoami()).name == "Robin Berg"
        assert accounts.for_now
        assert await accounts.sign_out()
        with pytest.raises(SignInNeeded):
            await accounts.whoami()

    computer.run(work)
    assert keys.kept == {}


def test_a_token_of_the_help_desk_is_not_taken_where_the_company_signs_in(computer) -> None:
    with pytest.raises(UsageError, match="company account"):
        computer.run(lambda accounts: accounts.sign_in("some-token"))


# --- staying signed in


def test_what_is_kept_is_renewed_before_it_ends_and_the_old_one_is_used_up(computer, keys, provider) -> None:
    sign_in(computer, Person())
    before = tokens(keys)
    name = next(name for name in keys.kept if name.endswith("company account default"))
    keys.kept[name] = msgspec.json.encode(
        before | {"renew_at": time.time() - 1, "expires_at": time.time() - 1}
    ).decode()
    assert whoami(computer) == "Robin Berg"
    after = tokens(keys)
    assert after["access"] != before["access"]
    assert after["refresh"] != before["refresh"]
    assert provider.who(after["access"])["active"]


def test_two_processes_renew_once(computer, keys, provider) -> None:
    sign_in(computer, Person())
    name = next(name for name in keys.kept if name.endswith("company account default"))
    keys.kept[name] = msgspec.json.encode(
        tokens(keys) | {"renew_at": time.time() - 1, "expires_at": time.time() - 1}
    ).decode()
    before = sum(one["event"] == "refresh_token.consumed" for one in provider.events)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(whoami(computer))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert names == ["Robin Berg"] * 4
    used = lambda: sum(one["event"] == "refresh_token.consumed" for one in provider.events)  # noqa: E731 -- one line says it
    until = time.monotonic() + 10
    while used() == before and time.monotonic() < until:
        time.sleep(0.02)
    assert used() == before + 1


def test_signing_out_ends_it_at_the_provider_too(computer, keys, provider) -> None:
    sign_in(computer, Person())
    kept = tokens(keys)
    assert computer.run(lambda accounts: accounts.sign_out())
    assert keys.kept == {}
    assert not provider.who(kept["refresh"])["active"]
    with pytest.raises(SignInNeeded):
        whoami(computer)


def test_what_was_ended_at_the_provider_asks_to_sign_in_again_and_keeps_the_account(computer, keys, provider) -> None:
    sign_in(computer, Person())
    kept = tokens(keys)
    with httpx.Client(trust_env=False) as line:
        line.post(f"{provider.issuer}/token/revocation", data={"token": kept["refresh"], "client_id": "deskside"})
    name = next(name for name in keys.kept if name.endswith("company account default"))
    keys.kept[name] = msgspec.json.encode(kept | {"renew_at": 1.0, "expires_at": 1.0}).decode()
    with pytest.raises(SignInNeeded):
        whoami(computer)
    assert [one.name for one in computer.run(lambda accounts: accounts.all())] == ["default"]


def test_several_accounts_are_kept_apart(computer, keys) -> None:
    sign_in(computer, Person("robin"))
    second = Person("kim")
    sign_in(computer, second, account="work")
    assert "login" in parse_qs(urlsplit(second.address).query)["prompt"][0]
    assert whoami(computer) == "Kim Lund"
    computer.run(lambda accounts: accounts.switch("default"))
    assert whoami(computer) == "Robin Berg"
    computer.run(lambda accounts: accounts.sign_out())
    assert [(one.name, one.active) for one in computer.run(lambda accounts: accounts.all())] == [("work", True)]
    with pytest.raises(UsageError, match="Nobody is signed in here as nobody"):
        computer.run(lambda accounts: accounts.switch("nobody"))


def test_tokens_for_another_desk_or_provider_are_not_used(computer, make_computer, keys, desk) -> None:
    sign_in(computer, Person())
    asked = len(desk.asked)
    other = make_computer(client_id="another")
    with pytest.raises(SignInNeeded):
        whoami(other)
    assert [one for one in desk.asked[asked:] if one] == []


# --- with a code


def test_a_code_that_is_entered_on_another_device_signs_in(computer) -> None:
    shown = []

    def show(code) -> None:
        shown.append(code)
        threading.Thread(target=enter, args=(code.page_with_code or code.page,), daemon=True).start()

    identity = computer.run(lambda accounts: accounts.sign_in_by_code(show))
    assert identity.name == "Robin Berg"
    assert shown[0].code in shown[0].page_with_code
    assert whoami(computer) == "Robin Berg"


def enter(address: str) -> None:
    """Opens the page with the code, says yes, and signs in."""
    walk(address, "robin")


def test_where_codes_are_not_wished_for_there_are_none(make_computer) -> None:
    with pytest.raises(SignInFault, match="no sign-in with a code"):
        make_computer(device_flow=False).run(lambda accounts: accounts.sign_in_by_code(lambda _: None))


def test_an_incomplete_setting_is_said_for_it(make_computer) -> None:
    with pytest.raises(SignInFault, match="not set up completely"):
        sign_in(make_computer(client_id=""), Person())
