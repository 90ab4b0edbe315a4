"""Says who has signed in, from the provider's signed ID token. Believes nothing that is not signed, recent and meant for us.

Sources: OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725 (the algorithms are ours to choose, never the token's).
"""

from __future__ import annotations

import hmac
import warnings
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from client.errors import SignInFault
from client.signin.errors import FOR_IT
from client.signin.provider import Provider

# Public keys only: with "none" or HS256 anybody could sign, the latter with the provider's public key as the password.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
LEAST_RSA: Final = 342  # characters of a modulus of 2048 bits in base64url
LEEWAY_S: Final = 120  # a computer's clock may be off by this much
MAX_NAME: Final = 200


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who has signed in. `subject` is the provider's own name for them; `name` and `email` may be empty."""

    subject: str
    name: str = ""
    email: str = ""


async def read(token: str, provider: Provider, *, nonce: str | None) -> Person:
    """The person that a valid ID token speaks of.

    Args:
        nonce: what we asked with; None where the flow has none.

    Raises:
        SignInFault: it is not valid.
        EnvironmentFault: the provider's keys could not be fetched.
    """
    import jwt  # noqa: PLC0415 -- brings cryptography; whoever is signed in already does without

    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as error:
        raise _invalid("cannot be read") from error
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise _invalid("is not signed in a safe way")
    keys = _fitting(await provider.keys(), header)
    if not keys:
        keys = _fitting(await provider.keys(anew=True), header)  # it changes them now and then
    claims = _verify(token, keys, algorithm, provider)
    _meant_for_us(claims, provider.settings.client_id)
    if nonce is not None and not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise _invalid("answers another question than ours")
    name = claims.get("name") or claims.get("preferred_username") or ""
    return Person(subject=claims["sub"], name=_line(name), email=_line(claims.get("email") or ""))


def _fitting(keys: Sequence[dict[str, Any]], header: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = KEY_TYPES[header["alg"][:2]]
    return [
        key
        for key in keys
        if key.get("kty") == wanted
        and key.get("use", "sig") == "sig"
        and key.get("alg", header["alg"]) == header["alg"]
        and ("kid" not in header or key.get("kid") == header["kid"])
        and (wanted != "RSA" or len(str(key.get("n", ""))) >= LEAST_RSA)
    ]


def _verify(token: str, keys: Sequence[dict[str, Any]], algorithm: str, provider: Provider) -> dict[str, Any]:
    import jwt  # noqa: PLC0415 -- as above

    for key in keys:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about keys that we do not take anyway
                public = jwt.PyJWK(key, algorithm).key
            return jwt.decode(
                token,
                public,
                algorithms=[algorithm],
                audience=provider.settings.client_id,
                issuer=provider.settings.issuer,
                leeway=LEEWAY_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise SignInFault(
                "The sign-in is not valid at the time that this computer shows.",
                hint="Look whether date and time of this computer are right, then sign in again.",
            ) from error
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError) as error:
            raise _invalid("is meant for somebody else") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise _invalid("cannot be checked") from error
    raise _invalid("is not signed by the sign-in service")


def _meant_for_us(claims: dict[str, Any], client_id: str) -> None:
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise _invalid("is meant for somebody else")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise _invalid("names nobody")


def _invalid(why: str) -> SignInFault:
    return SignInFault(f"The sign-in service's answer {why}, so nobody was signed in.", hint=FOR_IT)


def _line(text: object) -> str:
    return "".join(one for one in str(text)[:MAX_NAME] if one.isprintable())
