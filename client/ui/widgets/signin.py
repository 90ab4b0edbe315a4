"""Asks for the help desk's token where it is missing or refused. Everything else on the page stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from client.errors import DesksideError, SignInNeeded
from client.model import Identity, SendState
from client.ui import theme
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, row
from client.ui.widgets.field import Field
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text

if TYPE_CHECKING:
    from client.app import App
    from client.ui.page import Shell


async def sign_in(app: App, token: str) -> Identity:
    """Signs in, and lets go at once what waited for it.

    Raises:
        DesksideError: as `App.sign_in`.
    """
    identity = await app.accounts.sign_in(token)
    for entry in await app.outbox():
        if entry.state in {SendState.WAITING, SendState.CREATED}:
            await app.retry(entry.id)
    return identity


class SignIn(Card):
    """A field for the token. `done` is sent with the identity once the help desk knows us."""

    done = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__("accent", parent=parent)
        self._shell = shell
        title = Text(self.tr("Please sign in to the help desk"), "title", parent=self)
        words = self.tr(
            "Paste the access token that IT has given you. Everything you have written is kept and will be sent after that."
        )
        self._token = QLineEdit(self)
        self._token.setEchoMode(QLineEdit.EchoMode.Password)
        self._token.setMaxLength(4096)
        self._field = Field(
            self.tr("Access token"), self._token, self.tr("It is kept in this computer's password store."), self
        )
        self._button = Button(self.tr("Sign in"), "primary", icon="key", parent=self)
        self._button.clicked.connect(self._go)
        self._token.returnPressed.connect(self._go)
        self.content.addLayout(row(Glyph("key", tone="accent", parent=self), title, spacing=theme.M, stretch=False))
        self.content.addWidget(Text(words, parent=self))
        self.content.addWidget(self._field)
        self.content.addLayout(row(self._button))

    def take_focus(self) -> None:
        """Puts the cursor into the field, as soon as it is on the screen."""
        QTimer.singleShot(0, self._token, self._token.setFocus)

    @Slot()
    def _go(self) -> None:
        token = self._token.text().strip()
        if not token:
            self._field.set_wrong(self.tr("Paste the token first."))
            return
        if not self._button.isEnabled():
            return
        self._field.set_wrong("")
        self._button.setEnabled(False)
        self._button.setText(self.tr("Signing in…"))
        self._shell.bridge.submit(
            sign_in(self._shell.app, token), owner=self, on_result=self._signed_in, on_error=self._refused
        )

    def _signed_in(self, identity: Identity) -> None:
        self._ready_again()
        self._token.clear()
        self._shell.courier.arrange()
        self.done.emit(identity)

    def _refused(self, error: DesksideError) -> None:
        self._ready_again()
        if isinstance(error, SignInNeeded):
            words = self.tr(
                "The help desk does not know this token. Copy it once more, whole, or ask IT for a new one."
            )
        else:
            words = f"{error.message} {error.hint}"
        self._field.set_wrong(words)
        self._token.setFocus()

    def _ready_again(self) -> None:
        self._button.setEnabled(True)
        self._button.setText(self.tr("Sign in"))
