"""Text to learn from: a seeded generator of stories and questions, and a reader of TinyStories."""
