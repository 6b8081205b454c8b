"""A file on disk becomes rows in the store."""
