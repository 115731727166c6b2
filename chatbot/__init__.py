"""A chatbot over one's own documents that runs alone on one machine and shows its sources."""

__version__ = "0.1.0"
