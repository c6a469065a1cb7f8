"""What the model says of a cluster."""
