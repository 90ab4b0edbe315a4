"""The keys that sign packs of articles: ed25519 (RFC 8032), by the library `cryptography`, which is imported when a key is used.

A public key is written `ed25519:` and its 32 bytes in base64: short enough for a settings file. A private key is a PKCS #8 file in
PEM, as `openssl genpkey -algorithm ed25519` makes it too, so that it can live wherever a company keeps its keys.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX: Final = "ed25519:"
PUBLIC: Final = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")
SIGNATURE_BYTES: Final = 64
LARGEST_KEY_FILE: Final = 16 * 1024  # bytes; a key has some 120


class BadKey(Exception):
    """This is not a key that can be used; the text is a sentence."""


class Signature(msgspec.Struct, frozen=True):
    """A signature and the public key that it can be checked with. Says nothing about whether it is right."""

    key: str
    value: bytes

    def line(self) -> str:
        """How it is written: the key, a space, the signature in base64."""
        return f"{self.key} {base64.b64encode(self.value).decode()}"


class Signer:
    """A private key.

    Args:
        key: of the library's type.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"Signer({self.public})"

    @property
    def public(self) -> str:
        """Its public half, as it is written in the settings."""
        return PREFIX + base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, content: bytes) -> Signature:
        """Signs exactly these bytes."""
        return Signature(self.public, self._key.sign(content))


def make_signer() -> tuple[Signer, bytes]:
    """A new key, and the file that holds it (PEM, not encrypted)."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 -- only who makes a key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- as above

    key = Ed25519PrivateKey.generate()
    file = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer(key), file


def read_signer(file: bytes, *, password: bytes | None = None) -> Signer:
    """The private key in a PEM file.

    Args:
        file: what the file holds.
        password: opens an encrypted file.

    Raises:
        BadKey: it is no such file, of another kind, or the password is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- only who signs
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 -- as above

    try:
        key = load_pem_private_key(file, password)
    except TypeError as error:  # the library's word for "a password, but none is needed" and the reverse
        raise BadKey("The key file is encrypted, or it is not and a password was given.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("The key file holds no private key in PEM format, or the password is wrong.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey("The key is of another kind; a pack is signed by an ed25519 key.")
    return Signer(key)


def read_signatures(text: str, *, most: int) -> tuple[Signature, ...]:
    """The signatures of a text with one a line.

    Raises:
        ValueError: a line is no signature, there are more than `most`, or one key signed twice.
    """
    lines = text.splitlines()
    if len(lines) > most:
        raise ValueError("too many signatures")
    found = []
    for line in lines:
        key, _, value = line.partition(" ")
        try:
            raw = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError("not a signature") from error
        if not PUBLIC.fullmatch(key) or len(raw) != SIGNATURE_BYTES:
            raise ValueError("not a signature")
        found.append(Signature(key, raw))
    if len({one.key for one in found}) != len(found):
        raise ValueError("one key signed twice")
    return tuple(found)


def is_right(signature: Signature, content: bytes) -> bool:
    """Whether the owner of the signature's key signed exactly these bytes."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- not in the tray at rest
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 -- as above

    try:
        raw = base64.b64decode(signature.key.removeprefix(PREFIX), validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature.value, content)
    except (InvalidSignature, ValueError):
        return False
    return True
