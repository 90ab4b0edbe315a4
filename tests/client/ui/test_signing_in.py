"""Signing in with the company account in the window: in the browser, with a code, stopped, declined."""

from __future__ import annotations

import msgspec
import pytest
from fake_app import FakeApp
from PySide6.QtWidgets import QPushButton

from client.errors import SignInFault, SignInNeeded
from client.model import Identity

ROBIN = Identity(name="Alex Morgan", email="alex.morgan@example.com")


@pytest.fixture
def app(monkeypatch) -> FakeApp:
    app = FakeApp.filled()
    app.by_company_account, app.error = True, SignInNeeded("Nobody is signed in to the help desk on this computer.")
    app.opened = []
    monkeypatch.setattr("client.ui.widgets.signin.open_url", app.opened.append)
    return app


def test_the_browser_opens_and_whoever_signed_in_is_named(look, app) -> None:
    eye = look(app, "settings")
    eye.sees("You sign in with your company account.")
    eye.press("Sign in in the browser")
    eye.sees("come back")
    eye.until(lambda: app.opened == ["https://login.example.com/authorize?x=1"])
    app.person = ROBIN
    eye.sees("You are signed in as alex.morgan@example.com.")


def test_a_code_is_shown_with_its_page_and_a_warning(look, app) -> None:
    eye = look(app, "settings")
    eye.press("Use a code on another device")
    eye.sees("WDJB-MJHT")
    eye.sees("open https://login.example.com/device and enter this code")
    eye.sees("Only enter it if you have started this sign-in yourself.")
    app.person = ROBIN
    eye.sees("You are signed in as alex.morgan@example.com.")


def test_waiting_can_be_stopped_and_begun_again(look, app) -> None:
    eye = look(app, "settings")
    eye.press("Sign in in the browser")
    eye.press("Stop waiting")
    eye.sees("You sign in with your company account.")
    app.person = ROBIN
    eye.until(lambda: not eye.window.shell.bridge.busy)
    assert "You are signed in as" not in eye.words()
    eye.press("Sign in in the browser")
    eye.sees("You are signed in as alex.morgan@example.com.")


def test_what_did_not_work_is_said_and_can_be_tried_again(look, app) -> None:
    eye = look(app, "settings")
    app.person = SignInFault("The sign-in was declined in the browser.")
    eye.press("Sign in in the browser")
    eye.sees("The sign-in was declined in the browser.")
    assert eye.button("Sign in in the browser").isVisible()


def test_where_codes_are_not_wished_for_none_is_offered(look, app) -> None:
    values = app.settings.values
    quiet = msgspec.structs.replace(values, sign_in=msgspec.structs.replace(values.sign_in, device_flow=False))
    app.settings = msgspec.structs.replace(app.settings, values=quiet)
    eye = look(app, "settings")
    eye.sees("You sign in with your company account.")
    buttons = [one.text() for one in eye.window.findChildren(QPushButton) if one.isVisible()]
    assert "Sign in in the browser" in buttons
    assert "Use a code on another device" not in buttons


def test_tickets_that_need_a_sign_in_ask_for_the_same(look, app) -> None:
    eye = look(app, "tickets")
    eye.sees("You sign in with your company account.")
    app.person = ROBIN
    eye.press("Sign in in the browser")
    eye.sees_not("You sign in with your company account.")
