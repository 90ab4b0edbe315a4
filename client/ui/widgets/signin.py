"""Asks for the sign-in to the help desk where it is missing or refused: the token of the help desk, or the company account in the
browser or with a code. Everything else on the page stays as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from client.errors import DesksideError, SignInNeeded
from client.model import Identity, SendState
from client.platform.opener import open_url
from client.ui import theme
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear, row
from client.ui.widgets.field import Field
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.progress import Progress
from client.ui.widgets.text import Text

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from client.app import App
    from client.signin.device import Code
    from client.ui.bridge import Call
    from client.ui.page import Shell


async def sign_in(app: App, signing: Coroutine[object, object, Identity]) -> Identity:
    """Signs in, and lets go at once what waited for it.

    Raises:
        DesksideError: as the signing in does.
    """
    identity = await signing
    for entry in await app.outbox():
        if entry.state in {SendState.WAITING, SendState.CREATED}:
            await app.retry(entry.id)
    return identity


class SignIn(Card):
    """The way to sign in that IT has chosen. `done` is sent with the identity once the help desk knows us."""

    done = Signal(object)
    _coded = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__("accent", parent=parent)
        self._shell = shell
        self._call: Call | None = None
        title = Text(self.tr("Please sign in to the help desk"), "title", parent=self)
        self.content.addLayout(row(Glyph("key", tone="accent", parent=self), title, spacing=theme.M, stretch=False))
        self._first: QWidget
        if shell.app.accounts.by_company_account:
            self._build_company()
        else:
            self._build_token()

    def take_focus(self) -> None:
        """Puts the cursor where signing in begins, as soon as it is on the screen."""
        QTimer.singleShot(0, self._first, self._first.setFocus)

    # --- the help desk's token

    def _build_token(self) -> None:
        words = self.tr(
            "Paste the access token that IT has given you. Everything you have written is kept and will be sent after that."
        )
        self._token = QLineEdit(self)
        self._token.setEchoMode(QLineEdit.EchoMode.Password)
        self._token.setMaxLength(4096)
        self._first = self._token
        self._field = Field(
            self.tr("Access token"), self._token, self.tr("It is kept in this computer's password store."), self
        )
        self._button = Button(self.tr("Sign in"), "primary", icon="key", parent=self)
        self._button.clicked.connect(self._go)
        self._token.returnPressed.connect(self._go)
        self.content.addWidget(Text(words, parent=self))
        self.content.addWidget(self._field)
        self.content.addLayout(row(self._button))

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
        app = self._shell.app
        self._shell.bridge.submit(
            sign_in(app, app.accounts.sign_in(token)), owner=self, on_result=self._signed_in, on_error=self._refused
        )

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

    # --- the company account

    def _build_company(self) -> None:
        self._words = Text("", parent=self)
        self._progress = Progress(parent=self)
        self._code = QVBoxLayout()
        self._browser = Button(self.tr("Sign in in the browser"), "primary", icon="external", parent=self)
        self._by_code = Button(self.tr("Use a code on another device"), "quiet", parent=self)
        self._stop = Button(self.tr("Stop waiting"), icon="stop", parent=self)
        self._browser.clicked.connect(self._go_browser)
        self._by_code.clicked.connect(self._go_code)
        self._stop.clicked.connect(self._stop_waiting)
        self._coded.connect(self._show_code, Qt.ConnectionType.QueuedConnection)
        self._first = self._browser
        self.content.addWidget(self._words)
        self.content.addLayout(self._code)
        self.content.addWidget(self._progress)
        self.content.addLayout(row(self._browser, self._by_code, self._stop))
        self._rest()

    def _rest(self, words: str = "") -> None:
        """As before anything was pressed; with `words` after something did not work."""
        self._call = None
        clear(self._code)
        self._progress.hide()
        about = self.tr(
            "You sign in with your company account. Everything you have written is kept and will be sent after that."
        )
        self._words.setText(words or about)
        self._words.set_ink("problem" if words else "")
        self._browser.show()
        self._by_code.setVisible(self._shell.app.settings.values.sign_in.device_flow)
        self._stop.hide()

    def _wait(self, words: str) -> None:
        self._words.set_ink("")
        self._words.setText(words)
        self._progress.tell(self.tr("Waiting for you"))
        self._progress.show()
        self._browser.hide()
        self._by_code.hide()
        self._stop.show()
        self._stop.setFocus()

    @Slot()
    def _go_browser(self) -> None:
        self._wait(self.tr("Sign in on the page that your browser shows, and come back."))
        app = self._shell.app
        self._submit(app.accounts.sign_in_by_browser(open_url))

    @Slot()
    def _go_code(self) -> None:
        self._wait(self.tr("Asking for a code."))
        self._submit(self._shell.app.accounts.sign_in_by_code(self._coded.emit))

    def _submit(self, signing: Coroutine[object, object, Identity]) -> None:
        self._call = self._shell.bridge.submit(
            sign_in(self._shell.app, signing), owner=self, on_result=self._signed_in, on_error=self._not_signed_in
        )

    @Slot(object)
    def _show_code(self, code: Code) -> None:
        if self._call is None:
            return
        self._words.setText(
            self.tr("On your phone or another computer, open {page} and enter this code:").format(page=code.page)
        )
        clear(self._code)
        shown = Text(code.code, "display", selectable=True, parent=self)
        shown.setAccessibleName(self.tr("The code: {code}").format(code=" ".join(code.code)))
        self._code.addWidget(shown)
        warning = self.tr("Only enter it if you have started this sign-in yourself.")
        self._code.addWidget(Text(warning, "caption", ink="muted", parent=self))

    @Slot()
    def _stop_waiting(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self._rest()
        self._browser.setFocus()

    def _not_signed_in(self, error: DesksideError) -> None:
        self._rest(f"{error.message} {error.hint}".strip())
        self._browser.setFocus()

    # --- done

    def _signed_in(self, identity: Identity) -> None:
        if self._shell.app.accounts.by_company_account:
            self._rest()
        else:
            self._ready_again()
            self._token.clear()
        self._shell.courier.arrange()
        self.done.emit(identity)
