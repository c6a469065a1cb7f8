"""A Kubernetes cluster's control plane as one model in Python, for where no control plane can or need be built.

The model does no I/O: `server` answers requests, `controllers` react to changes on the event loop that they are given.
Two doors lead to it: `local`, in process and also in virtual time, and `http`, on loopback in real time.
It must not know of the sandbox's actors (nodes, target groups, traffic): they come through a door, as on a real one.
"""
