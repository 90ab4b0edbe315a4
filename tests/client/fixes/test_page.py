"""docs/fixes.md says what the catalogue says."""

from __future__ import annotations

from tests.client.fixes.page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python tests/client/fixes/page.py"
