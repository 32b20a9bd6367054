"""CAT, the contract: what a pair is, its units, shards, index, manifests, and the command line."""
