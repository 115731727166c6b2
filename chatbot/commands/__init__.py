"""The commands of `chatbot`, a module each or for a few that belong together: options, and what they do."""
