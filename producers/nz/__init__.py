"""New Zealand's published exposure windows and venues (CC BY-SA 4.0, see README.md), and made-up people among them."""
