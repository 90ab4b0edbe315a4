"""A CUPS of its own: a socket in a folder, two printers that print into nothing. The machine's own is never touched.

with Cups(folder) as cups:
    cups.environment, cups.do("lp", "-d", "Office")
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

STARTS_WITHIN_S = 20.0
DAEMON = """\
Listen {0}/run/sock
LogLevel warn
DefaultAuthType None
WebInterface No
Browsing No
<Location />
Order allow,deny
Allow all
</Location>
<Policy default>
JobPrivateAccess all
JobPrivateValues none
<Limit All>
Order deny,allow
</Limit>
</Policy>
"""
FILES = """\
ServerRoot {0}/etc
RequestRoot {0}/spool
CacheDir {0}/cache
StateDir {0}/run
TempDir {0}/spool/tmp
ErrorLog {0}/log/error
AccessLog {0}/log/access
PageLog {0}/log/page
FileDevice Yes
User {1}
"""


class Cups:
    """See the module's text.

    Args:
        folder: a short path; a socket's may have 100 characters.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "CUPS_SERVER": f"{folder}/run/sock"}

    def __enter__(self) -> Self:
        daemon = shutil.which("cupsd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert daemon, "cupsd is missing: installers/linux/prepare test"
        user = "lp" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        for name in ("etc", "spool/tmp", "cache", "run", "log"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "etc/cupsd.conf").write_text(DAEMON.format(self.folder))
        (self.folder / "etc/cups-files.conf").write_text(FILES.format(self.folder, user))
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, user)
        etc = self.folder / "etc"
        words = [daemon, "-f", "-c", str(etc / "cupsd.conf"), "-s", str(etc / "cups-files.conf")]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + STARTS_WITHIN_S
        while not (self.folder / "run/sock").exists():
            assert self._process.poll() is None, "cupsd has ended"
            assert time.monotonic() < until, "cupsd did not start in time"
            time.sleep(0.05)
        for printer in ("Office", "Hall"):
            self.do("lpadmin", "-p", printer, "-E", "-v", "file:/dev/null")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def do(self, *words: str, given: str = "") -> str:
        """Runs one of CUPS' programs against this one."""
        path = shutil.which(words[0], path="/usr/bin:/usr/sbin:/usr/local/bin")
        assert path, f"{words[0]} is missing: installers/linux/prepare test"
        environment = {**self.environment, "LC_ALL": "C"}
        done = subprocess.run(
            [path, *words[1:]], env=environment, input=given, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout
