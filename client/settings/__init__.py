"""The settings: every key once (schema), merged from built-in values, policies and the user's file (layers), with their origin."""
