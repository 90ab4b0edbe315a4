"""Signing in with a company account: OpenID Connect in the browser or with a code on another device, and the tokens it gives.

Knows no help desk, no keyring and no HTTP library: it is given ways to ask, to keep and to lock (docs/signing-in.md).
"""
