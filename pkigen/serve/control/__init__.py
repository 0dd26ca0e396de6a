"""Control of a running server: the control API, the handle for programs, and the log of its requests."""
