"""What a Mac's tools print about the network is read as it is meant."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from diagnostics.checks import address, link, route, vpn
from diagnostics.model import Outcome, Status
from diagnostics.platforms import darwin_network as mac
from diagnostics.platforms.network import Kind, NetworkState
from diagnostics.probe import Probe, Ran
from diagnostics.registry import Context
from diagnostics.targets import Targets
from diagnostics.wire import echo

QUIET = """\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
	options=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>
	inet 127.0.0.1 netmask 0xff000000
	inet6 ::1 prefixlen 128
	inet6 fe80::1%lo0 prefixlen 64 scopeid 0x1
	nd6 options=201<PERFORMNUD,DAD>
gif0: flags=8010<POINTOPOINT,MULTICAST> mtu 1280
anpi0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	options=400<CHANNEL_IO>
	ether 5e:e9:1e:00:11:22
	media: none
	status: inactive
en4: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	options=400<CHANNEL_IO>
	ether 5e:e9:1e:00:11:33
	nd6 options=201<PERFORMNUD,DAD>
	media: none
	status: inactive
en1: flags=8963<UP,BROADCAST,SMART,RUNNING,PROMISC,SIMPLEX,MULTICAST> mtu 1500
	options=460<TSO4,TSO6,CHANNEL_IO>
	ether 36:5c:29:00:00:40
	media: autoselect <full-duplex>
	status: inactive
bridge0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	options=63<RXCSUM,TXCSUM,TSO4,TSO6>
	ether 36:5c:29:00:00:40
	Configuration:
		id 0:0:0:0:0:0 priority 0 hellotime 0 fwddelay 0
	member: en1 flags=3<LEARNING,DISCOVER>
	media: <unknown type>
	status: inactive
en6: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether ac:de:48:00:11:22
	inet6 fe80::aede:48ff:fe00:1122%en6 prefixlen 64 scopeid 0x4
	media: autoselect (100baseTX <full-duplex>)
	status: active
awdl0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether 8e:1c:7f:00:00:01
	inet6 fe80::8c1c:7fff:fe00:1%awdl0 prefixlen 64 scopeid 0xd
	status: active
utun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1380
	inet6 fe80::1c4e:3ad6:10f4:9cf2%utun0 prefixlen 64 scopeid 0xf
	nd6 options=201<PERFORMNUD,DAD>
"""
WIFI = """\
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	options=6463<RXCSUM,TXCSUM,TSO4,TSO6,CHANNEL_IO,PARTIAL_CSUM,ZEROINVERT_CSUM>
	ether bc:d0:74:00:00:17
	inet6 fe80::c31:6c1c:1:2%en0 prefixlen 64 secured scopeid 0xb
	inet 192.168.1.23 netmask 0xffffff00 broadcast 192.168.1.255
	inet6 2001:db8:1:2:8a:3b:4c:5d prefixlen 64 autoconf secured
	inet6 2001:db8:1:2:ffff::9 prefixlen 64 deprecated autoconf temporary
	nd6 options=201<PERFORMNUD,DAD>
	media: autoselect
	status: active
"""
SELF_ASSIGNED = """\
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether bc:d0:74:00:00:17
	inet6 fe80::c31:6c1c:1:2%en0 prefixlen 64 secured scopeid 0xb
	inet 169.254.31.7 netmask 0xffff0000 broadcast 169.254.255.255
	media: autoselect
	status: active
"""
NO_NETWORK = """\
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether bc:d0:74:00:00:17
	media: autoselect (<unknown type>)
	status: inactive
"""
TUNNEL = """\
utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1400
	inet 10.8.0.6 --> 10.8.0.5 netmask 0xffffffff
"""
PORTS = """

Hardware Port: Ethernet Adapter (en4)
Device: en4
Ethernet Address: 5e:e9:1e:00:11:33

Hardware Port: Thunderbolt Bridge
Device: bridge0
Ethernet Address: 36:5c:29:00:00:40

Hardware Port: Wi-Fi
Device: en0
Ethernet Address: bc:d0:74:00:00:17

Hardware Port: Thunderbolt 1
Device: en1
Ethernet Address: 36:5c:29:00:00:40

VLAN Configurations
===================
"""
ROUTES = """\
Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0       
127                127.0.0.1          UCS                   lo0       
127.0.0.1          127.0.0.1          UH                    lo0       
169.254            link#11            UCS                   en0      !
192.168.1          link#11            UCS                   en0      !
192.168.1.1/32     link#11            UCS                   en0      !
192.168.1.1        34:98:b5:8:1f:2a   UHLWIir               en0   1177
192.168.1.23/32    link#11            UCS                   en0      !
224.0.0/4          link#11            UmCS                  en0      !
224.0.0.251        1:0:5e:0:0:fb      UHmLWI                en0       
255.255.255.255/32 link#11            UCS                   en0      !

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
default                                 fe80::1%en0                             UGcg                  en0       
default                                 fe80::%utun0                            UGcIg               utun0       
::1                                     ::1                                     UHL                   lo0       
2001:db8:1:2::/64                       link#11                                 UC                    en0       
2001:db8:1:2:8a:3b:4c:5d                bc:d0:74:0:0:17                         UHL                   lo0       
fe80::%lo0/64                           fe80::1%lo0                             UcI                   lo0       
fe80::%en0/64                           link#11                                 UCI                   en0       
ff00::/8                                ::1                                     UmCI                  lo0       
ff02::%en0/32                           link#11                                 UmCI                  en0       
"""  # noqa: W291 -- netstat fills its columns with blanks
NO_ROUTES = """\
Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
127                127.0.0.1          UCS                   lo0
127.0.0.1          127.0.0.1          UH                    lo0
169.254            link#11            UCS                   en0      !
"""
OLDER = """\
Routing tables

Internet:
Destination        Gateway            Flags        Refs      Use   Netif Expire
default            10.8.0.5           UGSc           73        0   utun4
default            192.168.1.1        UGScI           4        0     en0
default            172.20.10.1        UGScI           1        0     en7
10/8               10.8.0.5           UGSc            0        0   utun4
10.8.0.5           10.8.0.6           UH              2        0   utun4
128.0/1            10.8.0.5           UGSc            0        0   utun4
172.16/12          127.0.0.1          UGRS            0        0     en0
"""
ORDER = """\
Network information

IPv4 network interface information
     en7 : flags      : 0x5 (IPv4,DNS)
           address    : 172.20.10.2
           reach      : 0x00000002 (Reachable)
     en0 : flags      : 0x5 (IPv4,DNS)
           address    : 192.168.1.23
           reach      : 0x00000002 (Reachable)

   REACH : flags 0x00000002 (Reachable)

IPv6 network interface information
   No IPv6 states found

   REACH : flags 0x00000000 (Not Reachable)

Network interfaces: en7 en0
"""
ARP = """\
? (192.168.1.1) at 34:98:b5:8:1f:2a on en0 ifscope [ethernet]
? (192.168.1.23) at bc:d0:74:0:0:17 on en0 ifscope permanent [ethernet]
? (192.168.1.77) at (incomplete) on en0 ifscope [ethernet]
? (192.168.1.255) at ff:ff:ff:ff:ff:ff on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
"""
NDP = """\
Neighbor                                Linklayer Address  Netif Expire    St Flgs Prbs
2001:db8:1:2:8a:3b:4c:5d                bc:d0:74:0:0:17      en0 permanent R
2001:db8:1:2::9                         (incomplete)         en0 expired   I
fe80::1%en0                             34:98:b5:8:1f:2a     en0 23h59m58s S  R
"""
DNS = """\
DNS configuration

resolver #1
  search domain[0] : office.example.
  search domain[1] : example
  nameserver[0] : 192.168.1.1
  nameserver[1] : fe80::1%en0
  if_index : 11 (en0)
  flags    : Request A records, Request AAAA records
  reach    : 0x00020002 (Reachable,Directly Reachable Address)

resolver #2
  domain   : local
  options  : mdns
  timeout  : 5
  flags    : Request A records
  reach    : 0x00000000 (Not Reachable)
  order    : 300000

resolver #3
  domain   : corp.example
  nameserver[0] : 10.8.0.53
  flags    : Supplemental, Request A records
  reach    : 0x00000003 (Reachable,Transient Connection)
  order    : 103000

DNS configuration (for scoped queries)

resolver #1
  nameserver[0] : 198.51.100.53
  if_index : 12 (en7)
  flags    : Scoped, Request A records
  reach    : 0x00000002 (Reachable)
"""


class Mac(Probe):
    """A Mac whose tools print what a test says; everything else is missing."""

    def __init__(self, **programs: str | Ran) -> None:
        super().__init__(environment={})
        self.programs = {
            "networksetup -listallhardwareports": PORTS,
            **{name.replace("_", " "): said for name, said in programs.items()},
        }

    @property
    def platform(self) -> str:
        return "darwin"

    async def run(self, argv, timeout: float = 4.0) -> Ran:  # noqa: ARG002, ASYNC109 -- as the real one
        said = self.programs.get(" ".join(argv), self.programs.get(argv[0], Ran(code=None, missing=True)))
        return Ran(code=0, out=said) if isinstance(said, str) else said

    async def read_text(self, path, *, limit_bytes: int = 0) -> str:  # noqa: ARG002 -- as the real one
        raise FileNotFoundError(str(path))


def state(probe: Mac) -> NetworkState:
    return asyncio.run(mac.read_state(probe))


def look(check, probe: Mac) -> Outcome:
    return asyncio.run(check(Context(probe=probe, targets=Targets(), findings={})))


def healthy(**more: str | Ran) -> Mac:
    return Mac(
        **{"ifconfig": QUIET + WIFI, "netstat": ROUTES, "arp": ARP, "ndp": NDP, "ipconfig": "192.168.1.1\n", **more}
    )


def test_each_adapter_is_what_it_is():
    kinds = {one.name: one.kind for one in state(healthy()).adapters}
    assert kinds == {
        "lo0": Kind.LOOPBACK,
        "gif0": Kind.VIRTUAL,
        "anpi0": Kind.VIRTUAL,
        "en4": Kind.WIRED,
        "en1": Kind.VIRTUAL,  # a Thunderbolt cable to another computer
        "bridge0": Kind.VIRTUAL,
        "en6": Kind.VIRTUAL,  # leads to a chip inside; networksetup does not list it
        "awdl0": Kind.VIRTUAL,
        "utun0": Kind.VIRTUAL,  # macOS' own
        "en0": Kind.WIFI,
    }


@pytest.mark.parametrize(
    ("port", "kind"),
    [
        ("Wi-Fi", Kind.WIFI),
        ("AirPort", Kind.WIFI),
        ("USB 10/100/1000 LAN", Kind.WIRED),
        ("Thunderbolt Ethernet Slot 1", Kind.WIRED),
        ("Thunderbolt 2", Kind.VIRTUAL),
        ("Bluetooth PAN", Kind.VIRTUAL),
        ("iPhone USB", Kind.MOBILE),
    ],
)
def test_a_port_name_tells_what_an_en_device_is(port: str, kind: Kind):
    assert mac.kind_of("en9", port=port, addresses=(), listed=True) is kind


def test_addresses_have_their_prefix_and_their_origin():
    adapter = state(healthy()).adapter("en0")
    assert adapter is not None
    assert [(one.ip, one.prefix, one.dynamic) for one in adapter.addresses] == [
        ("fe80::c31:6c1c:1:2", 64, None),
        ("192.168.1.23", 24, True),
        ("2001:db8:1:2:8a:3b:4c:5d", 64, True),
        ("2001:db8:1:2:ffff::9", 64, True),
    ]
    assert (adapter.mtu, adapter.mac, adapter.carrier, adapter.label) == (1500, "bc:d0:74:00:00:17", True, "Wi-Fi")


@pytest.mark.parametrize(("ran", "dynamic"), [(Ran(code=1), False), (Ran(code=None, timed_out=True), None)])
def test_an_address_without_a_dhcp_server_was_typed_in(ran: Ran, dynamic: bool | None):  # noqa: FBT001 -- a table's column
    adapter = state(healthy(ipconfig=ran)).adapter("en0")
    assert adapter is not None
    assert adapter.ipv4[0].dynamic is dynamic


def test_a_healthy_mac_is_called_healthy():
    probe = healthy()
    assert [look(one, probe).status for one in (link.adapters, address.ipv4, address.ipv6, route.default)] == [
        Status.OK
    ] * 4
    assert look(link.adapters, probe).summary == "The adapter en0 (Wi-Fi) is connected."
    assert look(address.ipv4, probe).measures["gateway"] == "192.168.1.1"
    assert look(vpn.tunnels, probe).summary == "There is no VPN connection on this computer."


def test_routes_are_read_in_full_without_remembered_hosts_and_groups():
    found = {(one.destination, one.gateway, one.device) for one in mac.parse_routes(ROUTES, order=())}
    assert found == {
        ("0.0.0.0/0", "192.168.1.1", "en0"),
        ("169.254.0.0/16", None, "en0"),
        ("192.168.1.0/24", None, "en0"),
        ("192.168.1.1/32", None, "en0"),
        ("192.168.1.23/32", None, "en0"),
        ("::/0", "fe80::1", "en0"),
        ("2001:db8:1:2::/64", None, "en0"),
        ("fe80::/64", None, "en0"),
    }


def test_older_columns_and_the_order_of_second_ways():
    now = NetworkState(routes=mac.parse_routes(OLDER, order=mac.parse_order(ORDER)))
    assert [(one.device, one.gateway) for one in now.defaults()] == [
        ("utun4", "10.8.0.5"),
        ("en7", "172.20.10.1"),
        ("en0", "192.168.1.1"),
    ]
    assert {one.destination for one in now.routes} >= {"10.0.0.0/8", "10.8.0.5/32", "128.0.0.0/1", "172.16.0.0/12"}
    assert [one.destination for one in now.routes if one.rejects] == ["172.16.0.0/12"]


def test_a_vpn_is_a_tunnel_with_an_address_of_its_own():
    probe = healthy(ifconfig=QUIET + WIFI + TUNNEL, netstat=OLDER)
    assert look(vpn.tunnels, probe).measures["up"] == ["utun4"]
    adapter = state(probe).adapter("utun4")
    assert adapter is not None
    assert [(one.ip, one.prefix) for one in adapter.addresses] == [("10.8.0.6", 32)]


def test_wifi_that_is_switched_off_is_called_so():
    probe = Mac(
        ifconfig=QUIET + NO_NETWORK,
        netstat=NO_ROUTES,
        **{"networksetup -getairportpower en0": "Wi-Fi Power (en0): Off\n"},
    )
    found = look(link.adapters, probe)
    assert (found.status, found.summary) == (Status.FAILED, "The adapter en0 (Wi-Fi) is switched off.")


def test_wifi_that_is_on_without_a_network_is_not_connected():
    probe = Mac(
        ifconfig=QUIET.replace("en4:", "gif4:") + NO_NETWORK,
        netstat=NO_ROUTES,
        **{"networksetup -getairportpower en0": "Wi-Fi Power (en0): On\n"},
    )
    assert look(link.adapters, probe).summary == "The adapter en0 (Wi-Fi) is not connected."


def test_an_address_that_the_mac_gave_itself_is_none():
    probe = Mac(ifconfig=QUIET + SELF_ASSIGNED, netstat=NO_ROUTES)
    assert look(link.adapters, probe).status is Status.OK
    found = look(address.ipv4, probe)
    assert (found.status, found.measures["problem"]) == (Status.FAILED, "self_assigned")
    assert look(route.default, probe).status is Status.FAILED


def test_neighbours_without_own_entries_groups_and_broadcasts():
    found = asyncio.run(mac.read_neighbours(healthy()))
    assert [(one.address, one.mac, one.state) for one in found] == [
        ("192.168.1.1", "34:98:b5:08:1f:2a", "REACHABLE"),
        ("192.168.1.77", "", "INCOMPLETE"),
        ("2001:db8:1:2::9", "", "INCOMPLETE"),
        ("fe80::1", "34:98:b5:08:1f:2a", "STALE"),
    ]
    assert [one.alive for one in found] == [True, False, False, True]


def test_the_general_name_servers_are_those_without_a_domain():
    found = asyncio.run(mac.read_resolvers(healthy(scutil=DNS)))
    assert found.servers == ("192.168.1.1", "fe80::1%en0")
    assert found.search == ("office.example", "example")
    assert found.stub is None


def test_no_name_server_is_no_name_server():
    assert asyncio.run(mac.read_resolvers(healthy(scutil="No DNS configuration available\n"))).servers == ()


def test_without_ifconfig_the_state_is_unknown_and_not_empty():
    with pytest.raises(OSError, match="ifconfig"):
        state(Mac())


@pytest.mark.parametrize("cut", range(0, len(ROUTES), 97))
def test_output_that_ends_early_is_read_as_far_as_it_goes(cut: int):
    for text, parse in (
        (ROUTES, lambda part: mac.parse_routes(part, order=())),
        (QUIET + WIFI, lambda part: mac.parse_ifconfig(part, ports={})),
        (ARP, mac.parse_arp),
        (NDP, mac.parse_ndp),
        (DNS, mac.parse_dns),
        (PORTS, mac.parse_ports),
    ):
        parse(text[:cut])


def test_pings_are_recognised_behind_the_header_that_macos_leaves_on():
    header = bytes([0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2])
    ours, theirs = (struct.pack("!BBHHH", 0, 0, 0, mark, 7) + bytes(56) for mark in (0x1234, 0x9999))
    assert echo.hands_over_all("darwin", socket.SOCK_DGRAM)
    assert not echo.hands_over_all("linux", socket.SOCK_DGRAM)
    assert echo._reply_number(header + ours, socket.AF_INET, mark=0x1234) == 7
    assert echo._reply_number(header + theirs, socket.AF_INET, mark=0x1234) is None
