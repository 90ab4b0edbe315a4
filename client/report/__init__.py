"""What leaves this computer: the ticket and the report, composed from what was found, after redaction. Sends nothing."""
