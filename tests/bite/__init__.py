"""Whether the tests of what decides bite: code that is changed for the worse has to break one of them."""
