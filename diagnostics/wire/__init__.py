"""How the probe speaks to the network: TCP, DNS, HTTP, ICMP, SNTP. Each gives typed evidence and never judges it."""
