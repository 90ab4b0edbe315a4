"""The proxy settings of Windows and macOS, as the systems write them."""

from __future__ import annotations

import pytest

from diagnostics.network.system_proxy import SystemProxy, from_registry, from_scutil

MAC = """<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
    2 : .corp.example.com
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 3128
  HTTPProxy : proxy.example.com
  HTTPSEnable : 1
  HTTPSPort : 3129
  HTTPSProxy : proxy.example.com
}
"""
MAC_SCRIPT = """<dictionary> {
  ProxyAutoConfigEnable : 1
  ProxyAutoConfigURLString : http://wpad.example.com/proxy.pac
  ProxyAutoDiscoveryEnable : 0
}
"""
MAC_NONE = """<dictionary> {
  HTTPEnable : 0
  HTTPPort : 3128
  HTTPProxy : old.example.com
}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            MAC,
            SystemProxy(
                http="proxy.example.com:3128",
                https="proxy.example.com:3129",
                bypass=("*.local", "169.254/16", ".corp.example.com", "<local>"),
            ),
        ),
        (MAC_SCRIPT, SystemProxy(script="http://wpad.example.com/proxy.pac")),
        (MAC_NONE, SystemProxy()),
        ("", SystemProxy()),
        ("nonsense : 1 }}} {", SystemProxy()),
    ],
)
def test_macos(text: str, told: SystemProxy) -> None:
    assert from_scutil(text) == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, SystemProxy()),
        ({"ProxyEnable": 0, "ProxyServer": "old:3128", "ProxyOverride": "*.corp"}, SystemProxy()),
        (
            {"ProxyEnable": 1, "ProxyServer": "proxy:3128", "ProxyOverride": "*.corp.example.com; 10.*;<local>"},
            SystemProxy(http="proxy:3128", https="proxy:3128", bypass=("*.corp.example.com", "10.*", "<local>")),
        ),
        (
            {"ProxyEnable": 1, "ProxyServer": "http=a:1;https=b:2;socks=c:3"},
            SystemProxy(http="a:1", https="b:2"),
        ),
        ({"AutoConfigURL": "http://wpad/wpad.dat"}, SystemProxy(script="http://wpad/wpad.dat")),
        ({"ProxyEnable": None, "ProxyServer": None, "ProxyOverride": 7}, SystemProxy()),
    ],
)
def test_windows(values: dict[str, object], told: SystemProxy) -> None:
    assert from_registry(values) == told
