"""Fixes with proof: plan, show, act, check again, undo. Actions are a closed list. Imports no other package of the client."""
