"""The commands: one file each, their shared options, and the exit codes."""
