"""Findings on the left, the cause on the right: every network cause in its plainest form, and what must not be taken for it.

Long, and yet one thing: a table.
"""

import pytest

from diagnostics.causes.catalogue import CATALOGUE
from diagnostics.causes.cause import Evidence
from diagnostics.causes.reasoner import reason
from diagnostics.model import Finding, Status
from diagnostics.targets import Network, Targets

OWN, GATEWAY, SERVER, FAR = "10.0.0.5", "10.0.0.1", "10.1.0.53", "203.0.113.10"
TARGETS = Targets(network=Network(internal_names=("intranet.corp.test",)))


def visit(role="public", outcome="answered", **more):
    names = {
        "connectivity": "c.example.test",
        "public": "www.example.test",
        "desk": "help.corp.test",
        "service": "sso.corp.test",
    }
    host = more.get("host", names[role])
    url = f"http://{host}/" if role == "connectivity" else f"https://{host}/"
    name = {"connectivity": "connectivity", "public": url, "desk": "Help desk", "service": "Single sign-on"}[role]
    made = {
        "role": role,
        "name": name,
        "host": host,
        "port": 80 if role == "connectivity" else 443,
        "url": url,
        "via": "direct",
    }
    made |= {
        "outcome": outcome,
        "status": 204 if role == "connectivity" else 200,
        "attempts": [],
        "addresses": [FAR],
        "address": FAR,
    }
    if outcome in {"refused", "silent", "unreachable"}:
        made |= {"status": None, "address": None, "attempts": [{"address": FAR, "reach": outcome}]}
    elif outcome != "answered":
        made |= {"status": None}
    made["verdict"] = "" if made["outcome"] == "answered" else made["outcome"]
    return {**made, **more}


def name(host, *addresses, rcode="NOERROR", **more):
    servers = [{"server": SERVER, "rcode": rcode, "addresses": list(addresses)}]
    made = {
        "name": host,
        "port": 443,
        "addresses": list(addresses),
        "source": "dns" if addresses else "",
        "rcode": rcode,
    }
    made |= {"internal": host in TARGETS.network.internal_names, "servers": servers, "suspicious": "", "disagree": []}
    return {**made, **more}


def server(address=SERVER, **more):
    made = {
        "server": address,
        "answered": True,
        "rcode": "NOERROR",
        "reach": "connected",
        "ms": 5.0,
        "server_ms": 5.0,
        "near": False,
    }
    return {**made, "is_gateway": False, "private": address.startswith("10."), **more}


def of_two(broken, *, outside, inside):
    """A second server that answers `outside` for a public name and `inside` for an internal one, beside a good one."""
    both = (("www.example.test", FAR, outside), ("intranet.corp.test", "10.1.0.13", inside))
    rows = [name(host, address) for host, address, _ in both]
    for row, (_, _, rcode) in zip(rows, both, strict=True):
        row["servers"] = [{"server": broken, "rcode": rcode, "addresses": []}, *row["servers"]]
    return {
        "dns.resolvers": ("ok", {"servers": [server(broken, rcode=outside), server()]}),
        "dns.names": ("ok", {"names": rows}),
    }


SILENT = {"answered": False, "rcode": None, "reach": "silent", "ms": None, "server_ms": None}
HEALTHY = {
    "link.adapters": ("ok", {"adapter": "eth0", "kind": "wired"}),
    "address.ipv4": ("ok", {"adapter": "eth0", "address": OWN, "prefix": 24, "dynamic": False, "gateway": GATEWAY}),
    "route.default": ("ok", {"gateway": GATEWAY, "adapter": "eth0"}),
    "route.gateway": ("ok", {"gateway": GATEWAY, "adapter": "eth0", "answers": True, "on_cable": True}),
    "route.others": ("ok", {"others": []}),
    "route.near": ("ok", {"hosts": []}),
    "address.foreign": ("ok", {"looked": False}),
    "internet.line": (
        "ok",
        {"alive": True, "asked": [FAR], "heard": [FAR], "outside_asked": [FAR], "outside_heard": [FAR]},
    ),
    "dns.resolvers": ("ok", {"servers": [server()]}),
    "dns.names": (
        "ok",
        {
            "names": [
                name("www.example.test", FAR),
                name("sso.corp.test", "10.1.0.10"),
                name("intranet.corp.test", "10.1.0.13"),
            ]
        },
    ),
    "hosts.file": ("ok", {"names": []}),
    "vpn.tunnels": ("ok", {"tunnels": [], "down": [], "up": []}),
    "proxy.settings": ("ok", {"proxies": []}),
    "proxy.reach": ("ok", {"proxies": []}),
    "proxy.discovery": ("ok", {"announced": [], "guessed": []}),
    "internet.http": ("ok", {"looked": True, "visits": [visit("connectivity")], "in_between": False}),
    "internet.https": ("ok", {"looked": True, "visits": [visit("public"), visit("public", host="www.other.test")]}),
    "service.help_desk": ("ok", {"visits": [visit("desk")]}),
    "service.company": ("ok", {"visits": [visit("service")]}),
    "internet.families": ("ok", {"ipv6_used": False}),
    "tls.certificates": ("ok", {"certificates": []}),
    "clock.time": ("ok", {"ahead_s": 0, "witnesses": [], "agree": 0}),
    "quality.local": ("ok", {"median_ms": 1.0, "loss_percent": 0.0, "sent": 40}),
    "quality.internet": ("ok", {"median_ms": 12.0, "loss_percent": 0.0, "sent": 40}),
    "quality.bandwidth": ("ok", {"kbit_per_s": 50_000}),
    "path.mtu": ("ok", {"hosts": []}),
    "firewall.local": ("ok", {"signs": []}),
}


def judge(changes, targets=TARGETS):
    everything = {**HEALTHY, **changes}
    findings = {
        id: Finding(check=id, area=id.partition(".")[0], status=Status(status), summary="S", measures=measures)
        for id, (status, measures) in everything.items()
    }
    return reason(Evidence(findings=findings, targets=targets), CATALOGUE)


def skipped(*checks):
    return {check: ("skipped", {}) for check in checks}


def certificate(role="service", problem="expired", **more):
    made = visit(role)
    row = {
        "role": role,
        "name": made["name"],
        "host": made["host"],
        "url": made["url"],
        "address": FAR,
        "subject": made["host"],
    }
    row |= {"issuer": "Some CA", "root": "Some CA", "names": [made["host"]], "problem": problem, "self_signed": False}
    return {**row, "not_before": "2020-01-01T00:00:00+00:00", "not_after": "2021-01-01T00:00:00+00:00", **more}


def link(problem, kind="wired", adapter="eth0"):
    measures = {"problem": problem, "adapter": adapter, "kind": kind}
    everything = tuple(id for id in HEALTHY if id != "link.adapters")
    return {"link.adapters": ("failed", measures), **skipped(*everything)}


def address(problem):
    everything = tuple(id for id in HEALTHY if not id.startswith(("link.", "address.ipv4")))
    return {
        "address.ipv4": ("failed", {"problem": problem, "adapter": "eth0", "address": "169.254.1.2"}),
        **skipped(*everything),
    }


NO_NAMES = skipped(
    "internet.http", "internet.https", "service.help_desk", "dns.names", "quality.internet", "path.mtu", "hosts.file"
)
DEAD_LINE = {"alive": False, "asked": [FAR, SERVER], "heard": [], "outside_asked": [FAR], "outside_heard": []}
DEAD_NAMES = {
    "dns.resolvers": ("failed", {"problem": "silent", "servers": [server(**SILENT)]}),
    "service.company": ("failed", {"visits": [visit("service", "name")]}),
    **NO_NAMES,
}
DEAD_WEB = {
    "internet.http": ("failed", {"visits": [visit("connectivity", "silent")]}),
    "internet.https": (
        "failed",
        {"visits": [visit("public", "silent"), visit("public", "silent", host="www.other.test")]},
    ),
}
REFUSED_WEB = {
    "internet.http": ("failed", {"visits": [visit("connectivity", "refused")]}),
    "internet.https": (
        "failed",
        {"visits": [visit("public", "refused"), visit("public", "refused", host="www.other.test")]},
    ),
}
HOP = {"distance": 1, "sender": GATEWAY, "icmp": [11, 0]}
NO_HOP = {"distance": 1, "sender": None, "icmp": [0, 0]}
GONE = {"route.gateway": ("failed", {"gateway": GATEWAY, "adapter": "eth0", "answers": False, "on_cable": False})}
DUMB = {"route.gateway": ("warning", {"gateway": GATEWAY, "adapter": "eth0", "answers": False, "on_cable": True})}


def line(**more):
    return {"internet.line": ("failed", {**DEAD_LINE, **more})}


def proxy(problem, direct=None):
    row = {"proxy": "proxy.corp.test:3128", "host": "proxy.corp.test", "problem": problem}
    by = {"via": "http://proxy.corp.test:3128", "at_proxy": True}
    return {
        "proxy.reach": ("failed", {"proxies": [row], "direct_works": direct}),
        "internet.http": ("failed", {"visits": [visit("connectivity", "refused", **by)]}),
        "internet.https": ("failed", {"visits": [visit("public", "refused", **by)]}),
    }


def names_are(*rows):
    return {"dns.names": ("warning", {"names": list(rows)})}


def service(outcome, **more):
    return {"service.company": ("failed", {"visits": [visit("service", outcome, **more)]})}


def mtu(**more):
    return {
        "path.mtu": (
            "failed",
            {"hosts": [{"host": "www.example.test", "hole": True, "small": True, "large": False, **more}]},
        )
    }


def ping(check, **measures):
    return {check: ("warning", {"median_ms": 10.0, "loss_percent": 0.0, "sent": 100, **measures})}


PUBLIC, OTHER = name("www.example.test", FAR), name("www.other.test", "203.0.113.30")
UNKNOWN_INSIDE = [name("sso.corp.test", rcode="NXDOMAIN"), name("intranet.corp.test", rcode="NXDOMAIN")]
INSIDE = [name("sso.corp.test", "10.1.0.10"), name("intranet.corp.test", "10.1.0.13")]
NOT_INSIDE = {
    "service.help_desk": ("failed", {"visits": [visit("desk", "silent")]}),
    "service.company": ("failed", {"visits": [visit("service", "silent")]}),
}
ZONE_GONE = {
    **names_are(PUBLIC, *UNKNOWN_INSIDE),
    "service.help_desk": ("failed", {"visits": [visit("desk", "name")]}),
    "service.company": ("failed", {"visits": [visit("service", "name")]}),
}
SKEWED = {"clock.time": ("failed", {"ahead_s": 7200, "agree": 3, "witnesses": [{"kind": "time server"}]})}

TABLE = {
    "no adapter": (link("none", adapter=None), "link.no_adapter", None),
    "switched off": (link("disabled", "wifi", "wlan0"), "link.disabled", "wlan0"),
    "cable out": (link("no_carrier"), "link.no_carrier", "eth0"),
    "no address": (address("missing"), "address.missing", "eth0"),
    "169.254": (address("self_assigned"), "address.self_assigned", "eth0"),
    "router outside the network": (
        {
            "address.ipv4": ("warning", {**HEALTHY["address.ipv4"][1], "address": "192.168.7.5", "gateway_far": True}),
            **DUMB,
            **DEAD_NAMES,
            **line(),
        },
        "address.wrong_subnet",
        "eth0",
    ),
    "others use another network": (
        {**GONE, "address.foreign": ("warning", {"seen": ["10.9.0.1"]}), **DEAD_NAMES, **line()},
        "address.wrong_subnet",
        "eth0",
    ),
    "another router on the cable": (
        {**GONE, "address.foreign": ("ok", {"routers": ["fe80::1"], "near": []}), **DEAD_NAMES, **line()},
        "address.wrong_subnet",
        "eth0",
    ),
    "far hosts look near": (
        {
            "address.ipv4": ("ok", {**HEALTHY["address.ipv4"][1], "prefix": 8}),
            "route.near": ("warning", {"dead": [SERVER, "10.1.0.10"], "alive_neighbours": []}),
            **DEAD_NAMES,
        },
        "address.wrong_mask",
        "eth0",
    ),
    "no way out": (
        {"route.default": ("failed", {}), **skipped("route.gateway", "dns.resolvers", *NO_NAMES)},
        "route.no_default",
        "eth0",
    ),
    "the other way works": (
        {
            **GONE,
            **DEAD_NAMES,
            **line(),
            "route.others": (
                "failed",
                {
                    "preferred": {"adapter": "eth1", "gateway": "192.168.9.1"},
                    "others": [{"adapter": "eth0", "gateway": GATEWAY, "leads_out": True}],
                },
            ),
        },
        "route.wrong_metric",
        "eth1",
    ),
    "nobody has the router's address": ({**GONE, **DEAD_NAMES, **line()}, "gateway.unreachable", GATEWAY),
    "the router is dumb and nothing passes": (
        {**DUMB, **DEAD_NAMES, **line(hops=[HOP])},
        "gateway.unreachable",
        GATEWAY,
    ),
    "no hop": ({**DEAD_NAMES, **line(hops=[NO_HOP])}, "gateway.not_forwarding", GATEWAY),
    "the router prohibits": (
        {**DEAD_NAMES, **line(hops=[HOP], connections=[{"offender": GATEWAY, "icmp": [3, 13]}])},
        "gateway.not_forwarding",
        GATEWAY,
    ),
    "nothing behind the router, company neither": (
        {**DEAD_NAMES, **line(hops=[HOP])},
        "gateway.not_forwarding",
        GATEWAY,
    ),
    "the router has no way": (
        {**DEAD_NAMES, **line(hops=[NO_HOP], connections=[{"offender": GATEWAY, "icmp": [3, 0]}])},
        "internet.unreachable",
        None,
    ),
    "a hop beyond, then nothing": (
        {**DEAD_WEB, **NOT_INSIDE, **line(hops=[HOP], hop_beyond="198.51.100.2")},
        "internet.unreachable",
        None,
    ),
    "only the company answers": (
        {**DEAD_WEB, "internet.line": ("ok", {**DEAD_LINE, "alive": True, "heard": [SERVER]})},
        "internet.unreachable",
        None,
    ),
    "web ports silent, pings not": (DEAD_WEB, "internet.blocked", None),
    "web ports refused": (REFUSED_WEB, "internet.blocked", None),
    "only 443": ({"internet.https": DEAD_WEB["internet.https"]}, "internet.https_blocked", None),
    "443 dies in the handshake": (
        {
            "internet.https": (
                "failed",
                {"visits": [visit("public", "tls"), visit("public", "tls", host="www.other.test")]},
            )
        },
        "internet.https_blocked",
        None,
    ),
    "a sign-in page": (
        {
            **DEAD_WEB,
            "internet.http": (
                "failed",
                {"visits": [visit("connectivity", status=302, location="http://portal.test/")], "in_between": True},
            ),
        },
        "internet.captive_portal",
        None,
    ),
    "every name to the sign-in page": (
        {
            **DEAD_WEB,
            "internet.http": (
                "failed",
                {"visits": [visit("connectivity", status=302, location="http://portal.test/")], "in_between": True},
            ),
            "dns.names": ("failed", {"names": [PUBLIC], "hijacked": ["www.example.test"], "hijack_address": FAR}),
        },
        "internet.captive_portal",
        None,
    ),
    "this computer's own firewall": (
        {
            **DEAD_WEB,
            **NOT_INSIDE,
            "firewall.local": ("failed", {"signs": ["could_not_send"], "places": [{"host": FAR, "port": 443}]}),
        },
        "firewall.local",
        None,
    ),
    "no name server": (
        {"dns.resolvers": ("failed", {"problem": "none", "servers": []}), **NO_NAMES},
        "dns.not_configured",
        None,
    ),
    "name servers silent": (DEAD_NAMES, "dns.unreachable", SERVER),
    "name servers refuse": (
        {"dns.resolvers": ("failed", {"problem": "refused", "servers": [server(rcode="REFUSED")]}), **NO_NAMES},
        "dns.refused",
        SERVER,
    ),
    "name servers fail": (
        {"dns.resolvers": ("failed", {"problem": "servfail", "servers": [server(rcode="SERVFAIL")]}), **NO_NAMES},
        "dns.servfail",
        SERVER,
    ),
    "name server late": (
        {"dns.resolvers": ("warning", {"problem": "slow", "servers": [server(server_ms=2100.0)]})},
        "dns.slow",
        SERVER,
    ),
    "one of two dead": (
        {"dns.resolvers": ("warning", {"problem": "one_dead", "servers": [server("10.1.0.54", **SILENT), server()]})},
        "dns.resolver_down",
        "10.1.0.54",
    ),
    "one of two refuses everything": (
        of_two("10.1.0.54", outside="REFUSED", inside="REFUSED"),
        "dns.resolver_down",
        "10.1.0.54",
    ),
    "one of two fails at everything": (
        of_two("10.1.0.54", outside="SERVFAIL", inside="SERVFAIL"),
        "dns.resolver_down",
        "10.1.0.54",
    ),
    "every name to one address": (
        {
            **DEAD_WEB,
            "dns.names": ("failed", {"names": [PUBLIC], "hijacked": ["www.example.test"], "hijack_address": FAR}),
        },
        "dns.hijacked",
        SERVER,
    ),
    "a name to nowhere": (
        {
            **names_are(PUBLIC, name("sso.corp.test", "127.0.0.1", suspicious="impossible"), INSIDE[1]),
            **service("refused"),
        },
        "dns.wrong_answer",
        "sso.corp.test",
    ),
    "name servers disagree": (
        {
            **names_are(PUBLIC, name("sso.corp.test", "10.1.0.99", disagree=["10.1.0.10"]), INSIDE[1]),
            **service("silent"),
        },
        "dns.wrong_answer",
        "sso.corp.test",
    ),
    "one name gone": (
        {**names_are(PUBLIC, UNKNOWN_INSIDE[0], INSIDE[1]), **service("name")},
        "dns.name_missing",
        "sso.corp.test",
    ),
    "one name fails": (
        {**names_are(PUBLIC, name("sso.corp.test", rcode="SERVFAIL"), INSIDE[1]), **service("name")},
        "dns.servfail",
        "sso.corp.test",
    ),
    "internal names gone": (ZONE_GONE, "dns.internal_zone", "corp.test"),
    "internal names gone, VPN down": (
        {**ZONE_GONE, "vpn.tunnels": ("ok", {"down": ["wg0"], "up": []})},
        "vpn.down",
        "wg0",
    ),
    "the company's name server not reached": (
        {
            **ZONE_GONE,
            "dns.resolvers": (
                "warning",
                {"problem": "one_dead", "servers": [server("10.1.0.53", **SILENT), server("203.0.113.53")]},
            ),
        },
        "vpn.down",
        None,
    ),
    "a line in the hosts file": (
        {
            "hosts.file": (
                "warning",
                {"names": [{"name": "sso.corp.test", "here": ["10.9.9.9"], "dns": ["10.1.0.10"], "differs": True}]},
            ),
            **service("silent"),
        },
        "hosts.override",
        "sso.corp.test",
    ),
    "the company silent": (NOT_INSIDE, "internal.unreachable", None),
    "a proxy nobody uses": (
        {**REFUSED_WEB, "proxy.discovery": ("warning", {"announced": [], "guessed": ["10.0.0.1:3128"]})},
        "proxy.required",
        "10.0.0.1:3128",
    ),
    "a proxy announced": (
        {**DEAD_WEB, "proxy.discovery": ("warning", {"announced": ["10.1.0.31:3128"], "guessed": []})},
        "proxy.required",
        "10.1.0.31:3128",
    ),
    "proxy dead": (proxy("refused", direct=False), "proxy.unreachable", "proxy.corp.test:3128"),
    "proxy dead, direct unknown": (proxy("silent"), "proxy.unreachable", "proxy.corp.test:3128"),
    "proxy dead, direct works": (proxy("silent", direct=True), "proxy.stale", "proxy.corp.test:3128"),
    "proxy without a name": (proxy("name", direct=True), "proxy.unresolvable", "proxy.corp.test:3128"),
    "proxy wants a password": (proxy("auth"), "proxy.auth_required", "proxy.corp.test:3128"),
    "late up to the router": (
        {**ping("quality.local", median_ms=120.0), **ping("quality.internet", median_ms=150.0)},
        "quality.latency_local",
        "eth0",
    ),
    "late beyond": (ping("quality.internet", median_ms=600.0), "quality.latency_internet", None),
    "lossy up to the router": (
        {**ping("quality.local", loss_percent=10.0), **ping("quality.internet", loss_percent=12.0)},
        "quality.loss_local",
        "eth0",
    ),
    "lossy beyond": (ping("quality.internet", loss_percent=12.0, confirmed=True), "quality.loss_internet", None),
    "thin": ({"quality.bandwidth": ("warning", {"kbit_per_s": 300})}, "quality.bandwidth", None),
    "large packets vanish": (
        {**mtu(), "internet.https": ("failed", {"visits": [visit("public", "tls_silent")]})},
        "path.mtu",
        None,
    ),
    "IPv6 dead": (
        {
            "internet.families": (
                "warning",
                {"ipv6_used": True, "ipv6_works": False, "ipv4_works": True, "adapter": "eth0"},
            )
        },
        "ipv6.broken",
        "eth0",
    ),
    "opened everywhere": (
        {
            "tls.certificates": (
                "failed",
                {
                    "certificates": [
                        certificate("public", "untrusted", issuer="Inspector", root="Inspector"),
                        certificate("service", "untrusted", issuer="Inspector", root="Inspector"),
                    ]
                },
            )
        },
        "tls.intercepted",
        None,
    ),
    "expired": ({"tls.certificates": ("failed", {"certificates": [certificate()]})}, "tls.expired", "Single sign-on"),
    "for another": (
        {"tls.certificates": ("failed", {"certificates": [certificate(problem="wrong_host")]})},
        "tls.wrong_host",
        "Single sign-on",
    ),
    "from a stranger": (
        {
            "tls.certificates": (
                "failed",
                {"certificates": [certificate("desk", "untrusted"), certificate("public", None)]},
            )
        },
        "tls.untrusted",
        "Help desk",
    ),
    "the clock, with certificates": (
        {**SKEWED, "tls.certificates": ("failed", {"certificates": [certificate("public"), certificate()]})},
        "clock.skew",
        None,
    ),
    "refused by itself": (service("refused"), "service.down", "Single sign-on"),
    "refused on the way": (
        service("refused", attempts=[{"address": FAR, "reach": "refused", "offender": "10.0.0.1", "icmp": [3, 3]}]),
        "service.unreachable",
        "Single sign-on",
    ),
    "silent": (service("silent"), "service.unreachable", "Single sign-on"),
    "503": (service("answered", status=503, verdict="error"), "service.error", "Single sign-on"),
    "never answers": (service("no_answer"), "service.timeout", "Single sign-on"),
    "late": (service("answered", verdict="slow", first_byte_ms=4200.0), "service.slow", "Single sign-on"),
}


@pytest.mark.parametrize("row", TABLE)
def test_the_cause_is_named_alone_and_with_its_subject(row):
    changes, cause, subject = TABLE[row]
    found = judge(changes)
    assert [(one.cause, one.subject) for one in found] == [(cause, subject)]


def test_the_table_has_every_network_cause():
    machine = ("disk.", "memory.", "processor.", "battery.", "system.", "updates.")
    wanted = {one.id for one in CATALOGUE if not one.id.startswith(machine)}
    assert {cause for _, cause, _ in TABLE.values()} >= wanted


@pytest.mark.parametrize("row", TABLE)
def test_its_words_are_whole_sentences(row, caplog):
    changes, _, _ = TABLE[row]
    for one in judge(changes):
        for text in (one.title, one.explanation, one.advice):
            assert "{" not in text
            assert "None" not in text
            assert "?" not in text
        assert one.title[-1] != "."
        assert one.explanation.endswith(".")
        assert one.advice.endswith(".")
        assert len(one.title) < 70
    assert caplog.records == []


NOTHING = {
    "all is well": {},
    "router drops pings": DUMB,
    "no router seen on the cable, but pages come": GONE,
    "the line drops everything but the web": line(),
    "one dead host of this network": {"route.near": ("warning", {"dead": ["10.0.0.77"], "alive_neighbours": []})},
    "one dead host of a wide network with living ones": {
        "address.ipv4": ("ok", {**HEALTHY["address.ipv4"][1], "prefix": 16}),
        "route.near": ("warning", {"dead": ["10.0.9.77"], "alive_neighbours": ["10.0.8.1"]}),
    },
    "IPv6 only": {"address.ipv4": ("ok", {"adapter": "eth0", "only_ipv6": True})},
    "no IPv6": {"internet.families": ("ok", {"ipv6_used": False, "ipv6_works": False, "ipv4_works": True})},
    "neither family connects": {
        "internet.families": ("ok", {"ipv6_used": True, "ipv6_works": False, "ipv4_works": False})
    },
    "router slow with pings only": {
        **ping("quality.local", median_ms=150.0),
        **ping("quality.internet", median_ms=20.0),
    },
    "router ignores some pings": {
        **ping("quality.local", loss_percent=30.0),
        **ping("quality.internet", loss_percent=0.0),
    },
    "host ignores some pings": ping("quality.internet", loss_percent=30.0, confirmed=False),
    "hosts file that is right": {
        "hosts.file": (
            "warning",
            {"names": [{"name": "sso.corp.test", "here": ["10.9.9.9"], "dns": ["10.1.0.10"], "differs": True}]},
        )
    },
    "public names unknown, proxy works": {
        **names_are(name("www.example.test", rcode="NXDOMAIN"), *INSIDE),
        "internet.https": ("ok", {"visits": [visit("public", via="http://proxy:3128")]}),
        "internet.http": ("ok", {"visits": [visit("connectivity", via="http://proxy:3128")]}),
    },
    "test page wrong, secure pages fine": {
        "internet.http": ("warning", {"visits": [visit("connectivity", status=200)], "in_between": True})
    },
    "one public page of two down": {
        "internet.https": ("warning", {"visits": [visit("public"), visit("public", "silent", host="www.other.test")]})
    },
    "a service that asks who": service("answered", status=401, verdict=""),
    "large ping lost, request passes": {
        "path.mtu": ("ok", {"hosts": [{"host": "h", "hole": False, "small": True, "large": False}]})
    },
    "a VPN nobody needs": {"vpn.tunnels": ("ok", {"down": ["wg0"], "up": []})},
    "nothing looked at": {id: ("unknown", {}) for id in HEALTHY},
    "everything skipped": {id: ("skipped", {}) for id in HEALTHY},
    "a name server for internal names only": of_two("10.1.0.54", outside="REFUSED", inside="NOERROR"),
    "everything unknown with numbers": {id: ("unknown", measures) for id, (_, measures) in HEALTHY.items()},
}


@pytest.mark.parametrize("row", NOTHING)
def test_nothing_is_named_where_nothing_is_proved(row):
    assert judge(NOTHING[row]) == ()


def test_an_address_from_dhcp_is_never_called_wrong():
    changes = dict(TABLE["another router on the cable"][0])
    changes["address.ipv4"] = ("ok", {**HEALTHY["address.ipv4"][1], "dynamic": True})
    assert [one.cause for one in judge(changes)] == ["gateway.unreachable"]


PAIRS = {
    "hosts file and a dead service": (
        {
            **TABLE["a line in the hosts file"][0],
            "service.help_desk": ("failed", {"visits": [visit("desk", "refused")]}),
        },
        {"hosts.override", "service.down"},
    ),
    "thin line and an expired certificate": (
        {**TABLE["thin"][0], **TABLE["expired"][0]},
        {"quality.bandwidth", "tls.expired"},
    ),
    "clock and a service down": ({**SKEWED, **service("refused")}, {"clock.skew", "service.down"}),
    "443 blocked and a file server down": (
        {
            "internet.https": DEAD_WEB["internet.https"],
            "service.company": ("failed", {"visits": [visit("service", "refused", url="", port=445, name="Files")]}),
        },
        {"internet.https_blocked", "service.down"},
    ),
    "stale proxy and a service down": (
        {**proxy("silent", direct=True), **service("refused")},
        {"proxy.stale", "service.down"},
    ),
}


@pytest.mark.parametrize("row", PAIRS)
def test_two_faults_are_both_named(row):
    changes, wanted = PAIRS[row]
    assert {one.cause for one in judge(changes)} == wanted
