"""The parts of the embedded cluster, each by itself."""
