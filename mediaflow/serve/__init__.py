"""The public faces of the search: GraphQL and gRPC, which call one service and hold no logic of their own."""
