"""Proof on anyone's machine: senders are killed at random, and the vendors' own logs show one send of each message."""
