"""What the window notes of what helped, where it shows it, and the help desk's own articles in the search."""

from __future__ import annotations

from fake_app import FakeApp

from client.model import Article

ORDER = Article(id="desk-1", title="Order a screen", summary="How to.", body="Ask.", source="help.example.com")


def test_the_answer_of_an_article_is_noted_once_given(look) -> None:
    app = FakeApp.filled()
    noted = app.guidance.learning.noted
    eye = look(app, "article", "dns-name-lookup")
    eye.press("Yes, this helped")
    eye.until(lambda: noted == [("dns-name-lookup", "yes")])
    eye.press("No, tell IT")
    eye.until(lambda: noted[1:] == [("dns-name-lookup", "no")])


def test_a_search_without_a_result_is_noted_when_it_is_given_up(look, qtbot) -> None:
    app = FakeApp.filled()
    noted = app.guidance.learning.noted
    eye = look(app, "articles", "qqq")
    eye.sees("No article fits this")
    eye.window.go("articles", "qqq zzz")
    eye.sees("qqq zzz")
    eye.until(lambda: not eye.window.shell.bridge.busy)
    assert noted == []
    eye.window.go("home")
    eye.until(lambda: noted == [("qqq zzz", "nothing_fits")])


def test_the_help_desks_articles_come_after_ours_and_only_for_whole_words(look) -> None:
    app = FakeApp.filled()
    app.desk_articles_here = (ORDER,)
    eye = look(app, "articles", "pr")
    eye.window.go("articles", "printer")
    eye.sees("From help.example.com")
    eye.sees("Order a screen")
    assert [words for what, words in app.said if what == "desk_articles"] == ["printer"]
    eye.window.go("articles", None)
    eye.sees_not("Order a screen")


def test_the_employee_sees_what_was_noted_and_has_it_forgotten(look) -> None:
    app = FakeApp.filled()
    app.guidance.learning.noted += [("printer", "yes"), ("blank", "nothing_fits")]
    eye = look(app, "settings")
    eye.sees("Searches that found nothing: 1")
    eye.sees("It stays on this computer.")
    eye.press("Forget it")
    eye.sees("Nothing was noted yet.")
    assert app.guidance.learning.noted == []
