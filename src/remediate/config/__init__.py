"""Configuration: `remediate.toml`, all of it optional, and what the command line adds."""
