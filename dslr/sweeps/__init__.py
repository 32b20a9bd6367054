"""Series of captures to sweeps of known, measured values."""
