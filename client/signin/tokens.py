"""What is kept of a sign-in: the tokens, whose they are, and which provider and help desk they are for."""

from __future__ import annotations

from typing import Final

import msgspec

from client.errors import SignInFault
from client.signin import idtoken
from client.signin.provider import Provider, TokenAnswer

EARLY_S: Final = 60.0  # a token is renewed this long before its end, or ...
EARLY_SHARE: Final = 0.2  # ... in the last fifth of a short life


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sign-in. `since`, `expires_at` and `renew_at` are seconds since 1970 by this computer's clock.

    The last two are None where the provider did not say how long an access token lasts.
    A sign-in that the provider has ended keeps the person and no token.
    """

    issuer: str
    client_id: str
    desk: str
    person: idtoken.Person
    access: str = ""
    refresh: str = ""
    since: float = 0.0
    expires_at: float | None = None
    renew_at: float | None = None

    def __repr__(self) -> str:
        return f"Tokens(issuer={self.issuer!r}, secrets hidden)"

    def expired(self, now: float) -> bool:
        """Whether the access token is of no use any more."""
        return not self.access or (self.expires_at is not None and now >= self.expires_at)

    def wants_renewal(self, now: float) -> bool:
        """Whether it is time to renew it, and can be done."""
        return bool(self.refresh) and (not self.access or (self.renew_at is not None and now >= self.renew_at))

    def ended(self) -> Tokens:
        """The same person without any token."""
        return msgspec.structs.replace(self, access="", refresh="", expires_at=None, renew_at=None)


async def first(answer: TokenAnswer, provider: Provider, *, desk: str, nonce: str | None, now: float) -> Tokens:
    """The tokens of somebody who has just signed in.

    Args:
        desk: the help desk's address that they are for.
        now: seconds since 1970.

    Raises:
        SignInFault: the provider does not say, or not in a valid way, who that is.
    """
    if not answer.id_token:
        raise SignInFault("The sign-in service does not say who has signed in.")
    person = await idtoken.read(answer.id_token, provider, nonce=nonce)
    settings = provider.settings
    empty = Tokens(issuer=settings.issuer, client_id=settings.client_id, desk=desk, person=person)
    return _with(empty, answer, now)


async def renewed(tokens: Tokens, answer: TokenAnswer, provider: Provider, *, now: float) -> Tokens:
    """The tokens after a renewal. The refresh token stays where the provider gives no new one.

    Raises:
        SignInFault: the answer speaks of another person.
    """
    if answer.id_token:
        person = await idtoken.read(answer.id_token, provider, nonce=None)
        if person.subject != tokens.person.subject:
            raise SignInFault("The sign-in service has answered for another person, so nothing was changed.")
    return _with(tokens, answer, now)


def _with(tokens: Tokens, answer: TokenAnswer, now: float) -> Tokens:
    lasts = answer.expires_in
    return msgspec.structs.replace(
        tokens,
        access=answer.access_token,
        refresh=answer.refresh_token or tokens.refresh,
        since=now,
        expires_at=None if lasts is None else now + max(0.0, lasts),
        renew_at=None if lasts is None else now + lasts - min(EARLY_S, EARLY_SHARE * max(0.0, lasts)),
    )
