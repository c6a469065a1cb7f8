"""A cluster on loopback to try kubectl-safe on, with traffic whose every loss is counted.

Nodes run pods that are real HTTP servers, a load balancer checks and drains its targets as the AWS ones do, its
controller behaves as the AWS Load Balancer Controller was seen to, and a proxy follows EndpointSlices late, as
kube-proxy does. Nothing here knows of the tool that is tried on it.
"""
