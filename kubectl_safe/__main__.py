"""`python -m kubectl_safe`."""

from kubectl_safe.cli.main import main

main()
