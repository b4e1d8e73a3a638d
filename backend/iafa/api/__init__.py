"""HTTP in, HTTP out: routes, the lean collect path, problems. No rules, no SQL, no files."""
