"""The control plane that the tests run against, as a Go module, and what builds it."""
