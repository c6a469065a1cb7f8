"""The controllers: each reacts to changes of objects by work on a queue, as kube-controller-manager's do."""
