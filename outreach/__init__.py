"""Writes letters, e-mails, texts and call lines to a business's customers, each on the day that matters and once."""
