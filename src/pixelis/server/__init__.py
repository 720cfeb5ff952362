"""The agent behind an OpenAI-compatible API, with the Studio page; MCP for other assistants."""
