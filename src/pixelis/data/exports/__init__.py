"""Episodes written as other trainers load them."""
