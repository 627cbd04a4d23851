"""One file a feature of the protocol: take a snapshot, call the core, convert."""
