"""Packages of checks: each module registers its checks when it is imported."""
