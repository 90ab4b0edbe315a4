"""Fixes that leave a choice: only what was chosen is done."""

from __future__ import annotations

from fake_app import FakeApp


def test_where_the_employee_chooses_only_the_chosen_is_done(look) -> None:
    app = FakeApp.filled()
    eye = look(app, "fix", "files.find_large")
    eye.sees("Choose what shall happen")
    assert not eye.button("Go ahead").isEnabled()
    eye.press("old-machine.iso  4.1 GB")
    eye.press("export.csv  1.2 GB")
    eye.press("Go ahead and free 5.3 GB")
    eye.sees("That helped")
    ((_, plan),) = app.said
    assert [step.words for step in plan.steps] == ["old-machine.iso  4.1 GB", "export.csv  1.2 GB"]


def test_where_only_one_can_be_chosen_the_other_goes(look) -> None:
    app = FakeApp.filled()
    eye = look(app, "fix", "programs.restart")
    eye.press("End firefox and start it again.")
    eye.press("End soffice and start it again.")
    eye.press("Go ahead")
    eye.sees("That helped")
    ((_, plan),) = app.said
    assert [step.words for step in plan.steps] == ["End soffice and start it again."]
