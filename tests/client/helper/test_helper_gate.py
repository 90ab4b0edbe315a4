"""The gate, the table and the checks of parameters without a bus: any platform, no rights needed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from client.helper import gate as gates
from client.helper.actions import ACTIONS, SYSTEMD, Action, Way, _off_and_on, said, way_for
from client.helper.gate import Caller, Gate
from client.helper.parameters import Refused, checked, filled_in
from client.helper.policy import Untrusted
from client.helper.run import carry_out

ANN = Caller("1000", 77)
PLATFORMS = ("linux", "darwin", "win32")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class House:
    """A gate on a computer that has every program and every sign, and writes down what it would do."""

    def __init__(self, monkeypatch, *, platform="linux", rules=None, missing=()) -> None:
        self.lines: list[str] = []
        self.did: list[tuple] = []
        self.clock = Clock()
        self.verdict = "yes"
        self.rules = rules
        self.gate = Gate(
            self.lines.append,
            platform=platform,
            find=lambda name: None if name in missing else f"/usr/bin/{name}",
            exists=lambda path: path not in missing,
            adapters=lambda: ("eth0", "Wi-Fi 2"),
            rules=self.read_rules,
            clock=self.clock,
        )

        async def carry_out(action, way, values):
            self.did.append((way.commands, values))
            return True, action.done, "code=0"

        monkeypatch.setattr(gates, "carry_out", carry_out)

    def read_rules(self):
        if isinstance(self.rules, Exception):
            raise self.rules
        return self.rules

    def ask(self, ask, id=None, parameters=None, caller=ANN):
        async def judge(id, action, person):
            return self.verdict if person or self.verdict != "no" else "no"

        return asyncio.run(self.gate.answer(caller, ask, id, {} if parameters is None else parameters, judge))


@pytest.fixture
def house(monkeypatch) -> House:
    return House(monkeypatch)


def test_what_is_done_is_the_table_and_the_checked_words(house) -> None:
    assert house.ask("run", "address.renew", {"interface": "eth0"})["ok"]
    ((commands, values),) = house.did
    assert filled_in(commands[0], values) == ("/usr/bin/nmcli", "--wait", "45", "device", "connect", "eth0")


@pytest.mark.parametrize("ask", [None, "", "RUN", "undo", 5, ["run"], {"run": 1}])
def test_only_three_questions_exist(house, ask) -> None:
    assert house.ask(ask, "dns.flush")["reason"] == "unknown-action"
    assert house.did == []


@pytest.mark.parametrize("id", [None, 5, [], {}, "dns", "dns.*", "dns.flush\0", "\udcff", "x" * 10_000])
def test_an_id_is_one_of_the_table_or_nothing(house, id) -> None:
    assert house.ask("run", id)["reason"] == "unknown-action"
    assert house.did == []


@pytest.mark.parametrize(
    "parameters", [[], "x", 5, [["interface", "eth0"]], {"interface": 5}, {"interface": ["eth0"]}, {5: "eth0"}]
)
def test_parameters_of_another_shape_are_refused(house, parameters) -> None:
    assert house.ask("run", "address.renew", parameters)["reason"] == "bad-parameter"
    assert house.did == []


def test_six_at_once_and_then_one_every_ten_seconds(house) -> None:
    told = [house.ask("run", "dns.flush")["reason"] for _ in range(8)]
    assert told == ["done"] * 6 + ["too-often"] * 2
    house.clock.now += 10.1
    assert [house.ask("run", "dns.flush")["reason"] for _ in range(2)] == ["done", "too-often"]
    assert (
        house.ask("run", "dns.flush", caller=Caller("1001"))["reason"] == "done"
    )  # somebody else's count is their own
    assert house.ask("plan", "dns.flush")["ok"]  # looking costs another count


def test_what_is_refused_a_thousand_times_is_two_lines_of_the_log(house) -> None:
    for _ in range(1000):
        house.ask("run", "dns.flush")
    assert len(house.lines) == 6 * 2 + 1  # each run begins and ends
    house.clock.now += 60
    house.ask("run", "dns.flush")
    assert "994 requests were refused" in house.lines[13]


def test_one_caller_has_two_at_once_and_all_together_eight(monkeypatch) -> None:
    house = House(monkeypatch)
    ids = house.ask("list")["ids"]
    values = {"interface": "eth0", "minutes": "5"}

    async def all_at_once(who) -> list[str]:
        go = asyncio.Event()

        async def carry_out(action, way, values):
            await go.wait()
            return True, action.done, ""

        async def judge(id, action, person):
            return "yes"

        monkeypatch.setattr(gates, "carry_out", carry_out)
        tasks = []
        for number, id in enumerate(ids):
            given_ = {name: values[name] for name in ACTIONS[id].parameters}
            tasks.append(asyncio.ensure_future(house.gate.answer(Caller(who(number)), "run", id, given_, judge)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go.set()
        return [told["reason"] for told in await asyncio.gather(*tasks)]

    mine = asyncio.run(all_at_once(lambda _: "1"))
    assert (mine[:2], mine[2]) == (["done"] * 2, "busy")
    assert asyncio.run(all_at_once(lambda number: f"S-1-5-{number}"))[:9] == ["done"] * 8 + ["busy"]


def test_a_thousand_users_are_not_kept_forever(house) -> None:
    for number in range(5000):
        house.ask("plan", "dns.flush", caller=Caller(str(number)))
    assert len(house.gate._accounts) <= gates.CALLERS_KEPT


def test_the_policy_is_asked_before_anybody_is(house) -> None:
    house.rules, house.verdict = ("printing.*",), "yes"
    assert house.ask("run", "dns.flush")["reason"] == "not-allowed"
    assert house.ask("list")["ids"] == ["printing.restart", "printing.clear"]
    house.rules = Untrusted("/etc/deskside/policy.d: somebody's")
    assert house.ask("run", "printing.restart")["reason"] == "not-allowed"
    assert house.ask("list")["ok"] is False
    assert house.did == []
    assert "somebody's" in house.lines[-1]


def test_who_may_not_does_not(house) -> None:
    house.verdict = "no"
    assert house.ask("run", "dns.flush")["reason"] == house.ask("plan", "dns.flush")["reason"] == "not-authorised"
    house.verdict = "asks"  # nobody gave a password
    assert house.ask("run", "dns.flush")["reason"] == "not-authorised"
    assert house.ask("plan", "dns.flush")["asks"] is True
    assert house.did == []


def test_a_plan_names_what_takes_it_back(house) -> None:
    plan = house.ask("plan", "restart.plan", {"minutes": "15"})
    assert plan["undo"] == "restart.cancel"
    assert "in 15 minutes" in plan["words"]


def test_without_the_programs_it_is_not_offered(monkeypatch) -> None:
    house = House(monkeypatch, missing={"shutdown", SYSTEMD, "/run/NetworkManager", "/run/network/ifstate"})
    assert house.ask("run", "restart.plan", {"minutes": "5"})["reason"] == "not-here"
    assert "restart.plan" not in house.ask("list")["ids"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_whatever_is_given_for_parameters_only_two_shapes_pass(given_) -> None:
    for kinds in ((), ("interface",), ("minutes",)):
        fits = (
            isinstance(given_, dict)
            and given_.keys() == set(kinds)
            and all(isinstance(one, str) for one in given_.values())
        )
        if not fits:
            with pytest.raises(Refused):
                checked(kinds, given_, interfaces=lambda: ("eth0",))


@given(st.text(max_size=12))
def test_minutes_are_a_number_between_one_and_a_day(text: str) -> None:
    try:
        values = checked(("minutes",), {"minutes": text}, interfaces=tuple)
    except Refused:
        return
    assert values["minutes"].isascii()
    assert 1 <= int(values["minutes"]) <= 1440
    assert int(values["seconds"]) == 60 * int(text)


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
@example("run\x7f", "x\r\n\x1b[2J", "\u2028\x00")
def test_a_line_of_the_log_is_one_line(ask: str, id: str, value: str) -> None:
    lines: list[str] = []
    gate = Gate(lines.append, exists=lambda _: True, rules=lambda: None)

    async def judge(id, action, person):
        return "no"

    asyncio.run(gate.answer(ANN, ask, id, {value: value, "more": id}, judge))
    (line,) = lines
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 5000
    assert line.startswith("user=1000 process=77 ")


def test_the_table_has_no_hole_that_is_not_a_parameter() -> None:
    for id, action in ACTIONS.items():
        assert set(action.parameters) <= {"interface", "minutes"}
        assert action.undo == "" or action.undo in ACTIONS
        assert {way.platform for way in action.ways} <= set(PLATFORMS)
        known = {"interface": {"{interface}"}, "minutes": {"{minutes}", "{seconds}"}}
        allowed = {hole for one in action.parameters for hole in known[one]}
        for way in action.ways:
            for command in (*way.commands, *((way.last,) if way.last else ())):
                assert not command[0].startswith("{"), id
                holes = {
                    f"{{{part.split('}')[0]}}}"
                    for word in command[1:]
                    for part in word.split("{")[1:]
                    if "deskside" not in word
                }
                assert holes <= allowed or "powershell" in command[0], (id, command)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_action_has_a_plan_where_it_has_a_way(monkeypatch, platform: str) -> None:
    house = House(monkeypatch, platform=platform)
    ids = house.ask("list")["ids"]
    for number, id in enumerate(ids):
        values = {"interface": "Wi-Fi 2" if platform == "win32" else "eth0", "minutes": "5"}
        plan = house.ask("plan", id, {name: values[name] for name in ACTIONS[id].parameters}, Caller(str(number)))
        assert plan["ok"], (id, plan)
        assert plan["words"][0].isupper()
        assert plan["words"].endswith(".")
    counts = {"linux": 13, "darwin": 12, "win32": 12}
    assert len(ids) == counts[platform], ids


def test_windows_gets_its_own_programs_and_quoted_names(monkeypatch) -> None:
    house = House(monkeypatch, platform="win32")
    assert house.ask("run", "adapter.restart", {"interface": "Wi-Fi 2"})["ok"]
    ((commands, values),) = house.did
    assert filled_in(commands[0], values)[-2:] == ("name=Wi-Fi 2", "admin=disabled")


def test_the_first_way_that_is_complete_is_taken() -> None:
    action = ACTIONS["clock.sync"]

    def way(*signs: str, missing: str = "") -> Way | None:
        return way_for(
            action,
            "linux",
            find=lambda name: None if name == missing else f"/usr/bin/{name}",
            exists=lambda p: p in signs,
        )

    assert way() is None
    assert way("/run/chrony").commands == (("/usr/bin/chronyc", "makestep"),)
    assert way("/run/chrony", "/run/systemd/timesync", SYSTEMD, missing="chronyc").commands[0][1] == "restart"
    assert way("/run/systemd/timesync") is None  # systemd is not in charge here


@pytest.mark.parametrize(
    ("id", "output", "good", "sentence"),
    [
        ("updates.install", "deskside:none", True, "No update was waiting."),
        ("updates.install", "...\ndeskside:restart\n", True, "The updates are installed. Restart to finish them."),
        ("updates.install", "No new software available.", True, "No update was waiting."),
        (
            "updates.install",
            "E: Could not get lock /var/lib/dpkg/lock",
            False,
            "Another installation is running. Try again later.",
        ),
        (
            "updates.install",
            "write error: No space left on device",
            False,
            "There is not enough space for the updates.",
        ),
        (
            "repair.system",
            "Windows Resource Protection did not find any integrity violations.",
            True,
            "No damage was found.",
        ),
        (
            "repair.system",
            "Windows Resource Protection found corrupt files but was unable to fix some of them.",
            False,
            "Some damaged files could not be repaired.",
        ),
        (
            "repair.system",
            "Windows Resource Protection found corrupt files and successfully repaired them.",
            True,
            "Damaged files of the system were found and repaired.",
        ),
        ("repair.system", "The volume disk1s1 appears to be OK.", True, "No damage was found."),
        (
            "repair.system",
            "The volume Macintosh HD was found to be corrupt and needs to be repaired.",
            False,
            "The disk has damage that it cannot repair while in use.",
        ),
        ("repair.image", "Error: 0x800f081f", False, "The files for the repair could not be found."),
    ],
)
def test_what_programs_say_becomes_one_sentence(id: str, output: str, good: bool, sentence: str) -> None:  # noqa: FBT001
    assert said(ACTIONS[id], output) == (good, sentence)


def doing(*commands, last=(), limit_s=20.0, says=()) -> Action:
    way = Way(sys.platform, commands, last=last)
    return Action(words="Do.", done="Done.", ways=(way,), limit_s=limit_s, says=says)


def carried_out(action: Action):
    return asyncio.run(carry_out(action, action.ways[0], {}))


@pytest.mark.skipif(sys.platform == "win32", reason="uses the programs of Unix")
class TestRunning:
    def test_commands_run_until_one_fails(self, tmp_path) -> None:
        mark = tmp_path / "mark"
        told = carried_out(doing(("/bin/echo", "one"), ("/bin/false",), ("/usr/bin/touch", str(mark))))
        assert told[:2] == (False, "The system could not do it.")
        assert "code=1 of /bin/false" in told[2]
        assert not mark.exists()

    def test_a_failure_that_does_not_count_does_not_count(self) -> None:
        assert carried_out(doing(("-/bin/false",), ("/bin/true",))) == (True, "Done.", "")

    def test_after_its_time_it_is_ended_with_all_it_has_started_and_the_last_command_runs(self, tmp_path) -> None:
        mark, child = tmp_path / "mark", tmp_path / "child"
        script = f"sleep 60 & echo $! > {child}; wait"
        began = time.monotonic()
        told = carried_out(doing(("/bin/sh", "-c", script), last=("/usr/bin/touch", str(mark)), limit_s=0.3))
        assert time.monotonic() - began < 30
        assert told[:2] == (False, "It took too long and was ended.")
        assert mark.exists()
        left = [one for one in psutil.process_iter() if one.pid == int(child.read_text())]
        assert all(one.status() == psutil.STATUS_ZOMBIE for one in left)

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # that it still runs is the point
    @pytest.mark.parametrize("apart", [False, True])
    def test_when_the_helper_is_told_to_end_only_what_must_not_be_broken_off_goes_on(self, tmp_path, apart) -> None:
        child, mark = tmp_path / "child", tmp_path / "mark"
        script = f"echo $$ > {child}.new; mv {child}.new {child}; exec sleep 60"
        way = Way(sys.platform, (("/bin/sh", "-c", script),), last=("/usr/bin/touch", str(mark)), apart=apart)

        async def told_to_end() -> None:
            task = asyncio.ensure_future(carry_out(doing(), way, {}))
            while not child.exists():  # noqa: ASYNC110 -- another process makes it
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(told_to_end())
        process = psutil.Process(int(child.read_text())) if psutil.pid_exists(int(child.read_text())) else None
        goes_on = process is not None and process.status() != psutil.STATUS_ZOMBIE
        if process is not None and goes_on:
            process.kill()
            process.wait(10)
        assert goes_on is apart
        assert mark.exists()

    def test_an_adapter_is_not_left_off_by_whoever_ends_the_script(self, tmp_path) -> None:
        off, on = tmp_path / "off", tmp_path / "on"
        command = _off_and_on(f'touch "{off}"; sleep 0.2', f'echo "$1" > "{on}"')
        with subprocess.Popen([*command[:-1], "eth0; reboot"]) as process:
            while not off.exists():
                time.sleep(0.01)
            process.terminate()
        assert on.read_text() == "eth0; reboot\n"

    def test_a_program_that_is_gone_is_a_sentence(self) -> None:
        assert carried_out(doing(("/nonexistent/program",)))[:2] == (False, "The system could not do it.")

    def test_a_program_that_prints_without_end_costs_no_memory(self) -> None:
        told = carried_out(doing(("/bin/sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x; echo THE END; exit 3")))
        assert told[2].endswith("THE END\n")
        assert len(told[2]) < 500

    def test_what_it_says_can_make_it_worse_but_not_better(self) -> None:
        says = (("lock", False, "Busy."), ("fine", True, "All fine."))
        assert carried_out(doing(("/bin/echo", "lock"), says=says))[:2] == (False, "Busy.")
        assert carried_out(doing(("/bin/echo", "fine"), says=says))[:2] == (True, "All fine.")
        broken = ("/bin/sh", "-c", "echo fine; exit 1")
        assert carried_out(doing(broken, says=says))[:2] == (False, "The system could not do it.")

    def test_the_last_command_failing_is_a_failure(self) -> None:
        assert carried_out(doing(("/bin/true",), last=("/bin/false",)))[0] is False

    def test_sixteen_bit_letters_are_read(self) -> None:
        text = "did not find".encode("utf-16-le").hex()
        code = f"import sys; sys.stdout.buffer.write(bytes.fromhex('{text}'))"
        told = carried_out(doing((sys.executable, "-c", code), says=(("did not find", True, "Read."),)))
        assert told[:2] == (True, "Read.")


def test_an_answer_can_be_written_as_json(house) -> None:
    for told in (
        house.ask("list"),
        house.ask("plan", "dns.flush"),
        house.ask("run", "dns.flush"),
        house.ask("run", "x"),
    ):
        assert json.loads(json.dumps(told)) == told
