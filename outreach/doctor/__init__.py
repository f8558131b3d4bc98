"""What is well on this machine and what is not, with how to mend each. It sends nothing to customers."""
