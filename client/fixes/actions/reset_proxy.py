"""Sets this user's proxy settings back to what the company says, or to none where it says nothing.

Linux: GNOME's settings (gsettings; other desktops read them, too). Windows: the user's Internet Settings (registry). macOS: the
network services (networksetup). What was set is kept, value by value, so that undo restores exactly that.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from client.errors import ActionFault
from client.fixes import registry
from client.fixes.command import ask, must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, printable
from client.fixes.registry import Value
from client.model import Step

SCHEMA: Final = "org.gnome.system.proxy"
# What of GNOME's schema is a proxy. User names and passwords are left where they are, and are read by nobody here.
KEYS: Final = (
    f"{SCHEMA} mode",
    f"{SCHEMA} autoconfig-url",
    f"{SCHEMA} ignore-hosts",
    *(f"{SCHEMA}.{kind} {key}" for kind in ("http", "https", "ftp", "socks") for key in ("host", "port")),
)
INTERNET: Final = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
POLICY: Final = r"HKLM\Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
VALUES: Final = ("ProxyEnable", "ProxyServer", "ProxyOverride", "AutoConfigURL")
KINDS: Final = ("webproxy", "securewebproxy", "socksfirewallproxy")
SERVICE: Final = re.compile(r"[^\x00-\x1f\x7f*-][^\x00-\x1f\x7f]{0,127}")
BY_IT: Final = "Your IT department has set the proxy of this computer, so there is nothing of yours to reset."
NONE_SET: Final = "No proxy is set in your settings, so there is nothing to reset."
FAILED: Final = "This computer did not let us change the proxy settings."
UNDO: Final = "The proxy settings are set to what they are now, value by value."

Saved = dict[str, str]


async def plan(_option: str, machine: Machine) -> Planned:
    """One step that names every value that changes."""
    proxy = urlsplit(machine.policy.proxy)
    if machine.policy.proxy not in {"system", "none"} and (not proxy.hostname or proxy.scheme not in {"http", "https"}):
        return Planned(refused="The proxy that your IT department names cannot be read. Tell them.")
    if refused := await _locked(machine):
        return Planned(refused=refused)
    before = await _read(machine)
    if machine.policy.proxy in {"system", "none"}:
        if not _on(machine, before):
            return Planned(refused=NONE_SET)
    elif _wanted(machine, before) == before:
        return Planned(refused="The proxy is set as your IT department says.")
    return Planned(steps=(_step(machine, before),), undo=UNDO)


async def _locked(machine: Machine) -> str:
    """Why this user cannot set a proxy here, empty where they can."""
    if machine.platform == "win32":
        return BY_IT if registry.parsed(await ask(machine, "reg", "query", POLICY)).get("ProxySettingsPerUser") else ""
    if machine.platform == "linux":
        writable = await ask(machine, "gsettings", "writable", SCHEMA, "mode")
        if not writable:
            return "Deskside knows no place where this desktop keeps proxy settings."
        return "" if writable.strip() == "true" else BY_IT
    return ""


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: values of this system's own names, and nothing else."""
    try:
        before = _saved(step.parameters)
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError):
        return "This step cannot be read."
    if not before or not all(_known(name, machine) for name in before) or step != _step(machine, before):
        return "This step names something that is no proxy setting."
    return ""


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Sets it, if everything still is as it was shown."""
    before = _saved(step.parameters)
    if await _read(machine) != before:
        raise ActionFault("The proxy settings have changed since you looked.", hint="Look at the plan again.")
    await _write(machine, before, _wanted(machine, before))
    return f"The proxy is {_words(machine)}."


def undo_of(step: Step) -> Saved:
    """Every value as it was."""
    return dict(step.parameters)


async def undo(state: Saved, machine: Machine) -> str:
    """Puts every value back that is another one now."""
    before = _saved(state)
    if not all(_known(name, machine) for name in before):
        raise ActionFault("There is nothing to put back.")
    await _write(machine, await _read(machine), before)
    if await _read(machine) != before:
        raise ActionFault("Some proxy settings could not be put back.", hint="Look at them in the proxy settings.")
    return "The proxy settings are as they were."


def gnome(output: str) -> Saved:
    """The values of `KEYS` in the output of `gsettings list-recursively`, as gsettings writes them."""
    found = {}
    for line in output.splitlines():
        schema, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        if f"{schema} {key}" in KEYS:
            found[f"{schema} {key}"] = value
    return found


def mac_proxy(output: str) -> str:
    """What `networksetup -getwebproxy SERVICE` says, as "on host:port" or "off host:port". Its words are not translated."""
    pairs = dict(re.findall(r"^(Enabled|Server|Port|URL): ?(.*)$", output, re.MULTILINE))
    state = "on" if pairs.get("Enabled") == "Yes" else "off"
    if "URL" in pairs:
        return f"{state} {pairs['URL'] if pairs['URL'] != '(null)' else ''}"
    return f"{state} {pairs.get('Server', '')}:{pairs.get('Port', '0')}"


async def _read(machine: Machine) -> Saved:
    if machine.platform == "linux":
        return gnome(await ask(machine, "gsettings", "list-recursively", SCHEMA))
    if machine.platform == "win32":
        found = registry.parsed(await ask(machine, "reg", "query", INTERNET))
        return {name: f"{found[name].type} {found[name].data}" if name in found else "" for name in VALUES}
    services = (await ask(machine, "networksetup", "-listallnetworkservices")).splitlines()[1:]
    found_here = {}
    for service in services:
        if SERVICE.fullmatch(service):  # one with a star is switched off
            for kind in (*KINDS, "autoproxyurl"):
                answer = await ask(machine, "networksetup", f"-get{kind}", service)
                found_here[f"{kind} {service}"] = mac_proxy(answer)
    return found_here


def _wanted(machine: Machine, before: Saved) -> Saved:
    """Every value as the policy wants it; what it does not care about stays."""
    proxy, direct = urlsplit(machine.policy.proxy), machine.policy.no_proxy
    set_ = machine.policy.proxy not in {"system", "none"}
    host, port = proxy.hostname or "", proxy.port or 8080
    if machine.platform == "linux":
        if not set_:
            return {**before, KEYS[0]: "'none'"} if machine.policy.proxy == "none" else dict.fromkeys(before, "")
        mine = {f"{SCHEMA}.{kind} host": f"'{host}'" for kind in ("http", "https")}
        mine |= {f"{SCHEMA}.{kind} port": str(port) for kind in ("http", "https")}
        hosts = ", ".join(
            f"'{one}'" for one in ("localhost", "127.0.0.0/8", "::1", *direct) if re.fullmatch(r"[\w.*:/-]+", one)
        )
        return {**before, **mine, f"{SCHEMA} ignore-hosts": f"[{hosts}]", KEYS[0]: "'manual'"}
    if machine.platform == "win32":
        off = {"ProxyEnable": "REG_DWORD 0x0", "ProxyServer": "", "AutoConfigURL": "", "ProxyOverride": ""}
        bypass = ";".join((*(f"*{one}" if one.startswith(".") else one for one in direct), "<local>"))
        on = {
            "ProxyEnable": "REG_DWORD 0x1",
            "ProxyServer": f"REG_SZ {host}:{port}",
            "ProxyOverride": f"REG_SZ {bypass}",
        }
        return off | (on if set_ else {})
    wanted = {}
    for name, value in before.items():
        uses = set_ and name.split(" ")[0] in {"webproxy", "securewebproxy"}
        wanted[name] = f"on {host}:{port}" if uses else f"off {value.partition(' ')[2]}"
    return wanted


async def _write(machine: Machine, now: Saved, wanted: Saved) -> None:
    """Changes what differs. The switch goes off first and on last, so that no half of a proxy is ever used."""
    switches_on = wanted.get(KEYS[0], "") not in {"", "'none'"} or wanted.get(VALUES[0], "").endswith("0x1")
    for name in sorted(wanted, key=lambda name: (name in {KEYS[0], VALUES[0]}) is switches_on):
        value = wanted[name]
        if value == now.get(name):
            continue
        if machine.platform == "linux":
            schema, _, key = name.partition(" ")
            words = ("set", schema, key, value) if value else ("reset", schema, key)
            await must(machine, "gsettings", *words, failed=FAILED)
        elif machine.platform == "win32":
            kind, _, data = value.partition(" ")
            change = registry.setting(INTERNET, name, Value(kind, data)) if value else registry.deleting(INTERNET, name)
            await must(machine, "reg", *change, failed=FAILED)
        else:
            await _write_mac(machine, name, now.get(name, ""), value)


async def _write_mac(machine: Machine, name: str, now: str, wanted: str) -> None:
    kind, _, service = name.partition(" ")
    state, _, address = wanted.partition(" ")
    if address != now.partition(" ")[2]:
        words = (address,) if kind == "autoproxyurl" else tuple(address.rsplit(":", 1))
        await must(machine, "networksetup", f"-set{kind}", service, *words, failed=FAILED)
    switch = f"-set{'autoproxystate' if kind == 'autoproxyurl' else kind + 'state'}"
    await must(machine, "networksetup", switch, service, state, failed=FAILED)


def _on(machine: Machine, before: Saved) -> bool:
    if machine.platform == "linux":
        return before.get(KEYS[0]) != "'none'"
    if machine.platform == "win32":
        return before.get("ProxyEnable", "").endswith("0x1") or bool(before.get("AutoConfigURL"))
    return any(value.startswith("on ") for value in before.values())


def _known(name: str, machine: Machine) -> bool:
    if machine.platform == "darwin":
        kind, _, service = name.partition(" ")
        return kind in {*KINDS, "autoproxyurl"} and bool(SERVICE.fullmatch(service))
    return name in (KEYS if machine.platform == "linux" else VALUES)


def _words(machine: Machine) -> str:
    return {"system": "what this computer has for everybody", "none": "switched off"}.get(
        machine.policy.proxy, f"the one of your company, {urlsplit(machine.policy.proxy).hostname}"
    )


def _step(machine: Machine, before: Saved) -> Step:
    shown = [f"{name.rpartition('.')[2]}: {_masked(value)}" for name, value in before.items() if _telling(value)]
    return Step(
        action="reset_proxy",
        parameters={"before": msgspec.json.encode(before).decode()},
        words=f"Set the proxy to {_words(machine)}." if machine.policy.proxy != "none" else "Switch the proxy off.",
        details=("What is set now:", *(printable(line) for line in shown)),
    )


def _telling(value: str) -> bool:
    return value not in {"", "''", "0", "off :0", "off "}


def _masked(value: str) -> str:
    """An address without the user and password in front of it."""
    return re.sub(r"//[^/@\s]*@", "//…@", value)


def _saved(parameters: Saved) -> Saved:
    return msgspec.json.decode(parameters["before"], type=dict[str, str])


ACTION: Final = Action(name="reset_proxy", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
