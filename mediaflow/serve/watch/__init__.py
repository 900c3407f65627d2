"""What the people who run a server see of it: metrics, a line a request, and ids that name requests."""
