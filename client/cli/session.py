"""What every command shares: the app, built when first needed, and one event loop for the length of one piece of work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from client.app import App, build
from client.cli.show import say
from client.platform.logfile import start_logging

T = TypeVar("T")


class ShowTray(Protocol):
    """Starts the tray; `client.__main__.run_tray`."""

    def __call__(self, make_app: Callable[[], App], *, folder: Path, page: str | None) -> int:
        """Runs it until the employee quits, and gives the exit code."""


class Session:
    """One call of the command line.

    Args:
        show_tray: starts the tray.
        make_app: builds the app from a settings file; tests bring their own.
    """

    def __init__(self, *, show_tray: ShowTray, make_app: Callable[[Path | None], App] | None = None) -> None:
        self.show_tray = show_tray
        self.settings_file: Path | None = None
        self.tells_notice = False  # of what happened to the file with the tickets: commands about them do
        self._make_app = make_app or (lambda file: build(settings_file=file))
        self._app: App | None = None

    def use(self, make_app: Callable[[], App]) -> None:
        """Builds the app in another way: a demo's children do."""
        self._make_app = lambda _: make_app()

    @property
    def app(self) -> App:
        """The app. Says on standard error when the settings have mistakes; they do not stop anything.

        Raises:
            SettingsFault: the named settings file cannot be read.
        """
        if self._app is None:
            self._app = self.load()
            count = len(self._app.settings.problems)
            if count:
                what = "a mistake" if count == 1 else f"{count} mistakes"
                say(f"The settings have {what}; Deskside goes on without. See: deskside config validate")
        return self._app

    def load(self) -> App:
        """The app, without a word about its settings: for the commands that are about them."""
        app = self._make_app(self.settings_file)
        start_logging(app.paths.log, level=app.settings.values.client.log_level)
        return app

    def tell_running(self, word: str) -> None:
        """Tells the Deskside that runs behind the icon that something has changed; nothing happens when none runs."""
        from client.platform.single_instance import SingleInstance, instance_folder  # noqa: PLC0415 -- few commands do

        SingleInstance(instance_folder(self.app.paths.state)).send(word)

    def run(self, work: Callable[[App], Awaitable[T]]) -> T:
        """Runs a coroutine of the app and lets go of connections and files afterwards."""
        app = self.app

        async def whole() -> T:
            try:
                return await work(app)
            finally:
                try:
                    if self.tells_notice and (words := await app.notice(read=True)):
                        say(words, "warn")
                finally:
                    await app.close()

        return asyncio.run(whole())
