"""The command `deskside` with words: finds the command, loads its module, runs it. Errors pass through to `client.__main__`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click

from client import __version__
from client.app import App
from client.cli.session import Session, ShowTray
from client.errors import UsageError

# Every command with its one line of help, so that `deskside --help` loads none of them.
COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "check": "See what is wrong with this computer, and why.",
        "search": "Find help articles.",
        "fix": "List, preview, run and undo repairs.",
        "ticket": "Write to the help desk, and read its answers.",
        "outbox": "What is kept here until the help desk has it.",
        "history": "What earlier checks found, and since when.",
        "report": "Write what was found into a file for IT.",
        "announcements": "What IT tells everybody: outages, maintenance, notices.",
        "login": "Sign in to the help desk.",
        "logout": "Forget the sign-in.",
        "whoami": "Say who the help desk takes you for.",
        "config": "Show and check the settings.",
        "doctor": "See whether Deskside itself is well.",
        "learning": "What was noted of what helped, and forgetting it.",
        "articles": "Check help articles for mistakes.",
        "open": "Open the window.",
        "demo": "Try everything with a help desk on this computer.",
    }
)
HIDDEN: Final = frozenset({"errand"})  # what the tray starts for itself; nobody types it
CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group whose commands are modules of `client.cli`, each with a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        """Loads one command."""
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        command: click.Command = importlib.import_module(f"client.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Names the nearest command when there is none of that name."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS and args[0] not in HIDDEN:
            raise UsageError(f"There is no command {args[0]!r}.{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        """Lists the commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def nearest(word: str, words: Sequence[str] | Mapping[str, Any]) -> str:
    """The sentence "Did you mean ...?" after a space, or nothing."""
    import difflib  # noqa: PLC0415 -- only after a mistake

    close = difflib.get_close_matches(word, words, n=1)
    return f" Did you mean {close[0]}?" if close else ""


@click.group(cls=LazyGroup, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="deskside", message="%(prog)s %(version)s")
@click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path), help="Use this file as the user's settings."
)
@click.option("--demo-folder", type=click.Path(path_type=Path), hidden=True, help="For the children of a demo.")
@click.pass_obj
def root(session: Session, settings_file: Path | None, demo_folder: Path | None) -> None:
    """Deskside finds out what is wrong with this computer, helps to fix it, and writes to the help desk.

    Without a command it starts the icon in the tray. Exit codes: 0 done, 1 not well, 2 wrong use, 3 failed, 4 kept for later.
    """
    session.settings_file = settings_file
    if demo_folder is not None:
        from client.cli.demo import rejoin  # noqa: PLC0415 -- a demo's children only

        session.use(lambda: rejoin(demo_folder))


def run(words: Sequence[str], *, show_tray: ShowTray, make_app: Callable[[Path | None], App] | None = None) -> int:
    """Runs one command and gives its exit code.

    Args:
        words: the command line without the program's name.
        show_tray: starts the tray; the command line itself knows no window.
        make_app: as `Session`.

    Raises:
        DesksideError: anything that went wrong, with its sentence.
    """
    session = Session(show_tray=show_tray, make_app=make_app)
    try:
        # Not `root.main`: that would turn a closed pipe into exit code 1 before `client.__main__` sees it.
        with root.make_context("deskside", list(words), obj=session) as context:
            code = root.invoke(context)
    except click.exceptions.Exit as error:  # --help and --version
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return 2
    except click.Abort as error:  # Ctrl+C or the end of input at a question
        raise KeyboardInterrupt from error
    except click.ClickException as error:
        place = getattr(error, "ctx", None)
        path = place.command_path if place is not None else "deskside"
        raise UsageError(error.format_message(), hint=f"Run `{path} --help` to see what there is.") from error
    return code if isinstance(code, int) else 0
