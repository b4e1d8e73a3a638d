"""SQL text, one file a question. Values are bound; nothing of a request is ever spliced in."""
