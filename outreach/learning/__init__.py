"""What became of everything: the database in, counts and stories out. Reads only; counts name no person."""
