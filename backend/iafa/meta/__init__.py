"""JSON metadata: users, organizations, projects, keys, funnels. A file each, locked, versioned, replaced atomically."""
