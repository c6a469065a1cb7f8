"""What to do next, from a snapshot, the intent and the time: pure, so that every rule is a row in a table of tests.

It answers with actions, and with the reason for each wait. It never logs, sleeps, prints or calls anything.
"""
