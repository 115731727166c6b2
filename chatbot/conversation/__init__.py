"""Makes a question stand alone: follow-ups get their topic, self-corrections are resolved."""
