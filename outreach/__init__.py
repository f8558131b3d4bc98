"""Customer data in; letters, e-mails, texts and call lines out, each on the day that matters and each once."""
