"""The demo web shop: a seeded history, live visitors, funnels. Pure, and imports no other room of iafa."""
