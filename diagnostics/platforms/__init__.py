"""What differs per operating system, one module each; `chosen_network` and `machine` choose in one place."""
