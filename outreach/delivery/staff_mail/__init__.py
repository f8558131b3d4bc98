"""E-mails to the business's own people. Never to a customer."""
