"""GraphQL: the schema, what its fields call, and how much one request may ask for."""
