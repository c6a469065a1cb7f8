"""What kubectl-safe relies on of a control plane: each claim is held against the embedded one and the real one."""
