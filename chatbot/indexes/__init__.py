"""A second index beside the first, made with another embedding model: built, compared, switched to."""
