"""The mapping language: what a mapping file, or a preset, may say of another system's columns. It reads no data.

docs/mappings.md tells how to write one.
"""
