"""The part of JavaScript's library that migrations use."""
