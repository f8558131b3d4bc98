"""Room 1, intake: takes customer data into the database, and lists what it refused and why.

Bad rows never stop good ones, and no refusal repeats what a customer's cell said.
"""
