"""The helper on a real system bus, judged by a real polkit, asked by other users, as it is installed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.netlab


def test_it_lists_what_this_computer_can_do(lab) -> None:
    ids = lab.one("daemon", 'raw("List")[0]')
    assert {"dns.flush", "adapter.restart", "shares.remount", "updates.install", "restart.plan"} <= set(ids)
    assert "repair.image" not in ids  # of Windows
    assert "clock.sync" not in ids  # there is no time service here


def test_polkit_decides_who_may(lab) -> None:
    flush = 'ask("Run", "dns.flush")'
    assert lab.one("nobody", flush) == [True, "done", "The remembered names are cleared."]
    assert lab.one("daemon", flush)[:2] == [False, "not-authorised"]
    assert lab.one("root", flush)[:2] == [True, "done"]
    assert lab.recorded("nscd").count("/usr/sbin/nscd --invalidate=hosts") == 2
    # The lab's rule forbids this one to the user who may do everything else.
    assert lab.one("nobody", 'ask("Run", "repair.system")')[:2] == [False, "not-authorised"]
    assert lab.recorded("dpkg") == ""


def test_a_plan_says_whether_a_password_will_be_asked_for_and_changes_nothing(lab) -> None:
    words = "Make this computer forget the names of sites and servers that it has looked up."
    assert lab.one("nobody", 'ask("Plan", "dns.flush")') == [True, "done", words, "", False]
    assert lab.one("daemon", 'ask("Plan", "dns.flush")') == [True, "done", words, "", True]
    told = lab.one("daemon", 'ask("Plan", "restart.plan", {"minutes": "30"})')
    assert told[2:] == ["Restart this computer in 30 minutes. Save your work before.", "restart.cancel", True]
    assert lab.recorded("nscd") == lab.recorded("shutdown") == ""


def test_a_real_adapter_goes_off_and_on_and_is_up_afterwards(lab) -> None:
    with lab.running("ip", "-oneline", "monitor", "link", "dev", "desk0") as watch:
        assert lab.one("nobody", 'ask("Run", "adapter.restart", {"interface": "desk0"})')[:2] == [True, "done"]
        lines = [watch.stdout.readline() for _ in range(2)]
    assert [",UP" in line for line in lines] == [False, True]


def test_a_restart_is_planned_and_taken_back(lab) -> None:
    assert lab.one("root", 'ask("Run", "restart.plan", {"minutes": "15"})')[:2] == [True, "done"]
    assert lab.one("root", 'ask("Run", "restart.cancel")')[:2] == [True, "done"]
    assert [line for line in lab.recorded("shutdown").splitlines() if line.startswith("/usr")] == [
        "/usr/sbin/shutdown -r +15",
        "/usr/sbin/shutdown -c",
    ]


def test_the_output_is_summarised_and_the_log_has_the_rest(lab) -> None:
    lab.tell("apt-get.fails")
    lab.tell("apt-get.says", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77\n")
    answer = lab.one("root", 'ask("Run", "updates.install")')
    assert answer == [False, "failed", "Another installation is running. Try again later."]
    assert "code=1 of /usr/bin/apt-get" in lab.log()
    assert "held by process 77" in lab.log()


def test_every_request_is_logged_with_who_asked(lab) -> None:
    lab.call("nobody", 'ask("Plan", "dns.flush"); ask("Run", "dns.flush")')
    lab.call("daemon", 'ask("Run", "dns.flush"); ask("Run", "no.such")')
    mine = [line.partition("]: ")[2] for line in lab.log().splitlines() if "deskside-helper[" in line][-5:]
    assert [line.split()[0] for line in mine] == ["user=65534"] * 3 + ["user=1"] * 2
    assert [line.split("]")[-1].split(": ")[1].split()[0] for line in mine] == [
        "done",
        "begins",
        "done",
        "not-authorised",
        "unknown-action",
    ]
    assert all("process=" in line and "bus=:1." in line for line in mine)


def test_the_policy_of_it_takes_actions_away_for_everybody(lab) -> None:
    lab.policy('[fixes]\nprivileged = ["printing.*", "clock.sync"]\n')
    assert lab.one("nobody", 'ask("Run", "dns.flush")')[:2] == [False, "not-allowed"]
    assert lab.one("root", 'ask("Run", "dns.flush")')[:2] == [False, "not-allowed"]
    assert lab.one("nobody", 'raw("List")[0]') == ["printing.restart", "printing.clear"]
    lab.policy("[fixes]\nprivileged = []\n")
    assert lab.one("nobody", 'raw("List")[0]') == []
    assert lab.recorded("nscd") == ""


def test_without_polkit_only_root_may(lab) -> None:
    polkit = lab.process("polkitd")
    polkit.terminate()
    polkit.wait(10)
    hidden = lab.root / "usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"
    away = hidden.with_suffix(".away")
    hidden.rename(away)
    lab.reload_bus()
    try:
        assert lab.one("nobody", 'ask("Run", "dns.flush")')[:2] == [False, "not-authorised"]
        assert lab.one("nobody", 'ask("Plan", "dns.flush")')[:2] == [False, "not-authorised"]
        assert lab.one("root", 'ask("Run", "dns.flush")')[:2] == [True, "done"]
    finally:
        away.rename(hidden)
        lab.reload_bus()
        lab.start_polkit()


def test_whoever_sits_at_the_computer_needs_no_password_for_what_is_light(lab) -> None:
    with lab.active_session("daemon") as enter:
        assert lab.one("daemon", 'ask("Run", "dns.flush")', before=enter)[:2] == [True, "done"]
        assert lab.one("daemon", 'ask("Plan", "updates.install")', before=enter)[4] is True
    assert lab.one("daemon", 'ask("Run", "dns.flush")')[:2] == [False, "not-authorised"]


def test_it_can_be_introspected(lab) -> None:
    code = """
    say([x.get("name") for x in ElementTree.fromstring(raw("Introspect", to=HELPER.with_interface(
        "org.freedesktop.DBus.Introspectable"))[0]).iter("method")])
    """
    assert lab.call("nobody", code) == [["List", "Plan", "Run"]]


def test_it_ends_when_nobody_asks_and_comes_back_when_somebody_does(lab) -> None:
    assert lab.one("nobody", 'ask("Run", "dns.flush")')[0]
    lab.fresh()
    code = (
        "import asyncio, os; from client.helper.bus import Bus; from client.helper.gate import Gate;"
        "asyncio.run(Bus(Gate(lambda line: None, exists=os.path.exists), idle_s=0.2).serve()); say('ended')"
    )
    assert lab.call("root", code) == ["ended"]
    assert lab.one("nobody", 'ask("Run", "dns.flush")')[0]
    assert len(lab.helpers()) == 1
