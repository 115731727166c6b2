"""The chat in other people's pages: a launcher there, a frame from here, and what they ask of the server."""
