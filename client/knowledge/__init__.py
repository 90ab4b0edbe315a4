"""Articles and how they are found: read strictly, searched by words, never fatal. Imports no other package of the client."""
