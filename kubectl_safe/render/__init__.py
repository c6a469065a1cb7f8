"""What people see: the plan, the table, the live view and the closing line."""
