"""From what is sent to the query model: written questions, questions on the wire, texts and pictures as vectors."""
