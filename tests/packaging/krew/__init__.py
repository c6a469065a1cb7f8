"""krew and its checker of manifests, as a Go module, and what builds them once into the user's cache folder."""
