"""What Windows' tables say about the network is read as it is meant, and their C structures lie where Windows puts them."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
import sys

import pytest

from diagnostics.checks import address, link, route, vpn
from diagnostics.model import Outcome, Status
from diagnostics.platforms import win32_ip_helper as helper
from diagnostics.platforms import win32_network as win
from diagnostics.platforms.network import Kind
from diagnostics.platforms.win32_ip_helper import Forward, Interface, Neighbour, Settings, Tables, Unicast
from diagnostics.probe import Probe
from diagnostics.registry import Context
from diagnostics.targets import Targets
from diagnostics.wire import echo

WIFI = Interface(
    index=12,
    name="WLAN",
    description="Intel(R) Wi-Fi 6 AX201 160MHz",
    type=71,
    medium=9,
    hardware=True,
    connector=True,
    mtu=1500,
    mac="bc:d0:74:00:00:17",
)
CABLE = Interface(
    index=7,
    name="Ethernet",
    description="Intel(R) Ethernet Connection (13) I219-V",
    hardware=True,
    connector=True,
    oper=2,
    connected=2,
)
LOOPBACK = Interface(
    index=1, name="Loopback Pseudo-Interface 1", description="Software Loopback Interface 1", type=24, mtu=4294967295
)
SWITCH = Interface(index=30, name="vEthernet (Default Switch)", description="Hyper-V Virtual Ethernet Adapter")
TEREDO = Interface(
    index=9,
    name="Teredo Tunneling Pseudo-Interface",
    description="Microsoft Teredo Tunneling Adapter",
    type=131,
    tunnel=14,
)
MINIPORT = Interface(index=40, name="Local Area Connection* 7", description="WAN Miniport (IP)")
FILTER = Interface(
    index=41, name="WLAN-WFP Native MAC Layer LightWeight Filter-0000", type=71, filters=True, connector=True
)
PULLED_OUT = Interface(
    index=42, name="Ethernet 5", description="Realtek USB GbE", hardware=True, connector=True, oper=6
)
TUNNEL = Interface(index=50, name="Arbeit", description="WireGuard Tunnel", type=53, mtu=1420)
ADDRESSES = (Unicast(ip="192.168.1.23", prefix=24, origin=3), Unicast(ip="fe80::1c4e:9cf2", prefix=64, origin=2))
SETTINGS = (
    Settings(
        index=12,
        addresses=ADDRESSES,
        servers=("192.168.1.1", "fec0:0:0:ffff::1"),
        suffix="fritz.box",
        metric4=50,
        metric6=50,
    ),
    Settings(
        index=7,
        oper=2,
        addresses=(Unicast(ip="169.254.7.9", prefix=16, origin=2, dad=1),),
        servers=("10.9.9.9",),
        metric4=5,
    ),
    Settings(index=1, addresses=(Unicast(ip="127.0.0.1", prefix=8, origin=2),), metric4=75),
    Settings(index=30, addresses=(Unicast(ip="172.20.16.1", prefix=20, origin=1),), metric4=5000),
    Settings(index=9, addresses=(Unicast(ip="2001:0:1::1", prefix=64, origin=4),)),
)
ROUTES = (
    Forward(index=12, destination="0.0.0.0", prefix=0, gateway="192.168.1.1", protocol=3),
    Forward(index=12, destination="192.168.1.0", prefix=24, metric=256, protocol=2),
    Forward(index=12, destination="192.168.1.23", prefix=32, metric=256, protocol=2),
    Forward(index=12, destination="192.168.1.255", prefix=32, metric=256, protocol=2),
    Forward(index=12, destination="224.0.0.0", prefix=4, metric=256, protocol=2),
    Forward(index=12, destination="255.255.255.255", prefix=32, metric=256, protocol=2),
    Forward(index=12, destination="ff00::", prefix=8, metric=256, protocol=2),
    Forward(index=1, destination="127.0.0.0", prefix=8, metric=256, protocol=2),
)
NEIGHBOURS = (
    Neighbour(index=12, address="192.168.1.1", mac="34:98:b5:08:1f:2a", state=5),
    Neighbour(index=12, address="192.168.1.77", state=0),
    Neighbour(index=12, address="224.0.0.22", mac="01:00:5e:00:00:16", state=6),
    Neighbour(index=12, address="255.255.255.255", mac="ff:ff:ff:ff:ff:ff", state=6),
)
HOME = Tables(
    interfaces=(WIFI, CABLE, LOOPBACK, SWITCH, TEREDO, MINIPORT, FILTER, PULLED_OUT),
    settings=SETTINGS,
    routes=ROUTES,
    neighbours=NEIGHBOURS,
)


class Windows(Probe):
    """A Windows whose tables a test writes down."""

    def __init__(self, tables: Tables, **keys: dict[str, str]) -> None:
        super().__init__(environment={})
        self.tables, self.keys = tables, keys

    @property
    def platform(self) -> str:
        return "win32"

    async def in_thread(self, function):
        return {helper.read_tables: self.tables, helper.read_settings: self.tables.settings}[function]

    async def registry(self, key: str, *, hive: str = "machine"):  # noqa: ARG002 -- as the real one
        return self.keys.get("policy" if key == win.POLICY else "parameters")


def look(check, tables: Tables) -> Outcome:
    return asyncio.run(check(Context(probe=Windows(tables), targets=Targets(), findings={})))


def changed(*interfaces: Interface, **more) -> Tables:
    return Tables(
        **{"interfaces": interfaces, "settings": SETTINGS, "routes": ROUTES, "neighbours": NEIGHBOURS, **more}
    )


def test_a_healthy_windows_is_called_healthy():
    assert [look(one, HOME).status for one in (link.adapters, address.ipv4, address.ipv6, route.default)] == [
        Status.OK
    ] * 4
    assert look(link.adapters, HOME).summary == "The adapter WLAN (Wi-Fi) is connected."
    assert look(address.ipv4, HOME).measures["gateway"] == "192.168.1.1"
    assert look(vpn.tunnels, HOME).summary == "There is no VPN connection on this computer."


def test_only_adapters_that_people_know_are_shown():
    assert {one.name: one.kind for one in win.state_of(HOME).adapters} == {
        "WLAN": Kind.WIFI,
        "Ethernet": Kind.WIRED,
        "Loopback Pseudo-Interface 1": Kind.LOOPBACK,
        "vEthernet (Default Switch)": Kind.VIRTUAL,
        "Teredo Tunneling Pseudo-Interface": Kind.VIRTUAL,
    }


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (TUNNEL, Kind.VPN),
        (Interface(index=1, name="Ethernet 3", description="TAP-Windows Adapter V9"), Kind.VPN),
        (Interface(index=1, name="Ethernet 4", description="PANGP Virtual Ethernet Adapter Secure"), Kind.VPN),
        (Interface(index=1, name="Büro", description="Büro", type=23), Kind.VPN),
        (Interface(index=1, name="VMnet1", description="VMware Virtual Ethernet Adapter for VMnet1"), Kind.VIRTUAL),
        (
            Interface(
                index=1, name="Ethernet", description="Microsoft Hyper-V Network Adapter", hardware=True, connector=True
            ),
            Kind.WIRED,
        ),
        (Interface(index=1, name="*1", description="Microsoft Wi-Fi Direct Virtual Adapter", type=71), Kind.VIRTUAL),
        (Interface(index=1, name="Mobilfunk", type=243, hardware=True, connector=True), Kind.MOBILE),
        (Interface(index=1, name="Bluetooth-Netzwerk", medium=10, hardware=True), Kind.VIRTUAL),
    ],
)
def test_what_an_adapter_is(one: Interface, kind: Kind):
    assert win.kind_of(one) is kind


def test_a_switch_in_a_computer_that_carries_everything_is_the_way_out():
    routes = (Forward(index=30, destination="0.0.0.0", prefix=0, gateway="172.20.16.2"),)
    adapter = win.state_of(changed(SWITCH, CABLE, routes=routes)).adapter(SWITCH.name)
    assert adapter is not None
    assert adapter.kind is Kind.WIRED


def test_metrics_are_those_of_route_and_adapter_together():
    routes = (
        Forward(index=12, destination="0.0.0.0", prefix=0, gateway="192.168.1.1", metric=0),
        Forward(index=7, destination="0.0.0.0", prefix=0, gateway="10.9.9.1", metric=10),
    )
    now = win.state_of(changed(WIFI, CABLE, routes=routes))
    assert [(one.device, one.metric) for one in now.defaults()] == [("Ethernet", 15), ("WLAN", 50)]


def test_routes_that_windows_makes_for_itself_are_left_out():
    assert [one.destination for one in win.state_of(HOME).routes] == ["0.0.0.0/0", "192.168.1.0/24"]


def test_addresses_know_where_they_are_from():
    now = win.state_of(HOME)
    wifi, cable = now.adapter("WLAN"), now.adapter("Ethernet")
    assert wifi is not None
    assert cable is not None
    assert [(one.ip, one.prefix, one.dynamic) for one in wifi.addresses] == [
        ("192.168.1.23", 24, True),
        ("fe80::1c4e:9cf2", 64, False),
    ]
    assert cable.addresses[0].tentative
    assert win.address_of(Unicast(ip="192.0.2.1", prefix=24, origin=0)).dynamic is None


def test_neighbours_that_were_asked_in_vain_are_dead_and_groups_are_none():
    found = asyncio.run(win.read_neighbours(Windows(HOME)))
    assert [(one.address, one.alive, one.dead) for one in found] == [
        ("192.168.1.1", True, False),
        ("192.168.1.77", False, True),
    ]


def test_a_disabled_adapter_is_switched_off():
    off = Interface(index=7, name="Ethernet", hardware=True, connector=True, admin=2, oper=6, connected=0)
    found = look(link.adapters, changed(off, LOOPBACK, settings=(), routes=()))
    assert (found.status, found.summary) == (Status.FAILED, "The adapter Ethernet (network cable) is switched off.")


def test_a_pulled_cable_is_not_connected():
    found = look(link.adapters, changed(CABLE, LOOPBACK, routes=()))
    assert found.summary == "The adapter Ethernet (network cable) is not connected."


def test_an_address_that_windows_gave_itself_is_none():
    given = (Settings(index=12, addresses=(Unicast(ip="169.254.7.9", prefix=16, origin=2),)),)
    found = look(address.ipv4, changed(WIFI, settings=given, routes=()))
    assert (found.status, found.measures["problem"]) == (Status.FAILED, "self_assigned")


def test_a_tunnel_is_up_or_down():
    settings = (*SETTINGS, Settings(index=50, addresses=(Unicast(ip="10.8.0.6", prefix=32, origin=1),)))
    routes = (*ROUTES, Forward(index=50, destination="10.0.0.0", prefix=8, protocol=3))
    assert look(vpn.tunnels, changed(WIFI, TUNNEL, settings=settings, routes=routes)).measures["tunnels"] == [
        {"name": "Arbeit", "up": True, "routes": ["10.0.0.0/8"]}
    ]
    tap = Interface(index=50, name="Ethernet 3", description="TAP-Windows Adapter V9", oper=2, connected=2)
    assert look(vpn.tunnels, changed(WIFI, tap, settings=settings)).measures["down"] == ["Ethernet 3"]


def test_name_servers_are_those_of_connected_adapters_in_their_order():
    settings = (*SETTINGS, Settings(index=50, servers=("10.8.0.53", "192.168.1.1"), suffix="corp.example", metric4=5))
    found = asyncio.run(win.read_resolvers(Windows(changed(WIFI, settings=settings))))
    assert found.servers == ("10.8.0.53", "192.168.1.1")  # not the cable's: it is pulled out; not Windows' placeholder
    assert found.search == ("corp.example", "fritz.box")


@pytest.mark.parametrize(
    ("keys", "search"),
    [
        ({"parameters": {"Domain": "Corp.Example."}}, ("corp.example", "fritz.box")),
        ({"parameters": {"SearchList": "a.example,b.example"}}, ("a.example", "b.example")),
        (
            {"parameters": {"SearchList": "a.example"}, "policy": {"SearchList": "c.example d.example"}},
            ("c.example", "d.example"),
        ),
    ],
)
def test_endings_come_from_policy_settings_or_domain(keys, search: tuple[str, ...]):
    assert asyncio.run(win.read_resolvers(Windows(HOME, **keys))).search == search


# --- the structures, byte for byte


@pytest.mark.parametrize(
    ("row", "size"),
    [
        (helper._SockAddr, 28),
        (helper._IfRow, 1352),
        (helper._RouteRow, 104),
        (helper._NeighbourRow, 88),
        (helper._Unicast, 64),
        (helper._Options, 16),
    ],
)
def test_rows_have_windows_sizes(row: type[ctypes.Structure], size: int):
    assert ctypes.sizeof(row) == size


@pytest.mark.parametrize(
    ("row", "places"),
    [
        (
            helper._IfRow,
            {"alias": 28, "description": 542, "mac": 1060, "mtu": 1124, "type": 1128, "flags": 1152, "oper": 1156},
        ),
        (helper._RouteRow, {"destination": 12, "prefix": 40, "gateway": 44, "metric": 84, "protocol": 88}),
        (helper._NeighbourRow, {"index": 28, "mac": 40, "mac_length": 72, "state": 76}),
        (helper._Adapter, {"unicast": 24, "dns": 48, "friendly_name": 72, "oper": 104, "metric4": 216, "metric6": 220}),
        (helper._Unicast, {"prefix_origin": 32, "dad": 40, "prefix": 56}),
    ],
)
def test_fields_lie_where_windows_puts_them(row: type[ctypes.Structure], places: dict[str, int]):
    assert {name: getattr(row, name).offset for name in places} == places


def sockaddr(ip: str, scope: int = 0) -> bytes:
    if ":" in ip:
        return struct.pack("<HHI16sI", 23, 0, 0, socket.inet_pton(socket.AF_INET6, ip), scope)
    return struct.pack("<HH4s20x", 2, 0, socket.inet_aton(ip))


def test_an_adapters_row_is_read_from_its_bytes():
    raw = bytearray(1352)
    raw[8:12] = struct.pack("<I", 12)
    raw[28:44] = "Büro-LAN".encode("utf-16-le")
    raw[1056:1066] = struct.pack("<I6s", 6, bytes.fromhex("bcd074000017"))
    raw[1124:1132] = struct.pack("<II", 1500, 71)
    raw[1152] = 0b101
    raw[1156:1168] = struct.pack("<III", 1, 1, 1)
    found = helper.interface_of(helper._IfRow.from_buffer_copy(raw))
    assert found == Interface(
        index=12, name="Büro-LAN", type=71, hardware=True, connector=True, mtu=1500, mac="bc:d0:74:00:00:17"
    )


def test_a_route_and_a_neighbour_are_read_from_their_bytes():
    raw = struct.pack("<QI", 0, 12) + sockaddr("10.0.0.0") + struct.pack("<B3x", 8) + sockaddr("0.0.0.0")
    raw += struct.pack("<B3xIIII4xII", 0, 0, 0, 256, 3, 0, 0)
    assert helper.route_of(helper._RouteRow.from_buffer_copy(raw)) == Forward(
        index=12, destination="10.0.0.0", prefix=8, metric=256, protocol=3
    )
    raw = sockaddr("fe80::1") + struct.pack("<IQ6s26xIIB3xI", 12, 0, bytes.fromhex("3498b5081f2a"), 6, 4, 0, 0)
    assert helper.neighbour_of(helper._NeighbourRow.from_buffer_copy(raw)) == Neighbour(
        index=12, address="fe80::1", mac="34:98:b5:08:1f:2a", state=4
    )


def test_addresses_and_name_servers_are_followed_through_their_lists():
    buffers = [ctypes.create_string_buffer(sockaddr(ip, 12)) for ip in ("192.168.1.23", "2001:db8::5", "fe80::1")]
    at = [ctypes.addressof(one) for one in buffers]
    second = helper._Unicast(head=helper._Listed(address=at[1], address_length=28), prefix=64, prefix_origin=4, dad=4)
    first = helper._Unicast(
        head=helper._Listed(next=ctypes.addressof(second), address=at[0], address_length=16),
        prefix=24,
        prefix_origin=3,
        dad=4,
    )
    server = helper._Listed(address=at[2], address_length=28)
    adapter = helper._Adapter(
        index=12, oper=1, unicast=ctypes.addressof(first), dns=ctypes.addressof(server), metric4=25
    )
    found = helper.settings_of(adapter)
    assert found.addresses == (
        Unicast(ip="192.168.1.23", prefix=24, origin=3),
        Unicast(ip="2001:db8::5", prefix=64, origin=4),
    )
    assert found.servers == ("fe80::1%12",)
    assert (found.index, found.metric4) == (12, 25)


@pytest.mark.skipif(sys.platform == "win32", reason="there it exists")
def test_elsewhere_it_says_that_this_is_not_windows():
    with pytest.raises(OSError, match="Windows only"):
        helper.read_tables()


# --- pings by Windows' own service


def pinged(monkeypatch: pytest.MonkeyPatch, answers: list[int | OSError | None], *, size: int = 56) -> echo.Echoes:
    """What becomes of as many pings as there are answers."""
    left, asked = list(answers), []

    def ping(address: str, *, size: int, wait_s: float, whole: bool) -> int | None:
        asked.append((address, size, wait_s, whole))
        answer = left.pop()
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(helper, "ping", ping)
    found = asyncio.run(echo._echo_by_service("192.0.2.1", count=len(answers), interval=0, wait=0.5, size=size))
    assert asked == [("192.0.2.1", size, 0.5, size > echo.ORDINARY_BYTES)] * len(answers)
    return found


def test_answers_are_counted_and_silence_is_loss(monkeypatch: pytest.MonkeyPatch):
    found = pinged(monkeypatch, [0, None, 0, 0])
    assert (found.allowed, found.sent, found.received, found.loss_percent) == (True, 4, 3, 25.0)


def test_what_another_host_says_is_no_answer(monkeypatch: pytest.MonkeyPatch):
    assert pinged(monkeypatch, [11003, 11013]).received == 0  # host unreachable, expired on the way


def test_a_packet_that_may_not_be_cut_can_be_too_big(monkeypatch: pytest.MonkeyPatch):
    found = pinged(monkeypatch, [helper.IP_PACKET_TOO_BIG, None], size=1472)
    assert (found.too_big, found.received) == (True, 0)


def test_a_system_that_does_not_let_us_ping_says_nothing_about_the_line(monkeypatch: pytest.MonkeyPatch):
    found = pinged(monkeypatch, [OSError("no"), OSError("no")])
    assert (found.allowed, found.sent, found.loss_percent) == (False, 0, None)
