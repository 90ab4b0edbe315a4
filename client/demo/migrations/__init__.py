"""The tables of the employee API, step by step."""
