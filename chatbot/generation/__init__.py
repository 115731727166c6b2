"""Language models: one in this process, or one behind an OpenAI-compatible URL."""
