"""HTTP for the stub and the lab: connections and their limits, the request limits, and the access log."""
