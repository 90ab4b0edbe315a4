"""What Linux's tools and files print, read into the same shape; and the small decisions that hang on it."""

import json

import pytest

from diagnostics.checks.clock import ahead_of, in_words
from diagnostics.checks.firewall import parse_counters, parse_iptables, parse_nft
from diagnostics.checks.service import verdict
from diagnostics.checks.vpn import parse_nmcli
from diagnostics.network.doors import from_environment, goes_around, parse_gsettings, proxy_in_script, with_scheme
from diagnostics.platforms.linux_network import (
    kind_of,
    parse_adapters,
    parse_arp,
    parse_hosts,
    parse_neighbours,
    parse_proc_routes,
    parse_resolv_conf,
    parse_routes,
    parse_wireless,
    promote,
)
from diagnostics.platforms.network import Adapter, Address, Kind, NetworkState, Route, is_private
from diagnostics.platforms.psutil_network import prefix_of

ADDR = json.dumps(
    [
        {
            "ifname": "lo",
            "flags": ["LOOPBACK", "UP", "LOWER_UP"],
            "link_type": "loopback",
            "mtu": 65536,
            "addr_info": [],
        },
        {
            "ifname": "enp0s31f6",
            "flags": ["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"],
            "link_type": "ether",
            "operstate": "DOWN",
            "mtu": 1500,
            "addr_info": [],
        },
        {
            "ifname": "wlp4s0",
            "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
            "link_type": "ether",
            "operstate": "UP",
            "mtu": 1500,
            "address": "aa:bb:cc:dd:ee:ff",
            "addr_info": [
                {"family": "inet", "local": "192.168.1.23", "prefixlen": 24, "dynamic": True},
                {"family": "inet6", "local": "fe80::1", "prefixlen": 64},
                {"family": "inet6", "local": "2001:db8::23", "prefixlen": 64, "dynamic": True},
            ],
        },
        {"ifname": "wwan0", "flags": ["BROADCAST"], "link_type": "ether", "operstate": "DOWN", "addr_info": []},
        {
            "ifname": "docker0",
            "flags": ["UP", "NO-CARRIER"],
            "link_type": "ether",
            "linkinfo": {"info_kind": "bridge"},
            "addr_info": [],
        },
        {
            "ifname": "veth3f2",
            "flags": ["UP", "LOWER_UP"],
            "link_type": "ether",
            "master": "docker0",
            "linkinfo": {"info_kind": "veth"},
        },
        {
            "ifname": "wg0",
            "flags": ["UP", "LOWER_UP"],
            "link_type": "none",
            "linkinfo": {"info_kind": "wireguard"},
            "addr_info": [],
        },
        {},
    ]
)


def test_adapters_are_told_apart():
    found = {one.name: one for one in parse_adapters(ADDR, wifi=["wlp4s0"])}
    assert {name: one.kind for name, one in found.items()} == {
        "lo": Kind.LOOPBACK,
        "enp0s31f6": Kind.WIRED,
        "wlp4s0": Kind.WIFI,
        "wwan0": Kind.MOBILE,
        "docker0": Kind.VIRTUAL,
        "veth3f2": Kind.VIRTUAL,
        "wg0": Kind.VPN,
    }
    assert (found["enp0s31f6"].up, found["enp0s31f6"].carrier) == (True, False)
    assert (found["wwan0"].up, found["wwan0"].carrier) == (False, None)
    wifi = found["wlp4s0"]
    assert wifi.works
    assert [one.ip for one in wifi.ipv4] == ["192.168.1.23"]
    assert [one.ip for one in wifi.ipv6] == ["2001:db8::23"]
    assert wifi.ipv4[0].dynamic is True


@pytest.mark.parametrize(
    ("name", "info", "link_type", "bridged", "kind"),
    [
        ("eth0", "veth", "ether", False, Kind.WIRED),  # inside a container
        ("eth0", "tun", "ether", False, Kind.WIRED),  # a virtual machine's cable
        ("eth0", "", "ether", True, Kind.WIRED),  # a port of a bridge that carries the address
        ("tap3", "tun", "ether", False, Kind.VPN),
        ("ppp0", "ppp", "ppp", False, Kind.VPN),
        ("tailscale0", "tun", "none", False, Kind.VPN),
        ("ifb0", "ifb", "ether", False, Kind.VIRTUAL),
        ("sit0", "sit", "sit", False, Kind.VIRTUAL),
        ("virbr0", "bridge", "ether", False, Kind.VIRTUAL),
    ],
)
def test_a_name_counts_more_than_what_it_is_made_of(name, info, link_type, bridged, kind):
    assert kind_of(name, info=info, link_type=link_type, wifi=False, bridged=bridged) is kind


def test_a_bridge_with_the_way_out_is_the_way_out():
    bridge = Adapter(name="br0", kind=Kind.VIRTUAL, up=True, carrier=True)
    way = Route(destination="0.0.0.0/0", device="br0", gateway="10.0.0.1")
    assert promote((bridge,), (way,))[0].kind is Kind.WIRED
    assert promote((bridge,), ())[0].kind is Kind.VIRTUAL


ROUTES = json.dumps(
    [
        {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0", "metric": 100, "flags": []},
        {"dst": "default", "gateway": "10.9.0.1", "dev": "wlan0", "metric": 600, "flags": ["linkdown"]},
        {"dst": "10.0.0.0/24", "dev": "eth0", "flags": []},
        {"dst": "10.5.5.5", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth0", "flags": []},
        {"type": "unreachable", "dst": "10.66.0.0/16", "dev": "lo", "flags": []},
        {"type": "local", "dst": "10.0.0.5", "dev": "eth0", "table": "local", "flags": []},
        {
            "dst": "10.8.0.0/16",
            "flags": [],
            "nexthops": [{"gateway": "10.0.0.2", "dev": "eth0"}, {"gateway": "10.0.0.3", "dev": "eth0"}],
        },
    ]
)


def test_routes_are_read():
    found = parse_routes(ROUTES, v4=True)
    assert [(one.destination, one.gateway, one.dead, one.rejects) for one in found] == [
        ("0.0.0.0/0", "10.0.0.1", False, False),
        ("0.0.0.0/0", "10.9.0.1", True, False),
        ("10.0.0.0/24", None, False, False),
        ("10.5.5.5/32", "fe80::1", False, False),
        ("10.66.0.0/16", None, False, True),
        ("10.8.0.0/16", "10.0.0.2", False, False),
        ("10.8.0.0/16", "10.0.0.3", False, False),
    ]


def test_the_longest_route_wins_and_then_the_smallest_metric():
    state = NetworkState(routes=parse_routes(ROUTES, v4=True))
    assert state.route_to("10.0.0.77").gateway is None
    assert state.route_to("192.0.2.1").device == "eth0"
    assert [one.device for one in state.defaults()] == ["eth0", "wlan0"]
    assert state.near("10.0.0.77")
    assert not state.near("10.66.0.1")
    assert not state.near("192.0.2.1")
    assert state.route_to("2001:db8::1") is None


def test_an_own_address_is_near():
    adapter = Adapter(
        name="eth0", kind=Kind.WIRED, up=True, carrier=True, addresses=(Address(ip="10.0.0.5", prefix=24),)
    )
    assert NetworkState(adapters=(adapter,)).near("10.0.0.5")
    assert NetworkState().own("127.0.0.53")


@pytest.mark.parametrize("text", ["", "[", "{}", "null", '["x"]', "Error: junk"])
def test_what_is_no_list_is_nothing(text):
    assert parse_adapters(text) == ()
    assert parse_routes(text, v4=True) == ()
    assert parse_neighbours(text) == ()


@pytest.mark.parametrize(
    ("state", "alive", "heard"),
    [("REACHABLE", True, True), ("STALE", True, None), ("DELAY", True, None), ("FAILED", False, False)],
)
def test_a_neighbour_that_was_once_there_is_not_there_now(state, alive, heard):
    mac = {} if state == "FAILED" else {"lladdr": "aa:bb:cc:dd:ee:ff"}
    one = parse_neighbours(json.dumps([{"dst": "10.0.0.1", "dev": "eth0", "state": [state], **mac}]))[0]
    assert (one.alive, one.heard_lately) == (alive, heard)


PROC_ROUTE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth1\t0000000B\t00000000\t0000\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""


def test_the_kernels_own_files_are_read_where_iproute_is_missing():
    assert [(one.destination, one.gateway, one.metric) for one in parse_proc_routes(PROC_ROUTE)] == [
        ("0.0.0.0/0", "10.0.0.1", 100),
        ("10.0.0.0/24", None, 100),
    ]
    arp = "IP address       HW type     Flags       HW address            Mask     Device\n"
    arp += "10.0.0.1         0x1         0x2         aa:bb:cc:dd:ee:ff     *        eth0\n"
    arp += "10.0.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    assert [(one.address, one.alive) for one in parse_arp(arp)] == [("10.0.0.1", True), ("10.0.0.9", False)]
    wireless = "Inter-| sta-|   Quality\n face | tus | link\nwlan0: 0000   60.  -50.  -256\n"
    assert parse_wireless(wireless) == ("wlan0",)


def test_resolv_conf_is_read_as_the_c_library_reads_it():
    text = "# nameserver 9.9.9.9\nnameserver 10.0.0.53\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\nnameserver nonsense\n"
    text += "nameserver 10.0.0.54 ; second\nnameserver 10.0.0.55\ndomain old.test\nsearch a.test b.test.\noptions edns0\nnameserver"
    found = parse_resolv_conf(text)
    assert found.servers == ("10.0.0.53", "fe80::1%eth0", "10.0.0.54")
    assert found.search == ("a.test", "b.test")


def test_the_hosts_file_is_read():
    found = parse_hosts(
        "127.0.0.1 localhost\n10.0.0.9 SSO.corp.test sso # old\n#10.0.0.8 gone\nnonsense x\n::1 localhost\n"
    )
    assert found == {"localhost": ("127.0.0.1", "::1"), "sso.corp.test": ("10.0.0.9",), "sso": ("10.0.0.9",)}


@pytest.mark.parametrize(
    ("mask", "v4", "prefix"),
    [
        ("255.255.255.0", True, 24),
        ("0xffffff00", True, 24),
        ("ffff:ffff:ffff:ffff::", False, 64),
        (None, True, 32),
        ("junk", True, 32),
    ],
)
def test_masks_have_a_length(mask, v4, prefix):
    assert prefix_of(mask, v4=v4) == prefix


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("172.32.0.1", False),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("203.0.113.1", False),
    ],
)
def test_addresses_of_one_network_only(address, private):
    assert is_private(address) is private


# --- proxies


def test_the_environment_names_proxies_in_either_case():
    found = from_environment(
        {"HTTP_PROXY": "proxy:3128", "https_proxy": "http://secure:8080/", "NO_PROXY": ".corp.test, 10.0.0.0/8"}
    )
    assert (found.http, found.https) == ("http://proxy:3128", "http://secure:8080/")
    assert found.door_for("https://www.example.test/") == "http://secure:8080/"
    assert found.door_for("https://sso.corp.test/") == ""
    assert found.door_for("http://10.1.2.3/") == ""
    assert from_environment({"ALL_PROXY": "socks5://x:1080"}).proxies == ()
    assert from_environment({}).source == "none"


@pytest.mark.parametrize(
    ("host", "rule", "around"),
    [
        ("sso.corp.test", ".corp.test", True),
        ("corp.test", ".corp.test", True),
        ("sso.corp.test", "corp.test", True),
        ("mycorp.test", "corp.test", False),
        ("sso.corp.test", "*.corp.test", True),
        ("sso", "<local>", True),
        ("sso.corp.test", "<local>", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("fd00::1", "fd00::/8", True),
        ("sso.corp.test", "sso.corp.test:443", True),
        ("anything.test", "*", True),
        ("127.0.0.1", "", True),
        ("localhost", "", True),
        ("corp.test", "  ", False),
    ],
)
def test_what_goes_around_the_proxy(host, rule, around):
    assert goes_around(host, (rule,)) is around


@pytest.mark.parametrize("text", ["", "   ", "ftp://x:1", "http://", "http://x:port", "://"])
def test_what_is_no_proxy_is_none(text):
    assert with_scheme(text) == ""


GSETTINGS = """org.gnome.system.proxy autoconfig-url ''
org.gnome.system.proxy ignore-hosts ['localhost', '10.0.0.0/8']
org.gnome.system.proxy mode 'manual'
org.gnome.system.proxy.http host 'proxy.corp.test'
org.gnome.system.proxy.http port 3128
org.gnome.system.proxy.https host ''
org.gnome.system.proxy.https port 0
"""


def test_the_desktops_proxy_is_read():
    found = parse_gsettings(GSETTINGS)
    assert (found.http, found.https) == ("http://proxy.corp.test:3128", "http://proxy.corp.test:3128")
    assert found.bypass == ("localhost", "10.0.0.0/8")
    automatic = parse_gsettings(GSETTINGS.replace("'manual'", "'auto'").replace("url ''", "url 'http://wpad/wpad.dat'"))
    assert (automatic.script, automatic.proxies) == ("http://wpad/wpad.dat", ())
    assert parse_gsettings(GSETTINGS.replace("'manual'", "'none'")).proxies == ()
    assert parse_gsettings("") == parse_gsettings("nonsense\n")


def test_a_script_that_names_one_proxy_is_followed_and_one_that_chooses_is_not():
    assert proxy_in_script('return "PROXY p.test:3128; DIRECT"; return "PROXY p.test:3128"') == "http://p.test:3128"
    assert proxy_in_script('return a ? "PROXY a:1" : "PROXY b:2"') == ""
    assert proxy_in_script('return "DIRECT"') == ""


# --- firewall, VPN, clock, services


def test_the_rules_that_keep_packets_back_are_found():
    nft = """table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport 22 accept
	}
	chain output {
		type filter hook output priority filter; policy accept;
		tcp dport 443 drop
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		tcp dport 25 reject
	}
}"""
    assert parse_nft(nft) == ["input: policy drop", "output: tcp dport 443 drop"]
    saved = ":INPUT ACCEPT [0:0]\n:OUTPUT DROP [1:2]\n-A OUTPUT -p tcp -m tcp --dport 80 -j REJECT\n"
    saved += "-A FORWARD -j DROP\n-A INPUT -j ACCEPT\n"
    assert parse_iptables(saved) == ["output: policy drop", "output: -p tcp -m tcp --dport 80 -j REJECT"]


def test_counters_are_read_by_name():
    text = "Ip: Forwarding DefaultTTL InReceives\nIp: 1 64 390\nIcmp: InMsgs\nIcmp: 44\n"
    assert parse_counters(text, "Ip") == {"Forwarding": 1, "DefaultTTL": 64, "InReceives": 390}
    assert parse_counters(text, "TcpExt") == {}
    assert parse_counters("", "Ip") == {}


def test_vpn_connections_of_the_network_manager():
    text = "802-3-ethernet:yes:Wired\nvpn:no:Company\\: Berlin\nwireguard:yes:wg0\n"
    assert parse_nmcli(text) == [("Company: Berlin", False), ("wg0", True)]


def test_the_date_of_an_answer_is_a_witness():
    from datetime import UTC, datetime

    seen = datetime(2026, 1, 31, 10, 0, 0, tzinfo=UTC)
    assert ahead_of("Sat, 31 Jan 2026 09:00:00 GMT", seen_at=seen) == 3600
    assert ahead_of("Sat, 31 Jan 2026 09:59:50 GMT", seen_at=seen, age_s=10) == 0
    assert ahead_of("Sat, 31 Jan 2026 09:00:00 GMT", seen_at=seen, age_s=3600) is None
    assert ahead_of("yesterday", seen_at=seen) is None
    assert ahead_of("", seen_at=seen) is None


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(7200, "2 hours ahead"), (-90, "90 seconds behind"), (-600, "10 minutes behind"), (400 * 86400, "400 days ahead")],
)
def test_a_difference_in_words(ahead, words):
    assert in_words(ahead) == words


@pytest.mark.parametrize(
    ("visit", "word"),
    [
        ({"outcome": "answered", "status": 200}, ""),
        ({"outcome": "answered", "status": 302}, ""),
        ({"outcome": "answered", "status": 401}, ""),
        ({"outcome": "answered", "status": 404}, "error"),
        ({"outcome": "answered", "status": 503}, "error"),
        ({"outcome": "answered", "status": 200, "first_byte_ms": 3500}, "slow"),
        ({"outcome": "answered", "status": None, "connect_ms": 20}, ""),
        ({"outcome": "refused", "status": None}, "refused"),
    ],
)
def test_what_a_visit_says_about_a_service(visit, word):
    assert verdict(visit, slow_ms=3000) == word
