"""A real Request Tracker 5 (Debian's packages request-tracker5, rt5-db-sqlite, rt5-standalone) on loopback, in a folder of its own.

    with RequestTracker(folder) as rt:
        rt.url, rt.tokens["robin"], rt.as_root("GET", "/ticket/1")

The machine's own Request Tracker, should it have one, is never touched: every command is given our settings file.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import httpx

SETUP = "rt-setup-database-5"
SERVER = "/usr/share/request-tracker5/libexec/rt-server"
LIB = "/usr/share/request-tracker5/lib"
STARTS_WITHIN_S = 60.0
CONFIG = """
Set($rtname, 'example.com');
Set($Organization, 'example.com');
Set($CorrespondAddress, 'rt@example.com');
Set($CommentAddress, 'rt-comment@example.com');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.sqlite3');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($LogDir, '{folder}');
Set($MasonDataDir, '{folder}/mason');
Set($MasonSessionDir, '{folder}/sessions');
Set($MailCommand, 'testfile');
Set($GnuPG, Enable => 0);
Set($SMIME, Enable => 0);
Set($WebSecureCookies, 0);
1;
"""
SEED = r"""
use strict; use warnings; use lib '{lib}'; use JSON;
use RT -init; use RT::AuthToken; use RT::Class; use RT::Article; use RT::CustomField;
my $root = RT->SystemUser;
sub must { my ($ok, $why) = @_; die "seed: $why" unless $ok; return $ok }
my $queue = RT::Queue->new($root); must($queue->Load('General'), 'queue');
my $everyone = RT::Group->new($root); $everyone->LoadSystemInternalGroup('Everyone');
my $requestor = RT::Group->new($root); $requestor->LoadRoleGroup(Object => RT->System, Name => 'Requestor');
must($everyone->PrincipalObj->GrantRight(Right => $_, Object => RT->System)) for qw(SeeQueue CreateTicket);
must($requestor->PrincipalObj->GrantRight(Right => $_, Object => RT->System)) for qw(ShowTicket ReplyToTicket);
for my $name ('Deskside Ref', 'Deskside Cause', 'Deskside Device') {
    my $field = RT::CustomField->new($root);
    must($field->Create(Name => $name, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', MaxValues => 1));
    must($field->AddToObject($queue));
    must($everyone->PrincipalObj->GrantRight(Right => $_, Object => $field))
        for qw(SeeCustomField SetInitialCustomField ModifyCustomField);
}
my $class = RT::Class->new($root);
must($class->Create(Name => 'For employees'));
must($class->AddToObject($queue));
my $content = RT::CustomField->new($root);
must($content->Create(Name => 'Text', Type => 'Text', LookupType => 'RT::Class-RT::Article', MaxValues => 1));
must($content->AddToObject($class));
must($everyone->PrincipalObj->GrantRight(Right => 'SeeCustomField', Object => $content));
must($everyone->PrincipalObj->GrantRight(Right => $_, Object => $class)) for qw(SeeClass ShowArticle);
my $article = RT::Article->new($root);
must($article->Create(Name => 'Order a new computer', Summary => 'How a computer is ordered', Class => $class->id,
    'CustomField-' . $content->id => 'Ask your manager, then fill in the form.'));
my %tokens;
for my $name ('root', 'robin', 'kim') {
    my $user = RT::User->new($root);
    if ($name eq 'root') { $user->Load('root') }
    else {
        must($user->Create(Name => $name, RealName => ucfirst($name) . ' Example', EmailAddress => "$name\@example.com",
            Privileged => 0, Disabled => 0));
    }
    my $token = RT::AuthToken->new($root);
    my ($ok, $why, $text) = $token->Create(Owner => $user->id, Description => 'Deskside');
    must($ok, $why);
    $tokens{$name} = $text;
}
print JSON::encode_json(\%tokens), "\n";
"""


class RequestTracker:
    """See the module's text. `tokens` are by the names root (an agent), robin and kim (employees without privileges)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.tokens: dict[str, str] = {}

    def __enter__(self) -> Self:
        for name in ("config.d", "mason", "sessions"):
            (self.folder / name).mkdir()
        config = self.folder / "RT_SiteConfig.pm"
        config.write_text(CONFIG.replace("{folder}", str(self.folder)).replace("{port}", str(self.port)))
        self._environment = {
            **os.environ,
            "RT_SITE_CONFIG": str(config),
            "RT_SITE_CONFIG_DIR": str(self.folder / "config.d"),
        }
        password = self.folder / "root-password"
        password.write_text("not used by any test\n")
        setup = shutil.which(SETUP) or f"/usr/sbin/{SETUP}"
        self._run([setup, "--action", "init", "--skip-create", "--root-password-file", str(password)])
        seed = self.folder / "seed.pl"
        seed.write_text(SEED.replace("{lib}", LIB))
        self.tokens = json.loads(self._run(["perl", str(seed)]).splitlines()[-1])
        self._log = (self.folder / "server.log").open("wb")
        try:
            self.restart()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if process := getattr(self, "_process", None):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self._log.close()

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        self._process.kill()
        self._process.wait(10)

    def restart(self) -> None:
        """Starts the server, which does not run (any more), and waits until it answers."""
        self._process = subprocess.Popen(
            [SERVER, "--server", "Standalone", "--host", "127.0.0.1", "--port", str(self.port)],
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._wait()

    def as_root(self, method: str, path: str, **query: Any) -> httpx.Response:
        """Asks as an agent, past the adapter."""
        headers = {"Authorization": f"token {self.tokens['root']}"}
        found = httpx.request(
            method, f"{self.url}/REST/2.0{path}", headers=headers, timeout=30, trust_env=False, **query
        )
        assert found.status_code < 400, found.text
        return found

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done.stdout

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            assert self._process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            try:
                httpx.get(f"{self.url}/REST/2.0/rt", timeout=5, trust_env=False)
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Request Tracker did not start in time")
