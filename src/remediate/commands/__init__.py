"""What the commands do: options checked, pipeline run, result printed; `cli.py` holds names and help."""
