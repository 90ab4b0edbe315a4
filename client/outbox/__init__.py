"""The durable queue between the employee and the help desk: drafts, messages, and what the desk last said. Knows no network."""
