"""gRPC: the messages, which mirror the JSON form of queries and answers, and the methods that call the service."""
