"""The API server's adapter: over scripted answers on loopback, and on a real control plane."""
