"""The keyring of a real desktop (gnome-keyring over the Secret Service), unlocked and locked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # the harness is shared with scripts that are no tests

from desktop import Desktop, desktop

pytestmark = pytest.mark.desktop
URL = "https://help.example.com"
LOCK = """
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection
secrets = DBusAddress("/org/freedesktop/secrets", bus_name="org.freedesktop.secrets", interface="org.freedesktop.Secret.Service")
with open_dbus_connection("SESSION") as bus:
    reply = bus.send_and_get_reply(new_method_call(secrets, "Lock", "ao", (["/org/freedesktop/secrets/collection/login"],)))
    assert reply.body[0], reply.body
"""
TELL = """
import sys
from client.errors import SecretsFault
from client.platform.secrets import delete_secret, get_secret, set_secret
work = {"get": get_secret, "delete": delete_secret, "set": lambda url: set_secret(url, sys.argv[3])}[sys.argv[1]]
try:
    print(work(sys.argv[2]))
except SecretsFault as fault:
    print("fault:", fault.message)
"""


@pytest.fixture
def with_keyring() -> Iterator[Desktop]:
    with desktop(tray="none", notifications=False, a11y=False) as one:
        yield one


def tell(on: Desktop, *words: str) -> str:
    env = {name: value for name, value in on.env.items() if name != "PYTHON_KEYRING_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", TELL, *words], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_a_secret_outlives_the_process_and_a_locked_keyring_says_so(with_keyring: Desktop) -> None:
    assert tell(with_keyring, "get", URL) == "None"
    tell(with_keyring, "set", URL, "s3cret 日本語")
    assert tell(with_keyring, "get", URL) == "s3cret 日本語"
    subprocess.run([sys.executable, "-c", LOCK], env=with_keyring.env, check=True)
    assert tell(with_keyring, "get", URL).startswith("fault: The password store of this computer is locked.")


def test_a_secret_can_be_forgotten(with_keyring: Desktop) -> None:
    tell(with_keyring, "set", URL, "s3cret")
    tell(with_keyring, "delete", URL)
    tell(with_keyring, "delete", URL)
    assert tell(with_keyring, "get", URL) == "None"
