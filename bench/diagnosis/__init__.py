"""How true diagnoses are: scenarios with hand-written truth, played through the product's own path, graded by code."""
