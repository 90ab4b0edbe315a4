"""Causes as data, one module per area, and the reasoner that names the one that explains most.

A new cause is a `Cause` in the `CAUSES` tuple of its area's module; `diagnostics.causes.catalogue` puts the tuples together.
"""
