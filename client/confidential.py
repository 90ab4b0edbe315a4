"""What a secret looks like in text: a table of patterns, and the few words around them. Pure; imports nothing of the project.

The gate for what leaves (`client.report.redact`) and the log use this one table.

Two rules make every pattern safe to run on a log of megabytes. It starts with something literal or bounded, and it ends with a
greedy run after which nothing is required, so that the search never goes back; and where a name like "password" introduces the
secret, the secret reaches to the next white space or closing quote: rather too much is taken out than a part left in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

MARK: Final = "[removed]"

# Names whose value is a secret, wherever they stand in a longer name (PGPASSWORD, db_password_old, x-api-key).
NAMES: Final = (
    "pass[_-]?word",
    "passwd",
    "pass[_-]?phrase",
    "pass[_-]?code",
    "passwort",
    "kennwort",
    "mot[ _-]?de[ _-]?passe",
    "contrase(?:n|\u00f1)a",
    "secret",
    "token(?!s)",
    "api[ _-]?key",
    "access[ _-]?key",
    "account[ _-]?key",
    "private[ _-]?key",
    "shared[ _-]?key",
    "encryption[ _-]?key",
    "license[ _-]?key",
    "product[ _-]?key",
    "recovery[ _-]?key",
    "credential",
    "session[_-]?id",
    "session[_-]?key",
    "sessid",
    "jsession",
    "csrf",
    "xsrf",
    "signature",
    "_pwd",
    "userpwd",
    "nonce",
)
# Names that are too short to be looked for inside longer ones.
SHORT_NAMES: Final = (
    "pass",
    "pw",
    "pwd",
    "psk",
    "pin",
    "sid",
    "sig",
    "otp",
    "totp",
    "mfa",
    "puk",
    "authkey",
    "auth_key",
    "bearer",
)
# A number, date or state of a secret is none: password_expires_days, token_count.
BENIGN: Final = (
    r"(?:[\w-]{0,24}[_-])?(?:days|hours|minutes|seconds|ms|bytes|percent|count|length|age|at|on|expires|expiry|set|used|type"
    r"|policy|changed|required|state|status|error|result)"
)

_LONG = "|".join(NAMES)
_SHORT = "|".join(SHORT_NAMES)
_QUOTE = r"[\"'\\]{0,4}"
_GAP = r"[ \t]{0,8}"
_SEPARATOR = rf"{_QUOTE}{_GAP}(?:=>|[:=]|%3[adAD]){{1,2}}{_GAP}"
# Quoted (with escapes), quoted inside a quoted string, or up to the next white space.
_VALUE = (
    r"(?:\\+\"[^\"\r\n]*\"?|\\+'[^'\r\n]*'?|\"(?:[^\"\\\r\n]|\\.)*\"?|'(?:[^'\\\r\n]|\\.)*'?|\[removed\](?!\S)|\S+)"
)
_LINE = r"[^\r\n]*"


class Pattern(NamedTuple):
    """One kind of secret. The group `keep` (where there is one) stays in front of the mark, the rest of the match goes.

    `unless` is asked about what would go: True leaves it alone.
    """

    kind: str
    regex: re.Pattern[str]
    unless: Callable[[str], bool] = lambda _: False


def sensitive(name: str) -> bool:
    """Whether a key's value must go whatever it is: `db_password`, `X-Api-Key`, but not `password_expires_days`."""
    return _KEY.search(name) is not None


def _plain_word(value: str) -> bool:
    """A word of a sentence rather than a token: "Bearer authentication", "Basic information"."""
    core = value.strip(".,;:!?()")
    return len(core) < 24 and core.isalpha() and (core.islower() or core.istitle() or core.isupper())  # noqa: PLR2004 -- no word is longer


def _no_token(value: str) -> bool:
    """Not a token by its looks: no digit among letters, or too short to be one."""
    core = value.strip(".,;:!?()\"'")
    return len(core) < 6 or not (any(c.isdigit() for c in core) and any(c.isalpha() for c in core))  # noqa: PLR2004 -- as said


_ABOUT_IT = frozenset(
    {
        "not", "wrong", "expired", "correct", "incorrect", "rejected", "refused", "right", "still", "always",
        "required", "being", "invalid", "valid", "unknown", "too", "no", "a", "an", "the", "asked", "accepted", "ok",
        "fine", "empty", "missing", "needed", "lost", "forgotten", "gone", "changed", "set", "reset", "old", "new",
        "now", "never", "my", "your", "on", "in", "at", "it", "to", "nicht", "falsch", "abgelaufen", "richtig",
        "weg",
    }
)  # fmt: skip


def _talk_about(value: str) -> bool:
    return value.strip(".,;:!?\"'()").lower() in _ABOUT_IT


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_KEY = _compile(
    rf"(?:{_LONG})(?!{BENIGN}$)|^(?:{_SHORT})$|[_.-](?:{_SHORT})$|^(?:{_SHORT})[_.-](?!{BENIGN}$)"
    r"|^(?:proxy-)?authorization$|^(?:set-)?cookies?$|^auth$"
)

PATTERNS: Final = (
    Pattern(
        "private key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[\s\S]*?(?:-----END[ A-Z0-9]{0,60}-----|\Z)"
            r"|PuTTY-User-Key-File[\s\S]*?(?:Private-MAC:[^\r\n]*|\Z)"
        ),
    ),
    # Tokens that say by themselves what they are. The tail takes along whatever is glued to them.
    Pattern(
        "token",
        re.compile(
            r"(?:gh[pousr]_|github_pat_|glpat-|gldt-|glrt-|xox[abeprs]-|xapp-|sk-|sk_live_|sk_test_|rk_live_|pk_live_|whsec_|npm_"
            r"|pypi-|dop_v1_|doo_v1_|hf_|shp(?:at|ss|ca|pa)_|hvs\.|hvb\.|dckr_pat_|dapi|ATATT3|ATCTT3|GOCSPX-|ya29\.|1//0|SG\."
            r"|sntrys_|sgp_|tskey-|glsa_|lin_api_|figd_|rpa_|AGE-SECRET-KEY-1|eyJ)[A-Za-z0-9_\-.]{12}[A-Za-z0-9_\-.+/=~]*"
        ),
    ),
    Pattern(
        "cloud key",
        re.compile(r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}[A-Za-z0-9]*|AIza[A-Za-z0-9_\-]{30}[A-Za-z0-9_\-]*"),
    ),
    Pattern("cloud secret", re.compile(r"[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{28}[A-Za-z0-9_~.\-]*")),
    Pattern("bot token", re.compile(r"[0-9]{8,10}:AA[A-Za-z0-9_\-]{30}[A-Za-z0-9_\-]*")),
    Pattern(
        "webhook",
        _compile(
            r"(?P<keep>hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/|webhook\.office\.com/)[^\s\"'<>]+"
        ),
    ),
    # Headers: everything to the end of the line, because a digest has quotes and a cookie has spaces.
    Pattern("authorization", _compile(rf"(?P<keep>authorization{_SEPARATOR}){_LINE}")),
    Pattern("cookie", _compile(rf"(?P<keep>cookie{_QUOTE}{_GAP}[:=]{_GAP}){_LINE}")),
    Pattern(
        "bearer",
        _compile(
            r"(?P<keep>(?:bearer|basic|negotiate|ntlm|kerberos)[ \t]{1,8})[A-Za-z0-9._~+/=\-]{8}[A-Za-z0-9._~+/=\-]*"
        ),
        unless=_plain_word,
    ),
    # Names and values.
    Pattern(
        "password",
        _compile(
            rf"(?P<keep>(?:(?:{_LONG})(?!{BENIGN}{_SEPARATOR})[\w-]{{0,24}}|(?<![a-z])(?:{_SHORT})){_SEPARATOR}){_VALUE}"
        ),
    ),
    Pattern("password", _compile(rf"(?P<keep><[\w:-]{{0,24}}(?:{_LONG})[\w-]{{0,24}}[^<>]{{0,200}}>)[^<\r\n]+")),
    Pattern(
        "password",
        _compile(
            rf"(?P<keep>(?<![\w/-])[-/]{{1,2}}[\w-]{{0,24}}(?:{_LONG}|pwd)[\w-]{{0,12}}[ \t]{{1,8}})(?![-/]){_VALUE}"
        ),
        unless=_talk_about,
    ),
    Pattern("password", _compile(r"(?P<keep>(?<!\w)(?:-u|--user|--proxy-user|-U)[ \t]{1,8}[^\s:]{1,64}:)\S+")),
    Pattern("password", _compile(r"(?P<keep>sshpass[ \t]{1,8}-p[ \t]{0,8})\S+")),
    Pattern(
        "password", _compile(r"(?P<keep>\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\r\n]{0,200}?[ \t]-p)[^\s\-][^\s]*")
    ),
    Pattern("password", _compile(r"(?P<keep>net[ \t]{1,8}(?:use|user)[ \t]{1,8}[^\s]{1,260}[ \t]{1,8})(?![/*])\S+")),
    Pattern(
        "password",
        _compile(
            r"(?P<keep>(?:password|passwort|kennwort|passphrase|passcode|pin|mot de passe|contrase\u00f1a)[ \t]{1,8}"
            r"(?:is|was|ist|war|lautet|est|es)[ \t]{0,8}:?[ \t]{1,8})\S+"
        ),
        unless=_talk_about,
    ),
    Pattern(
        "password",
        _compile(
            r"(?P<keep>(?:password|passwort|kennwort|passphrase|passcode|pin)[ \t]{1,4}(?:for|of|f\u00fcr|von|pour|para)[ \t]{1,4}"
            r"[^\s:]{1,64}[ \t]{0,4}:[ \t]{0,4})\S+"
        ),
        unless=_talk_about,
    ),
    Pattern(
        "password", _compile(rf"(?P<keep>(?:{_LONG})[ \t]{{0,4}}:[ \t]{{0,4}}\r?\n[ \t]{{0,8}})\S+"), unless=_plain_word
    ),
    # Without a sign in between only what looks like a token goes: "token abc123def", but not "token expired".
    Pattern("password", _compile(rf"(?P<keep>(?:{_LONG})[\w-]{{0,24}}[ \t]{{1,4}})(?![-/]){_VALUE}"), unless=_no_token),
    Pattern(
        "session", _compile(rf"(?P<keep>(?:session|(?<![a-z])(?:ticket|key)){_SEPARATOR}){_VALUE}"), unless=_no_token
    ),
    Pattern("password", _compile(r"(?P<keep>type=[\"']?password[\"']?[^<>]{0,200}value=)[^\s<>]+")),
    Pattern("recovery key", re.compile(r"(?:[0-9]{6}-){7}[0-9]{6}")),
    Pattern("product key", re.compile(r"(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}")),
    # In addresses: the account goes along with the password.
    Pattern("address", re.compile(r"(?P<keep>[A-Za-z][A-Za-z0-9+.\-]{0,20}://)[^\s/?#\"'<>]*@")),
    Pattern("address", re.compile(r"(?P<keep>://)[^\s/?#:@\"'<>\[]{1,128}:[^\s@\"'<>]{1,256}@")),
    Pattern(
        "address",
        _compile(r"(?P<keep>[?&;](?:code|state|key|auth|sig|access|assertion|ticket|hmac|jwt)=)[^\s&#\"'<>]+"),
    ),
)


def without_secrets(text: str) -> tuple[str, int]:
    """The text with `MARK` in place of every secret, and how many there were. What is marked already is not counted again."""
    count = 0
    for _, regex, unless in PATTERNS:

        def put(match: re.Match[str], unless: Callable[[str], bool] = unless) -> str:
            nonlocal count
            kept = match.groupdict().get("keep") or ""
            gone = match.group()[len(kept) :]
            at = "@" if _keeps_at(match) else ""
            if gone in {MARK, f"{MARK}{at}", f'"{MARK}"', f"'{MARK}'"} or unless(gone):
                return match.group()
            count += 1
            return f"{kept}{_mark_like(gone)}{at}"

        text = regex.sub(put, text)
    return text, count


def _keeps_at(match: re.Match[str]) -> bool:
    """Whether the match is the account of an address, whose @ stays."""
    return match.group().endswith("@") and "://" in match.group()


def _mark_like(gone: str) -> str:
    """The mark, in the quotes of what it stands for, so that the text around it still reads."""
    for quote in ('"', "'"):
        if len(gone) > 1 and gone[0] == quote and gone[-1] == quote:
            return f"{quote}{MARK}{quote}"
    return MARK
