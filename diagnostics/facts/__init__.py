"""What is collected without judging it. Imports the model and the probe; must not judge."""
