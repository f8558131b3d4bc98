"""What a person may do about sending: pause it, stop it, take an approval back."""
