"""Planners: one module a rule, each from a finding to a proposal."""
