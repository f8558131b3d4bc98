"""Is this page fit to leave? Reads letters and e-mails back, and says what is wrong with them. Changes nothing."""
