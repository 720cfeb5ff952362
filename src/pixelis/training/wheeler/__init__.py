"""How Wheeler's autoencoder learns: corpus, lessons, losses, the run."""
