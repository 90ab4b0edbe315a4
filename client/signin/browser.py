"""Signing in with the system's browser: the authorization code flow with PKCE for programs on a desktop.

Sources: RFC 6749, RFC 7636 (PKCE), RFC 8252 (programs on a desktop), RFC 9207 (who has answered), OpenID Connect Core 1.0.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

from client.errors import SignInFault
from client.signin import tokens
from client.signin.errors import FOR_IT, Refused
from client.signin.loopback import Loopback
from client.signin.provider import Discovery, Provider
from client.signin.tokens import Tokens

T = TypeVar("T")

WAIT_S: Final = 600.0  # somebody may have to look for a telephone first


async def sign_in(
    provider: Provider,
    *,
    desk: str,
    open_page: Callable[[str], None],
    then: Callable[[Tokens], Awaitable[T]],
    another: bool = False,
    wait_s: float = WAIT_S,
) -> T:
    """Opens the provider's page in the browser, waits for the person, and redeems what the browser brings back.

    Cancelling the coroutine ends the waiting, and says so in the browser.

    Args:
        desk: the help desk's address that the tokens are for.
        open_page: shows an address in the browser; it may block.
        then: what is done with the tokens before the browser says that it is done; its result is given back.
        another: not whoever the browser is signed in as.
        wait_s: how long the person may take.

    Raises:
        SignInFault: it did not work; says why.
        EnvironmentFault: the line, or there is no browser.
    """
    offer = await provider.discovery()
    settings = provider.settings
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    async with Loopback(settings.redirect, settings.redirect_ports) as back:
        asked = {
            **provider.asked(),
            "response_type": "code",
            "redirect_uri": back.uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        if prompt := _prompt(settings.prompt, offer, another=another):
            asked["prompt"] = prompt
        joint = "&" if urlsplit(offer.authorization_endpoint).query else "?"
        await asyncio.to_thread(open_page, f"{offer.authorization_endpoint}{joint}{urlencode(asked)}")
        try:
            async with asyncio.timeout(wait_s):
                query = await back.query()
        except TimeoutError:
            raise SignInFault(f"Nobody has signed in within {round(wait_s / 60) or 1} minutes.") from None
        code = _code(query, state=state, offer=offer)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back.uri,
            "code_verifier": verifier,
        }
        if settings.resource:
            form["resource"] = settings.resource
        answer = await provider.token(form)
        return await then(await tokens.first(answer, provider, desk=desk, nonce=nonce, now=time.time()))


def challenge(verifier: str) -> str:
    """What is shown of a verifier before it is (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _prompt(wanted: str, offer: Discovery, *, another: bool) -> str:
    words = wanted.split()
    if another and not {"login", "select_account"} & set(words):
        words.append("select_account" if "select_account" in offer.prompt_values_supported else "login")
    return " ".join(words)


def _code(query: Mapping[str, str], *, state: str, offer: Discovery) -> str:
    """The code, if the answer is for our question and by our provider.

    Raises:
        SignInFault: it is not, or it says no.
    """
    if not hmac.compare_digest(query.get("state", "").encode("utf-8", "replace"), state.encode()):
        raise SignInFault("What came back from the browser does not belong to this sign-in, so nobody was signed in.")
    spoken = query.get("iss")
    if spoken is None and offer.authorization_response_iss_parameter_supported:
        raise SignInFault("The browser's answer does not say who gave it, so nobody was signed in.", hint=FOR_IT)
    if spoken is not None and spoken != offer.issuer:
        raise SignInFault(
            "The browser's answer was given by another sign-in service, so nobody was signed in.", hint=FOR_IT
        )
    if "error" in query:
        raise Refused(query["error"])
    if not query.get("code"):
        raise SignInFault("The browser came back without an answer, so nobody was signed in.", hint=FOR_IT)
    return query["code"]
