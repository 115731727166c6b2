"""Finds the passages that may answer a question, and keeps a trace of how."""
