"""Signing in with a code on another device, for computers without a browser (RFC 8628)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from client.errors import DeskUnreachable, SignInFault
from client.signin import tokens
from client.signin.errors import FOR_IT, Refused
from client.signin.provider import DEVICE_GRANT, Provider
from client.signin.tokens import Tokens

INTERVAL_S: Final = 5.0  # where the provider names none (RFC 8628, section 3.2)
SLOWER_S: Final = 5.0  # more after every slow_down (section 3.5)
LONGEST_S: Final = 60.0  # between two questions, however often the line broke
LONGEST_LIFE_S: Final = 3600.0
MAX_CODE: Final = 40  # characters


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str = ""
    expires_in: float
    interval: float | None = None


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What a person needs: the code, the page to enter it at, the page that knows it already (or empty), seconds that it lasts."""

    code: str
    page: str
    page_with_code: str = ""
    lasts_s: float = 0.0


async def sign_in(
    provider: Provider,
    *,
    desk: str,
    show: Callable[[Code], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tokens:
    """Asks for a code, shows it, and asks until the person has entered it on another device. Cancelling ends the waiting.

    Args:
        desk: the help desk's address that the tokens are for.
        show: shows the code; called once.

    Raises:
        SignInFault: it did not work; says why.
        EnvironmentFault: the line, before there was a code.
    """
    offer = await provider.discovery()
    if not provider.settings.device_flow or not offer.device_authorization_endpoint:
        raise SignInFault(
            "The company's sign-in service has no sign-in with a code.", hint="Sign in on a computer with a browser."
        )
    given = await provider.post(offer.device_authorization_endpoint, provider.asked(), _Answer)
    ends = clock() + min(max(given.expires_in, 0.0), LONGEST_LIFE_S)
    show(_code(given, provider))
    interval = min(max(INTERVAL_S if given.interval is None else given.interval, 1.0), LONGEST_S)
    form = {"grant_type": DEVICE_GRANT, "device_code": given.device_code}
    if provider.settings.resource:
        form["resource"] = provider.settings.resource
    while clock() + interval < ends:
        await sleep(interval)
        try:
            answer = await provider.token(form)
        except Refused as refused:
            if refused.code == "slow_down":
                interval = min(interval + SLOWER_S, LONGEST_S)
            elif refused.code != "authorization_pending":
                raise
        except DeskUnreachable:  # the code is still good; ask less often (RFC 8628, section 3.5)
            interval = min(interval * 2, LONGEST_S)
        else:
            return await tokens.first(answer, provider, desk=desk, nonce=None, now=time.time())
    raise Refused("expired_token")


def _code(given: _Answer, provider: Provider) -> Code:
    code = "".join(one for one in given.user_code if one.isprintable()).strip()
    provider.check_address(given.verification_uri)
    if given.verification_uri_complete:
        provider.check_address(given.verification_uri_complete)
        same = urlsplit(given.verification_uri_complete).hostname == urlsplit(given.verification_uri).hostname
    else:
        same = False
    if not code or len(code) > MAX_CODE or not given.device_code:
        raise SignInFault("The sign-in service gave a code that cannot be shown.", hint=FOR_IT)
    return Code(
        code=code,
        page=given.verification_uri,
        page_with_code=given.verification_uri_complete if same else "",
        lasts_s=given.expires_in,
    )
