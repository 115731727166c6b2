"""Reading files: every format becomes one canonical text with its blocks, pages, title and date."""
