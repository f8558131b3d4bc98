"""Room 1, intake: customer data in; checked rows in the database, and a list of what was refused and why, out.

Bad rows never stop good ones, and no refusal repeats what a customer's cell said.
"""
