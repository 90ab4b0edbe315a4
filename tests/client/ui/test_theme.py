"""Colours that can be read, type that follows the system, icons that say the state without their colour."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QImage

from client.model import State
from client.ui import theme
from client.ui.bubble import COLOURS, SIGN, state_pixmap
from client.ui.icons import FOLDER, SIZES, state_icon
from client.ui.widgets.glyph import glyph

TEXT = 4.5  # WCAG 2.2 AA, text
SIGNS = 3.0  # WCAG 2.2 AA, controls and graphics
SCHEMES = {"light": theme.LIGHT, "dark": theme.DARK}
GROUNDS = ("window", "surface", "raised")
TONES = ("accent", "fine", "problem", "danger", "quiet")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("text", "muted") for ground in GROUNDS),
    *((ink, "window", TEXT) for ink in TONES),
    *((ink, "surface", TEXT) for ink in TONES),
    *((ink, f"{ink}_soft", TEXT) for ink in TONES),
    *(("text", f"{ink}_soft", TEXT) for ink in TONES),
    *(("muted", f"{ink}_soft", TEXT) for ink in TONES),
    ("on_accent", "accent", TEXT),
    ("on_accent", "accent_hover", TEXT),
    ("window", "text", TEXT),
    ("edge", "window", SIGNS),
    ("edge", "surface", SIGNS),
    ("surface", "fine", SIGNS),
    ("surface", "problem", SIGNS),
]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS, ids=str)
def test_what_meets_on_the_screen_can_be_read(scheme, ink, ground, least) -> None:
    colours = asdict(SCHEMES[scheme])
    assert theme.contrast(colours[ink], colours[ground]) >= least


def test_the_contrast_formula_is_the_standards() -> None:
    assert theme.contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_style_sheet_leaves_no_token_open(scheme) -> None:
    sheet = theme.sheet(SCHEMES[scheme])
    assert "@" not in sheet
    named = re.search(r"url\((.*?)\)", sheet)
    assert named is not None
    assert named.group(1).endswith(f"tick-{scheme}.svg")


def test_every_size_of_type_grows_with_the_systems(qapp) -> None:
    small, large = qapp.font(), qapp.font()
    small.setPointSizeF(9)
    large.setPointSizeF(18)
    for role in theme.SCALE:
        assert theme.font(role, large).pointSizeF() == pytest.approx(2 * theme.font(role, small).pointSizeF())


def test_the_application_is_dressed_anew_when_dark_comes(qapp) -> None:
    look = theme.Theme()
    look.apply(theme.LIGHT)
    assert theme.tokens() is theme.LIGHT
    look.apply(theme.DARK)
    assert theme.tokens() is theme.DARK
    look.apply(theme.LIGHT)
    assert theme.tokens() is theme.LIGHT


@pytest.mark.parametrize("state", list(State))
def test_an_icon_stands_on_light_and_on_dark_panels(state) -> None:
    for panel in ("#ffffff", "#f0f0f0", "#1f1f1f", "#000000"):
        assert theme.contrast(COLOURS[state], panel) >= SIGNS
    assert theme.contrast(SIGN, COLOURS[state]) >= SIGNS


@pytest.mark.parametrize("size", [16, 22, 32])
def test_each_state_has_a_sign_of_its_own(qapp, size) -> None:
    """Without colour: as the mask that macOS gets, no two states look the same."""
    masks = {
        state: state_pixmap(state, size, mask=True).toImage().convertToFormat(QImage.Format.Format_Alpha8)
        for state in State
    }
    for one in State:
        for other in State:
            if one is not other:
                different = sum(
                    abs(masks[one].pixelColor(x, y).alpha() - masks[other].pixelColor(x, y).alpha()) > 100
                    for x in range(size)
                    for y in range(size)
                )
                assert different >= size * size * 0.02, (one, other)


@pytest.mark.parametrize("state", list(State))
def test_icons_come_in_every_size_that_trays_ask_for(qapp, state) -> None:
    icon = state_icon(state)
    assert sorted(size.width() for size in icon.availableSizes()) == list(SIZES)


def test_a_glyph_takes_the_colour_it_is_given(qapp) -> None:
    image = glyph("check", "#ff0000", 24).toImage()
    inked = [image.pixelColor(x, y) for x in range(24) for y in range(24) if image.pixelColor(x, y).alpha() > 200]
    assert inked
    assert all(QColor(one).red() > 200 and one.green() < 60 for one in inked)


def test_every_icon_can_be_drawn(qapp) -> None:
    for file in theme.ICONS.glob("*.svg"):
        image = glyph(file.stem, "#000000", 24).toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24)), file.name


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("size", SIZES)
def test_the_trays_pictures_are_the_drawing(qapp, state, size) -> None:
    """After a change of the drawing: `python -m client.ui.bubble`."""
    kept = QImage(str(FOLDER / f"{state}-{size}.png")).convertToFormat(QImage.Format.Format_ARGB32)
    drawn = state_pixmap(state, size).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    assert kept.size() == drawn.size()
    for x in range(size):
        for y in range(size):
            one, other = kept.pixelColor(x, y), drawn.pixelColor(x, y)
            assert abs(one.alpha() - other.alpha()) <= 8, (x, y)  # painting differs a little from machine to machine
