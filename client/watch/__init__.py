"""What was found before: the last reports, the healthy state, the history. Imports no other package of the client."""
