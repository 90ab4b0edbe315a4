"""More ways to the same causes: the ones that are easily taken for something else."""

from __future__ import annotations

from scenarios import CLOSED, INTERNET, WEB, dns_names, dual, fault, healthy, knobs, many, no_proxy, sh, use_proxy, web

SILENT_PINGS = (
    "iptables -I INPUT -p icmp -j DROP; iptables -I FORWARD -p icmp -j DROP; iptables -I OUTPUT -p icmp -j DROP"
)
NO_RESOLVER_PORT = "iptables -I INPUT -p udp --dport 53 -j REJECT"

many(
    {
        "no default route, company by its own route": (
            sh("emp", "ip route del default; ip route add 10.88.0.0/24 via 10.77.0.1"),
            ("route.no_default",),
        ),
        "first resolver refuses": (knobs(dns={"company": {"mode": "refused"}}), (("dns.resolver_down", "10.88.0.53"),)),
        "first resolver fails": (knobs(dns={"company": {"mode": "servfail"}}), (("dns.resolver_down", "10.88.0.53"),)),
        "own firewall rejects names": (
            sh("emp", "iptables -I OUTPUT -p udp --dport 53 -j REJECT"),
            ("firewall.local",),
        ),
        "own firewall against one service": (
            sh("emp", "iptables -I OUTPUT -d 10.88.0.10 -p tcp -j REJECT"),
            ("firewall.local",),
        ),
        "file server's port dropped": (
            sh("corp", "iptables -I INPUT -p tcp --dport 445 -j DROP"),
            (("service.unreachable", "File server"),),
        ),
        "sign-on accepts and hears nothing": (
            sh("corp", "iptables -I INPUT -d 10.88.0.10 -p tcp --dport 443 -m length --length 100: -j DROP"),
            (("service.timeout", "Single sign-on"),),
        ),
        "a public page's certificate expired": (
            web("www", certificate="expired"),
            (("tls.expired", "www.example.test"),),
        ),
        "two names of three gone": (
            dns_names(names={"sso.corp.test": [], "help.corp.test": "NXDOMAIN"}),
            (("dns.name_missing", "sso.corp.test"), ("dns.name_missing", "help.corp.test")),
        ),
        "web rejected, pings dropped": (
            no_proxy(f"{SILENT_PINGS}; iptables -I FORWARD -i lan0 {WEB} -d {INTERNET} -j REJECT"),
            ("internet.blocked",),
        ),
    }
)


@fault("resolvers closed", ("dns.unreachable", "10.88.0.53"))
def _(lab):
    lab.sh("corp", NO_RESOLVER_PORT)
    lab.sh("inet", NO_RESOLVER_PORT)


@fault("one resolver only, closed", ("dns.unreachable", "10.88.0.53"))
def _(lab):
    lab.resolvers("10.88.0.53")
    lab.sh("corp", NO_RESOLVER_PORT)


@fault("resolver that nobody is", ("dns.unreachable", "10.77.0.9"))
def _(lab):
    lab.resolvers("10.77.0.9")


@fault("provider's line down, public resolver only", "internet.unreachable")
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.sh("isp", "ip link set cust0 down")


@fault("company's line down, names known", "internal.unreachable")
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.sh("rtr", "ip link set corp0 down; ip route add blackhole 10.88.0.0/24")


@fault("sign-in page that says so (511)", "internet.captive_portal")
def _(lab):
    lab.knobs({"portal": "511"})
    lab.sh("rtr", f"iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -d {INTERNET} -j DNAT --to 203.0.113.80:80")
    lab.sh("rtr", "iptables -I FORWARD -i lan0 -p tcp --dport 443 -j DROP")


@fault("sign-in page, all else dropped", "internet.captive_portal")
def _(lab):
    lab.resolvers("203.0.113.53")
    lab.sh("rtr", "iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -j DNAT --to 203.0.113.80:80")
    lab.sh(
        "rtr",
        "iptables -A FORWARD -i lan0 -p udp --dport 53 -j ACCEPT; iptables -A FORWARD -i lan0 -d 203.0.113.80 -j ACCEPT",
    )
    lab.sh("rtr", "iptables -A FORWARD -i lan0 -j DROP")


@fault("proxy accepts and is mute, no other way", ("proxy.unreachable", "10.88.0.31:3128"))
def _(lab):
    lab.sh("rtr", CLOSED)
    lab.knobs({"proxy": {"mute": True}})
    use_proxy(lab)


@fault("proxy accepts and is mute, direct works", ("proxy.stale", "10.88.0.31:3128"))
def _(lab):
    lab.knobs({"proxy": {"mute": True}})
    use_proxy(lab)


@fault("proxy in the settings is dead, direct works", ("proxy.stale", "10.88.0.31:3129"))
def _(lab):
    lab.settings["network"] |= {"proxy": "http://10.88.0.31:3129", "no_proxy": [".corp.test"]}


@fault("hosts file moves the test page", ("hosts.override", "connectivity.example.test"))
def _(lab):
    lab.hosts("203.0.113.99 connectivity.example.test")


@fault("preferred way without a carrier", ("route.wrong_metric", "eth1"))
def _(lab):
    lab.sh(
        "emp",
        "ip route add default via 10.77.0.1 dev eth0 metric 600; ip route del default via 10.77.0.1 dev eth0 metric 0",
    )
    lab.sh("emp", "ip link add eth1 type veth peer name eth1peer; ip link set eth1peer up; ip link set eth1 up")
    lab.sh("emp", "ip addr add 192.168.9.5/24 dev eth1; ip route add default via 192.168.9.1 dev eth1 metric 100")
    lab.sh("emp", "ip link set eth1peer down")


@fault("IPv6 rejected", ("ipv6.broken", "eth0"))
def _(lab):
    dual(lab)
    lab.sh(
        "rtr",
        "nft add table ip6 f\nnft 'add chain ip6 f o { type filter hook forward priority 0 ; }'\nnft add rule ip6 f o reject",
    )


@fault("pings dropped and file server closed", ("service.down", "File server"))
def _(lab):
    for role in ("rtr", "isp", "inet", "corp", "lan"):
        lab.sh(role, SILENT_PINGS)
    lab.sh("corp", "iptables -I INPUT -p tcp --dport 445 -j REJECT --reject-with tcp-reset")


@fault("loss here and an expired certificate", ("tls.expired", "Help desk"), ("quality.loss_local", "eth0"))
def _(lab):
    lab.wire("local", loss_percent=15)
    lab.knobs({"web": {"help": {"certificate": "expired"}}})


@healthy("clock half a minute off")
def _(lab):
    lab.knobs({"clock_s": 30})


@healthy("no proxy wished for, a dead one in the environment")
def _(lab):
    use_proxy(lab, "http://10.88.0.31:3129")
    lab.settings["network"]["proxy"] = "none"


@healthy("working proxy in the settings, direct refused")
def _(lab):
    lab.sh("rtr", CLOSED)
    lab.settings["network"] |= {"proxy": "http://10.88.0.31:3128", "no_proxy": [".corp.test"]}


@healthy("only the services are set")
def _(lab):
    lab.settings["network"] = {"ca_file": lab.settings["network"]["ca_file"]}


@healthy("three resolvers and a search list")
def _(lab):
    lab.resolvers("10.88.0.53", "203.0.113.53", "10.88.0.53", search="corp.test example.test")
