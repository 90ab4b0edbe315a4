"""Deskside, the desktop self-service client. docs/architecture.md says what may import what; tests/architecture keeps it."""

from diagnostics import __version__

__all__ = ["__version__"]
