"""Asks a Wayland desktop for a picture of the screen (org.freedesktop.portal.Screenshot). Blocks; no Qt.

The desktop shows its own question; the answer arrives as a signal on a request object whose path the portal's documentation
fixes: /org/freedesktop/portal/desktop/request/SENDER/TOKEN, with the sender's unique name without ":" and "." as "_".
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from client.errors import ActionFault

NAME: Final = "org.freedesktop.portal.Desktop"
PATH: Final = "/org/freedesktop/portal/desktop"
ANSWER_S: Final = 120.0  # the employee may be choosing a part of the screen
CALL_S: Final = 10.0
INSTEAD: Final = "Take a picture with the system's own tool and add it as a file."


def screenshot() -> Path:
    """The file into which the desktop has written the picture; it is ours to delete.

    Raises:
        ActionFault: there is no portal, it refused, or nobody answered its question.
    """
    # Linux only and only for this; the library carries no types.
    from jeepney import DBusAddress, MatchRule, MessageType, message_bus, new_method_call  # type: ignore[import-untyped]  # noqa: PLC0415
    from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        connection = open_dbus_connection(bus="SESSION")
    except (OSError, KeyError, ValueError) as error:
        raise ActionFault("This desktop lets no program take a picture of the screen.", hint=INSTEAD) from error
    with connection:
        token = f"deskside{secrets.token_hex(8)}"
        sender = connection.unique_name.lstrip(":").replace(".", "_")
        rule = MatchRule(
            type="signal",
            interface="org.freedesktop.portal.Request",
            member="Response",
            path=f"{PATH}/request/{sender}/{token}",
        )
        address = DBusAddress(PATH, bus_name=NAME, interface="org.freedesktop.portal.Screenshot")
        options = {"handle_token": ("s", token), "interactive": ("b", False), "modal": ("b", False)}
        try:
            Proxy(message_bus, connection).AddMatch(rule)
            with connection.filter(rule) as answers:
                call = new_method_call(address, "Screenshot", "sa{sv}", ("", options))
                reply = connection.send_and_get_reply(call, timeout=CALL_S)
                if reply.header.message_type is MessageType.error:
                    raise ActionFault("This desktop lets no program take a picture of the screen.", hint=INSTEAD)
                answer = connection.recv_until_filtered(answers, timeout=ANSWER_S)
        except OSError as error:
            raise ActionFault("The desktop did not answer the request for a picture.", hint=INSTEAD) from error
    return _file(*answer.body)


def _file(response: int, results: dict[str, tuple[str, Any]]) -> Path:
    if response != 0:
        raise ActionFault(
            "No picture was taken: it was declined.", hint="Try again and allow it, or add a picture as a file."
        )
    address = urlsplit(str(results.get("uri", ("s", ""))[1]))
    if address.scheme != "file" or not address.path:
        raise ActionFault("The desktop took a picture but did not say where it is.", hint=INSTEAD)
    return Path(unquote(address.path))
