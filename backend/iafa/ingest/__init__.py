"""The write path from a request's bytes to the durable acknowledgement. Never reads the lake."""
