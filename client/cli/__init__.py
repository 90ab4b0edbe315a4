"""The command line: one thin module per command, loaded when it is called. No Qt; what it does is in `client.app`."""
