"""What cannot run here, at the wire: programs that speak a documented API and are not the real thing."""
