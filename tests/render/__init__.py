"""What people see, to the letter."""
