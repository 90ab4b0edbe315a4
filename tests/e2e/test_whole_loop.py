"""The whole loop on a real desktop, in both kinds of tray: click, check, read, repair, report, and the agent's answer.

One test, because the answers of both desktops arrive while the other one is being worked: asking the help desk has its pace.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
from deskside_desktop import Employee
from desktop import wait_until
from PySide6.QtGui import QColor, QImage
from webdriver import browser

from client.demo.launch import start
from client.outbox.store import Outbox

pytestmark = [pytest.mark.desktop, pytest.mark.slow]

WORDS = "The invoice of Tuesday does not print."
ANSWER = "We have restarted the print server. **Please try again.**"
SHOWN = "We have restarted the print server. Please try again."  # as the conversation renders it
COLOUR = "#00c8ff"
# what the employee wants to show: a window in a colour of its own, where the pointer is not
SIGHT = f"""
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
sight = QWidget(None, Qt.WindowType.BypassWindowManagerHint)
sight.setStyleSheet("background: {COLOUR}")
sight.setGeometry(20, 700, 200, 120)
sight.show()
app.exec()
"""


def repair(employee: Employee) -> None:
    """Empties the trash by way of the article about full disks; the file must be gone, and nothing of this machine touched."""
    thrown = employee.trash("old.iso", b"x" * 400_000)
    plan = employee.command("fix", "plan", "disk.empty_trash")["plan"]
    places = {step["parameters"]["trash"] for step in plan["steps"]}
    assert places == {str(employee.desktop.folder / "data" / "Trash")}, (
        "this machine has a trash of its own; not emptied"
    )
    employee.read_article("disk is full", "Disk is full or low on storage space")
    employee.hands.press("Empty the trash")
    employee.hands.text("This cannot be undone.")
    assert thrown.exists()
    employee.hands.press("Go ahead")
    employee.hands.see("Back to the overview", deadline_s=60)
    assert not thrown.exists()


def report(employee: Employee, token: str) -> str:
    """Writes a ticket with a picture of the screen, looks at it, sends it, signs in; gives the ticket's id."""
    hands = employee.hands
    employee.go_to_form()
    hands.write("What were you doing, and what happened?", WORDS)
    hands.press("Picture of the screen", exact=True)
    hands.press("Done with the picture")
    hands.text("Saved on this computer. Nothing has been sent yet.")
    hands.press("Look at it and send")
    shown = hands.see("Text of the ticket")
    assert WORDS in shown.text
    hands.press("Send the ticket")
    employee.sign_in(token)
    hands.text("The help desk has it.")
    (entry,) = [one for one in employee.command("outbox", "list")["outbox"] if one["state"] == "sent"]
    # the preview was the payload, and the payload is what was kept
    kept = Outbox(employee.desktop.folder / "data" / "deskside" / "outbox.sqlite3").payload(entry["id"])
    assert kept.body == shown.text
    return str(entry["ticket"]["id"])


def seen_by_agent(employee: Employee, desk, ticket_id: str) -> None:
    """The ticket on the agent's side holds what was kept here, byte for byte, and the picture shows what the employee saw."""
    ticket = desk.agent_ticket(ticket_id)
    store = Outbox(employee.desktop.folder / "data" / "deskside" / "outbox.sqlite3")
    (entry,) = [one for one in store.entries() if one.ticket is not None and one.ticket.id == ticket_id]
    kept = store.payload(entry.id)
    store.close()
    assert ticket.body.replace("\r\n", "\n") == kept.body
    digest = {one.name: hashlib.sha256(one.data).hexdigest() for one in kept.attachments}
    assert {one.name: hashlib.sha256(one.data).hexdigest() for one in ticket.attachments} == digest
    assert {"report.json", "report.html", "summary.txt", "screen.png"} <= set(digest)
    data = next(one.data for one in ticket.attachments if one.name == "screen.png")
    picture = QImage()
    assert picture.loadFromData(data, "PNG")
    assert (picture.width(), picture.height()) == (1280, 900)
    assert picture.pixelColor(120, 760) == QColor(COLOUR)
    tried = next(one.data for one in ticket.attachments if one.name == "report.json")
    assert "disk.empty_trash" in tried.decode()
    assert json.loads(tried)["schema"] == 1


def seen_in_browser(employee: Employee, desk, ticket_id: str, picture: Path) -> None:
    """The agent's page of the ticket in a real browser: it renders, without an error of its own, and names the files."""
    ticket = desk.agent_ticket(ticket_id)
    with browser(employee.desktop) as page:
        page.open(desk.agent_url)
        page.fill("input[name=username]", desk.agent_user)
        page.fill("input[name=password]", desk.agent_password)
        page.press("[type=submit]")
        wait_until("the agent to be let in", lambda: "login" not in page.address and "All Tickets" in page.text())
        page.open(ticket.url)
        assert page.address.rstrip("/") == ticket.url.rstrip("/")
        text = page.text()
        assert WORDS in text
        for one in ticket.attachments:
            assert one.name in text
        page.picture(picture)


def answered(employee: Employee, picture: Path) -> None:
    """The agent's answer arrives as a notification; a click on it opens the conversation."""
    hands = employee.hands
    shown = wait_until("the notification", hands.notifications, deadline_s=120)
    assert SHOWN.split(".", maxsplit=1)[0] in shown[-1].body
    hands.notification_window()
    employee.desktop.screenshot(picture)
    hands.keys("ctrl+1")
    hands.see("Report a problem", role="push button")
    hands.click_notification()
    hands.text(SHOWN)


def replied(employee: Employee, desk, ticket_id: str) -> None:
    """The employee's reply reaches the agent, once."""
    hands = employee.hands
    hands.write("Your reply", "It prints again, thank you.")
    hands.press("Send reply")
    wait_until("the reply at the help desk", lambda: "It prints again, thank you." in desk.agent_ticket(ticket_id).text)
    hands.gone("Will be sent")
    assert desk.agent_ticket(ticket_id).text.count("It prints again, thank you.") == 1


def test_click_check_repair_report_and_the_answer(make_employee, tmp_path):
    pictures = Path(os.environ.get("TEST_PICTURES", tmp_path))
    with start(tmp_path / "desk") as desk:
        employees = [make_employee(desk=desk, tray=tray) for tray in ("xembed", "sni")]
        tickets = {}
        for employee, token in zip(employees, (desk.token, desk.colleague_token), strict=True):
            tray = employee.desktop.tray
            employee.desktop.spawn("sight", [sys.executable, "-c", SIGHT])
            employee.start()
            employee.open_from_tray()
            employee.check()
            employee.desktop.screenshot(pictures / f"{tray}-checked.png")
            repair(employee)
            tickets[tray] = report(employee, token)
            employee.desktop.screenshot(pictures / f"{tray}-sent.png")
            seen_by_agent(employee, desk, tickets[tray])
            desk.agent_reply(tickets[tray], ANSWER)
        seen_in_browser(employees[0], desk, tickets["xembed"], pictures / "agent.png")
        for employee in employees:
            answered(employee, pictures / f"{employee.desktop.tray}-answered.png")
            employee.desktop.screenshot(pictures / f"{employee.desktop.tray}-conversation.png")
        replied(employees[0], desk, tickets["xembed"])
