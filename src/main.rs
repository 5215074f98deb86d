//! The `kubectl-routing_secrets` binary.
fn main() {}
