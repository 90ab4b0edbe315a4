"""`deskside`: without words the tray, with words the command line. The one place where errors become sentences and exit codes.

A second start of the tray hands its wish to the first and ends, so nothing is imported here that it does not need.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.errors import DesksideBug, DesksideError, EnvironmentFault, SettingsFault, StorageFault, UsageError

if TYPE_CHECKING:
    from client.app import App

DONE: Final = 0
WRONG_USE: Final = 2
FAILED: Final = 3
INTERRUPTED: Final = 130  # as a shell expects of a program ended by Ctrl+C

OPEN: Final = "open"  # what a second start asks of the first one


def main(words: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        words: the command line without the program's name; by default this process's.

    Returns:
        The exit code: 0 done, 1 not well, 2 wrong use, 3 failed, 4 kept for later.
    """
    given = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # None in a windowed program on Windows
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a stream that cannot do it is left as it is
    try:
        code = _run(given)
        if sys.stdout is not None:
            sys.stdout.flush()
    except _Ended as ended:
        return 128 + ended.number
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return DONE  # whoever read our words has enough of them
    except Exception as error:  # noqa: BLE001 -- the last boundary: whatever it is, nobody is shown a traceback
        _log(error)
        _tell(_told(error))
        if isinstance(error, OSError):
            _forget_output()
        return WRONG_USE if isinstance(error, (UsageError, SettingsFault)) else FAILED
    return code


def _run(words: list[str]) -> int:
    command = words.index("check") if "check" in words else len(words)
    if words[command + 1 : command + 3] == ["--events", "--targets"]:
        return _check_run(words[command + 1 :])  # what comes before is about the settings, which the parent has read
    match words:
        case []:
            return _tray(None)
        case ["--settings", file] if not file.startswith("-"):
            return _tray(Path(file))
        case [word] if word.startswith("--settings="):
            return _tray(Path(word.partition("=")[2]))
    from client.cli.root import run  # noqa: PLC0415 -- the tray does without click

    _end_in_good_order()
    return run(words, show_tray=run_tray)


class _Ended(KeyboardInterrupt):
    """The session or an administrator ends this command."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _end_in_good_order() -> None:
    """A command that is ended takes its children with it and its temporary files away, as with Ctrl+C."""
    import signal  # noqa: PLC0415 -- the tray has its own way

    def end(number: int, _: object) -> None:
        raise _Ended(number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:  # nohup ignores SIGHUP
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(getattr(signal, name), end)


def _check_run(words: list[str]) -> int:
    """The child that runs the checks for another Deskside, which has read the settings already. Does not return."""
    from diagnostics.__main__ import main as run_checks  # noqa: PLC0415 -- the child's only
    from diagnostics.engine import leave  # noqa: PLC0415 -- as above

    code = run_checks(words)
    leave(code)  # a native call that hangs in a thread would keep the process
    return code


def _tray(settings_file: Path | None) -> int:
    from client.platform.paths import find_paths  # noqa: PLC0415 -- the command line may not get here
    from client.platform.single_instance import instance_folder  # noqa: PLC0415 -- as above

    paths = find_paths()
    if settings_file is not None and not settings_file.is_file():
        raise SettingsFault(f"The settings file {settings_file} is not there.", hint="Correct its name.")

    def make_app() -> App:
        from client.app import build  # noqa: PLC0415 -- after the icon is shown

        return build(settings_file=settings_file)

    return run_tray(make_app, folder=instance_folder(paths.state), page=None)


def run_tray(make_app: Callable[[], App], *, folder: Path, page: str | None) -> int:
    """Runs the tray as the only one of this user, or opens the window of the one that runs already.

    Args:
        make_app: builds the app; called after the icon is shown.
        folder: where the lock is that makes it the only one.
        page: the page to open at once, "" for the first, None for the icon alone.

    Raises:
        DisplayFault: there is no display.
        EnvironmentFault: one runs already and does not answer.
    """
    from client.platform.display import need_display  # noqa: PLC0415 -- the tray only
    from client.platform.single_instance import SingleInstance  # noqa: PLC0415 -- as above

    need_display()
    with SingleInstance(folder) as instance:
        try:
            first = instance.claim()
        except (
            EnvironmentFault
        ) as error:  # a read-only home: a window that cannot be found by others is better than none
            _tell(error)
            first = True
        if not first:
            if instance.send(f"{OPEN} {page}" if page else OPEN):
                sys.stderr.write("Deskside is running already; its window is open now.\n")
                return DONE
            raise EnvironmentFault(
                "Deskside is running already, but it does not answer.",
                hint="End it in the task manager, then start it again.",
            )
        from client.ui.start import main as show  # noqa: PLC0415 -- Qt, for the first instance only

        return show(partial(_logged, make_app), instance=instance, page=page)


def _logged(make_app: Callable[[], App]) -> App:
    """Builds the app and starts the log with it: both come after the icon."""
    from client.platform.logfile import start_logging  # noqa: PLC0415 -- as above

    app = make_app()
    app.long_lived = True
    start_logging(app.paths.log, level=app.settings.values.client.log_level)
    if app.settings.origin("client.start_at_login").file:
        _start_at_login(app)
    return app


def _start_at_login(app: App) -> None:
    """Does what the settings say; where they say nothing, the switch in the window is the only one who does."""
    from client.platform import autostart  # noqa: PLC0415 -- few computers have that setting
    from client.platform.paths import find_paths  # noqa: PLC0415 -- as above

    if app.paths != find_paths():
        return  # a demonstration
    wanted = app.settings.values.client.start_at_login
    with contextlib.suppress(EnvironmentFault):  # a read-only home: it starts as it did before
        if autostart.is_enabled() != wanted:
            autostart.enable(app.program) if wanted else autostart.disable()


def _told(error: Exception) -> DesksideError:
    """The error as an employee may hear it."""
    if isinstance(error, DesksideError):
        return error
    # A full disk behind `> file` is no mistake of ours; anything else that nobody has translated is.
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}:
        return StorageFault(f"The output could not be written: {(error.strerror or str(error)).lower()}.")
    return DesksideBug("Deskside stumbled over something that it did not expect.")


def _tell(error: DesksideError) -> None:
    if sys.stderr is None:
        return
    lines = [f"{error.title}: {error.message}"]
    problems = getattr(error, "problems", ())
    lines += [f"  {problem}" for problem in problems if len(problems) > 1]  # a single one is in the message
    with contextlib.suppress(OSError):
        sys.stderr.write("\n".join([*lines, error.hint]) + "\n")


def _log(error: Exception) -> None:
    if isinstance(error, (UsageError, SettingsFault)):
        return  # whoever typed it has seen it
    import logging  # noqa: PLC0415 -- only when something went wrong

    from client.platform.logfile import start_logging  # noqa: PLC0415 -- as above
    from client.platform.paths import find_paths  # noqa: PLC0415 -- as above

    start_logging(find_paths().log)
    level = logging.ERROR if not isinstance(error, DesksideError) or isinstance(error, DesksideBug) else logging.INFO
    logging.getLogger("deskside").log(level, "ended by %s", type(error).__name__, exc_info=error)


def _forget_output() -> None:
    """Keeps the interpreter from complaining about the closed pipe when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
