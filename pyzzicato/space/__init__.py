"""What the page and the API share: limits, posted music, takes and their facts, votes."""
