"""A demonstration: the same disruption done by two tools on two equal clusters, under the same traffic.

A **tool** is kubectl, what kubectl does, or kubectl-safe, run as the command that it is. A **stage** is a cluster with
the two applications; each tool has one of its own. A **trial** is one disruption by one tool, with its account.
Who looks on is a `Screen`, and how that shows lines is none of this package's business.
"""
