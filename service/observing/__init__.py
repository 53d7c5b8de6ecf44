"""What is going on in there? Logs, metrics and traces, none of which changes what happens."""
