"""Every document, chunk and vector in one SQLite file, with an index of its words. It is the truth.

The vector index of `vectors.py` is made from it and can be made again at any time.
"""

from chatbot.library.library import Library

__all__ = ["Library"]
