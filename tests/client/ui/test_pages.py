"""Home, help, fixes, device and settings, used as an employee uses them: with the real widgets, through the real bridge."""

from __future__ import annotations

from pathlib import Path

import msgspec
from fake_app import ARTICLES, CABLE, DISK, DNS, FakeApp, report
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QFileDialog, QTextBrowser, QWidget

from client.errors import DeskUnreachable, SignInNeeded
from client.model import FixResult
from client.platform import autostart
from client.settings.layers import Loaded, Origin
from client.ui.widgets.banner import Toast
from client.ui.widgets.chain import Chain
from client.ui.widgets.problem import ProblemCard

# --- home


def test_a_fresh_installation_says_what_it_is_for_and_offers_the_check(look) -> None:
    eye = look(FakeApp.empty())
    eye.sees("This computer has not been checked yet")
    eye.sees("It fixes what can be fixed, and proves it")
    assert eye.button("Check now").isEnabled()


def test_a_check_shows_what_is_looked_at_and_ends_with_the_cause(look) -> None:
    app = FakeApp.empty()
    app.next_report = report(DNS, DISK)
    app.pause_s = 0.02
    eye = look(app)
    eye.press("Check now")
    eye.sees("Looking at this computer")
    eye.sees("Looking at dns")
    eye.sees("The problem is on the way to the internet")
    eye.sees("The name server does not answer")
    cards = [one for one in eye.window.findChildren(ProblemCard) if one.isVisible()]
    assert len(cards) == 2
    eye.sees("2 things found.")
    eye.sees_not("It fixes what can be fixed")


def test_a_check_can_be_stopped_and_the_last_result_stays(look) -> None:
    app = FakeApp.filled()
    app.pause_s = 0.2
    app.next_report = report()
    eye = look(app)
    eye.press("Check again")
    eye.press("Stop")
    eye.sees("The name server does not answer")
    eye.until(lambda: not app.checking)
    assert app.report.diagnosis[0] == DNS


def test_a_check_that_fails_is_said_calmly_and_nothing_is_lost(look) -> None:
    app = FakeApp.failing()
    eye = look(app)
    eye.press("Check again")
    eye.sees("The check could not be carried out.")
    eye.sees("The network cable is not connected")


def test_offline_says_that_tickets_are_kept(look) -> None:
    eye = look(FakeApp.failing())
    eye.sees("kept on this computer and sent when you are online again")
    eye.sees("Messages that wait to be sent: 1")


def test_a_healthy_computer_shows_what_was_looked_at(look) -> None:
    eye = look(FakeApp.healthy())
    eye.sees("Everything looks fine")
    eye.sees("Both name servers answer.")


def test_only_the_first_cause_is_loud_and_its_fix_comes_first(look) -> None:
    eye = look(FakeApp.filled())
    eye.button("Forget old names")
    loud = [
        one for one in eye.window.findChildren(QAbstractButton) if one.isVisible() and one.property("kind") == "primary"
    ]
    assert [one.text() for one in loud] == ["Forget old names"]


def test_details_unfold_evidence_consequences_and_numbers(look) -> None:
    eye = look(FakeApp.filled())
    eye.sees_not("What it explains")
    eye.press("Show details")
    eye.sees("What shows it")
    eye.sees("What it explains")
    eye.sees("Deskside is 97 % sure. For IT: dns.unreachable 10.20.0.53")


def test_the_picture_tells_a_screen_reader_the_same(look) -> None:
    eye = look(FakeApp.filled())
    chain = eye.window.findChild(Chain)
    assert "Internet: here is the problem" in chain.accessibleName()


def test_a_cause_leads_to_its_fix_its_article_and_its_ticket(look) -> None:
    app = FakeApp.filled()
    eye = look(app)
    eye.press("Forget old names")
    assert (eye.window.here, eye.window.page.id) == ("fix", "fix")
    eye.window.back()
    eye.press("Read what helps: The name server does not answer")
    eye.sees("Web pages are not found although the network works")
    eye.window.back()
    eye.press("Report to IT: The name server does not answer")
    assert eye.window.here == "compose"


def test_a_cause_without_fix_and_article_is_for_it(look) -> None:
    app = FakeApp.empty()
    app.report = report(msgspec.structs.replace(DNS, fixes=("no.such_fix",), articles=()))
    eye = look(app)
    button = eye.button("Report to IT: The name server does not answer")
    assert button.property("kind") == "primary"


def test_contact_details_and_the_computers_name_are_there_without_a_network(look) -> None:
    eye = look(FakeApp.failing())
    eye.sees("+44 20 7946 0000")
    eye.sees("This computer is called")


# --- help


def test_results_come_while_one_types_and_the_field_keeps_the_words(look, qtbot) -> None:
    eye = look(FakeApp.empty())
    with qtbot.waitActive(eye.window):
        eye.window.activateWindow()
    eye.window.focus_search()
    qtbot.keyClicks(eye.window.search, "printer")
    eye.sees("Help for “printer”")
    eye.sees("The printer does not print")
    eye.sees_not("All articles")
    assert eye.window.search.text() == "printer"
    assert eye.window.search.hasFocus()
    assert [page for page, _ in eye.window._history].count("articles") == 1


def test_when_nothing_fits_it_says_so_and_offers_it(look, qtbot) -> None:
    app = FakeApp.empty()
    eye = look(app)
    qtbot.keyClicks(eye.window.search, "zzzz")
    eye.sees("No article fits this")
    eye.press("Report it to IT")
    assert eye.window.here == "compose"
    draft = eye.window._history[-1][1]
    assert draft.words == "zzzz"


def test_without_words_help_suggests_what_fits_the_last_check(look) -> None:
    eye = look(FakeApp.filled(), "articles")
    eye.sees("For what the last check found")
    eye.sees("All articles")


def test_an_empty_library_is_said(look) -> None:
    app = FakeApp.empty()
    app.articles_here = ()
    look(app, "articles").sees("There are no articles on this computer.")


def test_an_article_reads_like_its_markdown_and_loads_nothing(look) -> None:
    eye = look(FakeApp.empty(), "article", "dns-name-lookup")
    eye.sees("What to do")
    body = eye.window.page.findChild(QTextBrowser)
    assert "tracker.example.com" not in body.toHtml()
    assert body.loadResource(2, "https://tracker.example.com/pixel.png") is None


def test_a_link_shows_where_it_goes_and_opens_only_on_a_yes(look, monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("client.ui.page.open_url", opened.append)
    eye = look(FakeApp.empty(), "article", "dns-name-lookup")
    eye.sees("What to do")
    eye.window.page.findChild(QTextBrowser).followed.emit("https://www.example.com/")
    eye.sees("Open this in your browser?")
    eye.sees("https://www.example.com/")
    assert opened == []
    eye.press("Open")
    assert opened == ["https://www.example.com/"]


def test_a_link_to_another_article_opens_it_here(look) -> None:
    from PySide6.QtCore import QUrl

    eye = look(FakeApp.empty(), "article", "dns-name-lookup")
    eye.sees("What to do")
    eye.window.page.findChild(QTextBrowser).anchorClicked.emit(QUrl("article:disk-full"))
    eye.sees("The disk is full")
    eye.sees_not("Open this in your browser?")


def test_an_article_offers_its_fix_and_asks_whether_it_helped(look) -> None:
    eye = look(FakeApp.filled(), "article", "disk-full")
    assert eye.button("Free disk space").isVisible()
    eye.press("Yes, this helped")
    eye.sees("Good to hear.")
    eye.press("No, tell IT")
    assert "The disk is full" in eye.window._history[-1][1].words


def test_an_article_that_is_gone_says_so(look) -> None:
    look(FakeApp.empty(), "article", "no-such-article").sees("This article is not there any more")


def test_a_first_heading_that_repeats_the_title_is_left_out() -> None:
    from client.ui.pages.article import readable

    article = msgspec.structs.replace(ARTICLES[0], title="Sound", body="# Sound\n\nText ![a plug](plug.png)")
    assert readable(article) == "\nText a plug"


# --- fixes


def test_a_fix_shows_its_plan_asks_and_proves(look) -> None:
    app = FakeApp.filled()
    eye = look(app, "fix", "disk.free_space")
    eye.sees("~/.cache/pip  1.2 GB")
    eye.sees("This cannot be undone.")
    assert app.said == []
    eye.press("Go ahead and free 2.4 GB")
    eye.sees("That helped")
    eye.sees("Only 1.8 GB are free.")
    eye.sees("4.2 GB are free.")
    assert [what for what, _ in app.said] == ["fix"]


def test_a_fix_that_did_not_help_goes_into_the_ticket(look) -> None:
    app = FakeApp.filled()
    app.fix_result = FixResult.NO_CHANGE
    eye = look(app, "fix", "disk.free_space")
    eye.press("Go ahead and free 2.4 GB")
    eye.sees("Done, but the problem is still there")
    eye.press("Report to IT")
    draft = eye.window._history[-1][1]
    assert draft.tried[0].fix == "disk.free_space"


def test_a_fix_can_be_taken_back_where_that_is_possible(look) -> None:
    app = FakeApp.filled()
    eye = look(app, "fix", "dns.flush_cache")
    eye.press("Go ahead")
    eye.press("Undo this fix")
    eye.sees("Put back as it was")
    assert app.said[-1][0] == "undo"


def test_a_fix_that_is_not_possible_says_why_and_offers_no_yes(look) -> None:
    eye = look(FakeApp.filled(), "fix", "network.reconnect")
    eye.sees("This account may not switch network connections on this computer.")
    assert not [one for one in eye.window.findChildren(QAbstractButton) if one.isVisible() and one.text() == "Go ahead"]


def test_a_fix_that_fails_says_what_to_do(look) -> None:
    app = FakeApp.filled()
    app.fix_result = FixResult.FAILED
    eye = look(app, "fix", "disk.free_space")
    eye.press("Go ahead and free 2.4 GB")
    eye.sees("A file was in use and could not be deleted. Close your programs, then try again.")
    eye.press("Look again at what would change")
    eye.sees("What will happen")


def test_a_fix_that_does_not_exist_is_said(look) -> None:
    look(FakeApp.filled(), "fix", "no.such_fix").sees("There is no fix called no.such_fix.")


def test_a_running_fix_is_shown_when_one_comes_back(look) -> None:
    app = FakeApp.filled()
    app.pause_s = 0.3
    eye = look(app, "fix", "disk.free_space")
    eye.press("Go ahead and free 2.4 GB")
    eye.window.go("home")
    eye.window.go("fix", "dns.flush_cache")
    eye.sees("Delete temporary files that are older than a day")
    eye.sees("That helped")


# --- this computer, settings


def test_facts_are_shown_copied_and_long_lists_folded(look) -> None:
    eye = look(FakeApp.filled(), "device")
    eye.sees("Latitude 5440")
    eye.sees_not("Program-1 1.2")
    eye.press("Copy all facts")
    assert "Model: Latitude 5440" in QGuiApplication.clipboard().text()
    eye.sees("Copied")


def test_before_the_first_check_the_device_page_offers_it(look) -> None:
    app = FakeApp.empty()
    eye = look(app, "device")
    eye.sees("Nothing is known about this computer yet")
    app.next_report = report()
    eye.press("Check now")
    eye.sees("Latitude 5440")


def test_the_report_is_saved_as_a_ticket_would_carry_it(look, monkeypatch, tmp_path: Path) -> None:
    target = tmp_path / "mine.html"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), "Web page (*.html)"))
    eye = look(FakeApp.filled(), "device")
    eye.press("Save report…")
    eye.sees("Saved")
    assert target.read_bytes() == b"<!doctype html><title>Report</title>"


def test_a_report_that_cannot_be_saved_says_what_to_do(look, monkeypatch, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "mine.html"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), "Web page (*.html)"))
    eye = look(FakeApp.filled(), "device")
    eye.press("Save report…")
    eye.sees("Choose another folder.")


def test_settings_say_who_one_is_and_sign_out(look) -> None:
    app = FakeApp.filled()
    eye = look(app, "settings")
    eye.sees("You are signed in as alex.morgan@example.com.")
    eye.press("Sign out")
    eye.sees("You are signed out")
    assert app.said == [("sign_out", None)]


def test_settings_ask_for_the_token_where_it_is_missing(look) -> None:
    app = FakeApp.filled()
    app.error = SignInNeeded("The help desk does not know you yet.")
    look(app, "settings").sees("Please sign in to the help desk")


def test_settings_say_that_the_desk_is_out_of_reach(look) -> None:
    app = FakeApp.filled()
    app.error = DeskUnreachable("The help desk cannot be reached from here.")
    look(app, "settings").sees("The help desk cannot be reached from here.")


def test_settings_show_what_it_has_decided_and_what_is_wrong(look) -> None:
    app = FakeApp.filled()
    app.settings = Loaded(
        values=app.settings.values,
        origins={"desk.url": Origin(locked=True)},
        problems=("settings.toml: desk.urll is unknown. Did you mean desk.url?",),
    )
    eye = look(app, "settings")
    eye.sees("https://help.example.com (set by IT)")
    eye.sees("Did you mean desk.url?")


def test_starting_with_the_session_is_one_tick(look) -> None:
    eye = look(FakeApp.filled(), "settings")
    box = eye.window.page.findChild(QCheckBox)
    assert not box.isChecked()
    box.click()
    assert autostart.is_enabled()
    box.click()
    assert not autostart.is_enabled()


def test_a_notice_goes_by_itself_but_a_question_stays(look, qtbot, monkeypatch) -> None:
    monkeypatch.setattr("client.ui.widgets.banner.TOAST_MS", 30)
    eye = look(FakeApp.filled(), "device")
    eye.press("Copy all facts")
    toast = eye.window.findChild(Toast)
    eye.until(lambda: not toast.isVisible())
    eye.window.shell.open_link("https://www.example.com/")
    assert toast.isVisible()
    assert isinstance(eye.window.focusWidget(), QWidget)
    assert eye.window.focusWidget().text() == "Open"


def test_a_cable_that_is_out_breaks_the_picture_at_the_network(look) -> None:
    app = FakeApp.empty()
    app.report = report(CABLE)
    chain = look(app).window.findChild(Chain)
    assert [link.name for link in chain.links if link.health == "problem"] == ["Network"]
