"""The demo web shop: a seeded history, live visitors, what people made of it. Pure; imports no other room of iafa."""
