"""The rig itself is tried here: control plane, nodes and pods."""
