"""What is done about sending that did not end well: dead senders, restored backups, letters to cancel."""
