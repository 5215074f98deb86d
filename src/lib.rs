//! Points TLS-terminating objects of a rendered chart at routing secrets.
