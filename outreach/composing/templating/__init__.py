"""May these words be used? Templates, the fields they may name, and the sandbox in which they are rendered."""
