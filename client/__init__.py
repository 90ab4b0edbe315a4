"""Deskside, the desktop self-service client. What may import what is drawn in docs/architecture.md and kept by tests/architecture."""

from diagnostics import __version__

__all__ = ["__version__"]
