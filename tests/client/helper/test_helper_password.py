"""What asks for a password: a real polkit asks a real agent, and the helper waits for the person."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.netlab

# An agent as a desktop has one, for this process; it runs as root, so it may say that the password was right.
AGENT = """
agent = connect_as_root
POLKIT = DBusAddress("/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1", "org.freedesktop.PolicyKit1.Authority")
start = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19])
me = ("unix-process", {"pid": ("u", os.getpid()), "start-time": ("t", start), "uid": ("i", user)})
raw("RegisterAuthenticationAgent", "(sa{sv})ss", (me, "C", "/agent"), to=POLKIT, over=agent)
asked = []
def serve(right):
    while True:
        call = agent.receive()
        fields = call.header.fields
        if fields.get(jeepney.HeaderFields.member) == "BeginAuthentication":
            asked.append([call.body[0], call.body[1]])
            def answer(cookie=call.body[4], identity=call.body[5][0]):
                over = connect_as_root_too
                if right:
                    raw("AuthenticationAgentResponse2", "us(sa{sv})", (0, cookie, identity), to=POLKIT, over=over)
                agent.send(jeepney.new_method_return(call))
            threading.Thread(target=answer).start()
def serve_in_thread(right):
    threading.Thread(target=serve, args=(right,), daemon=True).start()
"""
AS_ROOT = """
import jeepney.io.blocking
connect_as_root = jeepney.io.blocking.open_dbus_connection("unix:path=/run/dbus/system_bus_socket")
connect_as_root_too = jeepney.io.blocking.open_dbus_connection("unix:path=/run/dbus/system_bus_socket")
"""


def test_the_right_password_lets_it_happen_and_the_plan_had_said_so(lab) -> None:
    code = f"{AGENT}\nserve_in_thread(True)\nsay(ask('Plan', 'updates.install')[4])\nsay(ask('Run', 'updates.install'))\nsay(asked)"
    asks, ran, asked = lab.call("daemon", code, before=AS_ROOT)
    assert asks is True
    assert ran == [True, "done", "The updates that waited are installed."]
    assert asked == [
        ["io.github.deskside.helper.updates-install", "Authentication is required to install the updates that wait"]
    ]
    lines = lab.recorded("apt-get").splitlines()
    wait, keep = "-o DPkg::Lock::Timeout=120", "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
    assert [line for line in lines if line.startswith("/usr/bin/apt-get")] == [
        f"/usr/bin/apt-get -q {wait} update",
        f"/usr/bin/apt-get -q -y {wait} {keep} upgrade",
    ]
    assert "DEBIAN_FRONTEND=noninteractive" in lines


def test_whoever_gives_no_password_changes_nothing(lab) -> None:
    code = f"{AGENT}\nserve_in_thread(False)\nsay(ask('Run', 'updates.install')[:2])\nsay(len(asked))"
    assert lab.call("daemon", code, before=AS_ROOT) == [[False, "not-authorised"], 1]
    assert lab.recorded("apt-get") == ""


def test_a_plan_asks_nobody(lab) -> None:
    code = f"{AGENT}\nserve_in_thread(True)\nsay(ask('Plan', 'updates.install')[0])\nsay(asked)"
    assert lab.call("daemon", code, before=AS_ROOT) == [True, []]


def test_a_question_that_is_open_holds_up_nobody_else(lab) -> None:
    ask = "bus.send(new_method_call(HELPER, 'Run', 'sa{ss}', ('updates.install', {})))"
    waiting = f"{AGENT}\nsay('asking')\n{ask}\ntime.sleep(30)"
    with lab.running_code("daemon", waiting, before=AS_ROOT) as caller:
        assert caller.stdout.readline() == '"asking"\n'
        lab.wait_for(lambda: '"updates.install"' in lab.log() or lab.helpers())
        assert lab.one("nobody", 'ask("Run", "updates.install")')[:2] == [True, "done"]
        assert lab.one("nobody", 'ask("Run", "dns.flush")')[:2] == [True, "done"]
        assert lab.recorded("apt-get").count("upgrade") == 1
    # Whoever asked has gone, and with it the question.
    lab.wait_for(lambda: "user=1 " in lab.log() and "not-authorised" in lab.log().rpartition("user=1 ")[2])
    assert lab.recorded("apt-get").count("upgrade") == 1
