"""A company's OpenID provider: what it offers (its discovery document), its keys, and its answers about tokens.

Sources: OpenID Connect Discovery 1.0, RFC 8414 (metadata), RFC 6749 (tokens), RFC 7009 (revocation). The document and the keys are
kept in this object's memory and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from client.errors import SignInFault
from client.signin.errors import FOR_IT, Refused

Shape = TypeVar("Shape")

MAX_ANSWER_BYTES: Final = 256 * 1024  # discovery documents have 3 kB, keys 10 kB, tokens at most some 20 kB
MAX_TOKEN: Final = 16 * 1024  # characters; a server's limit for all headers together is mostly 8 to 16 KiB
WELL_KNOWN: Final = "/.well-known/openid-configuration"
OK: Final = 200
ERRORS: Final = frozenset({400, 401, 403})  # what carries an OAuth error
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"


class Answer(Protocol):
    """A complete answer; `headers` has lower-case names."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    @property
    def body(self) -> bytes:
        """The body, decompressed and bounded."""


class Ask(Protocol):
    """One exchange with the provider. Follows no redirection."""

    async def __call__(self, url: str, form: Mapping[str, str] | None = None) -> Answer:
        """A GET, or with a form a POST.

        Raises:
            EnvironmentFault: the line; in words for the employee.
        """


class SignInSettings(Protocol):
    """What is used here of the settings' table [sign_in]."""

    @property
    def issuer(self) -> str:
        """The provider."""

    @property
    def client_id(self) -> str:
        """What it calls us."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is asked for."""

    @property
    def resource(self) -> str:
        """RFC 8707."""

    @property
    def audience(self) -> str:
        """The same for others."""

    @property
    def prompt(self) -> str:
        """What the provider shall ask every time."""

    @property
    def device_flow(self) -> bool:
        """Whether a code on another device may be used."""

    @property
    def redirect(self) -> str:
        """Where the browser comes back to, without the port."""

    @property
    def redirect_ports(self) -> tuple[str, ...]:
        """The ports for it."""


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str = ""
    device_authorization_endpoint: str = ""
    code_challenge_methods_supported: tuple[str, ...] | None = None
    prompt_values_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the token endpoint."""

    access_token: str
    token_type: str
    expires_in: float | None = None
    refresh_token: str = ""
    id_token: str = ""

    def __repr__(self) -> str:
        return "TokenAnswer(secrets hidden)"


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class _Error(msgspec.Struct, frozen=True):
    error: str = ""


class Provider:
    """One provider, as the settings name it.

    Args:
        settings: the table [sign_in].
        ask: the way to it.

    Raises:
        SignInFault: the settings name no provider or no client.
    """

    def __init__(self, settings: SignInSettings, ask: Ask) -> None:
        if not settings.issuer or not settings.client_id:
            raise SignInFault("The company's sign-in is not set up completely.", hint=FOR_IT)
        self.settings = settings
        self.host = urlsplit(settings.issuer).hostname or ""
        self._ask = ask
        self._discovery: Discovery | None = None
        self._keys: tuple[dict[str, Any], ...] | None = None

    async def discovery(self) -> Discovery:
        """What the provider offers; asked for once.

        Raises:
            SignInFault: it is somebody else's, or cannot be used safely.
            EnvironmentFault: the line.
        """
        if self._discovery is None:
            found = self._parse(await self._get(self.settings.issuer.rstrip("/") + WELL_KNOWN), Discovery)
            if found.issuer != self.settings.issuer:
                raise SignInFault(
                    f"{self.host} speaks for another sign-in service than the one that is set.", hint=FOR_IT
                )
            for url in (
                found.authorization_endpoint,
                found.token_endpoint,
                found.jwks_uri,
                found.revocation_endpoint or found.token_endpoint,
                found.device_authorization_endpoint or found.token_endpoint,
            ):
                self.check_address(url)
            if (
                found.code_challenge_methods_supported is not None
                and "S256" not in found.code_challenge_methods_supported
            ):
                raise SignInFault(f"{self.host} cannot protect the way back from the browser (PKCE).", hint=FOR_IT)
            self._discovery = found
        return self._discovery

    async def keys(self, *, anew: bool = False) -> tuple[dict[str, Any], ...]:
        """The provider's public keys (JWK), kept until they are wanted `anew`.

        Raises:
            SignInFault: the answer holds none.
            EnvironmentFault: the line.
        """
        if self._keys is None or anew:
            self._keys = self._parse(await self._get((await self.discovery()).jwks_uri), _Keys).keys
        return self._keys

    async def token(self, form: Mapping[str, str]) -> TokenAnswer:
        """Asks the token endpoint.

        Raises:
            Refused: the provider said no.
            SignInFault: its answer cannot be used.
            EnvironmentFault: the line.
        """
        url = (await self.discovery()).token_endpoint
        found = self._parse(await self._ask(url, {**form, "client_id": self.settings.client_id}), TokenAnswer)
        if found.token_type.lower() != "bearer" or not _is_token(found.access_token):
            raise SignInFault(f"{self.host} gave a sign-in of a kind that Deskside cannot use.", hint=FOR_IT)
        if found.refresh_token and not _is_token(found.refresh_token):
            raise SignInFault(f"{self.host} gave a sign-in of a kind that Deskside cannot use.", hint=FOR_IT)
        return found

    async def post(self, url: str, form: Mapping[str, str], shape: type[Shape]) -> Shape:
        """Asks another of the provider's endpoints.

        Raises:
            Refused, SignInFault, EnvironmentFault: as `token`.
        """
        return self._parse(await self._ask(url, {**form, "client_id": self.settings.client_id}), shape)

    async def revoke(self, token: str, kind: str) -> bool:
        """Makes a token useless (RFC 7009); False where the provider has no way to.

        Raises:
            SignInFault, EnvironmentFault: it could not be told.
        """
        url = (await self.discovery()).revocation_endpoint
        if not url or not token:
            return False
        form = {"token": token, "token_type_hint": kind, "client_id": self.settings.client_id}
        answer = await self._ask(url, form)
        if answer.status != OK:
            raise self._no(answer)
        return True

    def asked(self) -> dict[str, str]:
        """The parameters that say what for a token is wanted: the same in every flow."""
        wanted = {"client_id": self.settings.client_id, "scope": " ".join(self.settings.scopes)}
        if self.settings.resource:
            wanted["resource"] = self.settings.resource
        if self.settings.audience:
            wanted["audience"] = self.settings.audience
        return wanted

    def check_address(self, url: str) -> None:
        """Refuses an address that a secret must not be sent to, or a browser to.

        Raises:
            SignInFault: it is not https (plain http on this computer only, for a provider on this computer).
        """
        try:
            parts, own = urlsplit(url), urlsplit(self.settings.issuer)
            local = own.scheme == parts.scheme == "http" and own.hostname == parts.hostname
            fine = (parts.scheme == "https" or local) and parts.hostname and not parts.username and not parts.fragment
        except ValueError:
            fine = False
        if not fine or not (url.isascii() and url.isprintable()) or " " in url:
            raise SignInFault(f"{self.host} names an address that is not safe to use.", hint=FOR_IT)

    async def _get(self, url: str) -> Answer:
        return await self._ask(url)

    def _parse(self, answer: Answer, shape: type[Shape]) -> Shape:
        if answer.status != OK:
            raise self._no(answer)
        if len(answer.body) > MAX_ANSWER_BYTES:
            raise SignInFault(f"{self.host} answered with far more than belongs to a sign-in.", hint=FOR_IT)
        if "html" in answer.headers.get("content-type", ""):
            raise self._web_page()
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Without the cause: a decoder may quote what it read, and that may be a token.
            raise SignInFault(f"{self.host} answered with something that is no sign-in.", hint=FOR_IT) from None

    def _no(self, answer: Answer) -> SignInFault:
        if answer.status in ERRORS and len(answer.body) <= MAX_ANSWER_BYTES:
            try:
                return Refused(msgspec.json.decode(answer.body, type=_Error).error)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass
        if 300 <= answer.status < 400:  # noqa: PLR2004 -- HTTP's class of redirections
            return SignInFault(
                f"{self.host} sends us on to another address, and Deskside does not follow.", hint=FOR_IT
            )
        if "html" in answer.headers.get("content-type", ""):
            return self._web_page()
        return SignInFault(f"{self.host} answered with a fault of its own ({answer.status}).", hint="Try again later.")

    def _web_page(self) -> SignInFault:
        return SignInFault(
            f"A web page answered in place of {self.host}; perhaps the network asks for a sign-in of its own.",
            hint="If this is a guest network, sign in there first. Otherwise tell your IT department.",
        )


def _is_token(text: str) -> bool:
    return 0 < len(text) <= MAX_TOKEN and text.isascii() and text.isprintable() and " " not in text
