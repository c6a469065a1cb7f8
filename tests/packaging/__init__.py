"""What users install: krew's manifest, the archive in it, the wheel and the sdist."""
