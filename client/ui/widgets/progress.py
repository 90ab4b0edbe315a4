"""What is going on: a thin bar, a sentence, and a way to stop it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.button import Button
from client.ui.widgets.card import row
from client.ui.widgets.text import Text


class Progress(QWidget):
    """A bar with words. `stopped` is sent when the employee presses the button.

    Args:
        stop: the button's words; empty: it cannot be stopped.
    """

    stopped = Signal()

    def __init__(self, stop: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self.words = Text("", ink="muted", parent=self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.S)
        outer.addWidget(self._bar)
        outer.addWidget(self.words)
        if stop:
            button = Button(stop, "secondary", parent=self)
            button.clicked.connect(self.stopped)
            outer.addLayout(row(button))
        self.set_share(None)

    def tell(self, words: str, share: float | None = None) -> None:
        """Says what is being done.

        Args:
            words: a short sentence.
            share: 0 to 1; None while nobody can say.
        """
        self.words.setText(words)
        self._bar.setAccessibleDescription(words)
        self.set_share(share)

    def set_share(self, share: float | None) -> None:
        """Moves the bar; None: it only shows that something goes on."""
        if share is None:
            self._bar.setRange(0, 0)
        else:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(share * 1000))
