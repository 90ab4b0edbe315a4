"""What can go wrong while somebody signs in, beside the line. Every one is a sentence for the employee."""

from __future__ import annotations

from typing import Final

from client.errors import SignInFault

WORDS: Final = {
    "access_denied": "The sign-in was declined in the browser.",
    "login_required": "The sign-in service wants you to sign in anew.",
    "consent_required": "The sign-in service wants your consent first.",
    "interaction_required": "The sign-in service has a question that only you can answer.",
    "expired_token": "The code was not entered in time.",
    "invalid_grant": "The sign-in service does not accept this sign-in (any more).",
    "temporarily_unavailable": "The sign-in service is not available right now.",
    "server_error": "The sign-in service has a fault of its own.",
}
FOR_IT: Final = "Tell your IT department: the sign-in of Deskside is not set up as the sign-in service expects it."


class Refused(SignInFault):
    """The provider has answered, and said no. `code` is its OAuth error, cleaned; empty where it gave none."""

    def __init__(self, code: str) -> None:
        code = "".join(one for one in code[:60] if one.isascii() and (one.isalnum() or one in "_-."))
        known = WORDS.get(code)
        super().__init__(
            known or f"The sign-in service said no ({code or 'without a reason'}).", hint="" if known else FOR_IT
        )
        self.code = code
