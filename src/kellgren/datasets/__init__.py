"""Data sets become the tidy table; phantoms are drawn; patients are split."""
