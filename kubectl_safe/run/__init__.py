"""Observe, decide, act: the loop that carries out what `decide` decides."""
