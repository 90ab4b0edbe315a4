"""`deskside-helper`: the few things that need an administrator's rights. Small, and alone: imports nothing of the project.

It takes the id of an action and its checked parameters, and nothing else. docs/privileged-helper.md says why it is as it is.
"""
