"""What another user of this computer may try with the helper. Real users, a real bus, a real polkit."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.netlab

FLUSHED = [True, "done", "The remembered names are cleared."]
FLUSH = 'ask("Run", "dns.flush")'


def helper_lines(lab) -> list[str]:
    return [line for line in lab.log().splitlines() if "deskside-helper[" in line]


def test_forged_ids_are_no_ids(lab) -> None:
    code = """
    forged = ["", "dns.flush ", "dns.flush\\n", "DNS.FLUSH", "../dns.flush", "dns.flush;reboot", "dns/flush", "*", "dns.*",
              "__class__", "x" * 5000, "\\N{FULLWIDTH LATIN SMALL LETTER D}ns.flush", "repair.image"]
    say([ask("Run", id)[1] for id in forged[:5]])
    time.sleep(0)
    say([ask("Plan", id)[1] for id in forged])
    """
    runs, plans = lab.call("nobody", code)
    assert set(runs) == {"unknown-action"}
    assert plans[:-1] == ["unknown-action"] * 12
    assert plans[-1] == "not-here"


def test_only_adapters_of_this_computer_and_small_numbers_are_taken(lab) -> None:
    code = """
    names = ["", "lo", "desk9", "desk0 ", "desk0\\n", "desk0;reboot", "$(reboot)", "`id`", "-h", "--help", "../desk0", "/dev/null",
             "desk0\\x1b[2J", "*", "desk?", "DESK0", "x" * 2000]
    say(sorted({ask("Plan", "adapter.restart", {"interface": name})[1] for name in names}))
    numbers = ["", "0", "-5", "+5", "5 ", "05", "1441", "99999", "1e3", "5\\n", "\\u0665", "now", "5; reboot"]
    say(sorted({ask("Plan", "restart.plan", {"minutes": number})[1] for number in numbers}))
    others = [{}, {"minutes": "5", "more": "x"}, {"seconds": "5"}, {"Minutes": "5"}, {"minutes": "5", "seconds": "1; reboot"}]
    say(sorted({ask("Plan", "restart.plan", one)[1] for one in others}))
    say(ask("Plan", "dns.flush", {"path": "/etc/shadow"})[1])
    """
    assert lab.call("root", code) == [["bad-parameter"], ["bad-parameter"], ["bad-parameter"], "bad-parameter"]
    assert lab.recorded("shutdown") == ""


def test_what_has_another_shape_is_refused_unread(lab) -> None:
    code = """
    def refusal(*words, **more):
        try:
            return raw(*words, **more)
        except DBusErrorResponse as error:
            return error.name.rpartition(".")[2]
    say([refusal("Run", "s", ("dns.flush",)), refusal("Run", "sa{sv}", ("dns.flush", {"a": ("u", 1)})),
         refusal("Run", "sas", ("dns.flush", ["a"])), refusal("Run", "ay", (b"dns",)), refusal("Run"),
         refusal("Run", "sa{ss}s", ("dns.flush", {}, "more")), refusal("List", "s", ("x",)), refusal("Plan", "v", (("s", "x"),))])
    properties = HELPER.with_interface("org.freedesktop.DBus.Properties")
    say([refusal("Reboot"), refusal("Set", "ssv", ("a", "b", ("s", "c")), to=properties)])
    """
    shapes, methods = lab.call("nobody", code)
    assert shapes == ["InvalidArgs"] * 8
    assert methods == ["UnknownMethod", "AccessDenied"]  # the second by the bus: the policy lets nothing else through
    assert lab.one("nobody", FLUSH) == FLUSHED


def test_a_huge_request_costs_no_memory_and_the_next_is_served(lab) -> None:
    assert lab.one("nobody", FLUSH) == FLUSHED
    (process,) = lab.helpers()
    before = process.memory_info().rss
    code = """
    def refusal(*words):
        try:
            return raw(*words)
        except DBusErrorResponse as error:
            return error.name.rpartition(".")[2]
    say([refusal("Run", "sa{ss}", ("x" * 20_000_000, {})),
         refusal("Run", "sa{ss}", ("dns.flush", {str(n): "y" * 40 for n in range(100_000)})),
         refusal("Run", "sa{ss}", ("x" * 9000, {}))])
    say(ask("Run", "dns.flush"))
    """
    assert lab.call("nobody", code) == [["LimitsExceeded"] * 3, FLUSHED]
    assert process.memory_info().rss - before < 4_000_000
    assert [one.pid for one in lab.helpers()] == [process.pid]


def test_ten_thousand_requests_are_counted_and_hold_up_nobody_else(lab) -> None:
    code = """
    from jeepney import MessageFlag
    assert ask("Run", "dns.flush")[0]
    for number in range(10_000):
        message = new_method_call(HELPER, "Run", "sa{ss}", ("dns.flush", {}))
        message.header.flags |= MessageFlag.no_reply_expected
        bus.send(message)
    say(ask("Run", "dns.flush")[1])
    """
    lines = len(helper_lines(lab))
    assert lab.call("nobody", code) == ["too-often"]
    assert lab.one("root", FLUSH) == FLUSHED
    assert lab.recorded("nscd").count("--invalidate") <= 8  # six of the one, some refill, one of the other
    assert len(helper_lines(lab)) - lines < 40
    assert len(lab.helpers()) == 1


def test_nothing_of_the_callers_surroundings_arrives(lab, tmp_path) -> None:
    (tmp_path / "jeepney.py").write_text("raise SystemExit('the wrong one')\n")
    hostile = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "LD_LIBRARY_PATH": str(tmp_path),
        "PYTHONPATH": "",
        "PYTHONSTARTUP": str(tmp_path / "jeepney.py"),
        "IFS": "/",
        "SECRET": "of-the-caller",
        "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",
    }
    assert lab.one("nobody", FLUSH, env=hostile) == FLUSHED
    words = lab.recorded("nscd").splitlines()
    assert {line.partition("=")[0] for line in words if "=" in line and not line.startswith(("/", "umask="))} <= {
        "PATH",
        "LC_ALL",
        "HOME",
        "DEBIAN_FRONTEND",
        "NEEDRESTART_MODE",
        "SYSTEMD_PAGER",
        "PWD",  # the shell of the stand-in
    }
    assert "PATH=/usr/sbin:/usr/bin:/sbin:/bin" in words
    assert "umask=0022 folder=/ user=0" in words
    assert {line for line in words if line.startswith("open ")} <= {
        f"open {n}" for n in (0, 1, 2, 3, 10, 11)
    }  # the shell's


def test_started_among_bad_modules_it_loads_none_of_them(lab, tmp_path) -> None:
    tmp_path.chmod(0o755)
    for name in ("jeepney", "sitecustomize", "usercustomize", "asyncio", "client"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'a').write('{name} ')\n")
    environment = {
        "PATH": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "/nonexistent",
        "PYTHONUSERBASE": str(tmp_path),
    }
    code = (
        f"import os, subprocess\none = subprocess.Popen({lab.command!r}, cwd={str(tmp_path)!r}, env={environment!r})\n"
    )
    ask = """
    while not raw("NameHasOwner", "s", (NAME,), to=BUS)[0]:
        assert one.poll() is None
        time.sleep(0.02)
    say(ask("Run", "dns.flush"))
    one.terminate(); one.wait()
    """
    assert lab.call("root", ask, before=code) == [FLUSHED]
    assert not (tmp_path / "loaded").exists()


def test_started_without_isolation_it_isolates_itself_before_it_loads_anything(lab, tmp_path) -> None:
    for name in ("jeepney", "asyncio", "signal", "socket", "syslog", "json"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'a').write('{name} ')\n")
    words = [word for word in lab.command if word not in {"-I", "-P"}]
    hostile = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(tmp_path),
        "PYTHONINSPECT": "1",
        "LD_LIBRARY_PATH": str(tmp_path),
    }
    with lab.running(*words, env=hostile) as helper:
        lab.wait_for(
            lambda: helper.poll() is None and lab.one("nobody", "raw('NameHasOwner', 's', (NAME,), to=BUS)[0]")
        )
        assert lab.one("nobody", FLUSH) == FLUSHED
        assert lab.helpers() == []  # the bus had none to start: this one has answered
    assert not (tmp_path / "loaded").exists()


def test_two_at_once_do_not_run_into_each_other(lab) -> None:
    lab.tell("slow", "0.6")
    code = """
    first, second = connect(), connect()
    def later(out): out.append(list(raw("Run", "sa{ss}", ("dns.flush", {}), over=first)))
    told = []
    thread = threading.Thread(target=later, args=(told,)); thread.start()
    while not os.path.exists("/run/recorded/nscd"): time.sleep(0.01)
    say(list(raw("Run", "sa{ss}", ("dns.flush", {}), over=second))[:2])
    say(list(raw("Plan", "sa{ss}", ("dns.flush", {}), over=second))[:2])
    thread.join()
    say(told[0][:2])
    """
    assert lab.call("nobody", code) == [[False, "busy"], [True, "done"], [True, "done"]]
    assert lab.recorded("nscd").count("--invalidate") == 1


def test_a_caller_that_vanishes_leaves_the_work_done_and_the_helper_well(lab) -> None:
    lab.tell("slow", "0.4")
    code = """
    bus.send(new_method_call(HELPER, "Run", "sa{ss}", ("dns.flush", {})))
    while not os.path.exists("/run/recorded/nscd"): time.sleep(0.01)
    os._exit(0)
    """
    assert lab.call("nobody", code) == []
    lab.wait_for(lambda: helper_lines(lab)[-1].find(": done ") > 0)
    (lab.root / "run/recorded/slow").unlink()
    assert lab.one("nobody", FLUSH) == FLUSHED
    assert len(lab.helpers()) == 1


def test_killed_in_the_middle_the_next_request_starts_another_one(lab) -> None:
    lab.tell("slow", "0.5")
    code = """
    def later(out):
        try: raw("Run", "sa{ss}", ("dns.flush", {}))
        except DBusErrorResponse as error: out.append(error.name.rpartition(".")[2])
    told = []
    thread = threading.Thread(target=later, args=(told,)); thread.start()
    thread.join()
    say(told)
    """
    with lab.running_code("nobody", code) as caller:
        lab.wait_for(lambda: lab.recorded("nscd"))
        (helper,) = lab.helpers()
        helper.kill()
        assert caller.stdout.readline() == '["NoReply"]\n'
    (lab.root / "run/recorded/slow").unlink()
    assert lab.one("nobody", FLUSH) == FLUSHED


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_an_adapter_is_up_again_whenever_the_helper_ends(lab, how: str) -> None:
    code = 'ask("Run", "adapter.restart", {"interface": "desk0"})'
    ended = 0
    for round in range(5):
        lab.fresh()
        lab.one("nobody", 'raw("List")[0]')
        (helper,) = lab.helpers()
        with lab.running_code("nobody", f"try: {code}\nexcept Exception: pass\nsay('end')") as caller:
            lab.wait_for(lambda: "adapter.restart" in lab.log().rpartition("Successfully activated")[2])
            time.sleep(round * 0.002)  # another moment each time
            getattr(helper, how)()
            ended += 1
            assert caller.stdout.readline() == '"end"\n'
        lab.wait_for(lambda: not lab.helpers() and not lab.processes("sh", "ip"))  # whatever had begun has ended
        assert ",UP" in lab.enter("ip", "link", "show", "desk0").stdout
    assert ended == 5


def test_no_caller_writes_a_line_of_its_own_into_the_log(lab) -> None:
    before = lab.log().count("\n")
    forged = 'x\\nNov 25 00:00:00 deskside-helper[1]: user=0 process=1 asks [\\"run\\"]: done\\r\\x1b[2Jy\\u2028z'
    lab.call("daemon", f'ask("Run", "{forged}"); ask("Plan", "dns.flush", {{"{forged}": "{forged}"}})')
    new = lab.log().splitlines()[before:]
    assert [line.split(":")[3].split()[0] for line in new if "asks" in line] == ["user=1", "user=1"]
    assert len([line for line in new if "deskside-helper[" in line.split(": ")[0]]) == 2
    assert all(line.isascii() and line.isprintable() for line in new)


def test_nobody_else_can_be_the_helper_or_polkit(lab) -> None:
    code = """
    for name in (NAME, "org.freedesktop.PolicyKit1"):
        try: say(raw("RequestName", "su", (name, 6), to=BUS))
        except DBusErrorResponse as error: say(error.name.rpartition(".")[2])
    """
    assert lab.call("nobody", code) == ["AccessDenied", "AccessDenied"]


def test_an_answer_that_was_not_asked_for_changes_nothing(lab) -> None:
    """A caller that answers in polkit's place, with every serial number."""
    code = """
    from jeepney import Header, HeaderFields, Message, MessageType
    from jeepney.low_level import Endianness
    assert ask("Plan", "dns.flush")[4]
    (owner,) = raw("GetNameOwner", "s", (NAME,), to=BUS)
    other = connect()
    def lie():
        for serial in range(1, 400):
            fields = {HeaderFields.destination: owner, HeaderFields.reply_serial: serial, HeaderFields.signature: "(bba{ss})"}
            other.send(Message(Header(Endianness.little, MessageType.method_return, 0, 1, -1, -1, fields), ((True, False, {}),)))
    thread = threading.Thread(target=lie); thread.start()
    say([ask("Run", "dns.flush")[1] for _ in range(5)])
    thread.join()
    """
    assert lab.call("daemon", code) == [["not-authorised"] * 5]
    assert lab.recorded("nscd") == ""


def test_the_helper_is_nobodys_to_start_by_hand(lab) -> None:
    assert lab.enter(*lab.command, "--anything").returncode == 2
    assert lab.one("nobody", "os.geteuid()") == 65534
    asked = lab.enter("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *lab.command)
    assert asked.returncode != 0


def test_its_process_gives_nothing_away(lab) -> None:
    assert lab.one("nobody", FLUSH) == FLUSHED
    (helper,) = lab.helpers()
    assert helper.uids().real == 0
    assert helper.cwd() == "/"
    assert psutil.Process(helper.pid).environ().keys() <= {"DBUS_STARTER_ADDRESS", "DBUS_STARTER_BUS_TYPE", "PATH"}
    assert "Umask:\t0077" in Path(f"/proc/{helper.pid}/status").read_text()
