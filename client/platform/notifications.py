"""Notifications that can be clicked, over D-Bus (org.freedesktop.Notifications). Knows no Qt.

Qt's own tray messages cannot be clicked on Linux. While a notification is open a thread waits for the click and costs
nothing; afterwards nothing is left, neither thread nor connection. Without a bus or a notification daemon nothing happens
and the caller is told.
"""

from __future__ import annotations

import contextlib
import html
import logging
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

log = logging.getLogger(__name__)

DEADLINE_S: Final = 3.0  # a daemon that is started by the call needs a moment
MOST_OPEN: Final = 4  # more at once is nagging; the oldest one goes
_TITLE_LIMIT: Final = 100
_TEXT_LIMIT: Final = 300
_NAME: Final = "org.freedesktop.Notifications"
_PATH: Final = "/org/freedesktop/Notifications"


class Notifications:
    """The notifications of this program that are open.

    Args:
        app_name: what the desktop shows as their sender.
        icon: an icon name or the path of an image.
    """

    def __init__(self, app_name: str = "Deskside", *, icon: str = "deskside") -> None:
        self._app_name = app_name
        self._icon = icon
        self._open: list[_OpenNotification] = []
        self._lock = threading.Lock()

    def notify(self, title: str, text: str, *, action: str, on_action: Callable[[], None]) -> bool:
        """Shows a notification. Blocks for milliseconds, or up to `DEADLINE_S` while the daemon starts.

        Args:
            title: one short line; plain text.
            text: a sentence or two; plain text.
            action: what a click does, as the label of its button.
            on_action: called in another thread, at most once, when it was clicked.

        Returns:
            Whether it is shown. False: there is no bus or no daemon, or this is not Linux.
        """
        if sys.platform != "linux" or not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
            return False
        try:
            shown = _OpenNotification(on_action=on_action, on_closed=self._forget)
            try:
                shown.show(self._app_name, self._icon, _line(title, _TITLE_LIMIT), _line(text, _TEXT_LIMIT), action)
            except BaseException:
                shown.close()
                raise
        except Exception as error:  # noqa: BLE001 -- jeepney and the socket raise what they like; a message must not cost more
            log.info("no notification could be shown: %s", type(error).__name__)
            return False
        with self._lock:
            self._open.append(shown)
            surplus, self._open = self._open[:-MOST_OPEN], self._open[-MOST_OPEN:]
        shown.watch()
        for old in surplus:
            old.withdraw()
        return True

    @property
    def open_count(self) -> int:
        """How many of ours can still be clicked."""
        with self._lock:
            return len(self._open)

    def close(self) -> None:
        """Takes down every open notification and waits for their threads. May be called twice."""
        with self._lock:
            everything = tuple(self._open)
        for one in everything:
            one.withdraw()
        for one in everything:
            one.join()

    def _forget(self, closed: _OpenNotification) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._open.remove(closed)


class _OpenNotification:
    """One notification with a connection and a thread of its own, so that none of them has to be shared."""

    def __init__(self, *, on_action: Callable[[], None], on_closed: Callable[[_OpenNotification], None]) -> None:
        jeepney = _jeepney()
        self._on_action = on_action
        self._on_closed = on_closed
        self._id = 0
        self._thread = threading.Thread(target=self._run, name="deskside-notification", daemon=True)
        self._connection = jeepney.io.blocking.open_dbus_connection("SESSION")
        self._rule = jeepney.MatchRule(type="signal", interface=_NAME, path=_PATH)
        self._signals: deque[Any] = deque(maxlen=100)
        self._filter = self._connection.filter(self._rule, queue=self._signals)

    def show(self, app_name: str, icon: str, title: str, text: str, action: str) -> None:
        self._ask(_jeepney().message_bus.AddMatch(self._rule))
        (capabilities,) = self._ask(_call("GetCapabilities"))
        body = html.escape(text, quote=False) if "body-markup" in capabilities else text
        # "default" is a click on the notification itself; daemons without actions would turn them into a dialog.
        actions = ["default", action, "show", action] if "actions" in capabilities else []
        hints = {"desktop-entry": ("s", "deskside")}
        words = (app_name, 0, icon, title, body, actions, hints, -1)
        (self._id,) = self._ask(_call("Notify", "susssasa{sv}i", words))

    def watch(self) -> None:
        self._thread.start()

    def withdraw(self) -> None:
        """Takes it down; its thread ends."""
        try:
            with _jeepney().io.blocking.open_dbus_connection("SESSION") as other:  # ours is the reading thread's
                other.send_and_get_reply(_call("CloseNotification", "u", (self._id,)), timeout=DEADLINE_S)
        except Exception as error:  # noqa: BLE001 -- as in `notify`
            log.info("a notification could not be taken down: %s", type(error).__name__)
        with contextlib.suppress(OSError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)  # wakes the reading thread, whatever the daemon does

    def join(self) -> None:
        if self._thread is not threading.current_thread():
            self._thread.join(DEADLINE_S)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._filter.close()
            self._connection.close()

    def _run(self) -> None:
        try:
            while self._follow(self._connection.recv_until_filtered(self._signals)):
                pass
        except Exception as error:  # noqa: BLE001 -- the bus or the daemon has gone, or we were told to end
            log.debug("a notification is no longer watched: %s", type(error).__name__)
        finally:
            self._on_closed(self)
            self.close()

    def _follow(self, signal: Any) -> bool:
        """Acts on one signal; False when the notification is over."""
        member = signal.header.fields.get(_jeepney().HeaderFields.member)
        if not signal.body or signal.body[0] != self._id:
            return True
        if member == "ActivationToken":
            # With it a Wayland desktop lets our window come to the front; Qt looks for it here.
            os.environ["XDG_ACTIVATION_TOKEN"] = str(signal.body[1])
        elif member == "ActionInvoked":
            self._on_action()
            return False
        return bool(member != "NotificationClosed")

    def _ask(self, message: Any) -> tuple[Any, ...]:
        reply = self._connection.send_and_get_reply(message, timeout=DEADLINE_S)
        return tuple(_jeepney().wrappers.unwrap_msg(reply))


def _call(method: str, signature: str | None = None, words: tuple[Any, ...] = ()) -> Any:
    jeepney = _jeepney()
    address = jeepney.DBusAddress(_PATH, bus_name=_NAME, interface=_NAME)
    return jeepney.new_method_call(address, method, signature, words)


def _jeepney() -> Any:
    """The D-Bus library, which has no types. Imported with the first notification: a tray at rest does without."""
    import jeepney.io.blocking  # type: ignore[import-untyped]  # noqa: PLC0415 -- as above
    import jeepney.wrappers  # type: ignore[import-untyped]  # noqa: PLC0415 -- as above

    return jeepney


def _line(text: str, limit: int) -> str:
    """Foreign text as one bounded line without control characters."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"
