"""Checks of one computer and the reasoner that names the cause. Must not import Qt or anything from `client`."""

__version__ = "0.1.0"
