"""The tests: a folder a layer, the rig, and the whole on a real control plane."""
