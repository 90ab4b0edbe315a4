"""What several network checks need and one run finds out once: the machine's network, names, proxies, visits."""
