"""The policy of IT never falls open: whatever is done to its folder, it is obeyed or nothing is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.netlab

OPEN = '[fixes]\nprivileged = ["*"]\n'
CLOSED = '[fixes]\nprivileged = ["clock.*"]\n'


def asked(lab) -> tuple[str, str]:
    """What a user and what root are told."""
    return tuple(lab.one(user, 'ask("Plan", "dns.flush")[1]') for user in ("nobody", "root"))


def folder(lab) -> Path:
    return lab.root / "etc/deskside/policy.d"


def test_without_a_policy_polkit_alone_decides(lab) -> None:
    assert asked(lab) == ("done", "done")
    lab.policy('[desk]\nkind = "demo"\n')
    assert asked(lab) == ("done", "done")


def test_a_policy_is_obeyed_from_the_next_request_on(lab) -> None:
    lab.policy(CLOSED)
    assert asked(lab) == ("not-allowed", "not-allowed")
    lab.policy(OPEN)
    assert asked(lab) == ("done", "done")
    lab.policy(f"[defaults.fixes]\nprivileged = []\n{OPEN}")
    assert asked(lab) == ("done", "done")  # what is locked wins over a default


def test_the_later_file_wins(lab) -> None:
    lab.policy(OPEN, name="10-first.toml")
    (folder(lab) / "90-last.toml").write_text(CLOSED)
    (folder(lab) / "95-note.txt").write_text(OPEN)
    (folder(lab) / ".99-hidden.toml").write_text(OPEN)
    assert asked(lab) == ("not-allowed", "not-allowed")


def group_may_write(lab) -> None:
    (folder(lab) / "50-test.toml").chmod(0o664)


def folder_is_everybodys(lab) -> None:
    folder(lab).chmod(0o777)


def folder_above_is_somebodys(lab) -> None:
    os.chown(folder(lab).parent, 65534, 65534)


def file_is_somebodys(lab) -> None:
    os.chown(folder(lab) / "50-test.toml", 65534, 65534)


def file_is_a_link(lab) -> None:
    (folder(lab) / "50-test.toml").rename(lab.root / "etc/deskside/elsewhere")
    (folder(lab) / "50-test.toml").symlink_to("/etc/deskside/elsewhere")


def link_to_nothing(lab) -> None:
    (folder(lab) / "60-more.toml").symlink_to("/nonexistent")


def folder_is_a_link(lab) -> None:
    folder(lab).rename(folder(lab).with_name("other"))
    folder(lab).symlink_to("/etc/deskside/other")


def file_has_a_second_name(lab) -> None:
    (lab.root / "etc/second-name").unlink(missing_ok=True)
    (lab.root / "etc/second-name").hardlink_to(folder(lab) / "50-test.toml")


def a_pipe(lab) -> None:
    os.mkfifo(folder(lab) / "60-pipe.toml")


def a_folder_of_that_name(lab) -> None:
    (folder(lab) / "60-folder.toml").mkdir()


def not_toml(lab) -> None:
    (folder(lab) / "50-test.toml").write_text("[fixes\nprivileged = everything")


def not_text(lab) -> None:
    (folder(lab) / "50-test.toml").write_bytes(b"\xff\xfe\x00" * 10)


def far_too_large(lab) -> None:
    (folder(lab) / "50-test.toml").write_text(f"{OPEN}# {'x' * 300_000}\n")


def nested_too_deeply(lab) -> None:
    (folder(lab) / "50-test.toml").write_text(f"x = {'[' * 50_000}")


def a_word_and_no_list(lab) -> None:
    (folder(lab) / "50-test.toml").write_text('[fixes]\nprivileged = "*"\n')


def a_list_of_numbers(lab) -> None:
    (folder(lab) / "50-test.toml").write_text("[fixes]\nprivileged = [1, 2]\n")


@pytest.mark.parametrize(
    "harm",
    [
        group_may_write,
        folder_is_everybodys,
        folder_above_is_somebodys,
        file_is_somebodys,
        file_is_a_link,
        link_to_nothing,
        folder_is_a_link,
        file_has_a_second_name,
        a_pipe,
        a_folder_of_that_name,
        not_toml,
        not_text,
        far_too_large,
        nested_too_deeply,
        a_word_and_no_list,
        a_list_of_numbers,
    ],
    ids=lambda harm: harm.__name__,
)
def test_a_policy_that_cannot_be_trusted_allows_nothing(machine_inside, harm) -> None:
    machine_inside.policy(OPEN)
    assert read(machine_inside) == "('*',)"
    harm(machine_inside)
    assert read(machine_inside).startswith("Untrusted: /etc/deskside/policy.d")


def read(lab) -> str:
    code = (
        "from client.helper import policy\n"
        "try: print(policy.allowed())\n"
        "except policy.Untrusted as error: print('Untrusted:', ascii(str(error)).strip('\"\\''))"
    )
    return lab.enter(*lab.command[:3], "-c", code).stdout.strip()


def test_an_untrusted_policy_is_said_to_the_caller_and_to_the_log(lab) -> None:
    lab.policy(OPEN)
    group_may_write(lab)
    words = "The policy of this computer cannot be read, so nothing is allowed."
    assert lab.one("root", 'ask("Run", "dns.flush")') == [False, "not-allowed", words]
    assert "50-test.toml: others than the administrator could have written it" in lab.log()
    assert lab.recorded("nscd") == ""


SWAP = """
import os, threading, time
from client.helper import policy
place = "/etc/deskside/policy.d/50-test.toml"
os.symlink("/etc/deskside/open", "/etc/deskside/link")
ended = False
def swap():
    while not ended:
        for source in ("closed", "link", "closed", "others"):
            if source == "link": os.symlink("/etc/deskside/open", "/etc/deskside/new")
            else:
                with open(f"/etc/deskside/{source}") as file: text = file.read()
                with open("/etc/deskside/new", "w") as file: file.write(text)
                if source == "others": os.chown("/etc/deskside/new", 65534, 65534)
            os.replace("/etc/deskside/new", place)
thread = threading.Thread(target=swap); thread.start()
seen = {}
ends = time.monotonic() + 20
while time.monotonic() < ends and (len(seen) < 2 or min(seen.values()) < 200):
    try: said = policy.allowed()
    except policy.Untrusted: said = "untrusted"
    seen[said] = seen.get(said, 0) + 1
ended = True; thread.join()
print(sorted(map(str, seen)), min(seen.values()))
"""


def test_swapped_while_it_is_read_it_is_never_the_wrong_one(lab) -> None:
    lab.policy(CLOSED)
    for name, text in (("open", OPEN), ("closed", CLOSED), ("others", OPEN)):
        (lab.root / "etc/deskside" / name).write_text(text)
    done = lab.enter(*lab.command[:3], "-c", SWAP)
    assert done.stdout.strip() == "[\"('clock.*',)\", 'untrusted'] 200", done.stderr
