"""The Kubernetes API: the only package that imports the kubernetes client. No decision is made here."""
