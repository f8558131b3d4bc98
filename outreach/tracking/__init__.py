"""What providers and people say of messages that left comes in; later statuses and suppressions come out.

Nothing is ever sent from here.
"""
