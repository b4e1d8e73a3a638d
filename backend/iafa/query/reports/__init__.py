"""Reports beside the funnel: each is a question over a frame of events, answered with the same rigour."""
