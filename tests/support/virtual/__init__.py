"""kubectl-safe in virtual time: its own client, watches, Leases and loop, on the embedded cluster in one process."""
