"""Answers questions about a corpus as a whole from its register and a search of all of it."""
