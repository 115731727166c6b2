"""Language models: one in this process, or one behind an OpenAI-compatible URL."""

LOOK_SECONDS = 0.1
"""So often one may stop while a model is silent."""
