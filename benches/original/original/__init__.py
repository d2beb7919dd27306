"""Social sign-up as it was built before Latchkey: DRF and social auth."""
