"""What help desks answer, as far as their adapters read it: other members are ignored. Imports nothing of ours."""
