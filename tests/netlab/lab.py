"""A small world in network namespaces: an employee's computer, a switch, a router, a provider, the Internet, a company.

```
 emp eth0 10.77.0.50 -- switch (lan: 10.77.0.20) -- 10.77.0.1 rtr 198.51.100.1 -- .2 isp 198.51.101.1 -- .2 inet (203.0.113.*)
                                                             rtr 10.88.0.1 -- corp (10.88.0.*)
```

Namespaces have names of their own for each process and lab, so that several can stand side by side, and are always removed.
Needs root, iproute2, iptables and nftables.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import trustme

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ROLES = ("emp", "sw", "lan", "rtr", "isp", "inet", "corp")
ORDINARY = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")  # what an employee may do
DAY = dt.timedelta(days=1)

ZONE = {
    "connectivity.example.test": ["203.0.113.10"],
    "www.example.test": ["203.0.113.20"],
    "www.other.test": ["203.0.113.30"],
    "time.example.test": ["203.0.113.123"],
    "portal.guest.test": ["203.0.113.80"],
    "intranet.corp.test": ["10.88.0.13"],
    "sso.corp.test": ["10.88.0.10"],
    "help.corp.test": ["10.88.0.11"],
    "files.corp.test": ["10.88.0.12"],
    "proxy.corp.test": ["10.88.0.31"],
}
INET = {"web": "203.0.113.10", "www": "203.0.113.20", "other": "203.0.113.30", "portal": "203.0.113.80"}
SIX = {"web": "2001:db8:1::10", "www": "2001:db8:1::20"}
CORP = {"sso": "10.88.0.10", "help": "10.88.0.11", "intranet": "10.88.0.13"}
HOSTS = {
    "web": "connectivity.example.test",
    "www": "www.example.test",
    "other": "www.other.test",
    "portal": "portal.guest.test",
    "sso": "sso.corp.test",
    "help": "help.corp.test",
    "intranet": "intranet.corp.test",
}
INET_ADDRESSES = (*INET.values(), "203.0.113.53", "203.0.113.123")
CORP_ADDRESSES = (*CORP.values(), "10.88.0.12", "10.88.0.53", "10.88.0.31", "10.88.0.32")
SETTINGS = {
    "desk": {"url": "https://help.corp.test/"},
    "network": {
        "connectivity_url": "http://connectivity.example.test/generate_204",
        "public_urls": ["https://www.example.test/", "https://www.other.test/"],
        "internal_names": ["intranet.corp.test"],
        "time_server": "time.example.test",
        "bandwidth_url": "http://www.example.test/blob",
    },
    "services": [
        {"name": "Single sign-on", "url": "https://sso.corp.test/health"},
        {"name": "File server", "address": "files.corp.test:445"},
    ],
}


class Lab:
    """One world. `folder` is its own; `number` tells labs of one process apart."""

    def __init__(self, folder: Path, number: int = 0) -> None:
        self.folder = folder
        self._mark = f"dsk{os.getpid()}x{number}"
        self._processes: list[subprocess.Popen[str]] = []
        self._extra: list[subprocess.Popen[str]] = []
        self._dirty = False
        self.settings: dict = {}
        self.environment: dict[str, str] = {}
        self.rights: tuple[str, ...] = ORDINARY
        folder.mkdir(parents=True, exist_ok=True)

    # --- building

    def build(self) -> None:
        """Makes the namespaces, cables, addresses and servers."""
        self._certificates()
        for role in ROLES:
            self._run("ip", "netns", "add", self.ns(role))
            etc = Path("/etc/netns") / self.ns(role)
            etc.mkdir(parents=True, exist_ok=True)
            (etc / "nsswitch.conf").write_text("hosts: files dns\n")
            (etc / "hosts").write_text("127.0.0.1 localhost\n")
            (etc / "resolv.conf").write_text("")
        self._cables()
        self._serve("inet", self._inet_servers())
        self._serve("corp", self._corp_servers())
        self.reset()

    def _cables(self) -> None:
        for role in ROLES:
            self.sh(role, "ip link set lo up; sysctl -qw net.ipv4.ping_group_range='0 2147483647'")
            self.sh(role, "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
        self.sh("sw", "ip link add br0 type bridge; ip link set br0 up")
        self._cable("emp", "eth0", "sw", "p0")
        self._cable("lan", "eth0", "sw", "p1")
        self._cable("rtr", "lan0", "sw", "p2")
        for port in ("p0", "p1", "p2"):
            self.sh("sw", f"ip link set {port} master br0 up")
        self._cable("rtr", "wan0", "isp", "cust0")
        self._cable("rtr", "corp0", "corp", "eth0")
        self._cable("isp", "up0", "inet", "eth0")
        self.sh("lan", "ip addr add 10.77.0.20/24 dev eth0; ip link set eth0 up")
        self.sh(
            "isp",
            "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip link set cust0 up; ip link set up0 up",
        )
        self.sh("isp", "ip addr add 198.51.100.2/24 dev cust0; ip addr add 198.51.101.1/24 dev up0")
        self.sh("isp", "ip route add 203.0.113.0/24 via 198.51.101.2; ip route add default via 198.51.100.1")
        self.sh(
            "inet", "ip addr add 198.51.101.2/24 dev eth0; ip link set eth0 up; ip route add default via 198.51.101.1"
        )
        for address in INET_ADDRESSES:
            self.sh("inet", f"ip addr add {address}/32 dev lo")
        for address in SIX.values():
            self.sh("inet", f"ip -6 addr add {address}/128 dev lo nodad")
        self.sh("corp", "ip link set eth0 up; ip addr add 10.88.0.2/24 dev eth0; ip route add default via 10.88.0.1")
        for address in CORP_ADDRESSES:
            self.sh("corp", f"ip addr add {address}/24 dev eth0")

    def _cable(self, first: str, first_name: str, second: str, second_name: str) -> None:
        self._run(
            "ip",
            "link",
            "add",
            first_name,
            "netns",
            self.ns(first),
            "type",
            "veth",
            "peer",
            "name",
            second_name,
            "netns",
            self.ns(second),
        )

    def _certificates(self) -> None:
        authority, stranger, inspector = trustme.CA(), trustme.CA(), trustme.CA(organization_name="Inspector")
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        now = dt.datetime.now(dt.UTC)
        for site, host in HOSTS.items():
            many = (
                [f"alternative-name-number-{number}.{host}" for number in range(60)] if site in {"sso", "other"} else []
            )
            made = {
                "good": authority.issue_cert(
                    host, *many, common_name=host, not_before=now - 400 * DAY, not_after=now + 400 * DAY
                ),
                "expired": authority.issue_cert(
                    host, common_name=host, not_before=now - 90 * DAY, not_after=now - 3 * DAY
                ),
                "early": authority.issue_cert(
                    host, common_name=host, not_before=now - 500 * DAY, not_after=now - 100 * DAY
                ),
                "wrong": authority.issue_cert("another.corp.test", common_name="another.corp.test"),
                "stranger": stranger.issue_cert(host, common_name=host),
                "inspected": inspector.issue_cert(host, common_name=host),
            }
            for kind, one in made.items():
                one.private_key_and_cert_chain_pem.write_to_path(self.folder / f"{site}-{kind}.pem")

    def _inet_servers(self) -> list[dict]:
        found = [{"kind": "dns", "name": "public", "address": "203.0.113.53", "port": 53}]
        found += [{"kind": "time", "address": "203.0.113.123", "port": 123}]
        for name, address in INET.items():
            found += [{"kind": "web", "name": name, "address": address, "port": 80}]
            found += [{"kind": "secure", "name": name, "address": address, "port": 443}]
        for name, address in SIX.items():
            found += [{"kind": "web", "name": name, "address": address, "port": 80}]
            found += [{"kind": "secure", "name": name, "address": address, "port": 443}]
        return found

    def _corp_servers(self) -> list[dict]:
        found = [{"kind": "dns", "name": "company", "address": "10.88.0.53", "port": 53}]
        found += [{"kind": "secure", "name": name, "address": address, "port": 443} for name, address in CORP.items()]
        found += [
            {"kind": "tcp", "address": "10.88.0.12", "port": 445},
            {"kind": "proxy", "address": "10.88.0.31", "port": 3128},
        ]
        return [*found, {"kind": "web", "name": "wpad", "address": "10.88.0.32", "port": 80}]

    def _serve(self, role: str, servers: list[dict]) -> None:
        config = self.folder / f"{role}.json"
        knobs = self.folder / "knobs.json"
        knobs.write_text("{}")
        certificates = {
            site: {
                kind: str(self.folder / f"{site}-{kind}.pem")
                for kind in ("good", "expired", "early", "wrong", "stranger", "inspected")
            }
            for site in HOSTS
        }
        config.write_text(
            json.dumps({"servers": servers, "zone": ZONE, "knobs": str(knobs), "certificates": certificates})
        )
        self._processes.append(
            self._start("ip", "netns", "exec", self.ns(role), sys.executable, str(HERE / "server.py"), str(config))
        )

    def _start(self, *argv: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", argv
        return process

    # --- the state that scenarios change

    def reset(self) -> None:
        """Back to the healthy world."""
        if self._dirty:
            self._clear_wires()
        self.settings = json.loads(json.dumps(SETTINGS))
        self.settings["network"]["ca_file"] = str(self.folder / "ca.pem")
        self.environment, self.rights = {}, ORDINARY
        self.knobs({})
        self.resolvers("10.88.0.53", "203.0.113.53")
        self.hosts("")
        for role in ROLES:
            self.sh(
                role,
                "nft flush ruleset; iptables -F; iptables -P INPUT ACCEPT; iptables -P OUTPUT ACCEPT; iptables -P FORWARD ACCEPT",
            )
        for role, devices in {"emp": "eth0", "rtr": "lan0 wan0 corp0", "isp": "cust0", "sw": "p0"}.items():
            self.sh(
                role,
                f"for one in {devices}; do tc qdisc del dev $one root 2>/dev/null || true; "
                "ip -4 addr flush dev $one; ip link set $one mtu 1500; done",
            )
        self.sh("emp", "for one in eth1 wlan0 docker0 tun0; do ip link del $one 2>/dev/null || true; done")
        self.sh("sw", "ip link set p0 up; ip link set p2 up; ip link set p0 master br0")
        self.sh(
            "rtr",
            "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
            "sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.icmp_ratelimit=1000",
        )
        self.sh(
            "rtr",
            "ip link set lan0 arp on; for one in lan0 wan0 corp0; do ip link set $one up; done; ip route flush table main",
        )
        self.sh(
            "rtr",
            "ip addr add 10.77.0.1/24 dev lan0; ip addr add 198.51.100.1/24 dev wan0; ip addr add 10.88.0.1/24 dev corp0",
        )
        self.sh("rtr", "ip route add default via 198.51.100.2")
        self.sh(
            "isp",
            "ip link set cust0 up; ip addr add 198.51.100.2/24 dev cust0; ip route replace default via 198.51.100.1",
        )
        self.sh("isp", "ip route replace 203.0.113.0/24 via 198.51.101.2")
        self.sh(
            "rtr", "ip neigh flush all; ip -6 addr flush scope global; ip -6 route flush default 2>/dev/null || true"
        )
        self.sh("corp", "; ".join(f"ip addr replace {address}/24 dev eth0" for address in CORP_ADDRESSES))
        self.sh(
            "emp",
            "sysctl -qw net.ipv4.ping_group_range='0 2147483647'; ip link set eth0 down; ip link set eth0 up; ip neigh flush all",
        )
        self.sh("emp", "ip addr add 10.77.0.50/24 dev eth0; ip route replace default via 10.77.0.1")

    def knobs(self, values: dict) -> None:
        """How the servers behave from now on."""
        path = self.folder / "knobs.json"
        new = self.folder / "knobs.new"
        new.write_text(json.dumps(values))
        new.replace(path)

    def resolvers(self, *servers: str, search: str = "") -> None:
        """The employee's resolv.conf. Written in place: the file is a mount inside the namespace's processes."""
        text = "".join(f"nameserver {one}\n" for one in servers) + (f"search {search}\n" if search else "")
        (Path("/etc/netns") / self.ns("emp") / "resolv.conf").write_text(text)

    def hosts(self, lines: str) -> None:
        """The employee's hosts file, after localhost."""
        (Path("/etc/netns") / self.ns("emp") / "hosts").write_text(f"127.0.0.1 localhost\n{lines}\n")

    def wire(self, where: str, *, delay_ms: float = 0, loss_percent: float = 0) -> None:
        """Replaces the cable to the switch ("local") or to the provider ("internet") by one with delay and loss."""
        self._dirty = True
        first, first_name, second, second_name = (
            ("emp", "eth0", "sw", "p0") if where == "local" else ("rtr", "wan0", "isp", "cust0")
        )
        self.sh(first, f"ip link del {first_name}")
        words = (self.ns(first), first_name, self.ns(second), second_name, str(delay_ms), str(loss_percent))
        self._extra.append(self._start(sys.executable, str(HERE / "wire.py"), *words))
        if where == "local":
            self.sh("sw", "ip link set p0 master br0 up")
            self.sh(
                "emp", "ip link set eth0 up; ip addr add 10.77.0.50/24 dev eth0; ip route replace default via 10.77.0.1"
            )
        else:
            self.sh(
                "isp",
                "ip link set cust0 up; ip addr add 198.51.100.2/24 dev cust0; ip route replace default via 198.51.100.1",
            )
            self.sh(
                "rtr",
                "ip link set wan0 up; ip addr add 198.51.100.1/24 dev wan0; ip route replace default via 198.51.100.2",
            )

    def _clear_wires(self) -> None:
        for process in self._extra:
            _stop(process)
        self._extra.clear()
        self._dirty = False
        for role, name, other, other_name in (("emp", "eth0", "sw", "p0"), ("rtr", "wan0", "isp", "cust0")):
            self.sh(role, f"ip link del {name} 2>/dev/null || true")
            self.sh(other, f"ip link del {other_name} 2>/dev/null || true")
            self._cable(role, name, other, other_name)

    # --- using it

    def ns(self, role: str) -> str:
        """The namespace's name."""
        return f"{self._mark}-{role}"

    def sh(self, role: str, script: str) -> str:
        """Runs a shell script in a namespace; the lab's own words, so a shell is fine here."""
        return self._run("ip", "netns", "exec", self.ns(role), "sh", "-ec", script.replace("; ", "\n"))

    def check(self, *arguments: str) -> dict:
        """Runs the checks on the employee's computer; gives the report with `seconds` (wall clock) and `exit_code`."""
        path = self.folder / "settings.toml"
        path.write_text(as_toml(self.settings))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            **self.environment,
        }
        argv = ["ip", "netns", "exec", self.ns("emp"), *self.rights, sys.executable, "-m", "diagnostics", "--json"]
        began = time.monotonic()
        done = subprocess.run(
            [*argv, "--settings", str(path), *arguments],
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
        seconds = time.monotonic() - began
        assert done.stdout, done.stderr
        return {**json.loads(done.stdout), "seconds": seconds, "exit_code": done.returncode}

    def close(self) -> None:
        """Ends the servers and removes every namespace."""
        for process in (*self._extra, *self._processes):
            _stop(process)
        for role in ROLES:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._run("ip", "netns", "del", self.ns(role))
            shutil.rmtree(Path("/etc/netns") / self.ns(role), ignore_errors=True)

    def _run(self, *argv: str) -> str:
        try:
            return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"{' '.join(argv)}: {error.stderr}") from error


def _stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def as_toml(settings: dict) -> str:
    """The few shapes that the settings have."""
    lines = []
    for table, values in settings.items():
        for one in values if isinstance(values, list) else [values]:
            lines.append(f"[[{table}]]" if isinstance(values, list) else f"[{table}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in one.items()]
    return textwrap.dedent("\n".join(lines)) + "\n"
