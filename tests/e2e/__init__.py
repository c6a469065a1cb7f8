"""The two commands on a real control plane, under traffic that is counted."""
