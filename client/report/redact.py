"""The one gate: everything that leaves this computer in a ticket or report has passed through here.

What must never leave (tokens, passwords, keys, cookies) is removed, wherever it stands. What identifies a person or a device
(account, home folder, e-mail address, serial, hardware address) gets a stable stand-in, by the privacy class of the fact it comes
from; whatever was learnt from a fact is replaced in every other text too. Addresses of the network stay by default: without them
an agent has to ask. What the employee wrote is theirs: only secrets are taken out of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from client.confidential import MARK, sensitive, without_secrets
from client.report.pseudonyms import Pseudonyms
from diagnostics.model import Privacy

DEEPEST: Final = 64  # nobody nests facts deeper; beyond it a value is not looked at and does not leave
MOST_ROUNDS: Final = 4  # a text is looked at again until nothing changes; two rounds have always been enough
SHORTEST_LEARNT: Final = 4  # "lab" or "pc1" would be found in every other word
HIDDEN: Final = frozenset({Privacy.DEVICE, Privacy.PERSONAL})
ALL_HIDDEN: Final = HIDDEN | {Privacy.NETWORK}  # where IT's policy says so
NETWORK_NAMES: Final = frozenset(
    {"network", "search", "joined_to"}
)  # facts of the network that are names and not addresses

PrivacyOf = Callable[[str], Privacy]

_CONTROL = re.compile(
    r"\x1b\[[0-?]{0,32}[ -/]{0,8}[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_EUI64 = re.compile(r"[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,2}[Ff][Ff]:[Ff][Ee][0-9A-Fa-f]{2}:[0-9A-Fa-f]{1,4}")
_SERIAL = re.compile(
    r"(?i:(?:serial(?:[ _-]?(?:number|no\.?|nr\.?))?|s/n|imei)[ \t]{0,4}[:=# ][ \t]{0,4})(?P<one>[A-Z0-9][A-Z0-9-]{5,31})"
)
_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?!\w)")
_LOCAL_PART = re.compile(r"[\w.+%'-]{1,64}\Z")
_DOMAIN = re.compile(r"@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_SLASH = r"(?:[\\/]{1,4}|%2[fF]|%5[cC])"
_HOME = re.compile(
    rf"(?:(?:[A-Za-z](?::|%3[aA]))?{_SLASH}(?:Users|users|Documents and Settings){_SLASH}"
    rf"(?P<one>[^\\/:\"'<>|*?\r\n%\[\]]{{1,64}}(?={_SLASH})|[^\\/\s:\"'<>|*?%,;)\[\]]{{1,64}})"
    rf"|{_SLASH}(?:home|export{_SLASH}home|var{_SLASH}home){_SLASH}(?P<two>[^\\/\s:\"'<>|*?%,;)\[\]]{{1,64}}))"
)
_NOBODYS = frozenset(
    (
        "public",
        "shared",
        "default",
        "all users",
        "user",
        "users",
        "guest",
        "admin",
        "administrator",
        "root",
        "~",
        "lost+found",
        "/root",
    )
)
_STAND_IN = re.compile(
    r"~|(?:mac|user|e-mail|serial|device|interface|address|network)-[0-9]+"
)  # a value that is known by now
_TEXTS: Final = ("logs.",)  # facts of a hidden class that are sentences, not names: looked through, not replaced whole
_NAMES: Final = ("software.",)  # facts whose keys are the names of things
_FLAG = re.compile(r"(?:--?|/)[\w-]{1,64}\Z")


def default_privacy(key: str) -> Privacy:
    """The privacy class of a fact by its key alone: what is used where nobody says better."""
    name = key.lower()
    for words, privacy in _BY_NAME:
        if any(word in name for word in words):
            return privacy
    return Privacy.PUBLIC


_BY_NAME: Final = (
    (("user", "account", "login", "home", "owner", "mail", "person", "profile"), Privacy.PERSONAL),
    (("serial", "uuid", "machine_id", "hostname", "host_name", "asset", "mac", "hardware_address"), Privacy.DEVICE),
    (("address", "ssid", "gateway", "resolver", "domain", "interface", "route", "proxy"), Privacy.NETWORK),
)


class Redactor:
    """One pass of the gate, for one ticket or report. `count` says how many places were changed so far.

    Args:
        pseudonyms: gives the stand-ins.
        privacy_of: the privacy class of a fact's dotted key.
        hide: the classes whose values get stand-ins.
        home: this user's home folder, wherever it is; empty: only the usual places are known.
        known_as: what may be named although its class is hidden, such as the device's name that goes to the desk anyway.
    """

    def __init__(
        self,
        *,
        pseudonyms: Pseudonyms | None = None,
        privacy_of: PrivacyOf = default_privacy,
        hide: frozenset[Privacy] = HIDDEN,
        home: str = "",
        known_as: Iterable[str] = (),
    ) -> None:
        self.count = 0
        self._pseudonyms = pseudonyms or Pseudonyms()
        self._privacy_of = privacy_of
        self._hide = hide
        self._home = _home_pattern(home)
        self._known_as = frozenset(one.casefold() for one in known_as)
        self._learnt: dict[str, str] = {}
        self._learnt_pattern: re.Pattern[str] | None = None

    # --- text

    def written(self, text: str) -> str:
        """What the employee wrote: secrets go, the rest stays as it is."""
        return self._until_quiet(text, (self._secrets,))

    def text(self, text: str) -> str:
        """What a program wrote: secrets go, and so does what identifies a person or a device."""
        return self._until_quiet(text, (self._secrets, self._identities))

    def _until_quiet(self, text: str, steps: tuple[Callable[[str], str], ...]) -> str:
        text = clean(text)
        for _ in range(MOST_ROUNDS):
            before = text
            for step in steps:
                text = step(text)
            if text == before:
                break
        return text

    def _secrets(self, text: str) -> str:
        text, count = without_secrets(text)
        self.count += count
        return text

    def _identities(self, text: str) -> str:
        if self._home is not None:
            text = self._replace(self._home, text, lambda _: "~")
        text = self._replace(_HOME, text, self._home_folder)
        text = self._emails(text)
        text = self._replace(
            _MAC, text, lambda match: self._pseudonyms.name("mac", re.sub(r"[^0-9a-fA-F]", "", match.group()))
        )
        text = self._replace(_EUI64, text, lambda match: self._pseudonyms.name("interface", match.group()))
        text = self._replace(_SERIAL, text, self._serial)
        if Privacy.NETWORK in self._hide:
            for pattern in (_IPV4, _IPV6):
                text = self._replace(pattern, text, self._address)
        if self._learnt_pattern is not None:
            text = self._replace(self._learnt_pattern, text, lambda match: self._learnt[match.group().casefold()])
        return text

    def _replace(self, pattern: re.Pattern[str], text: str, put: Callable[[re.Match[str]], str]) -> str:
        def counted(match: re.Match[str]) -> str:
            new = put(match)
            self.count += new != match.group()
            return new

        return pattern.sub(counted, text)

    def _home_folder(self, match: re.Match[str]) -> str:
        name = match.group("one") or match.group("two")
        if name.casefold() in _NOBODYS:
            return match.group()
        self._learn(name, "user")
        return "~"

    def _address(self, match: re.Match[str]) -> str:
        """Times ("09:00:00") look like addresses; this computer's own loopback tells nothing."""
        try:
            found = ip_address(match.group())
        except ValueError:
            return match.group()
        return (
            match.group()
            if found.is_loopback or found.is_unspecified
            else self._pseudonyms.name("address", match.group())
        )

    def _serial(self, match: re.Match[str]) -> str:
        number = match.group("one")
        if not any(char.isdigit() for char in number):
            return match.group()
        return f"{match.group()[: -len(number)]}{self._pseudonyms.name('serial', number)}"

    def _emails(self, text: str) -> str:
        """Looked for from the @ outwards: a pattern that starts with the account's name would go over long texts many times."""
        at = text.find("@")
        if at < 0:
            return text
        parts, done = [], 0
        while at >= 0:
            local = _LOCAL_PART.search(text, max(done, at - 64), at)
            domain = _DOMAIN.match(text, at)
            if local and domain:
                parts += [text[done : local.start()], self._pseudonyms.name("e-mail", local.group() + domain.group())]
                self.count += 1
                done = domain.end()
            at = text.find("@", max(at + 1, done))
        return "".join([*parts, text[done:]])

    # --- values

    def value(self, value: Any, *, key: str = "") -> Any:
        """A JSON value, keys and all. Under a key such as `password` nothing is let through, whatever it is."""
        return self._value(value, key, 0)

    def _value(self, value: Any, key: str, depth: int, *, names: bool = False) -> Any:
        """With `names` the keys of an object are names of things (a program called base-passwd) and say nothing of its value."""
        if depth > DEEPEST:
            self.count += 1
            return MARK
        if key and not names and sensitive(key) and value not in (None, "", MARK) and not isinstance(value, bool):
            self.count += 1
            return MARK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth, names=names)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        return value if isinstance(value, int | float | bool) or value is None else self.text(str(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int, *, names: bool) -> dict[str, Any]:
        named = next(
            (str(value[name]) for name in ("name", "key", "Name", "Key") if isinstance(value.get(name), str)), ""
        )
        new: dict[str, Any] = {}
        for name, one in value.items():
            clean_name = self.text(str(name))
            while clean_name in new:
                clean_name += "_"
            hidden = named if str(name).lower() == "value" and sensitive(named) else str(name)
            new[clean_name] = self._value(one, hidden, depth + 1, names=names)
        return new

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        new: list[Any] = []
        hide_next = False
        for one in value:
            if hide_next and isinstance(one, str) and one and one != MARK and not _FLAG.match(one):
                self.count += 1
                new.append(MARK)
            else:
                new.append(self._value(one, "", depth + 1))
            # An argument list: ["--password", "hunter2"]
            hide_next = isinstance(one, str) and _FLAG.match(one) is not None and sensitive(one.lstrip("-/"))
        return new

    # --- facts

    def facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts of a report; values of a hidden class get stand-ins, which is then so in every later text."""
        self.learn(facts)
        return {self.text(key): self._fact(key, value) for key, value in facts.items()}

    def learn(self, facts: Mapping[str, Any]) -> None:
        """Remembers what the facts of a hidden class say, so that it is replaced wherever else it appears."""
        for key, value in facts.items():
            privacy = self._privacy_of(key)
            if privacy in self._hide and not key.startswith(_TEXTS):
                for leaf_key, leaf in _leaves(key, value):
                    if privacy is not Privacy.NETWORK:
                        self._learn(leaf, _kind(leaf_key))
                    elif leaf_key.rpartition(".")[2] in NETWORK_NAMES:
                        self._learn(leaf, "network")

    def learn_name(self, value: str, kind: str) -> None:
        """Remembers one name that gets a stand-in of this kind wherever it appears."""
        self._learn(value, kind)

    def _fact(self, key: str, value: Any) -> Any:
        privacy = self._privacy_of(key)
        if (
            privacy is Privacy.NETWORK or privacy not in self._hide
        ):  # of a network its addresses are known by their looks
            return self._value(value, key.rpartition(".")[2], 0, names=key.startswith(_NAMES))
        return self._hidden(key, value, 0)

    def _hidden(self, key: str, value: Any, depth: int) -> Any:
        """A value of a hidden class: its texts become stand-ins, its numbers and states stay."""
        if isinstance(value, Mapping) and depth < DEEPEST:
            return {self.text(str(name)): self._hidden(f"{key}.{name}", one, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple) and depth < DEEPEST:
            return [self._hidden(key, one, depth + 1) for one in value]
        if (
            isinstance(value, str)
            and value
            and value.casefold() not in self._known_as
            and not sensitive(key.rpartition(".")[2])
        ):
            known = self.text(value)
            if key.startswith(_TEXTS) or value.casefold() in _NOBODYS or _STAND_IN.fullmatch(known):
                return known
            self.count += 1
            return self._pseudonyms.name(_kind(key), value)
        return self.value(value, key=key.rpartition(".")[2])

    def _learn(self, value: str, kind: str) -> None:
        text = value.casefold()
        if len(text) < SHORTEST_LEARNT or len(text) > 200 or text in self._known_as or text in self._learnt:  # noqa: PLR2004 -- longer is a text, no name
            return
        if (
            text in _NOBODYS
            or text.isdigit()
            or _STAND_IN.fullmatch(value)
            or _MAC.fullmatch(value)
            or _HOME.match(value)
            or not any(char.isalnum() for char in text)
        ):
            return
        self._learnt[text] = self._pseudonyms.name(kind, value)
        longest_first = sorted(self._learnt, key=len, reverse=True)
        self._learnt_pattern = re.compile(
            "|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in longest_first), re.IGNORECASE
        )


def clean(text: str) -> str:
    """The text without what terminals and screens would act on: control sequences, NUL, marks that reverse the reading order.

    Half characters, which no file or request can carry, become a question mark.
    """
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", text)


def _home_pattern(home: str) -> re.Pattern[str] | None:
    home = home.rstrip("/\\")
    if len(home) < SHORTEST_LEARNT or home.casefold() in {"/root", "/home", "/users"}:
        return None
    parts = [re.escape(part) for part in re.split(r"[\\/]+", home)]
    return re.compile(rf"{_SLASH}".join(parts) + r"(?![\w.-])", re.IGNORECASE)


def _leaves(key: str, value: Any, depth: int = 0) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping) and depth < DEEPEST:
        for name, one in value.items():
            yield from _leaves(f"{key}.{name}", one, depth + 1)
    elif isinstance(value, list | tuple) and depth < DEEPEST:
        for one in value:
            yield from _leaves(key, one, depth + 1)


def _kind(key: str) -> str:
    """What a stand-in is called: by the last word of its fact's key."""
    name = key.rpartition(".")[2].lower()
    for word, kind in (("mail", "e-mail"), ("mac", "mac"), ("serial", "serial"), ("host", "device"), ("home", "user")):
        if word in name:
            return kind
    return "user" if default_privacy(key) is Privacy.PERSONAL else "device"
