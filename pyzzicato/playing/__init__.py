"""Playing: a seed's notes go in, a network's step is run again and again, new notes come out."""
