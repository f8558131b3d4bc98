"""Approved messages in; files and mail out, each message once, and a record of every try.

Nothing here changes a message's words; from approval on, nothing outside here changes its status.
"""
