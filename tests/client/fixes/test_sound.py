"""Sound: switched on, and its service started afresh; with a real PulseAudio on Linux, as plans elsewhere."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from client.errors import ActionFault
from client.fixes.actions import restart_audio, unmute
from client.fixes.machine import Completed, Local

STARTS_WITHIN_S = 20.0


class Sound:
    """A PulseAudio of its own with a loudspeaker and a microphone that lead nowhere."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PULSE_RUNTIME_PATH": str(folder),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
            "LC_ALL": "C",
        }
        self.environment.pop("PULSE_SERVER", None)
        words = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=yes"]
        for module in (
            f"module-native-protocol-unix socket={folder}/native",
            "module-null-sink sink_name=speaker",
            "module-null-source source_name=microphone",
        ):
            words += ["-L", module]
        self._process = subprocess.Popen(
            words, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.do("pactl", "info")

    def do(self, *words: str) -> str:
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=20, check=False)
            if done.returncode == 0:
                return done.stdout
            assert time.monotonic() < until, f"{words}: {done.stderr}"
            time.sleep(0.05)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="module")
def sound() -> Iterator[Sound]:
    if not shutil.which("pulseaudio"):
        pytest.skip("PipeWire takes PulseAudio's place on this computer, and both cannot be installed")
    folder = Path(tempfile.mkdtemp(prefix="ds-"))  # pytest's folders are too long for a socket
    made = Sound(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def here(sound: Sound, tmp_path: Path) -> Local:
    machine = Local(state=tmp_path / "state")
    machine.environment = sound.environment
    return machine


def plan(action, machine, option=""):
    return asyncio.run(action.plan(option, machine))


def execute(action, machine, step, option=""):
    assert action.accepts(step, option, machine) == ""
    return asyncio.run(action.execute(step, machine, lambda _: None))


@pytest.mark.parametrize(
    ("option", "kind", "name"),
    [("output", "sink", "sound"), ("input", "source", "microphone")],
)
def test_what_is_muted_is_switched_on_and_undo_mutes_it_again(
    sound: Sound, here: Local, option: str, kind: str, name: str
) -> None:
    default = f"@DEFAULT_{kind.upper()}@"
    sound.do("pactl", f"set-{kind}-volume", default, "70%")
    sound.do("pactl", f"set-{kind}-mute", default, "1")
    (step,) = plan(unmute, here, option).steps
    assert step.details == ("Now it is muted, at 70 %.",)
    assert execute(unmute, here, step, option) == f"Your {name} is on, at 70 %."
    assert sound.do("pactl", f"get-{kind}-mute", default).strip() == "Mute: no"
    asyncio.run(unmute.undo(unmute.undo_of(step), here))
    assert sound.do("pactl", f"get-{kind}-mute", default).strip() == "Mute: yes"


def test_what_is_turned_down_to_nothing_is_turned_up(sound: Sound, here: Local) -> None:
    sound.do("pactl", "set-sink-mute", "@DEFAULT_SINK@", "0")
    sound.do("pactl", "set-sink-volume", "@DEFAULT_SINK@", "0%")
    (step,) = plan(unmute, here, "output").steps
    assert execute(unmute, here, step, "output") == "Your sound is on, at 50 %."
    assert "50%" in sound.do("pactl", "get-sink-volume", "@DEFAULT_SINK@")
    assert "is on, at 50 %" in plan(unmute, here, "output").refused
    asyncio.run(unmute.undo(unmute.undo_of(step), here))
    assert " 0%" in sound.do("pactl", "get-sink-volume", "@DEFAULT_SINK@")


def test_without_a_sound_service_it_is_said(machine) -> None:
    machine.installed = {"pactl"}
    machine.answers["pactl",] = Completed(code=1, err="Connection refused")
    assert "no sound service answers" in plan(unmute, machine, "output").refused
    assert "No sound service that Deskside knows" in plan(restart_audio, machine).refused


def test_on_a_mac_the_volume_is_set_by_its_own_words(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "darwin")
    machine.installed = {"osascript"}
    told = ["output volume:38, input volume:50, alert volume:100, output muted:true"]
    machine.answers["osascript", "-e", "get volume settings"] = lambda: Completed(code=0, out=told[0])
    machine.answers["osascript", "-e", "set volume output volume 38 output muted false"] = lambda: (
        told.__setitem__(0, told[0].replace("true", "false")) or Completed(code=0)
    )
    (step,) = plan(unmute, machine, "output").steps
    assert execute(unmute, machine, step, "output") == "Your sound is on, at 38 %."


def test_on_windows_the_settings_are_the_way(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "win32")
    assert "sound settings" in plan(unmute, machine, "input").refused
    assert plan(restart_audio, machine).refused == restart_audio.SYSTEMS


@pytest.mark.parametrize("change", [{"percent": "1000"}, {"percent": "x"}, {"muted": "perhaps"}, {"what": "input"}])
def test_a_step_that_was_changed_is_not_accepted(machine, change) -> None:
    step = unmute._step("output", muted=True, percent=40)
    assert unmute.accepts(step, "output", machine) == ""
    changed = msgspec.structs.replace(step, parameters={**step.parameters, **change})
    assert unmute.accepts(changed, "output", machine)


def test_pipewire_is_restarted_by_its_units_and_looked_at_again(machine) -> None:
    machine.installed = {"systemctl"}
    machine.answers["systemctl", "--user", "list-units"] = (
        "pipewire.service loaded active running PipeWire\nwireplumber.service loaded failed failed Session\n"
    )
    (step,) = plan(restart_audio, machine).steps
    assert "is restarted" in execute(restart_audio, machine, step)
    assert ("systemctl", "--user", "restart", "pipewire.service", "wireplumber.service") in machine.ran
    machine.answers["systemctl", "--user", "restart"] = Completed(code=1)
    with pytest.raises(ActionFault, match="did not come back"):
        execute(restart_audio, machine, step)
    strange = msgspec.structs.replace(step, parameters={"units": "ssh.service"})
    assert restart_audio.accepts(strange, "", machine)


def test_pulseaudio_without_systemd_is_ended_and_started(machine) -> None:
    machine.installed = {"pulseaudio"}
    machine.running = {"pulseaudio"}
    (step,) = plan(restart_audio, machine).steps
    execute(restart_audio, machine, step)
    assert machine.ran[-2:] == [("pulseaudio", "--kill"), ("pulseaudio", "--start")]
