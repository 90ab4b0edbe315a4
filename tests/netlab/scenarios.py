"""The faults of the lab: how each is made, and what must be named first. Healthy worlds and pairs of faults too.

A scenario is a function of the lab that breaks the healthy world; `HEALTHY` expects nothing at all.
Long, and yet one thing: a table.
"""

from __future__ import annotations

from collections.abc import Callable

from lab import Lab

Break = Callable[[Lab], None]
SCENARIOS: dict[str, tuple[Break, tuple[tuple[str, str | None], ...]]] = {}
HEALTHY: dict[str, Break] = {}
NFT_OUTPUT = """nft add table inet f
nft 'add chain inet f o { type filter hook output priority 0 ; }'
nft add rule inet f o tcp dport 443 drop
nft add rule inet f o tcp dport 80 drop"""
SECURE = "-p tcp --dport 443"
WEB = "-p tcp -m multiport --dports 80,443"
INTERNET = "203.0.113.0/24"


def fault(name: str, *expected: str | tuple[str, str | None]) -> Callable[[Break], Break]:
    """Registers a scenario; `expected` are the causes to be found, the first one first, with their subject where it is fixed."""

    def register(function: Break) -> Break:
        assert name not in SCENARIOS
        SCENARIOS[name] = function, tuple(one if isinstance(one, tuple) else (one, "*") for one in expected)
        return function

    return register


def healthy(name: str) -> Callable[[Break], Break]:
    """Registers a world in which nothing is wrong."""

    def register(function: Break) -> Break:
        HEALTHY[name] = function
        return function

    return register


def many(rows: dict[str, tuple[Break, tuple]]) -> None:
    """Registers scenarios that fit in a line."""
    for name, (function, expected) in rows.items():
        fault(name, *expected)(function)


def sh(role: str, script: str) -> Break:
    """Breaks the world by a script in one namespace."""
    return lambda lab: lab.sh(role, script) and None


def knobs(**values: object) -> Break:
    """Breaks the world by how servers behave."""
    return lambda lab: lab.knobs(values)


def web(site: str, **values: object) -> Break:
    """One site behaves differently."""
    return knobs(web={site: values})


def dns_names(**values: object) -> Break:
    """Both name servers behave differently."""
    return knobs(dns={"company": values, "public": values})


def no_proxy(script: str) -> Break:
    """Breaks the world at the router, in a network without a proxy."""

    def broken(lab: Lab) -> None:
        lab.sh("rtr", script)
        lab.sh("corp", "iptables -I INPUT -p tcp --dport 3128 -j REJECT")

    return broken


# --- link and address


@fault("no adapter at all", ("link.no_adapter", None))
def _(lab):
    lab.sh("emp", "ip link del eth0")
    lab._dirty = True


@fault("only a container bridge", ("link.no_adapter", None))
def _(lab):
    lab.sh(
        "emp",
        "ip link del eth0; ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up",
    )
    lab._dirty = True


def _spares(lab):
    lab.sh("emp", "ip link add eth1 type veth peer name eth1peer; ip link set eth1 up; ip link add docker0 type bridge")
    lab.sh(
        "emp",
        "ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up; ip link add wlan0 type veth peer name wlan0peer",
    )


many(
    {
        "adapter switched off": (sh("emp", "ip link set eth0 down"), (("link.disabled", "eth0"),)),
        "cable out": (sh("sw", "ip link set p0 down"), (("link.no_carrier", "eth0"),)),
        "no address": (sh("emp", "ip addr flush dev eth0"), (("address.missing", "eth0"),)),
        "self-assigned": (
            sh("emp", "ip addr flush dev eth0; ip addr add 169.254.7.9/16 dev eth0"),
            (("address.self_assigned", "eth0"),),
        ),
    }
)


@fault("switched off beside spares", ("link.disabled", "eth0"))
def _(lab):
    _spares(lab)
    lab.sh("emp", "ip link set eth0 down")


@fault("cable out beside spares", ("link.no_carrier", "eth0"))
def _(lab):
    _spares(lab)
    lab.sh("sw", "ip link set p0 down")


@fault("cable out and address gone", ("link.no_carrier", "eth0"))
def _(lab):
    lab.sh("emp", "ip addr flush dev eth0")
    lab.sh("sw", "ip link set p0 down")


@fault("address of another network", ("address.wrong_subnet", "eth0"))
def _(lab):
    lab.sh(
        "emp",
        "ip -4 addr flush dev eth0; ip addr add 192.168.50.5/24 dev eth0; ip route replace default via 192.168.50.1",
    )


@fault("address of another network, true router", ("address.wrong_subnet", "eth0"))
def _(lab):
    lab.sh(
        "emp",
        "ip addr flush dev eth0; ip addr add 192.168.50.5/24 dev eth0; ip route replace default via 10.77.0.1 dev eth0 onlink",
    )


@fault("address of another network, as administrator", ("address.wrong_subnet", "eth0"))
def _(lab):
    lab.rights = ()
    lab.sh(
        "emp", "ip addr flush dev eth0; ip addr add 192.168.50.5/24 dev eth0; ip route replace default via 192.168.50.1"
    )
    lab.sh("emp", "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")


@fault("mask too wide", ("address.wrong_mask", "eth0"))
def _(lab):
    lab.sh("emp", "ip addr flush dev eth0; ip addr add 10.77.0.50/8 dev eth0; ip route replace default via 10.77.0.1")


@fault("mask too wide, public resolver", ("address.wrong_mask", "eth0"))
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.sh("emp", "ip addr flush dev eth0; ip addr add 10.77.0.50/9 dev eth0; ip route replace default via 10.77.0.1")


# --- routes, gateway, line

many(
    {
        "no default route": (sh("emp", "ip route del default"), ("route.no_default",)),
        "router off": (sh("sw", "ip link set p2 down"), (("gateway.unreachable", "10.77.0.1"),)),
        "router deaf on the cable": (
            sh("rtr", "ip link set lan0 arp off; ip neigh flush all"),
            (("gateway.unreachable", "10.77.0.1"),),
        ),
        "router drops everything": (
            sh("rtr", "iptables -I INPUT -i lan0 -j DROP; iptables -I FORWARD -j DROP"),
            (("gateway.unreachable", "10.77.0.1"),),
        ),
        "not forwarding": (sh("rtr", "sysctl -qw net.ipv4.ip_forward=0"), (("gateway.not_forwarding", "10.77.0.1"),)),
        "forwarding dropped": (sh("rtr", "iptables -P FORWARD DROP"), (("gateway.not_forwarding", "10.77.0.1"),)),
        "forwarding rejected": (sh("rtr", "iptables -I FORWARD -j REJECT"), (("gateway.not_forwarding", "10.77.0.1"),)),
        "provider's line down": (sh("isp", "ip link set cust0 down"), ("internet.unreachable",)),
        "router lost its way": (sh("rtr", "ip route del default"), ("internet.unreachable",)),
        "provider drops": (sh("isp", "iptables -P FORWARD DROP"), ("internet.unreachable",)),
        "provider has a black hole": (sh("isp", f"ip route replace blackhole {INTERNET}"), ("internet.unreachable",)),
    }
)


@fault("all lines down, company too", ("internet.unreachable", None))
def _(lab):
    # The kernel spends two kinds of tokens on one such error; in a world that is broken again and again they are used up.
    lab.sh("rtr", "sysctl -qw net.ipv4.icmp_ratelimit=0; ip route del default; ip link set corp0 down")


def _second_way(lab, metric: int) -> None:
    """A second adapter on the same switch, behind a router that is not there."""
    lab.sh("emp", "ip link add eth1 type veth peer name eth1peer; ip link set eth1 up; ip link set eth1peer up")
    lab.sh("emp", f"ip addr add 192.168.9.5/24 dev eth1; ip route add default via 192.168.9.1 dev eth1 metric {metric}")


@fault("dead way preferred", ("route.wrong_metric", "eth1"))
def _(lab):
    lab.sh(
        "emp",
        "ip route replace default via 10.77.0.1 dev eth0 metric 600; ip route del default via 10.77.0.1 dev eth0 metric 0",
    )
    _second_way(lab, 100)


@fault("dead way preferred, resolver on it", ("route.wrong_metric", "eth1"))
def _(lab):
    lab.resolvers("192.168.9.1", "203.0.113.53")
    lab.sh(
        "emp",
        "ip route replace default via 10.77.0.1 dev eth0 metric 600; ip route del default via 10.77.0.1 dev eth0 metric 0",
    )
    _second_way(lab, 100)


@fault("dead way preferred, its router answers", ("route.wrong_metric", "eth1"))
def _(lab):
    lab.sh("lan", "ip addr replace 192.168.9.1/24 dev eth0; sysctl -qw net.ipv4.ip_forward=0")
    lab.sh(
        "emp",
        "ip route replace default via 10.77.0.1 dev eth0 metric 600; ip route del default via 10.77.0.1 dev eth0 metric 0",
    )
    lab.sh("emp", "ip link add eth1 type veth peer name p9 netns $SW; ip link set eth1 up".replace("$SW", lab.ns("sw")))
    lab.sh("sw", "ip link set p9 master br0 up")
    lab.sh("emp", "ip addr add 192.168.9.5/24 dev eth1; ip route add default via 192.168.9.1 dev eth1 metric 100")


@fault("router off, remembered", ("gateway.unreachable", "10.77.0.1"))
def _(lab):
    lab.check("--only", "route.gateway")
    lab.sh("sw", "ip link set p2 down")


@fault("one name to the router", ("dns.wrong_answer", "sso.corp.test"))
def _(lab):
    lab.knobs({"dns": {name: {"names": {"sso.corp.test": ["10.77.0.1"]}} for name in ("company", "public")}})


@fault("one name far from its kin", ("dns.wrong_answer", "sso.corp.test"))
def _(lab):
    lab.knobs({"dns": {name: {"names": {"sso.corp.test": ["10.66.0.9"]}} for name in ("company", "public")}})


@fault("sign-in page in place, nothing else to ask", "internet.captive_portal")
def _(lab):
    lab.settings = {"network": {"connectivity_url": lab.settings["network"]["connectivity_url"]}}
    lab.knobs({"web": {"web": {"status": 200, "body": "<html><p>Pay here first</p></html>"}}})


many(
    {
        "web dropped": (no_proxy(f"iptables -I FORWARD -i lan0 {WEB} -d {INTERNET} -j DROP"), ("internet.blocked",)),
        "web rejected": (no_proxy(f"iptables -I FORWARD -i lan0 {WEB} -d {INTERNET} -j REJECT"), ("internet.blocked",)),
        "web reset": (
            no_proxy(f"iptables -I FORWARD -i lan0 {WEB} -d {INTERNET} -j REJECT --reject-with tcp-reset"),
            ("internet.blocked",),
        ),
        "443 dropped": (sh("rtr", f"iptables -I FORWARD -i lan0 {SECURE} -d {INTERNET} -j DROP"), ("internet.https_blocked",)),
        "443 rejected": (sh("rtr", "iptables -I FORWARD -i lan0 -p tcp --dport 443 -j REJECT"), ("internet.https_blocked",)),
        "443 reset": (
            sh("rtr", "iptables -I FORWARD -i lan0 -p tcp --dport 443 -j REJECT --reject-with tcp-reset"),
            ("internet.https_blocked",),
        ),
        "own firewall drops what leaves": (
            sh("emp", "iptables -P OUTPUT DROP; iptables -I OUTPUT -o lo -j ACCEPT"),
            ("firewall.local",),
        ),
        "own firewall drops web": (sh("emp", f"iptables -I OUTPUT {WEB} -j DROP"), ("firewall.local",)),
        "own firewall rejects web": (sh("emp", f"iptables -I OUTPUT {WEB} -j REJECT"), ("firewall.local",)),
        "own firewall drops names": (sh("emp", "iptables -I OUTPUT -p udp --dport 53 -j DROP"), ("firewall.local",)),
        "own firewall drops answers": (sh("emp", "iptables -I INPUT -p tcp -i eth0 -j DROP"), ("firewall.local",)),
        "own nft firewall": (
            sh("emp", NFT_OUTPUT),
            ("firewall.local",),
        ),
    }
)  # fmt: skip


@fault("own firewall, as administrator", "firewall.local")
def _(lab):
    lab.rights = ()
    lab.sh("emp", f"iptables -I OUTPUT {WEB} -j DROP")


def _portal(lab, style: str) -> None:
    lab.knobs({"portal": style})
    lab.sh("rtr", f"iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -d {INTERNET} -j DNAT --to 203.0.113.80:80")


@fault("sign-in page by redirect", "internet.captive_portal")
def _(lab):
    _portal(lab, "redirect")
    lab.sh("rtr", "iptables -I FORWARD -i lan0 -p tcp --dport 443 -j REJECT")


@fault("sign-in page in place", "internet.captive_portal")
def _(lab):
    _portal(lab, "page")
    lab.sh("rtr", "iptables -I FORWARD -i lan0 -p tcp --dport 443 -j DROP")


@fault("sign-in page with its own certificate", "internet.captive_portal")
def _(lab):
    _portal(lab, "redirect")
    lab.sh("rtr", "iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 443 -j DNAT --to 203.0.113.80:443")


@fault("sign-in page by names", "internet.captive_portal")
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.knobs({"dns": {"public": {"mode": "hijack", "address": "203.0.113.80"}}})


# --- names


@fault("no resolver set", "dns.not_configured")
def _(lab):
    lab.resolvers()


many(
    {
        "resolvers silent": (dns_names(mode="silent"), (("dns.unreachable", "10.88.0.53"),)),
        "resolver port dropped": (
            sh("rtr", "iptables -I FORWARD -p udp --dport 53 -j DROP"),
            (("dns.unreachable", "10.88.0.53"),),
        ),
        "resolver port rejected": (
            sh("rtr", "iptables -I FORWARD -p udp --dport 53 -j REJECT"),
            (("dns.unreachable", "10.88.0.53"),),
        ),
        "resolver dropped, pings too": (
            sh(
                "rtr",
                "iptables -I FORWARD -p udp --dport 53 -j DROP; "
                "iptables -I FORWARD -p icmp -j DROP; iptables -I INPUT -p icmp -j DROP",
            ),
            (("dns.unreachable", "10.88.0.53"),),
        ),
        "resolvers refuse": (dns_names(mode="refused"), (("dns.refused", "10.88.0.53"),)),
        "resolvers fail": (dns_names(mode="servfail"), (("dns.servfail", "10.88.0.53"),)),
        "resolvers slow": (dns_names(delay_s=2.2), (("dns.slow", "10.88.0.53"),)),
        "first resolver dead": (knobs(dns={"company": {"mode": "silent"}}), (("dns.resolver_down", "10.88.0.53"),)),
        "second resolver dead": (knobs(dns={"public": {"mode": "silent"}}), (("dns.resolver_down", "203.0.113.53"),)),
        "every name to one host": (dns_names(mode="hijack", address="203.0.113.20"), ("dns.hijacked",)),
        "every name to nobody": (dns_names(mode="hijack", address="203.0.113.99"), ("dns.hijacked",)),
        "one name to loopback": (
            dns_names(names={"sso.corp.test": ["127.0.0.2"]}),
            (("dns.wrong_answer", "sso.corp.test"),),
        ),
        "one name to another host": (
            dns_names(names={"sso.corp.test": ["203.0.113.20"]}),
            (("dns.wrong_answer", "sso.corp.test"),),
        ),
        "resolvers disagree": (
            knobs(dns={"company": {"names": {"sso.corp.test": ["10.88.0.99"]}}}),
            (("dns.wrong_answer", "sso.corp.test"),),
        ),
        "one name gone": (dns_names(names={"sso.corp.test": "NXDOMAIN"}), (("dns.name_missing", "sso.corp.test"),)),
        "one name empty": (dns_names(names={"files.corp.test": []}), (("dns.name_missing", "files.corp.test"),)),
        "a public name gone": (
            dns_names(names={"www.other.test": "NXDOMAIN"}),
            (("dns.name_missing", "www.other.test"),),
        ),
        "internal zone gone": (dns_names(dead_zones=["corp.test"]), (("dns.internal_zone", "corp.test"),)),
        "internal zone fails": (
            dns_names(dead_zones=["corp.test"], dead_with="SERVFAIL"),
            (("dns.internal_zone", "corp.test"),),
        ),
    }
)


@fault("hosts file to nobody", ("hosts.override", "sso.corp.test"))
def _(lab):
    lab.hosts("10.88.0.77 sso.corp.test")


@fault("hosts file to another host", ("hosts.override", "www.example.test"))
def _(lab):
    lab.hosts("203.0.113.30 www.example.test")


@fault("hosts file to itself", ("hosts.override", "help.corp.test"))
def _(lab):
    lab.hosts("127.0.0.1 help.corp.test")


# --- company


@fault("VPN adapter down", "vpn.down")
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.knobs({"dns": {"public": {"dead_zones": ["corp.test"]}}})
    lab.sh("emp", "ip link add tun0 type veth peer name tun0peer")
    lab.sh("rtr", "iptables -I FORWARD -d 10.88.0.0/24 -j DROP")


@fault("VPN gone, internal address lost", "vpn.down")
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.settings["services"].append({"name": "Printer server", "address": "10.88.0.12:445"})
    lab.knobs({"dns": {"public": {"dead_zones": ["corp.test"]}}})
    lab.sh("rtr", "ip link set corp0 down; ip route add unreachable 10.88.0.0/24")


@fault("VPN gone, internal resolver lost", "vpn.down")
def _(lab):
    lab.knobs({"dns": {"public": {"dead_zones": ["corp.test"]}}})
    lab.sh("rtr", "ip link set corp0 down")


many(
    {
        "company dropped": (sh("rtr", "iptables -I FORWARD -d 10.88.0.0/24 -p tcp -j DROP"), ("internal.unreachable",)),
        "company's service silent": (
            sh("corp", "iptables -I INPUT -d 10.88.0.10 -j DROP"),
            (("service.unreachable", "Single sign-on"),),
        ),
        "company's service gone": (
            sh("corp", "ip addr del 10.88.0.12/24 dev eth0"),
            (("service.unreachable", "File server"),),
        ),
        "file server closed": (
            sh("corp", "iptables -I INPUT -p tcp --dport 445 -j REJECT --reject-with tcp-reset"),
            (("service.down", "File server"),),
        ),
        "sign-on rejects": (
            sh("corp", "iptables -I INPUT -d 10.88.0.10 -p tcp -j REJECT"),
            (("service.down", "Single sign-on"),),
        ),
        "sign-on fails": (web("sso", status=503), (("service.error", "Single sign-on"),)),
        "help desk fails": (web("help", status=500), (("service.error", "Help desk"),)),
        "sign-on hangs": (web("sso", mute=True), (("service.timeout", "Single sign-on"),)),
        "sign-on slow": (web("sso", delay_s=4.2), (("service.slow", "Single sign-on"),)),
        "certificate expired": (web("sso", certificate="expired"), (("tls.expired", "Single sign-on"),)),
        "certificate of another": (web("sso", certificate="wrong"), (("tls.wrong_host", "Single sign-on"),)),
        "certificate of a stranger": (web("help", certificate="stranger"), (("tls.untrusted", "Help desk"),)),
        "opened everywhere": (web("*", certificate="inspected"), ("tls.intercepted",)),
        "opened outside only": (
            knobs(web={"www": {"certificate": "inspected"}, "other": {"certificate": "inspected"}}),
            ("tls.intercepted",),
        ),
        "clock ahead": (knobs(clock_s=-300 * 86400, web={"*": {"certificate": "early"}}), ("clock.skew",)),
        "clock behind": (knobs(clock_s=7200), ("clock.skew",)),
    }
)


@fault("clock ahead, no time server", "clock.skew")
def _(lab):
    lab.settings["network"]["time_server"] = ""
    lab.knobs({"clock_s": -300 * 86400, "web": {"*": {"certificate": "early"}}})


# --- proxies

CLOSED = f"iptables -I FORWARD -i lan0 {WEB} -d {INTERNET} -j REJECT"


def use_proxy(lab, proxy: str = "http://10.88.0.31:3128") -> None:
    lab.environment |= {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ".corp.test"}


@fault("proxy needed, announced", ("proxy.required", "10.88.0.31:3128"))
def _(lab):
    lab.sh("rtr", CLOSED)
    lab.knobs({"dns": {"company": {"names": {"wpad.corp.test": ["10.88.0.32"]}}}})


@fault("proxy needed, by name", ("proxy.required", "10.88.0.31:3128"))
def _(lab):
    lab.sh("rtr", CLOSED.replace("REJECT", "DROP"))


@fault("proxy dead, no other way", ("proxy.unreachable", "10.88.0.31:3129"))
def _(lab):
    lab.sh("rtr", CLOSED)
    use_proxy(lab, "http://10.88.0.31:3129")


@fault("proxy silent, no other way", ("proxy.unreachable", "10.88.0.31:3128"))
def _(lab):
    lab.sh("rtr", CLOSED)
    lab.sh("corp", "iptables -I INPUT -p tcp --dport 3128 -j DROP")
    use_proxy(lab)


@fault("proxy dead, direct works", ("proxy.stale", "10.88.0.31:3129"))
def _(lab):
    use_proxy(lab, "http://10.88.0.31:3129")


@fault("proxy silent, direct works", ("proxy.stale", "10.88.0.99:3128"))
def _(lab):
    use_proxy(lab, "http://10.88.0.99:3128")


@fault("proxy without a name", ("proxy.unresolvable", "gone.corp.test:3128"))
def _(lab):
    use_proxy(lab, "http://gone.corp.test:3128")


@fault("proxy without a name, no other way", ("proxy.unresolvable", "gone.corp.test:3128"))
def _(lab):
    lab.sh("rtr", CLOSED)
    use_proxy(lab, "http://gone.corp.test:3128")


@fault("proxy wants a password", ("proxy.auth_required", "10.88.0.31:3128"))
def _(lab):
    lab.sh("rtr", CLOSED)
    lab.knobs({"proxy": {"auth": True}})
    use_proxy(lab)


# --- quality

many(
    {
        "local delay": (lambda lab: lab.wire("local", delay_ms=120), (("quality.latency_local", "eth0"),)),
        "local loss": (lambda lab: lab.wire("local", loss_percent=15), (("quality.loss_local", "eth0"),)),
        "distant delay": (lambda lab: lab.wire("internet", delay_ms=300), ("quality.latency_internet",)),
        "distant loss": (lambda lab: lab.wire("internet", loss_percent=12), ("quality.loss_internet",)),
        "thin line": (
            sh("rtr", "tc qdisc add dev lan0 root tbf rate 300kbit burst 4k latency 800ms"),
            ("quality.bandwidth",),
        ),
        "thin provider": (
            sh("isp", "tc qdisc add dev cust0 root tbf rate 200kbit burst 4k latency 800ms"),
            ("quality.bandwidth",),
        ),
        "large packets vanish outward": (
            sh("rtr", "iptables -I FORWARD -i lan0 -o wan0 -m length --length 1301: -j DROP"),
            ("path.mtu",),
        ),
        "large packets vanish inward": (
            sh("rtr", "iptables -I FORWARD -i wan0 -o lan0 -m length --length 1301: -j DROP"),
            ("path.mtu",),
        ),
        "small line, no word of it": (
            sh("rtr", "ip link set wan0 mtu 1280; iptables -I OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP"),
            ("path.mtu",),
        ),
    }
)


@fault("large packets vanish inward, no pings", ("path.mtu", "*"))
def _(lab):
    lab.sh(
        "rtr",
        "iptables -I FORWARD -i wan0 -o lan0 -m length --length 1301: -j DROP; iptables -I FORWARD -p icmp -j DROP",
    )


@fault("large packets vanish outward, no pings", ("path.mtu", "*"))
def _(lab):
    lab.sh(
        "rtr",
        "iptables -I FORWARD -i lan0 -o wan0 -m length --length 1301: -j DROP; iptables -I FORWARD -p icmp -j DROP",
    )


@fault("large packets to the company vanish", ("path.mtu", "*"))
def _(lab):
    lab.sh("rtr", "iptables -I FORWARD -i corp0 -m length --length 1301: -j DROP")


def dual(lab) -> None:
    """IPv6 all the way."""
    lab.sh("emp", "ip -6 addr add fd77::50/64 dev eth0 nodad; ip -6 route add default via fd77::1")
    lab.sh(
        "rtr",
        "ip -6 addr add fd77::1/64 dev lan0 nodad; ip -6 addr add fd78::1/64 dev wan0 nodad; ip -6 route add default via fd78::2",
    )
    lab.sh(
        "isp",
        "for one in cust0 up0; do ip -6 addr flush dev $one scope global; done; "
        "ip -6 addr add fd78::2/64 dev cust0 nodad; ip -6 addr add fd79::1/64 dev up0 nodad",
    )
    lab.sh("isp", "ip -6 route replace fd77::/64 via fd78::1; ip -6 route replace 2001:db8:1::/64 via fd79::2")
    lab.sh(
        "inet",
        "ip -6 addr flush dev eth0 scope global; ip -6 addr add fd79::2/64 dev eth0 nodad; ip -6 route replace default via fd79::1",
    )
    six = {
        "connectivity.example.test": ["203.0.113.10", "2001:db8:1::10"],
        "www.example.test": ["203.0.113.20", "2001:db8:1::20"],
    }
    lab.knobs({"dns": {"company": {"names": six}, "public": {"names": six}}})


@fault("IPv6 leads nowhere", ("ipv6.broken", "eth0"))
def _(lab):
    dual(lab)
    lab.sh("rtr", "ip -6 route del default")


@fault("IPv6 swallowed", ("ipv6.broken", "eth0"))
def _(lab):
    dual(lab)
    lab.sh(
        "rtr", "nft add table ip6 f\nnft 'add chain ip6 f o { type filter hook forward priority 0 ; policy drop ; }'"
    )


# --- healthy worlds


@healthy("as built")
def _(lab):
    pass


@healthy("as administrator")
def _(lab):
    lab.rights = ()


@healthy("pings not allowed here")
def _(lab):
    lab.sh("emp", "sysctl -qw net.ipv4.ping_group_range='1 0'")


@healthy("pings dropped everywhere")
def _(lab):
    for role in ("rtr", "isp", "inet", "corp", "lan"):
        lab.sh(
            role,
            "iptables -I INPUT -p icmp -j DROP; iptables -I FORWARD -p icmp -j DROP; iptables -I OUTPUT -p icmp -j DROP",
        )


@healthy("silent router that forwards")
def _(lab):
    lab.sh("rtr", "iptables -P INPUT DROP; iptables -I OUTPUT -p icmp -j DROP")


@healthy("spare adapters and bridges")
def _(lab):
    _spares(lab)


@healthy("a VPN beside")
def _(lab):
    lab.sh("emp", "ip link add tun0 type veth peer name tun0peer; ip link set tun0 up; ip link set tun0peer up")
    lab.sh("emp", "ip addr add 10.99.0.2/24 dev tun0")


@healthy("second default route, worse metric")
def _(lab):
    _second_way(lab, 700)


@healthy("IPv6 all the way")
def _(lab):
    dual(lab)


@healthy("IPv6 switched off")
def _(lab):
    lab.sh("emp", "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")


@healthy("working proxy, direct refused")
def _(lab):
    lab.sh("rtr", f"iptables -I FORWARD -i lan0 -d {INTERNET} -j REJECT")
    lab.resolvers("10.88.0.53")
    lab.settings["network"]["time_server"] = ""
    use_proxy(lab)


@healthy("working proxy, direct dropped")
def _(lab):
    lab.sh("rtr", CLOSED.replace("REJECT", "DROP"))
    use_proxy(lab)


@healthy("one resolver only")
def _(lab):
    lab.resolvers("10.88.0.53")


@healthy("hosts file with the right address")
def _(lab):
    lab.hosts("10.88.0.10 sso.corp.test\n10.1.1.1 something.else.test")


@healthy("slow but working line")
def _(lab):
    lab.wire("internet", delay_ms=80)


@healthy("service that asks who")
def _(lab):
    lab.knobs(
        {"web": {"sso": {"status": 401}, "help": {"status": 302, "headers": {"Location": "https://sso.corp.test/"}}}}
    )


@healthy("nothing in the settings")
def _(lab):
    lab.settings = {"network": {}}


@healthy("own firewall that lets out")
def _(lab):
    lab.sh(
        "emp",
        "iptables -P INPUT DROP; iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT; "
        "iptables -A INPUT -i lo -j ACCEPT",
    )


# --- pairs


@fault(
    "first resolver dead and file server closed", ("service.down", "File server"), ("dns.resolver_down", "10.88.0.53")
)
def _(lab):
    lab.knobs({"dns": {"company": {"mode": "silent"}}})
    lab.sh("corp", "iptables -I INPUT -p tcp --dport 445 -j REJECT --reject-with tcp-reset")


@fault("expired and hanging", ("tls.expired", "Help desk"), ("service.timeout", "Single sign-on"))
def _(lab):
    lab.knobs({"web": {"help": {"certificate": "expired"}, "sso": {"mute": True}}})


@fault("443 dropped and file server silent", ("internet.https_blocked", "*"), ("service.unreachable", "File server"))
def _(lab):
    lab.sh("rtr", f"iptables -I FORWARD -i lan0 -p tcp --dport 443 -d {INTERNET} -j DROP")
    lab.sh("corp", "ip addr del 10.88.0.12/24 dev eth0")


@fault("stale proxy and a missing name", ("proxy.stale", "10.88.0.31:3129"), ("dns.name_missing", "files.corp.test"))
def _(lab):
    use_proxy(lab, "http://10.88.0.31:3129")
    lab.knobs({"dns": {name: {"names": {"files.corp.test": "NXDOMAIN"}} for name in ("company", "public")}})


@fault("IPv6 dead and sign-on fails", ("service.error", "Single sign-on"), ("ipv6.broken", "eth0"))
def _(lab):
    dual(lab)
    knobs_now = {"dns": _names_of_dual(), "web": {"sso": {"status": 503}}}
    lab.knobs(knobs_now)
    lab.sh("rtr", "ip -6 route del default")


def _names_of_dual():
    six = {
        "connectivity.example.test": ["203.0.113.10", "2001:db8:1::10"],
        "www.example.test": ["203.0.113.20", "2001:db8:1::20"],
    }
    return {"company": {"names": six}, "public": {"names": six}}


@fault("clock wrong and file server closed", ("clock.skew", None), ("service.down", "File server"))
def _(lab):
    lab.knobs({"clock_s": 7200})
    lab.sh("corp", "iptables -I INPUT -p tcp --dport 445 -j REJECT --reject-with tcp-reset")


@fault(
    "resolvers dead and a service by address closed",
    ("dns.unreachable", "10.88.0.53"),
    ("service.down", "Terminal server"),
)
def _(lab):
    lab.settings["services"].append({"name": "Terminal server", "address": "10.88.0.12:3389"})
    lab.knobs({"dns": {name: {"mode": "silent"} for name in ("company", "public")}})
