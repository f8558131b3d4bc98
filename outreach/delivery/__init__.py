"""Hands approved messages to their providers, each message once, and keeps a record of every try.

It never changes a message's words. From approval on, nothing outside this package changes a message's status.
"""
