"""How Deskside looks: colours, type, spacing and the one style sheet. Everything that has a look takes it from here.

The colours are two sets of tokens, one for light and one for dark; which one holds follows the system. Widgets that paint
themselves ask `tokens()`, which reads it off the application's palette. Sizes of type are relative to the system's own font:
whoever has set large text gets large text. A test computes the contrast of every pair that meets on the screen.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

ICONS: Final = Path(__file__).parents[2] / "resources" / "icons"

# Spacing, in logical pixels: nothing between these.
XS: Final = 4
S: Final = 8
M: Final = 12
L: Final = 16
XL: Final = 24
XXL: Final = 32

COLUMN: Final = 760  # the widest a page's content gets: a line of text stays readable
NARROW: Final = 640  # below this the navigation shows icons only
TEXT_HEIGHT: Final = 18.0  # of a line of body text, in logical pixels, that the drawings are made for

Tone = Literal["neutral", "accent", "fine", "problem", "danger", "quiet"]
Type = Literal["display", "heading", "title", "strong", "body", "caption"]

SCALE: Final[dict[str, tuple[float, QFont.Weight]]] = {  # of the system's font size; weight
    "display": (1.85, QFont.Weight.DemiBold),
    "heading": (1.45, QFont.Weight.DemiBold),
    "title": (1.15, QFont.Weight.DemiBold),
    "strong": (1.0, QFont.Weight.DemiBold),
    "body": (1.0, QFont.Weight.Normal),
    "caption": (0.9, QFont.Weight.Normal),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One set of colours. `*_soft` is the ground on which text of that tone stands."""

    window: str
    surface: str
    raised: str
    line: str
    edge: str  # of controls: 3:1 against what surrounds them
    text: str
    muted: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    fine: str
    fine_soft: str
    problem: str
    problem_soft: str
    danger: str
    danger_soft: str
    quiet: str
    quiet_soft: str


LIGHT: Final = Tokens(
    window="#f4f5f8",
    surface="#ffffff",
    raised="#eceff4",
    line="#dce0e8",
    edge="#7f8898",
    text="#1a2130",
    muted="#545e70",
    accent="#2f54c8",
    accent_hover="#2545a8",
    accent_soft="#e7ecfb",
    on_accent="#ffffff",
    fine="#17714a",
    fine_soft="#e3f3ea",
    problem="#954700",
    problem_soft="#fdf0e0",
    danger="#b0241c",
    danger_soft="#fceae8",
    quiet="#4d586b",
    quiet_soft="#e8ebf1",
)
DARK: Final = Tokens(
    window="#14171c",
    surface="#1d2128",
    raised="#282e37",
    line="#333a46",
    edge="#7a8496",
    text="#e7ebf2",
    muted="#a5afbe",
    accent="#93b3ff",
    accent_hover="#b0c8ff",
    accent_soft="#232d47",
    on_accent="#0d1730",
    fine="#72d5a3",
    fine_soft="#183026",
    problem="#f4b871",
    problem_soft="#362918",
    danger="#ffa199",
    danger_soft="#3c2221",
    quiet="#b1bbca",
    quiet_soft="#2b313b",
)


def tokens() -> Tokens:
    """The colours that hold now. Off the application's palette: a widget's own is bent by the style sheet."""
    palette = QGuiApplication.palette()
    window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
    return DARK if window.lightness() < text.lightness() else LIGHT


def ink(colours: Tokens, tone: Tone) -> str:
    """The colour of text and icons of a tone, readable on the window, on a surface and on the tone's own ground."""
    return colours.text if tone == "neutral" else str(getattr(colours, tone))


def ground(colours: Tokens, tone: Tone) -> str:
    """The soft ground of a tone."""
    return colours.surface if tone == "neutral" else str(getattr(colours, f"{tone}_soft"))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""

    def luminance(name: str) -> float:
        colour = QColor(name)
        parts = (colour.redF(), colour.greenF(), colour.blueF())
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)  # noqa: PLR2004 -- from the standard
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def font(role: Type, base: QFont | None = None) -> QFont:
    """The font of a role, relative to the system's (or `base`)."""
    found = QFont(base or QApplication.font())
    scale, weight = SCALE[role]
    found.setPointSizeF(max(found.pointSizeF(), 1.0) * scale)
    found.setWeight(weight)
    return found


def scaled(pixels: int) -> int:
    """A size of icons and pictures that grows with the text, for whoever has set large text."""
    return round(pixels * max(1.0, QFontMetricsF(QApplication.font()).height() / TEXT_HEIGHT))


def palette(colours: Tokens) -> QPalette:
    """Qt's palette from the tokens, so that native controls fit in."""
    made = QPalette()
    roles = QPalette.ColorRole
    for role, name in {
        roles.Window: colours.window,
        roles.WindowText: colours.text,
        roles.Base: colours.surface,
        roles.AlternateBase: colours.raised,
        roles.Text: colours.text,
        roles.Button: colours.surface,
        roles.ButtonText: colours.text,
        roles.BrightText: colours.danger,
        roles.ToolTipBase: colours.text,
        roles.ToolTipText: colours.window,
        roles.PlaceholderText: colours.muted,
        roles.Highlight: colours.accent,
        roles.HighlightedText: colours.on_accent,
        roles.Link: colours.accent,
        roles.LinkVisited: colours.accent,
        roles.Accent: colours.accent,
        roles.Light: colours.raised,
        roles.Midlight: colours.raised,
        roles.Mid: colours.line,
        roles.Dark: colours.edge,
        roles.Shadow: colours.line,
    }.items():
        made.setColor(role, QColor(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.edge))
    return made


SHEET: Final = """
* { outline: none; }
QToolTip { background: @text; color: @window; border: none; padding: 4px 8px; }
QLabel { background: transparent; }
QLabel[ink="muted"] { color: @muted; }
QLabel[ink="accent"] { color: @accent; }
QLabel[ink="fine"] { color: @fine; }
QLabel[ink="problem"] { color: @problem; }
QLabel[ink="danger"] { color: @danger; }
QLabel[ink="quiet"] { color: @quiet; }

QPushButton { border: 1px solid @edge; border-radius: 7px; padding: 7px 15px; background: @surface; color: @text;
  font-weight: 500; }
QPushButton:hover { background: @raised; }
QPushButton:pressed { background: @line; }
QPushButton:focus { border: 2px solid @accent; padding: 6px 14px; }
QPushButton:checked { background: @accent_soft; border-color: @accent; }
QPushButton:disabled { color: @edge; border-color: @line; background: transparent; }
QPushButton[kind="primary"] { background: @accent; border-color: @accent; color: @on_accent; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: @accent_hover; border-color: @accent_hover; }
QPushButton[kind="primary"]:focus { border-color: @text; }
QPushButton[kind="primary"]:disabled { background: @raised; border-color: @raised; color: @edge; }
QPushButton[kind="quiet"] { background: transparent; border: 2px solid transparent; color: @accent; padding: 6px 8px; }
QPushButton[kind="quiet"]:hover { background: @accent_soft; }
QPushButton[kind="quiet"]:focus { border-color: @accent; }
QPushButton[kind="quiet"]:disabled { color: @edge; background: transparent; }
QPushButton[flush="true"] { padding: 4px 8px 4px 0; }
QPushButton[flush="true"]:hover { background: transparent; text-decoration: underline; }
QPushButton[kind="danger"] { color: @danger; border-color: @danger; }
QPushButton[kind="danger"]:hover { background: @danger_soft; }
QPushButton[kind="danger"]:focus { border-color: @text; }
QToolButton { border: 2px solid transparent; border-radius: 7px; padding: 4px; background: transparent; color: @text; }
QToolButton:hover { background: @raised; }
QToolButton:focus { border-color: @accent; }

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox {
  background: @surface; color: @text; border: 1px solid @edge; border-radius: 7px; padding: 7px 9px;
  selection-background-color: @accent; selection-color: @on_accent; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus { border: 2px solid @accent; padding: 6px 8px; }
QLineEdit:disabled, QPlainTextEdit:disabled { color: @edge; border-color: @line; background: transparent; }
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"] { border-color: @danger; }
QComboBox QAbstractItemView { background: @surface; border: 1px solid @line; selection-background-color: @accent_soft;
  selection-color: @text; }
QCheckBox, QRadioButton { spacing: 8px; padding: 4px; border: 2px solid transparent; border-radius: 7px; }
QCheckBox:focus, QRadioButton:focus { border-color: @accent; }
QCheckBox::indicator { width: 16px; height: 16px; border: 2px solid @edge; border-radius: 4px; background: @surface; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(@tick); }
QRadioButton::indicator { width: 16px; height: 16px; border: 2px solid @edge; border-radius: 10px; background: @surface; }
QRadioButton::indicator:checked { width: 8px; height: 8px; border: 6px solid @accent; background: @on_accent; }
QCheckBox::indicator:disabled { border-color: @line; }
QCheckBox::indicator:checked:disabled { background: @edge; border-color: @edge; }

QScrollArea, QScrollArea > QWidget > QWidget#column { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar::handle:vertical { background: @line; border-radius: 4px; min-height: 32px; margin: 2px; }
QScrollBar::handle:vertical:hover { background: @edge; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle:horizontal { background: @line; border-radius: 4px; min-width: 32px; margin: 2px; }
QScrollBar::handle:horizontal:hover { background: @edge; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QFrame[card="true"] { background: @surface; border: 1px solid @line; border-radius: 10px; }
QFrame[card="true"][tone="accent"] { background: @accent_soft; border-color: @accent_soft; }
QFrame[card="true"][tone="fine"] { background: @fine_soft; border-color: @fine_soft; }
QFrame[card="true"][tone="problem"] { background: @problem_soft; border-color: @problem_soft; }
QFrame[card="true"][tone="danger"] { background: @danger_soft; border-color: @danger_soft; }
QFrame[card="true"][tone="quiet"] { background: @quiet_soft; border-color: @quiet_soft; }
QFrame[rule="true"] { background: @line; border: none; }

QPushButton[row="true"] { text-align: left; border: 2px solid transparent; border-radius: 8px; padding: 0;
  background: transparent; }
QPushButton[row="true"]:hover { background: @raised; }
QPushButton[row="true"]:focus { border-color: @accent; }

QFrame#rail { background: @surface; border: none; border-right: 1px solid @line; }
QFrame#bar { background: @window; border: none; border-bottom: 1px solid @line; }
QPushButton[nav="true"] { text-align: left; border: 2px solid transparent; border-radius: 8px; padding: 7px 10px;
  background: transparent; color: @muted; font-weight: 500; }
QPushButton[nav="true"]:hover { background: @raised; color: @text; }
QPushButton[nav="true"][current="true"] { background: @accent_soft; color: @accent; font-weight: 600; }
QPushButton[nav="true"]:focus { border-color: @accent; }
QLabel[pill="true"] { border-radius: 8px; padding: 2px 8px; background: @quiet_soft; color: @quiet; }
QLabel[pill="true"][tone="accent"] { background: @accent_soft; color: @accent; }
QLabel[pill="true"][tone="fine"] { background: @fine_soft; color: @fine; }
QLabel[pill="true"][tone="problem"] { background: @problem_soft; color: @problem; }
QLabel[pill="true"][tone="danger"] { background: @danger_soft; color: @danger; }

QTextBrowser { background: transparent; border: 2px solid transparent; border-radius: 7px; padding: 0; }
QTextBrowser:focus { border-color: @accent; }
QProgressBar { background: @line; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
QMenu { background: @surface; color: @text; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 6px 20px; border-radius: 5px; }
QMenu::item:selected { background: @accent_soft; color: @text; }
QMenu::item:disabled { color: @muted; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
"""


def sheet(colours: Tokens) -> str:
    """The style sheet with the colours and the file of the check box's mark filled in."""
    tick = ICONS / ("tick-dark.svg" if colours is DARK else "tick-light.svg")
    names = {**asdict(colours), "tick": tick.as_posix()}
    return re.sub(r"@(\w+)", lambda match: names[match.group(1)], SHEET)


class Theme(QObject):
    """Puts the look on the application and follows the system from light to dark and back."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._applied: Tokens | None = None
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._follow)

    @property
    def colours(self) -> Tokens:
        """What the system wants now; light where it has no opinion."""
        return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT

    def apply(self, colours: Tokens | None = None) -> None:
        """Dresses the application, unless it is dressed like that already.

        Args:
            colours: these, whatever the system wants.
        """
        colours = colours or self.colours
        application = QApplication.instance()
        if colours is self._applied or not isinstance(application, QApplication):
            return
        if self._applied is None:
            application.setStyle("Fusion")
        self._applied = colours
        application.setPalette(palette(colours))
        application.setStyleSheet(sheet(colours))

    @Slot()
    def _follow(self) -> None:
        if self._applied is not None:
            self.apply()
