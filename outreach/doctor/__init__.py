"""Examines this machine: what is well and what is not, with how to mend each. It sends nothing to customers."""
