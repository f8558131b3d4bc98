"""Where the bytes of messages are kept, each under its SHA-256. They are never changed once they are there."""
