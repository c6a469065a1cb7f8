"""What is known of a cluster at one instant: frozen values, parsed at the edge.

No SDK object comes in here, and nothing here calls anything.

Words of our own, defined here once:

- **release**: a pod leaves its controller's selector, and only that. It keeps serving; the controller replaces it.
- **withdraw**: a pod leaves every Service's selector. It still runs and still answers.
- **handoff**: release, confirm the replacement, withdraw, evict, and see it gone; no step before the one before it was
  observed complete.
"""
