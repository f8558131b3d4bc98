"""Writes the exact bytes of every letter, e-mail, text and call line, out of planned messages and templates.

It never sends, never approves, and never writes a word that a customer's data or a template's author could bend.
"""
