"""The reading model: which words of the passages answer a question, and whether any do."""
