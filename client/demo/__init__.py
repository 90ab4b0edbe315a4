"""The embedded help desk: django-helpdesk on SQLite behind the employee API, for trying Deskside out and for its tests.

It runs as a process of its own (`python -m client.demo.server`). The client imports `client.demo.launch` and nothing else of
this package; everything that needs Django stays in the server's process.
"""
