"""Repeats the attack on pkigen: kills, lack of resources, hostile files, requests and handshakes."""
