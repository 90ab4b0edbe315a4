"""`deskside-helper`: started by the bus, by launchd or by Windows' services, and takes nothing from its surroundings."""

from __future__ import annotations

import os
import sys  # nothing else up here: until the environment is left behind, it could be somebody's module of that name


def main() -> int:
    """Cuts itself off from its surroundings, serves, and ends when nobody has asked for a while. Takes no arguments.

    Returns:
        0 after a time of idleness, 3 when it could not serve.
    """
    if sys.platform == "win32":
        from client.helper import windows  # noqa: PLC0415 -- its own platform only

        return windows.main(sys.argv[1:])
    if os.geteuid() != 0 or sys.argv[1:]:
        sys.stderr.write("deskside-helper is started by the system and takes no arguments.\n")
        return 2
    if not (sys.flags.isolated and sys.flags.safe_path):
        os.execve(sys.executable, [sys.executable, "-I", "-P", "-m", "client.helper"], {"PATH": "/usr/bin:/bin"})  # noqa: S606
    os.environ.clear()
    os.umask(0o077)
    os.chdir("/")
    os.closerange(3, 65536)
    import resource  # noqa: PLC0415 -- Unix only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _serve()


def _serve() -> int:
    import asyncio  # noqa: PLC0415 -- after the environment was left behind
    import signal  # noqa: PLC0415 -- as above
    import syslog  # noqa: PLC0415 -- Unix only

    from client.helper.gate import Gate  # noqa: PLC0415 -- as above

    async def until_told() -> None:
        """Ends in order when the system says so: what is running is ended, and what must be put back is."""
        task = asyncio.ensure_future(channel.serve())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    syslog.openlog("deskside-helper", syslog.LOG_PID, syslog.LOG_AUTH)
    gate = Gate(lambda line: syslog.syslog(syslog.LOG_NOTICE, line), exists=os.path.exists)
    try:
        if sys.platform == "darwin":
            from client.helper import local  # noqa: PLC0415 -- its own platform only

            channel = local.UnixSocket(gate, local.launchd_socket(), at_console=local.console_user)
        else:
            from client.helper import bus  # noqa: PLC0415 -- its own platform only

            channel = bus.Bus(gate)
        asyncio.run(until_told())
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        syslog.syslog(syslog.LOG_ERR, f"cannot serve: {type(error).__name__}: {error!r}"[:400])
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
